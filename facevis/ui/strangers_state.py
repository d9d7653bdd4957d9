"""What the open-set page's controls say, and the callbacks that change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from facevis.links import DIMENSIONS_OF_STRANGERS, comparison_from_query
from facevis.live import RunConfig
from facevis.live.presets import OPEN_SET, OPEN_SET_CLASSES, OPEN_SET_SCALE
from facevis.ui import comparison_state, projection_state, state
from facevis.ui.projection_state import CHOSEN, FIRST_THREE

PARTS = ("verification", "landing", "identification", "enrolment", "certainty")
_OWN_CLASSES = (0, 5)


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    config, ignored = comparison_from_query(query, OPEN_SET, DIMENSIONS_OF_STRANGERS)
    if config.unseen < 2:
        config = _with_strangers(config)
    comparison_state.show(config)
    values, more = projection_state.begin(query, PARTS, config.identities or 1000)
    state.write(values)
    return [*ignored, *more]


def _with_strangers(config: RunConfig) -> RunConfig:
    identities, unseen = OPEN_SET_CLASSES.get(config.dataset, _OWN_CLASSES)
    return replace(config, identities=identities or None, unseen=unseen)


def take_dataset() -> None:
    """Callback of the dataset: as many identities in and out of training as it has."""
    identities, unseen = OPEN_SET_CLASSES.get(state.read("dataset"), _OWN_CLASSES)
    state.write({"identities": identities, "unseen": unseen, **FIRST_THREE})


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
