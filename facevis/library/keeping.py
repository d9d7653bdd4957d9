"""Keeping a small run as a folder, and a text beside any run.

A kept run is ``recording.npz`` (with what training needs to go on) and ``about.json``, which says
what is in it without opening it. Everything is written whole or not at all.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

from facevis.corpora.writing import new_file, new_folder
from facevis.fullscale.jobs import check_name
from facevis.live import Recording, RunConfig
from facevis.live.recording import STATISTICS

RECORDING, ABOUT, NOTES = "recording.npz", "about.json", "notes.txt"
FORMAT = "facevis-kept-1"
LONGEST_NOTES = 20_000


def keep_run(runs: Path, name: str, recording: Recording) -> Path:
    """Keep what a run has recorded so far, as a run of that name; its folder.

    Raises ``ValueError`` in words for a name that is taken or no name, for a run that has recorded
    nothing, and where nothing can be written.
    """
    check_name(name)
    data, about = recording.to_bytes(), describe(recording)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        if (runs / name).exists():
            raise ValueError(f"there is a run {name} already; choose another name.")
        shutil.rmtree(runs / f".{name}.partial", ignore_errors=True)  # of a process that was killed
        with new_folder(runs / name) as folder:
            (folder / RECORDING).write_bytes(data)
            (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"{runs} cannot be written ({error.strerror}); make room or correct its permissions."
        ) from error
    return runs / name


def describe(recording: Recording) -> dict[str, Any]:
    """What ``about.json`` says of a recording."""
    last = recording.snapshots[-1]
    members = [
        {"loss": _number(loss)}
        | {name: _number(value) for name, value in zip(STATISTICS, row, strict=True)}
        for loss, row in zip(last.losses.tolist(), last.statistics.tolist(), strict=True)
    ]
    config = recording.config.to_json()
    return {
        "format": FORMAT,
        "kept": time.time(),
        "step": last.step,
        "config": config,
        "last": members,
    }


def about(folder: Path) -> dict[str, Any]:
    """What is said of a kept run; ``ValueError`` in words where it cannot be read."""
    path = folder / ABOUT
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path} is missing; keep the run again, or delete it.") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read; keep the run again, or delete it.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} is of a version of facevis that this one does not know.")
    config = RunConfig.from_json(found.get("config", {}))
    last = found.get("last")
    whole = isinstance(last, list) and all(isinstance(row, dict) for row in last)
    if not whole or len(last) != len(config.members) or not isinstance(found.get("step"), int):
        raise ValueError(f"{path} was edited and lacks what the run ended with; delete the run.")
    return {**found, "config": config}


def recording_of(folder: Path) -> Recording:
    """The recording of a kept run; ``ValueError`` in words where it is not whole."""
    return Recording.load(folder / RECORDING)


def read_notes(folder: Path) -> str:
    """What somebody wrote about a run; empty where nobody did."""
    try:
        return (folder / NOTES).read_text(encoding="utf-8", errors="replace")[:LONGEST_NOTES]
    except OSError:
        return ""


def write_notes(folder: Path, text: str) -> None:
    """Write it down; an old text stays until the new one is whole."""
    if len(text) > LONGEST_NOTES:
        raise ValueError(f"the notes have {len(text)} characters; shorten them to {LONGEST_NOTES}.")
    if not folder.is_dir():
        raise ValueError(f"there is no run {folder.name} any more; reload the page.")
    with new_file(folder / NOTES, replace=True) as path:
        path.write_text(text, encoding="utf-8")


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
