"""What the comparison's controls say, as a configuration, and the callbacks that change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from facevis.links import MEMBERS_ON_SCREEN, comparison_from_query
from facevis.live import Member, RunConfig
from facevis.live.config import CLASSIC_MARGIN, OPEN_MARGINS
from facevis.live.presets import COMPARISON_SCALE, COMPARISON_SEED, COMPARISONS
from facevis.margins import Margin
from facevis.objectives import OBJECTIVES
from facevis.ui import state

DEFAULT = "five"
MARGINS = ("m1", "m2", "m3")
_FIELDS = ("objective", "scale", "tail", "gradient", "mining", "distance_margin")


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    name = query.get("losses", DEFAULT)
    if "members" not in query and name in COMPARISONS:
        config, ignored = comparison_from_query(query, COMPARISONS[name])
        show(config, name if config == COMPARISONS[name] else state.OWN)
        return ignored
    config, ignored = comparison_from_query(query, COMPARISONS[DEFAULT])
    show(config)
    return ignored


def show(config: RunConfig, preset: str = state.OWN) -> None:
    """Write a configuration onto the widgets."""
    state.write_run(config)
    scales = {member.scale for member in config.members if member.in_margin_family}
    shared = next(iter(scales)) if scales else COMPARISON_SCALE[config.embedding_dim]
    values: dict[str, Any] = {"count": len(config.members), "preset": preset, "scale": shared}
    values["equal_scale"] = len(scales) <= 1
    for place in range(MEMBERS_ON_SCREEN[1]):
        member = config.members[place] if place < len(config.members) else _spare(shared)
        assert member.margin is not None
        values |= {field_of(place, name): getattr(member, name) for name in _FIELDS}
        values |= {field_of(place, name): getattr(member.margin, name) for name in MARGINS}
    state.write(values)


def field_of(place: int, name: str) -> str:
    """The name of one member's widget."""
    return f"{place}:{name}"


def _spare(scale: float) -> Member:
    return Member(objective="normalized_softmax", scale=scale)


def take_preset() -> None:
    """Callback of the list of comparisons."""
    name = state.read("preset")
    if name in COMPARISONS:
        show(COMPARISONS[name], name)


def touched() -> None:
    """Callback of every other control."""
    state.write({"preset": state.OWN})


def take_count() -> None:
    """Callback of the number of members: the newest is a loss that is not there yet."""
    count = state.read("count")
    there = {state.read(field_of(place, "objective")) for place in range(count - 1)}
    last = field_of(count - 1, "objective")
    if state.read(last) in there:
        state.write({last: next(name for name in OBJECTIVES if name not in there)})
        take_objective(count - 1)
    touched()


def take_objective(place: int) -> None:
    """Callback of one member's loss: it begins at its classic setting."""
    member = Member(objective=state.read(field_of(place, "objective")))
    assert member.margin is not None
    values = {field_of(place, name): getattr(member.margin, name) for name in MARGINS}
    state.write({**values, field_of(place, "distance_margin"): member.distance_margin})
    touched()


def take_dimension() -> None:
    """Callback of the dimension: the scale and the seed that fit it."""
    dim = state.read("embedding_dim") or 2
    fitting = {"scale": COMPARISON_SCALE[dim], "seed": COMPARISON_SEED[dim]}
    state.write({"embedding_dim": dim, "equal_scale": True, **fitting})
    touched()


def take_seed() -> None:
    """The live view asked for a new seed."""
    state.new_seed()
    touched()


def configuration(dataset: str) -> RunConfig:
    """The comparison that the widgets describe; ``ValueError`` if it cannot be."""
    members = tuple(_member(place) for place in range(state.read("count")))
    return RunConfig(members=members, **state.read_run(dataset))


def _member(place: int) -> Member:
    values = {name: state.read(field_of(place, name)) for name in _FIELDS}
    if state.read("equal_scale"):
        values["scale"] = state.read("scale")
    classic = CLASSIC_MARGIN.get(values["objective"], Margin())
    opened = OPEN_MARGINS.get(values["objective"], ())
    chosen = {name: state.read(field_of(place, name)) for name in opened}
    return Member(**values, margin=replace(classic, **chosen))


def scales_differ(config: RunConfig) -> bool:
    """Whether scale and margin are mixed up: then no difference is the margin's alone."""
    return len({member.scale for member in config.members if member.in_margin_family}) > 1
