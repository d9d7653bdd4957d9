"""Full-scale runs as the app and its users know them: named, queued, started, stopped, found again.

A run is a process, and its folder is the truth: nothing of it is remembered here, so that any
number of apps see the same, and a run goes on when all of them are closed.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from facevis.fullscale import queue, running
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.journal import METRICS
from facevis.fullscale.queue import LOG, QUEUED
from facevis.fullscale.run_names import check_name
from facevis.fullscale.runs import CHECKPOINTS, CONFIG, prepare, read_config
from facevis.fullscale.standing import last_entries, state_of
from facevis.validation import whole
from facevis.writing import clear

RUNS = "FACEVIS_RUNS"
"""The environment variable that names the folder of runs."""
_ALIVE = ("starting", "training", "stopping")
_CHECKPOINT = re.compile(r"step-(\d{8,10})")
_DELETED = ".deleted-"
_FRESH, _MOMENT = 5.0, 0.15
"""Seconds in which a death is news, and how long its reason may be on its way."""


@dataclass(frozen=True)
class Job:
    """One run, as its folder tells."""

    folder: Path
    name: str
    state: str
    """queued, starting, training, stopping, stopped, finished, failed or broken."""
    sentence: str
    """In words why it failed, is broken or stopped; else empty."""
    config: FullScaleConfig | None
    """None where it cannot be read."""
    step: int
    steps: int
    processes: int
    place: int
    """In the queue, from 1; 0 if it does not wait."""
    changed: float
    """When it last wrote something, seconds since 1970."""
    checkpoints: tuple[int, ...]

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self.state in _ALIVE


def runs_folder() -> Path:
    """Where the app's runs lie: ``FACEVIS_RUNS``, else ``runs`` where it was started."""
    return Path(os.environ.get(RUNS) or "runs").absolute()


def find(runs: Path) -> list[Job]:
    """All runs of a folder, the one that changed last first; a broken one hides no other.

    Where runs wait and nobody starts them (a killed worker, another boot), somebody does again.
    """
    try:
        folders = [folder for folder in runs.iterdir() if _may_be_run(folder)]
    except OSError:
        return []
    line = queue.waiting(runs)
    if line and not queue.looked_after(runs):
        queue.wake(runs)
    jobs = [_look(folder, line) for folder in folders]
    return sorted(jobs, key=lambda job: job.changed, reverse=True)


def look(folder: Path) -> Job:
    """One run; ``ValueError`` where there is none."""
    if not _may_be_run(folder):
        raise ValueError(f"there is no run {folder.name} in {folder.parent}; reload the page.")
    return _look(folder, queue.waiting(folder.parent))


def submit(runs: Path, name: str, config: FullScaleConfig, processes: int = 1) -> Path:
    """Make a run and let it wait for its turn; its folder.

    Raises ``ValueError`` in words for a name that is taken or no name, for a configuration that
    does not fit together, and for a folder that cannot be written.
    """
    from facevis.fullscale.heads import rule_of

    check_name(name)
    whole("processes", processes, 1, 1024)
    rule_of(config.head)  # the limits of margins are known there
    config.check(processes)
    folder = runs / name
    if folder.exists():
        raise ValueError(f"there is a run {name} already; choose another name.")
    prepare(folder, config)
    _enqueue(folder, processes)
    return folder


def resume(folder: Path, processes: int = 1) -> None:
    """Let a run that stopped or failed wait for its turn, to go on from its last checkpoint."""
    job = look(folder)
    whole("processes", processes, 1, 1024)
    if job.alive or job.state == "queued":
        raise ValueError(f"{job.name} is {job.state} already.")
    if job.config is None:
        raise ValueError(job.sentence)
    if job.state == "finished":
        raise ValueError(f"{job.name} is finished: all its {job.steps} steps are done.")
    job.config.check(processes)
    _enqueue(folder, processes)


def stop(folder: Path) -> None:
    """Take a run out of the queue, or have it write a checkpoint and end; again is no harm."""
    try:
        queue.leave(folder)
        running.ask_to_stop(folder)
    except OSError as error:
        raise ValueError(
            f"{folder.name} cannot be stopped ({error.strerror}); it may be somebody else's, or "
            "its folder cannot be written."
        ) from error


def rename(folder: Path, name: str) -> Path:
    """Give a run that rests another name, which is that of its folder; the new folder."""
    _refuse_busy(look(folder), "rename")
    return move(folder, name)


def move(folder: Path, name: str) -> Path:
    """Give a folder of a run another name; ``ValueError`` for one that is taken or no name."""
    new = folder.parent / check_name(name)
    if new == folder:
        return folder
    if new.exists():
        raise ValueError(f"there is a run {name} already; choose another name.")
    try:
        return folder.rename(new)
    except OSError as error:
        raise ValueError(f"{folder.name} cannot be renamed ({error.strerror}).") from error


def delete(folder: Path) -> None:
    """Remove a run that rests, with all it holds."""
    _refuse_busy(look(folder), "delete")
    discard(folder)


def discard(folder: Path) -> None:
    """Remove a folder; a removal that was cut off is finished by the next one beside it.

    It is renamed first, so that no half of it bears the name.
    """
    if folder.is_symlink():
        raise ValueError(f"{folder.name} is a link to another folder; remove the link by hand.")
    try:
        number = 0
        while (going := folder.with_name(f"{_DELETED}{number}-{folder.name}")).exists():
            number += 1
        folder.rename(going)
    except OSError as error:
        raise ValueError(
            f"{folder.name} cannot be deleted ({error.strerror}); correct the permissions of "
            f"{folder.parent}."
        ) from error
    tidy(folder.parent)


def tidy(runs: Path) -> None:
    """Remove what a process that was killed left half written, or half deleted."""
    clear(runs)
    for left in runs.glob(f"{_DELETED}*"):
        shutil.rmtree(left, ignore_errors=True)


# -- what a folder tells ---------------------------------------------------------------------------


def _may_be_run(folder: Path) -> bool:
    """Whether a run lies there, be it half deleted."""
    try:
        if folder.name.startswith(".") or not folder.is_dir():
            return False
        folder.name.encode()  # a name of broken letters cannot be shown, nor stand in an address
        names = {entry.name for entry in folder.iterdir()}
    except PermissionError:
        return True  # it is said that it cannot be read
    except (OSError, UnicodeEncodeError):
        return False
    return not names.isdisjoint((CONFIG, METRICS, CHECKPOINTS))


def _look(folder: Path, line: list[Path]) -> Job:
    process = running.read(folder)
    fresh = abs(_changed(folder / LOG) - time.time()) < _FRESH  # clocks are set back, too
    if process is not None and process.code is None and not process.alive and fresh:
        time.sleep(_MOMENT)  # whoever waited for it is about to write down how it ended
        process = running.read(folder)
    entries = last_entries(folder)
    steps = [entry["step"] for entry in entries if entry["kind"] == "train"]
    config, sentence = _config(folder)
    state, said = state_of(folder, process, entries)
    if config is None and state not in _ALIVE:
        state, said = "broken", sentence
    elif state not in _ALIVE and folder in line:
        state, said = "queued", ""
    queued = queue.entry_of(folder) if state == "queued" else None
    return Job(
        folder,
        folder.name,
        state,
        said,
        config,
        step=steps[-1] if steps else 0,
        steps=config.schedule.steps if config else 0,
        processes=queued["processes"] if queued else process.processes if process else 1,
        place=line.index(folder) + 1 if queued and folder in line else 0,
        changed=max(_changed(folder / name) for name in (CONFIG, METRICS, LOG, QUEUED)),
        checkpoints=checkpoints_of(folder),
    )


def checkpoints_of(folder: Path) -> tuple[int, ...]:
    """The steps of a run's whole checkpoints, in order."""
    try:
        found = (_CHECKPOINT.fullmatch(entry.name) for entry in (folder / CHECKPOINTS).iterdir())
        return tuple(sorted(int(match[1]) for match in found if match))
    except OSError:
        return ()


def _config(folder: Path) -> tuple[FullScaleConfig | None, str]:
    try:
        return read_config(folder), ""
    except ValueError as error:
        return None, str(error)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _enqueue(folder: Path, processes: int) -> None:
    try:
        queue.enqueue(folder, processes)
    except OSError as error:
        raise ValueError(
            f"{folder} cannot be written ({error.strerror}); make room or correct its permissions."
        ) from error


def _refuse_busy(job: Job, verb: str) -> None:
    if job.alive or job.state == "queued":
        raise ValueError(f"{job.name} is {job.state}; stop it before you {verb} it.")
