"""Runs side by side: their settings by field, and what they measured by step.

A toy run and a full-scale run have different fields; those that mean the same have one name here.
It knows entries, and nothing of pictures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facevis.fullscale.plain import flat
from facevis.library import toys
from facevis.library.shelf import FULL, HERE, TOY_NUMBERS, Entry, curves_of_journal
from facevis.live import Recording, RunConfig
from facevis.live.rooms import rooms

MOST = 8
"""Runs that are compared at once."""
MOST_CURVES = 24
SHARED = {
    "objective": "head.objective",
    "m1": "head.m1",
    "m2": "head.m2",
    "m3": "head.m3",
    "scale": "head.scale",
    "tail": "head.tail",
    "gradient": "head.gradient",
    "mining": "head.mining",
    "distance_margin": "head.distance",
    "squared": "head.squared",
    "warmup": "schedule.margin_warmup",
    "dataset": "data.train",
    "embedding_dim": "backbone.embedding_dim",
    "network": "backbone.name",
    "batch_size": "batch_size",
    "learning_rate": "optimizer.learning_rate",
    "steps": "schedule.steps",
    "seed": "seed",
}
"""Fields of a toy run, and the full-scale fields that mean the same."""


@dataclass(frozen=True)
class Row:
    """One field of a configuration and its value in each run, as text; None where it has none."""

    field: str
    values: tuple[str | None, ...]
    differs: bool


@dataclass(frozen=True)
class Curve:
    """One number of one run (or member of it) over its steps."""

    run: int
    """Which of the runs, from 0."""
    member: int
    title: str
    steps: list[int]
    values: list[float | None]


def settings(entry: Entry) -> dict[str, str]:
    """All fields of a run's configuration by name, as text; members of a toy run beside each other.

    Empty where the configuration cannot be read.
    """
    if entry.config is None:
        return {}
    if isinstance(entry.config, RunConfig):
        return _settings_of_toy(entry.config)
    tree = flat(dataclasses.asdict(entry.config))
    return {name: _text(value) for name, value in tree.items()}


def _settings_of_toy(config: RunConfig) -> dict[str, str]:
    shared = config.to_json()
    members: list[dict[str, Any]] = []
    for member in shared.pop("members"):
        margin = member.pop("margin")
        own_seed = member.pop("seed")
        members.append({"objective": member.pop("objective"), **margin, **member})
        if own_seed is not None:
            members[-1]["member_seed"] = own_seed
    names = dict.fromkeys(name for member in members for name in member)
    columns = {name: [_text(member.get(name)) for member in members] for name in names}
    beside = {
        name: values[0] if len(set(values)) == 1 else " / ".join(values)
        for name, values in columns.items()
    }
    return beside | {name: _text(value) for name, value in shared.items()}


def table(entries: Sequence[Entry]) -> list[Row]:
    """Every field of the runs, those first that differ by order of the configuration.

    Where toy and full-scale runs stand together, fields that mean the same are one row, under the
    toy run's name; a field that one kind alone has does not differ.
    """
    found = [settings(entry) for entry in entries]
    mixed = len({entry.kind == FULL for entry in entries}) == 2
    if mixed:
        toy_names = {full: toy for toy, full in SHARED.items()}
        found = [
            {toy_names.get(name, name): value for name, value in one.items()}
            if entry.kind == FULL
            else one
            for entry, one in zip(entries, found, strict=True)
        ]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = []
    for name in names:
        values = tuple(one.get(name) for one in found)
        known = [value for value in values if value is not None]
        missing = not mixed and len(known) < len([one for one in found if one])
        comparable = not mixed or name in SHARED
        rows.append(Row(name, values, comparable and (missing or len(set(known)) > 1)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "–"
    return str(value)


def curves(entries: Sequence[Entry]) -> dict[str, list[Curve]]:
    """The curves of all runs by the names in ``shelf.NUMBERS``; ``ValueError`` if one is gone."""
    found: dict[str, list[Curve]] = {}
    for place, entry in enumerate(entries):
        if entry.state == "broken":
            continue
        if entry.kind == FULL:
            assert entry.folder is not None
            for name, (steps, values) in curves_of_journal(entry.folder).items():
                curve = Curve(place, 0, entry.name, list(steps), list(values))
                found.setdefault(name, []).append(curve)
            continue
        for name, more in _curves_of(place, entry, _recording(entry)).items():
            found.setdefault(name, []).extend(more)
    return {name: some[:MOST_CURVES] for name, some in found.items()}


def _recording(entry: Entry) -> Recording:
    if entry.kind == HERE:
        run = rooms.find(entry.key.removeprefix("here:"))
        if run is None:
            raise ValueError(f"{entry.name} is no longer in the app; reload the page.")
        return run.recording
    assert entry.folder is not None
    return toys.recording_of(entry.folder)


def _curves_of(place: int, entry: Entry, recording: Recording) -> dict[str, list[Curve]]:
    snapshots = list(recording.snapshots)
    steps = [snapshot.step for snapshot in snapshots]
    columns = {name: [s.statistic(name) for s in snapshots] for name in TOY_NUMBERS}
    columns["loss"] = [snapshot.losses for snapshot in snapshots]
    members = recording.config.members
    found: dict[str, list[Curve]] = {}
    for name, rows in columns.items():
        values = np.stack(rows)
        for k, member in enumerate(members):
            if not np.isfinite(values[:, k]).any():
                continue
            title = entry.name if len(members) == 1 else f"{entry.name}: {k + 1} {member.objective}"
            column = [float(v) if np.isfinite(v) else None for v in values[:, k]]
            found.setdefault(name, []).append(Curve(place, k, title, steps, column))
    return found
