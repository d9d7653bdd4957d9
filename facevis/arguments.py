"""What was typed becomes a command; what cannot be one ends in a sentence.

tyro calls a refused value by names of its own (the place in its tree of classes), and a text that
is no number in Python's words; here both are said in ours. It knows no command.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tyro import cli
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from facevis.validation import shown

WHOLE_FILES = "Stopped; files that were written until then are whole."
"""What a command says that wrote file after file when Ctrl+C came."""

_NUMBERS: dict[type, str] = {int: "a whole number", float: "a number"}
_rules = ConstructorRegistry()


@contextmanager
def in_one_sentence(stopped: str) -> Iterator[None]:
    """The work of a command: what is wrong, or ``stopped`` after Ctrl+C, is all that it says.

    >>> with in_one_sentence("Stopped."):
    ...     raise ValueError("steps is 0; give a whole number from 1 to 9.")
    Traceback (most recent call last):
    ...
    SystemExit: steps is 0; give a whole number from 1 to 9.
    """
    try:
        yield
    except ValueError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt as error:
        raise SystemExit(stopped) from error


def command_of(kind: Any, arguments: Sequence[str], program: str, about: str) -> Any:
    """The command of one of the types in ``kind``; ``SystemExit`` with what is to be said.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Add:
    ...     a: int
    ...     b: int = 2
    >>> command_of(Add, ["--a", "1"], "calc", "Adds.")
    Add(a=1, b=2)
    """

    def read() -> Any:
        return cli(kind, args=arguments, prog=program, description=about, registry=_rules)

    unheard = io.StringIO()
    try:
        with contextlib.redirect_stdout(unheard), contextlib.redirect_stderr(unheard):
            return read()
    except ValueError as error:
        raise SystemExit(str(error)) from error
    except SystemExit as error:
        if (said := _refusal(error)) is not None:
            raise SystemExit(said) from error
    return read()  # help, and options that nobody knows, in tyro's own words and colours


def _refusal(error: BaseException) -> str | None:
    """The sentence with which a command's own check refused its values, if that is why."""
    reason = error.__context__
    while reason is not None:
        if isinstance(reason, ValueError) and str(reason).endswith("."):
            return str(reason)
        reason = reason.__context__
    return None


@_rules.primitive_rule
def _number(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """A number, one that may be left out, or a row of them; None where it is another type."""
    for kind in _NUMBERS:
        name = kind.__name__.upper()
        if info.type in (kind, kind | None):
            return _one(kind, name)
        if info.type == tuple[kind, ...]:  # type: ignore[valid-type]
            return _row(kind, f"[{name} [{name} ...]]")
    return None


def _one(kind: type, shape: str) -> PrimitiveConstructorSpec[Any]:
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=shape,
        instance_from_str=lambda texts: _read(kind, texts[0]),
        is_instance=lambda value: value is None or isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


def _row(kind: type, shape: str) -> PrimitiveConstructorSpec[Any]:
    return PrimitiveConstructorSpec(
        nargs="*",
        metavar=shape,
        instance_from_str=lambda texts: tuple(_read(kind, text) for text in texts),
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [str(number) for number in value],
    )


def _read(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"it is {shown(text)}; give {_NUMBERS[kind]}") from None
