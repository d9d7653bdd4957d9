"""Dataclasses from plain values such as JSON has, each field checked for its name and type.

It knows dataclasses; it does not know what the fields mean.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

from facevis.validation import choice, line, shown, written


def flat(tree: dict[str, Any], before: str = "") -> dict[str, Any]:
    """The values of nested tables by their full names.

    >>> flat({"data": {"size": 112}, "seed": 0})
    {'data.size': 112, 'seed': 0}
    """
    found: dict[str, Any] = {}
    for name, value in tree.items():
        inner = isinstance(value, dict)
        found |= flat(value, f"{before}{name}.") if inner else {before + name: value}
    return found


def from_plain(kind: Any, found: Any, where: str = "") -> Any:
    """The dataclass ``kind`` from a table of plain values; what is missing has its default.

    ``ValueError`` names the field that nothing knows, or whose value has another type.

    >>> @dataclasses.dataclass
    ... class Size:
    ...     width: int = 1
    >>> from_plain(Size, {"width": 3})
    Size(width=3)
    >>> from_plain(Size, {"width": "3"})
    Traceback (most recent call last):
    ...
    ValueError: the configuration's width is '3'; give an int.
    """
    if not isinstance(found, dict):
        raise ValueError(
            f"the configuration's {where[:-1] or 'whole'} is no table of fields; give "
            "its fields by name, in braces."
        )
    hints = get_type_hints(kind)
    for name in found:
        if name not in hints:
            raise ValueError(
                f"the configuration has a field {where}{line(name)} that nothing knows; remove it, "
                "or correct its name."
            )
    return kind(**{name: _value(hints[name], v, f"{where}{name}") for name, v in found.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_plain(hint, value, f"{where}.")
    inside = get_args(hint)
    if get_origin(hint) is Literal:
        return choice(where, value, inside)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"the configuration's {where} is {shown(value)}; give a list.")
        return tuple(_value(inside[0], entry, where) for entry in value)
    wanted = int | float if hint is float else hint
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        kind = f"an {hint.__name__}" if hint is int else f"a {hint.__name__}"
        raise ValueError(f"the configuration's {where} is {shown(value)}; give {kind}.")
    if isinstance(value, str):
        written(f"the configuration's {where}", value)
    if hint is float:
        try:
            return float(value)
        except OverflowError:
            raise ValueError(
                f"the configuration's {where} is too large; give a number that "
                "floating point can hold."
            ) from None
    return value
