"""Read a pickle as data: a small machine that knows lists, bytes, booleans and rows of bytes.

Python's own ``pickle`` is a language whose words may be any function; here nothing is imported and
nothing is called. The instructions are followed as far as lists of pictures need them, the few
names that may occur are read as what they stand for (``pickled_names``), and the first other name
or instruction ends it. Lengths are never trusted: no memory is taken that the file does not fill.
It knows nothing about pictures. Source of the instructions: CPython ``Lib/pickletools.py``.
"""

from __future__ import annotations

import mmap
import pickletools
import re
from collections.abc import Callable
from typing import Any

from facevis.corpora.pickled_names import Foreign, Room, build, call, named, refuse, shown

MAX_STEPS = 4_000_000
"""Instructions in one file: at 64 bytes each in memory, and about 20 for a picture in an array."""
_REMEDY = (
    "a verification set holds pictures and booleans only, so nothing of it was run: get the file "
    "again from its source."
)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


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
    except Foreign as error:
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
        self.room = Room(len(data))

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self.take(1)
            if code == b".":
                return self.stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise Foreign(self._named(code))
            step(self)
        raise Foreign(f"holds more than {MAX_STEPS:,} instructions")

    def _named(self, code: bytes) -> str:
        """What an instruction without a place here wants."""
        if code == b"i":  # it names and calls in one
            return f"asks for {shown(self.line().decode('utf-8'), self.line().decode('utf-8'))}"
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
            raise Foreign("changes something that is no list")
        self.stack[-1].extend(values)

    def call(self) -> None:
        name, given = self.last(2)
        self.push(call(name, given, self.room))

    def build(self) -> None:
        (state,) = self.last(1)
        build(self.stack[-1], state)

    def text(self, coded: bytes, coding: str) -> None:
        self.push(coded.decode(coding, "surrogatepass" if coding == "utf-8" else "strict"))


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
        refuse("a number of many digits")
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
    b"c": lambda m: m.push(named(m.line().decode(), m.line().decode())),
    b"\x93": lambda m: m.push(named(*m.last(2))),
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
