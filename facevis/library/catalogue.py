"""All runs of a folder, small and large, as rows of one list; read anew each time."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facevis.fullscale import jobs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.plain import flat
from facevis.fullscale.runs import CHECKPOINTS
from facevis.library import keeping
from facevis.live import Member, RunConfig

KINDS = ("small", "full")
NUMBERS = ("loss", "accuracy", "w_ec", "w_inter", "intra", "inter")


@dataclass(frozen=True)
class Entry:
    """One run."""

    folder: Path
    name: str
    kind: str
    """``small`` or ``full``."""
    state: str
    """``kept``, or that of a job."""
    sentence: str
    """In words what is wrong with it, else empty."""
    about: str
    """What it is: losses, data, dimensions."""
    step: int
    changed: float
    """When it last changed, seconds since 1970."""
    bytes: int
    """On disk, all together."""
    checkpoint_bytes: int = 0
    config: RunConfig | FullScaleConfig | None = None
    last: dict[str, float | None] = field(default_factory=dict)
    """The numbers it ended with, by ``NUMBERS``; of several members the first's."""
    checkpoints: tuple[int, ...] = ()


def entries(runs: Path) -> list[Entry]:
    """Every run of the folder, the one that changed last first; a broken one hides no other."""
    found = [_of_job(job) for job in jobs.find(runs)]
    try:
        folders = [folder for folder in runs.iterdir() if is_kept(folder)]
    except OSError:
        folders = []
    found += [_of_kept(folder) for folder in folders]
    return sorted(found, key=lambda entry: entry.changed, reverse=True)


def entry(folder: Path) -> Entry:
    """One run; ``ValueError`` where there is none."""
    return _of_kept(folder) if is_kept(folder) else _of_job(jobs.look(folder))


def is_kept(folder: Path) -> bool:
    """Whether a small run lies there, be it half deleted."""
    try:
        return not folder.name.startswith(".") and any(
            (folder / name).exists() for name in (keeping.RECORDING, keeping.ABOUT)
        )
    except OSError:
        return False


def _of_kept(folder: Path) -> Entry:
    size = size_of(folder)
    changed = max(_changed(folder / name) for name in (keeping.RECORDING, keeping.NOTES))
    try:
        said = keeping.about(folder)
        if not (folder / keeping.RECORDING).is_file():
            raise ValueError(f"{folder / keeping.RECORDING} is missing; delete the run.")
    except ValueError as error:
        state, sentence = "broken", str(error)
        return Entry(folder, folder.name, "small", state, sentence, "", 0, changed, size)
    config: RunConfig = said["config"]
    last = {name: said["last"][0].get(name) for name in NUMBERS}
    return Entry(
        folder,
        folder.name,
        "small",
        "kept",
        "",
        small_in_short(config),
        said["step"],
        changed,
        size,
        config=config,
        last=last,
    )


def _of_job(job: jobs.Job) -> Entry:
    last: dict[str, float | None] = dict.fromkeys(NUMBERS)
    for line in jobs.last_entries(job.folder):
        if line["kind"] == "train":
            last["loss"] = line.get("loss")
        elif line["kind"] == "evaluation":
            last["accuracy"] = line.get("accuracy")
        elif line["kind"] == "angles":
            last |= {name: line.get(name) for name in ("w_ec", "w_inter", "intra", "inter")}
    return Entry(
        job.folder,
        job.name,
        "full",
        job.state,
        job.sentence,
        full_in_short(job.config) if job.config else "",
        job.step,
        job.changed,
        size_of(job.folder),
        size_of(job.folder / CHECKPOINTS),
        job.config,
        last,
        job.checkpoints,
    )


def small_in_short(config: RunConfig) -> str:
    """Losses, data and dimensions of a small run in a line.

    >>> small_in_short(RunConfig(members=(Member(), Member(objective="triplet"))))
    'arcface m2=0.5, triplet · digits · 2-D'
    """
    shown = ", ".join(_member(member) for member in config.members[:3])
    more = f" +{len(config.members) - 3}" if len(config.members) > 3 else ""
    return f"{shown}{more} · {Path(config.dataset).name} · {config.embedding_dim}-D"


def full_in_short(config: FullScaleConfig) -> str:
    """Network, loss, data and dimensions of a full-scale run in a line."""
    head, data = config.head, config.data.train
    loss = head.objective
    if head.objective == "margin":
        loss = _margins(head.m1, head.m2, head.m3) or "no margin"
    name = data.partition(":")[0] if ":" in data else Path(data).name
    return f"{config.backbone.name}, {loss} · {name} · {config.backbone.embedding_dim}-D"


def _member(member: Member) -> str:
    assert member.margin is not None
    margins = _margins(*member.margin.as_tuple()) if member.in_margin_family else ""
    return f"{member.objective} {margins}".strip()


def _margins(m1: float, m2: float, m3: float) -> str:
    values = {"m1": m1, "m2": m2, "m3": m3}
    return " ".join(f"{name}={v:g}" for name, v in values.items() if v != (name == "m1"))


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; links are not followed."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue  # it went meanwhile
    return total


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def settings(config: RunConfig | FullScaleConfig) -> dict[str, Any]:
    """All settings by their names; members of a small run are numbered from 1."""
    if isinstance(config, FullScaleConfig):
        return flat(dataclasses.asdict(config))
    plain = config.to_json()
    members = plain.pop("members")
    found: dict[str, Any] = dict(plain)
    for number, member in enumerate(members, 1):
        found |= flat({f"member {number}": member})
    return found
