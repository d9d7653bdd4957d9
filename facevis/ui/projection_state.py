"""How more than three dimensions are shown, as a link says it and as the widgets keep it."""

from __future__ import annotations

from collections.abc import Mapping

from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.live.projection import KINDS, parse_projection

CHOSEN = ("first", "second", "third")
"""The widgets of the three prototypes that span the sphere."""
FIRST_THREE = dict(zip(CHOSEN, range(3), strict=True))


def begin(
    query: Mapping[str, str], parts: tuple[str, ...], classes: int
) -> tuple[dict[str, object], list[str]]:
    """What a link says of the part that is looked at and of the projection; what was ignored."""
    values: dict[str, object] = {"part": parts[0], "kind": KINDS[0], **FIRST_THREE}
    ignored: list[str] = []
    part = query.get("part", parts[0])
    if part in parts:
        values["part"] = part
    else:
        ignored.append(ignored_part("part", part, Said("link_choose", choices=", ".join(parts))))
    if "proj" in query:
        try:
            found = parse_projection(query["proj"], classes)
            values |= {"kind": found.kind, **dict(zip(CHOSEN, found.classes, strict=False))}
        except ValueError as error:
            ignored.append(ignored_part("proj", query["proj"], error))
    return values, ignored
