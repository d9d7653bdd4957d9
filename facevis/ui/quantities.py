"""Counts, sizes and times in words."""

from __future__ import annotations

from collections.abc import Callable

from facevis.ui import state

Translate = Callable[..., str]


def spoken(text: str, in_list: bool = False) -> str:
    """A text with numbers, with the decimal mark of the language."""
    if state.language() != "ru":
        return text
    if in_list:
        text = text.replace(", ", "; ")
    return text.replace(".", ",")


def grouped(number: float) -> str:
    """Whole, with thin spaces between thousands.

    >>> grouped(12345.6)
    '12\\u202f346'
    """
    return f"{number:,.0f}".replace(",", "\u202f")


def millions(t: Translate, count: int) -> str:
    """A count in millions, or as it is.

    >>> millions(lambda key, value: f"{value} M", 38_400)
    '38\\u202f400'
    """
    if count < 1e6:
        return grouped(count)
    return t("full_millions", value=spoken(f"{count / 1e6:.3g}"))


def size(t: Translate, count: float) -> str:
    """Bytes in the unit that fits, as memory counts them."""
    if count >= 2**30:
        return t("full_gibibytes", value=spoken(f"{count / 2**30:.3g}"))
    return t("full_mebibytes", value=spoken(f"{max(1, count / 2**20):.3g}"))


def duration(t: Translate, seconds: float) -> str:
    """A time in its two largest units.

    >>> duration(lambda key, n: f"{n} {key[5]}", 3_700), duration(lambda key, n: f"{n}", 59.9)
    ('1 h 1 m', '59')
    """
    for name, length, inner, part in (
        ("days", 86_400, "hours", 3600),
        ("hours", 3600, "minutes", 60),
        ("minutes", 60, "seconds", 1),
    ):
        if seconds >= length:
            rest = int(seconds % length / part)
            return f"{t(f'full_{name}', n=int(seconds / length))} {t(f'full_{inner}', n=rest)}"
    return t("full_seconds", n=int(seconds))
