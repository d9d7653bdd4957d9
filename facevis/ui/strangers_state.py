"""What the open-set page's controls say, and the callbacks that change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.links import DIMENSIONS_OF_STRANGERS, comparison_from_query
from facevis.live import RunConfig
from facevis.live.presets import OPEN_SET, OPEN_SET_CLASSES, OPEN_SET_SCALE
from facevis.live.projection import KINDS, parse_projection
from facevis.ui import comparison_state, state

PARTS = ("verification", "landing", "identification", "enrolment", "certainty")
CHOSEN = ("first", "second", "third")
_FIRST_THREE = dict(zip(CHOSEN, range(3), strict=True))
_OWN_CLASSES = (0, 5)


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    config, ignored = comparison_from_query(query, OPEN_SET, DIMENSIONS_OF_STRANGERS)
    if config.unseen < 2:
        config = _with_strangers(config)
    comparison_state.show(config)
    part = query.get("part", PARTS[0])
    if part not in PARTS:
        ignored.append(ignored_part("part", part, Said("link_choose", choices=", ".join(PARTS))))
        part = PARTS[0]
    values: dict[str, object] = {"part": part, "kind": KINDS[0], **_FIRST_THREE}
    if "proj" in query:
        try:
            found = parse_projection(query["proj"], config.identities or 1000)
            values |= {"kind": found.kind, **dict(zip(CHOSEN, found.classes, strict=False))}
        except ValueError as error:
            ignored.append(ignored_part("proj", query["proj"], error))
    state.write(values)
    return ignored


def _with_strangers(config: RunConfig) -> RunConfig:
    identities, unseen = OPEN_SET_CLASSES.get(config.dataset, _OWN_CLASSES)
    return replace(config, identities=identities or None, unseen=unseen)


def take_dataset() -> None:
    """Callback of the dataset: as many identities in and out of training as it has."""
    identities, unseen = OPEN_SET_CLASSES.get(state.read("dataset"), _OWN_CLASSES)
    state.write({"identities": identities, "unseen": unseen, **_FIRST_THREE})


def take_dimension() -> None:
    """Callback of the dimension: the scale that fits it."""
    dim = state.read("embedding_dim")
    state.write({"scale": OPEN_SET_SCALE.get(dim, 16.0), "equal_scale": True})


def configuration(dataset: str) -> RunConfig:
    """The run that the widgets describe; ``ValueError`` where there would be no strangers."""
    config = comparison_state.configuration(dataset)
    if config.unseen < 2:
        raise ValueError(
            f"unseen is {config.unseen}; strangers are what this page is about: "
            "leave at least 2 identities out of training."
        )
    return config


def projection() -> str | None:
    """How more than three dimensions are shown, as the stream takes it; None in two or three."""
    if state.read("embedding_dim") <= 3:
        return None
    if state.read("kind") == "pca":
        return "pca"
    chosen = [state.read(name) for name in CHOSEN[: state.read("identities") or None]]
    return "span:" + ",".join(map(str, chosen))
