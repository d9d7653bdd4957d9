"""Everything there is: full-scale runs, kept toy runs, and toy runs that live in this app.

Each is an ``Entry``, whatever it is: what it does, how far it is, its last numbers, what it takes
on the disk. It knows folders and rooms; it does not know how entries are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from facevis.fullscale import jobs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.jobs import Job
from facevis.fullscale.journal import METRICS
from facevis.fullscale.runs import CHECKPOINTS
from facevis.fullscale.watching import Watch
from facevis.library import toys
from facevis.live import Recording, RunConfig
from facevis.live.rooms import rooms
from facevis.live.trainer import LiveRun

FULL, TOY, HERE = "full", "toy", "here"
KINDS = (FULL, TOY, HERE)
NUMBERS = ("loss", "accuracy", "tar", "w_ec", "w_inter", "intra", "inter")
"""What is told of a run's end: shares from 0 to 1, angles in degrees."""
TAR = "tar_at_0.001"
_LIVING = {"recorded": "finished", "paused": "stopped"}
"""States of runs in the app, by the words that runs in folders have."""


@dataclass(frozen=True)
class Entry:
    """One run on the shelf."""

    key: str
    """Its name; of runs that live in the app, ``here:`` and their token."""
    name: str
    kind: str
    state: str
    """As of a ``Job``."""
    config: FullScaleConfig | RunConfig | None
    """None where it cannot be read."""
    folder: Path | None = None
    sentence: str = ""
    """In words why it is as it is; else empty."""
    step: int = 0
    steps: int = 0
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By the names in ``NUMBERS``: one value for each member of a toy run, one of a full-scale run;
    what is unknown is left out."""
    changed: float = 0.0
    size: int = 0
    """Bytes on the disk, checkpoints and all."""
    weights: int = 0
    """Bytes of its checkpoints."""
    checkpoints: tuple[int, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether it waits for its turn or its process is there: nothing may be moved then."""
        return self.kind == FULL and self.state in ("queued", "starting", "training", "stopping")


def entries(runs: Path) -> list[Entry]:
    """All runs, the newest first; one that is broken hides no other."""
    found = [_of_job(job) for job in jobs.find(runs)]
    try:
        folders = sorted(folder for folder in runs.iterdir() if toys.is_toy(folder))
    except OSError:
        folders = []
    found += [_of_toy(folder) for folder in folders]
    living = [(token, run) for token, run in rooms.training() if run.recording.snapshots]
    found = [*(_of_living(token, run) for token, run in reversed(living)), *found]
    return sorted(found, key=ORDERS["newest"])


def entry_of(folder: Path) -> Entry:
    """One run in a folder; ``ValueError`` where there is none (any more)."""
    return _of_toy(folder) if toys.is_toy(folder) else _of_job(jobs.look(folder))


def losses_of(config: FullScaleConfig | RunConfig) -> tuple[str, ...]:
    """The names of its losses, in order; of a full-scale run that of its objective."""
    if isinstance(config, FullScaleConfig):
        return (config.head.objective,)
    return tuple(member.objective for member in config.members)


# -- full-scale runs ------------------------------------------------------------------------------


def _of_job(job: Job) -> Entry:
    return Entry(
        *(job.name, job.name, FULL, job.state, job.config, job.folder, job.sentence),
        step=job.step,
        steps=job.steps,
        numbers=_last_numbers(job.folder, _stamp(job.folder / METRICS)),
        changed=job.changed,
        size=size_of(job.folder),
        weights=size_of(job.folder / CHECKPOINTS),
        checkpoints=job.checkpoints,
    )


@lru_cache(maxsize=512)
def _last_numbers(folder: Path, stamp: tuple[int, int]) -> dict[str, tuple[float, ...]]:
    try:
        columns = curves_of_journal(folder)
    except ValueError:
        return {}
    last = {name: [v for v in values if v is not None] for name, (_, values) in columns.items()}
    return {name: (values[-1],) for name, values in last.items() if values}


def curves_of_journal(folder: Path) -> dict[str, tuple[list[int], list[float | None]]]:
    """(steps, values) of each of ``NUMBERS`` that a full-scale run wrote, evenly thinned.

    Of several evaluation sets the first counts. Lines that are none are passed over.
    """
    told = Watch(folder).poll()
    found = {"loss": (told["train"]["step"], told["train"]["loss"])}
    evaluations = [entry for entry in told["others"] if entry["kind"] == "evaluation"]
    first = evaluations[0].get("set") if evaluations else None
    evaluations = [entry for entry in evaluations if entry.get("set") == first]
    angles = [entry for entry in told["others"] if entry["kind"] == "angles"]
    sources = {"accuracy": ("accuracy", evaluations), "tar": (TAR, evaluations)}
    sources |= {name: (name, angles) for name in NUMBERS[3:]}
    for name, (column, rows) in sources.items():
        values = [(row["step"], row.get(column)) for row in rows]
        right = [(step, v) for step, v in values if isinstance(v, int | float)]
        found[name] = ([step for step, _ in right], [value for _, value in right])
    return {name: column for name, column in found.items() if column[0]}


# -- toy runs -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """What is worth remembering of a recording."""

    config: RunConfig | None
    sentence: str
    step: int = 0
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def _of_toy(folder: Path) -> Entry:
    told = _told(folder, _stamp(folder / toys.RECORDING))
    try:
        kept = toys.check_about((folder / toys.ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = _stamp(folder / toys.RECORDING)[0] / 1e9
    return Entry(
        *(folder.name, folder.name, TOY, "broken" if told.config is None else "finished"),
        *(told.config, folder, told.sentence),
        step=told.step,
        steps=max(told.step, told.config.steps if told.config else 0),
        numbers=told.numbers,
        changed=kept,
        size=size_of(folder),
    )


@lru_cache(maxsize=512)
def _told(folder: Path, stamp: tuple[int, int]) -> _Told:
    try:
        recording = toys.recording_of(folder)
    except ValueError as error:
        return _Told(None, str(error))
    step = recording.snapshots[-1].step
    return _Told(recording.config, "", step, _numbers_of(recording))


def _of_living(token: str, run: LiveRun) -> Entry:
    recording = run.recording
    return Entry(
        *(f"here:{token}", toys.stem_of(recording), HERE, _LIVING.get(run.state, run.state)),
        recording.config,
        sentence=run.error or "",
        step=run.step,
        steps=run.last_step,
        numbers=_numbers_of(recording),
        changed=0.0 if run.training or not run.published else run.published.time_ms / 1000,
    )


def _numbers_of(recording: Recording) -> dict[str, tuple[float, ...]]:
    last = recording.snapshots[-1]
    columns = {"loss": last.losses, **{name: last.statistic(name) for name in TOY_NUMBERS}}
    return {name: tuple(map(float, values)) for name, values in columns.items()}


TOY_NUMBERS = ("accuracy", *NUMBERS[3:])
"""Those of ``NUMBERS`` that are statistics of a snapshot."""


# -- folders --------------------------------------------------------------------------------------


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; what goes meanwhile is not counted."""
    return sum(map(_size, _files(folder)))


def _files(folder: Path) -> list[Path]:
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was changed last, in nanoseconds, and its size; zeros if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


Measure = Callable[[Entry], float]


def _best(name: str, choose: Callable[..., Any]) -> Measure:
    def measure(entry: Entry) -> float:
        values = [v for v in entry.numbers.get(name, ()) if v == v]
        return choose(values) if values else float("inf")

    return measure


ORDERS: dict[str, Measure] = {
    "newest": lambda entry: -(entry.changed or float("inf")),
    "size": lambda entry: -entry.size,
    "loss": _best("loss", min),
    "accuracy": _best("accuracy", lambda values: -max(values)),
    "w_ec": _best("w_ec", min),
    "w_inter": _best("w_inter", lambda values: -max(values)),
}
"""Ways to sort, each the best (the largest on the disk, the newest) first; of the members of a run
the best counts. Names are sorted by themselves."""
