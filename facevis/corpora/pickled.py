"""Read a pickle as data: a small machine that knows lists, bytes, booleans and rows of bytes.

Python's own ``pickle`` is a language whose words may be any function; here nothing is imported and
nothing is called. The instructions are followed as far as lists of pictures need them, the names
of NumPy's and Python's few helpers are read as what they stand for, and the first other name or
instruction ends it. Lengths are never trusted: no memory is taken that the file does not fill.
It knows nothing about pictures. Source of the instructions: CPython ``Lib/pickletools.py``; of the
forms of arrays: NumPy ``ndarray.__reduce__``, ``dtype.__reduce__``.
"""

from __future__ import annotations

import math
import mmap
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

MAX_STEPS = 4_000_000
"""Instructions in one file: at 64 bytes each in memory, and about 20 for a picture in an array."""
_REMEDY = (
    "a verification set holds pictures and booleans only, so nothing of it was run: get the file "
    "again from its source."
)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@dataclass
class Row:
    """An array's numbers as they lie in memory; ``kind`` is NumPy's, "u1" or "b1"."""

    kind: str = ""
    data: bytes = b""


class _Name(NamedTuple):
    module: str
    name: str


class _Kind(NamedTuple):
    text: str


class _Foreign(Exception):
    """Something that a verification set has no use for; the message completes "file …"."""


class _Damaged(Exception):
    """The file ends too early, or an instruction finds nothing to work on."""


def read_plain(data: bytes | mmap.mmap, name: str) -> Any:
    """What a pickle describes, made of lists, tuples, bytes, texts, numbers and ``Row``.

    Raises ``ValueError`` in one sentence that begins with ``name`` where it wants anything else
    (the sentence says what), or where it is cut off.

    >>> import os, pickle
    >>> read_plain(pickle.dumps(([b"one", b"two"], [True])), "lfw.bin")
    ([b'one', b'two'], [True])
    >>> read_plain(b"cposix\\nsystem\\n(S'echo'\\ntR.", "lfw.bin")
    Traceback (most recent call last):
    ...
    ValueError: lfw.bin asks for posix.system; a verification set holds pictures and booleans ...
    """
    machine = _Machine(data)
    try:
        return machine.run()
    except _Foreign as error:
        raise ValueError(f"{name} {error}; {_REMEDY}") from error
    except (_Damaged, IndexError, KeyError, UnicodeError) as error:
        raise ValueError(
            f"{name} is cut off or damaged at byte {machine.at:,}; get the file again from its "
            "source."
        ) from error


class _Machine:
    """A stack, a memory, and a place in the file."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self.data, self.at = data, 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under each mark
        self.memory: dict[int, Any] = {}
        self.allowed = len(data)  # bytes that texts may still become: none needs to be used twice

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self.take(1)
            if code == b".":
                return self.stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise _Foreign(self._named(code))
            step(self)
        raise _Foreign(f"holds more than {MAX_STEPS:,} instructions")

    def _named(self, code: bytes) -> str:
        """What an instruction without a place here wants."""
        if code == b"i":  # it names and calls in one
            return f"asks for {_shown(self.line().decode('utf-8'), self.line().decode('utf-8'))}"
        for known in pickletools.opcodes:
            if known.code == code.decode("latin-1"):
                return f"holds the instruction {known.name}"
        raise _Damaged

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) < count:
            raise _Damaged
        self.at += count
        return part

    def sized(self, width: int) -> bytes:
        return self.take(self.number(width))

    def number(self, width: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(width), "little", signed=signed)

    def line(self) -> bytes:
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise _Damaged
        return self.take(end + 1 - self.at)[:-1]

    def digits(self) -> int:
        text = self.line().rstrip(b"L")
        if not re.fullmatch(rb"-?[0-9]{1,19}", text):
            raise _Damaged
        return int(text)

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        found, self.stack = self.stack, self.below.pop()
        return found

    def last(self, count: int) -> tuple[Any, ...]:
        if len(self.stack) < count:
            raise _Damaged
        return tuple(self.stack.pop() for _ in range(count))[::-1]

    def extend(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise _Foreign("changes something that is no list")
        self.stack[-1].extend(values)

    def name(self, module: Any, name: Any) -> None:
        """A name, if it is one of those that stand for something here."""
        found = _Name(module, name)
        texts = isinstance(module, str) and isinstance(name, str)
        if not texts or (found not in _CALLS and found != _NDARRAY):
            raise _Foreign(f"asks for {_shown(module, name)}")
        self.push(found)

    def call(self) -> None:
        name, given = self.last(2)
        known = isinstance(name, _Name) and name in _CALLS and isinstance(given, tuple)
        self.push(_CALLS[name](self, given) if known else _refuse("a call of something else"))

    def build(self) -> None:
        """NumPy's second half: the numbers of an array, the details of a type."""
        (state,) = self.last(1)
        target = self.stack[-1]
        if isinstance(target, Row) and isinstance(state, tuple) and len(state) == 5:
            _fill(target, state[2], state[1], state[4])
        elif isinstance(target, _Kind) and isinstance(state, tuple) and len(state) == 8:
            if any(part is not None for part in state[2:5]):
                _refuse("an array with fields")
        else:
            _refuse("an object with a state")

    def text(self, coded: bytes, coding: str) -> None:
        self.push(coded.decode(coding, "surrogatepass" if coding == "utf-8" else "strict"))


def _shown(module: Any, name: Any) -> str:
    """A name to be read, however it was written; lists are not: they may hold each other."""
    parts = [part[:80] if isinstance(part, str) else "?" for part in (module, name)]
    return ascii(".".join(parts)[:80])[1:-1]


def _refuse(what: str) -> NoReturn:
    raise _Foreign(f"holds {what}")


# -- names that stand for something ---------------------------------------------------------------


def _encode(machine: _Machine, given: tuple[Any, ...]) -> bytes:
    """How Python 3 writes bytes for Python 2."""
    if len(given) != 2 or not isinstance(given[0], str) or given[1] != "latin1":
        _refuse("a text in another coding")
    machine.allowed -= len(given[0])
    if machine.allowed < 0:
        _refuse("one text many times")
    data: bytes = given[0].encode("latin-1")
    return data


def _empty(_: _Machine, given: tuple[Any, ...]) -> bytes:
    return _refuse("a call of bytes") if given else b""


def _kind(_: _Machine, given: tuple[Any, ...]) -> _Kind:
    text = given[0] if given else None
    for known in ("u1", "b1"):
        if text in (known, known.encode()):  # Python 2 wrote bytes
            return _Kind(known)
    shown = ascii(text)[:20] if isinstance(text, str | bytes) else "unknown"
    return _refuse(f"an array of type {shown}")


def _array(_: _Machine, given: tuple[Any, ...]) -> Row:
    return Row() if given and given[0] == _NDARRAY else _refuse("an array of another class")


def _from_buffer(_: _Machine, given: tuple[Any, ...]) -> Row:
    if len(given) != 4:
        _refuse("an array in parts")
    data, kind, shape, _order = given
    row = Row()
    _fill(row, kind, shape, data)
    return row


def _scalar(_: _Machine, given: tuple[Any, ...]) -> bool:
    if len(given) != 2 or given[0] != _Kind("b1") or given[1] not in (b"\0", b"\1"):
        _refuse("a number of another type")
    return bool(given[1] == b"\1")


def _fill(row: Row, kind: Any, shape: Any, data: Any) -> None:
    """The numbers of an array, if there are as many as its shape says."""
    if not isinstance(kind, _Kind) or not isinstance(data, bytes):
        _refuse("an array of objects")
    sides = shape if isinstance(shape, tuple) and len(shape) <= 4 else (-1,)
    if not all(isinstance(side, int) and side >= 0 for side in sides):
        _refuse("an array without a shape")
    if math.prod(sides) != len(data):
        _refuse(f"an array of {math.prod(sides):,} numbers with {len(data):,} in it")
    row.kind, row.data = kind.text, data


_NDARRAY = _Name("numpy", "ndarray")
_CALLS: dict[_Name, Callable[[_Machine, tuple[Any, ...]], Any]] = {
    _Name("_codecs", "encode"): _encode,
    _Name("__builtin__", "bytes"): _empty,
    _Name("builtins", "bytes"): _empty,
    _Name("numpy", "dtype"): _kind,
}
for _core in ("numpy.core", "numpy._core"):  # before NumPy 2, and since
    _CALLS[_Name(f"{_core}.multiarray", "_reconstruct")] = _array
    _CALLS[_Name(f"{_core}.multiarray", "scalar")] = _scalar
    _CALLS[_Name(f"{_core}.numeric", "_frombuffer")] = _from_buffer


# -- instructions ---------------------------------------------------------------------------------


def _quoted(line: bytes) -> bytes:
    """Python 2's text in quotes."""
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise _Damaged
    return re.sub(
        rb"\\(?:x([0-9a-fA-F]{2})|(.))",
        lambda found: (
            bytes.fromhex(found[1].decode()) if found[1] else _ESCAPES.get(found[2], found[2])
        ),
        line[1:-1],
    )


def _whole(machine: _Machine) -> None:
    """Python 2's whole number, of which 00 and 01 are its booleans."""
    flags = {b"00\n": False, b"01\n": True}
    flag = flags.get(bytes(machine.data[machine.at : machine.at + 3]))
    number = machine.digits()
    machine.push(number if flag is None else flag)


def _long(machine: _Machine) -> None:
    coded = machine.sized(1)
    if len(coded) > 8:
        _refuse("a number of many digits")
    machine.push(int.from_bytes(coded, "little", signed=True))


def _remember(machine: _Machine, place: int) -> None:
    machine.memory[place] = machine.stack[-1]


_STEPS: dict[bytes, Callable[[_Machine], object]] = {
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    b"(": lambda m: m.mark(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _whole,
    b"J": lambda m: m.push(m.number(4, signed=True)),
    b"K": lambda m: m.push(m.number(1)),
    b"M": lambda m: m.push(m.number(2)),
    b"L": lambda m: m.push(m.digits()),
    b"\x8a": _long,
    b"S": lambda m: m.push(_quoted(m.line())),
    b"V": lambda m: m.text(m.line(), "raw-unicode-escape"),
    b"X": lambda m: m.text(m.sized(4), "utf-8"),
    b"\x8c": lambda m: m.text(m.sized(1), "utf-8"),
    b"\x8d": lambda m: m.text(m.sized(8), "utf-8"),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.since_mark()),
    b"a": lambda m: m.extend([m.stack.pop()]),
    b"e": lambda m: m.extend(m.since_mark()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"\x85": lambda m: m.push(m.last(1)),
    b"\x86": lambda m: m.push(m.last(2)),
    b"\x87": lambda m: m.push(m.last(3)),
    b"c": lambda m: m.name(m.line().decode(), m.line().decode()),
    b"\x93": lambda m: m.name(*m.last(2)),
    b"R": lambda m: m.call(),
    b"b": lambda m: m.build(),
    b"p": lambda m: _remember(m, m.digits()),
    b"q": lambda m: _remember(m, m.number(1)),
    b"r": lambda m: _remember(m, m.number(4)),
    b"\x94": lambda m: _remember(m, len(m.memory)),
    b"g": lambda m: m.push(m.memory[m.digits()]),
    b"h": lambda m: m.push(m.memory[m.number(1)]),
    b"j": lambda m: m.push(m.memory[m.number(4)]),
}
_WIDTHS = {b"B": 4, b"C": 1, b"\x8e": 8, b"\x96": 8, b"T": 4, b"U": 1}
"""Bytes, and Python 2's texts: how many bytes say their length."""
_STEPS |= {
    code: lambda m, width=width: m.push(m.sized(width))  # type: ignore[misc]
    for code, width in _WIDTHS.items()
}
