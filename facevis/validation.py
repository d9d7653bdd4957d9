"""One sentence for a bad value: what it is, what is allowed. Knows nothing but words.

All functions return the value they accept and raise ``ValueError`` otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facevis.i18n import Said

_LARGEST = sys.float_info.max


def choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of ``choices``.

    >>> choice("tail", "soft", ("monotone", "raw"))
    Traceback (most recent call last):
    ...
    ValueError: tail is 'soft'; choose one of monotone, raw.
    """
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(choices)
        raise ValueError(Said("wrong_choice", name=name, value=shown(value), choices=known))
    return value


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(Said("wrong_whole", name=name, value=shown(value), low=low, high=high))
    return value


def path_of(text: str | Path) -> Path:
    """A path as somebody typed it, ``~`` for the home folder; it need not exist.

    >>> path_of("~nobody-of-that-name/faces")
    Traceback (most recent call last):
    ...
    ValueError: '~nobody-of-that-name/faces' is no path (Could not determine home directory.); ...
    """
    try:
        path = Path(text).expanduser()
        path.exists()
    except (RuntimeError, OSError, ValueError) as error:  # no such home, too long, not to be read
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{str(text)[-80:]!r} is no path ({reason}); check it.") from error
    return path


def within(name: str, value: Any, low: float, high: float) -> float:
    """A finite number from ``low`` to ``high``."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        limits = {"low": f"{low:g}", "high": f"{high:g}"}
        raise ValueError(Said("wrong_number", name=name, value=shown(value), **limits))
    return float(value)


def positive(name: str, value: Any) -> float:
    """A finite number above 0."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= _LARGEST:
        raise ValueError(Said("wrong_positive", name=name, value=shown(value)))
    return float(value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError(Said("wrong_flag", name=name, value=shown(value)))
    return value


def shown(value: Any) -> str:
    """The value as it was given, cut where it is endless.

    >>> shown("no" * 40)
    "'nononononononononononononononononononononononononononononon…"
    """
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def written(name: str, text: str) -> str:
    """Return a text that can be written down: JSON and file systems also have halves of letters.

    >>> written("recipe", "демо")
    'демо'
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds halves of letters; give a text.") from error
    return text


def line(text: str, most: int = 80) -> str:
    """Of a name or a value from outside a part of one line, whatever letters it has.

    >>> line("two\\nlines"), line("endless", most=3)
    ('two·lines', 'end…')
    """
    cut = text if len(text) <= most else text[:most] + "…"
    return "".join(letter if letter.isprintable() else "·" for letter in cut)
