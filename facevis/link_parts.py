"""One part of a link: from text to a value and back, and the sentence for what is none.

What cannot be read raises ``ValueError``, half a sentence that follows ``ignored_part``. It knows
no configuration.
"""

from __future__ import annotations

from facevis.i18n import Said
from facevis.validation import line


def ignored_part(name: str, text: str, reason: object) -> Said:
    """A part of a link that is left at its default; ``reason`` is a sentence or an error."""
    said = reason.args[0] if isinstance(reason, Exception) and reason.args else reason
    said = said if isinstance(said, Said) else f"{str(said).rstrip('.')}."
    return Said("link_part_ignored", name=line(name, 40), text=line(text, 40), reason=said)


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(Said("link_whole")) from None


def number(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(Said("link_number")) from None


def yes_or_no(text: str) -> bool:
    """1 or 0."""
    if text not in ("0", "1"):
        raise ValueError(Said("link_yes_no"))
    return text == "1"


def step(text: str) -> int:
    """The number of a step, from 0."""
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ValueError(Said("link_whole"))
    return int(text)


def place(text: str) -> float:
    """Where the slider of a sweep stands, from 0 to 100."""
    value = number(text)
    if not 0.0 <= value <= 100.0:
        raise ValueError(Said("link_from_to", low=0, high=100))
    return value


def camera(text: str) -> str:
    """The numbers of a camera, which the browser reads."""
    try:
        numbers = [float(part) for part in text.split("_")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 7) or not all(abs(each) < 1000 for each in numbers):
        raise ValueError(Said("link_camera"))
    return text


def text_of(value: object) -> str:
    """What ``whole``, ``number`` or ``yes_or_no`` reads back as the same value.

    >>> text_of(16.0), text_of(0.1 + 0.2), text_of(True)
    ('16', '0.30000000000000004', '1')
    """
    if isinstance(value, bool):
        return "1" if value else "0"
    # repr keeps every bit: a link must give the same picture.
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
