"""Names that a pickled verification set may hold, and what each stands for; nothing is imported.

A name of NumPy's or Python's few helpers is read as what it stands for, by ``call``; any other is
``Foreign``. Source of the forms of arrays: NumPy ``ndarray.__reduce__``, ``dtype.__reduce__``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn


@dataclass
class Row:
    """An array's numbers as they lie in memory; ``kind`` is NumPy's, "u1" or "b1"."""

    kind: str = ""
    data: bytes = b""


class Name(NamedTuple):
    """A function or class that a pickle asks for."""

    module: str
    name: str


class Kind(NamedTuple):
    """The type of an array's numbers, "u1" or "b1"."""

    text: str


@dataclass
class Room:
    """Bytes that texts may still become: none needs to be used twice."""

    left: int


class Foreign(Exception):
    """Something that a verification set has no use for; the message completes "file …"."""


def shown(module: Any, name: Any) -> str:
    """A name to be read, however it was written; lists are not: they may hold each other."""
    parts = [part[:80] if isinstance(part, str) else "?" for part in (module, name)]
    return ascii(".".join(parts)[:80])[1:-1]


def refuse(what: str) -> NoReturn:
    """End it: nothing of a verification set looks like this."""
    raise Foreign(f"holds {what}")


def named(module: Any, name: Any) -> Name:
    """The name, if it is one of those that stand for something here."""
    found = Name(module, name)
    texts = isinstance(module, str) and isinstance(name, str)
    if not texts or (found not in _CALLS and found != _NDARRAY):
        raise Foreign(f"asks for {shown(module, name)}")
    return found


def call(name: Any, given: Any, room: Room) -> Any:
    """What a call of a name stands for."""
    if isinstance(name, Name) and name in _CALLS and isinstance(given, tuple):
        return _CALLS[name](room, given)
    return refuse("a call of something else")


def build(target: Any, state: Any) -> None:
    """NumPy's second half: the numbers of an array, the details of a type."""
    if isinstance(target, Row) and isinstance(state, tuple) and len(state) == 5:
        _fill(target, state[2], state[1], state[4])
    elif isinstance(target, Kind) and isinstance(state, tuple) and len(state) == 8:
        if any(part is not None for part in state[2:5]):
            refuse("an array with fields")
    else:
        refuse("an object with a state")


def _encode(room: Room, given: tuple[Any, ...]) -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if len(given) != 2 or not isinstance(given[0], str) or given[1] != "latin1":
        refuse("a text in another coding")
    room.left -= len(given[0])
    if room.left < 0:
        refuse("one text many times")
    data: bytes = given[0].encode("latin-1")
    return data


def _empty(_: Room, given: tuple[Any, ...]) -> bytes:
    return refuse("a call of bytes") if given else b""


def _kind(_: Room, given: tuple[Any, ...]) -> Kind:
    text = given[0] if given else None
    for known in ("u1", "b1"):
        if text in (known, known.encode()):  # Python 2 wrote bytes
            return Kind(known)
    written = ascii(text)[:20] if isinstance(text, str | bytes) else "unknown"
    return refuse(f"an array of type {written}")


def _array(_: Room, given: tuple[Any, ...]) -> Row:
    return Row() if given and given[0] == _NDARRAY else refuse("an array of another class")


def _from_buffer(_: Room, given: tuple[Any, ...]) -> Row:
    if len(given) != 4:
        refuse("an array in parts")
    data, kind, shape, _order = given
    row = Row()
    _fill(row, kind, shape, data)
    return row


def _scalar(_: Room, given: tuple[Any, ...]) -> bool:
    if len(given) != 2 or given[0] != Kind("b1") or given[1] not in (b"\0", b"\1"):
        refuse("a number of another type")
    return bool(given[1] == b"\1")


def _fill(row: Row, kind: Any, shape: Any, data: Any) -> None:
    """The numbers of an array, if there are as many as its shape says."""
    if not isinstance(kind, Kind) or not isinstance(data, bytes):
        refuse("an array of objects")
    sides = shape if isinstance(shape, tuple) and len(shape) <= 4 else (-1,)
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        refuse("an array without a shape")
    if math.prod(sides) != len(data):
        refuse(f"an array of {math.prod(sides):,} numbers with {len(data):,} in it")
    row.kind, row.data = kind.text, data


_NDARRAY = Name("numpy", "ndarray")
_CALLS: dict[Name, Callable[[Room, tuple[Any, ...]], Any]] = {
    Name("_codecs", "encode"): _encode,
    Name("__builtin__", "bytes"): _empty,
    Name("builtins", "bytes"): _empty,
    Name("numpy", "dtype"): _kind,
}
for _core in ("numpy.core", "numpy._core"):  # before NumPy 2, and since
    _CALLS[Name(f"{_core}.multiarray", "_reconstruct")] = _array
    _CALLS[Name(f"{_core}.multiarray", "scalar")] = _scalar
    _CALLS[Name(f"{_core}.numeric", "_frombuffer")] = _from_buffer
