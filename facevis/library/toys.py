"""Toy runs in the folder of runs: a recording and a word about it.

``recording.npz`` is the truth about such a run, ``about.json`` says when it was kept. It knows
nothing of full-scale runs, nor of screens.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from facevis import __version__
from facevis.fullscale import run_names
from facevis.fullscale.runs import CONFIG
from facevis.live import Recording
from facevis.live.trainer import LiveRun
from facevis.writing import beside, bring_to_disk

RECORDING, ABOUT = "recording.npz", "about.json"
FORMAT = "facevis-kept-1"
_PATIENCE = 10.0
"""Seconds that a trainer is waited for: it answers between two steps."""


def is_toy(folder: Path) -> bool:
    """Whether a kept toy run lies there."""
    try:
        found = any((folder / name).exists() for name in (RECORDING, ABOUT))
        return found and not folder.name.startswith(".") and not (folder / CONFIG).exists()
    except OSError:
        return False


def recording_of(folder: Path) -> Recording:
    """The recording of a kept toy run; ``ValueError`` in words where it is none or not whole."""
    return Recording.load(folder / RECORDING)


def stem_of(recording: Recording) -> str:
    """What a run may be called: its losses and its data.

    >>> from facevis.live import RunConfig
    >>> stem_of(Recording(RunConfig()))
    'arcface digits'
    """
    members = recording.config.members
    losses = list(dict.fromkeys(member.objective for member in members))
    shown = " ".join(losses) if len(losses) <= 2 else f"{len(losses)} losses"
    return f"{shown} {Path(recording.config.dataset).stem}".replace("_", " ")


def taken_from(run: LiveRun) -> Recording:
    """The run as it is now, with the state from which it trains on, where it has one."""
    answers: list[dict[str, Any]] = []
    answered = threading.Event()

    def ask(ensemble: Any) -> dict[str, Any]:
        snapshot = ensemble.snapshot()
        before = [old for old in run.recording.snapshots if old.step < snapshot.step]
        config = run.recording.config
        return {"recording": Recording(config, [*before, snapshot], ensemble.state())}

    def tell(answer: dict[str, Any]) -> None:
        answers.append(answer)
        answered.set()

    run.consult(ask, tell, lambda: not answers)
    if answered.wait(_PATIENCE) and "recording" in answers[0]:
        found: Recording = answers[0]["recording"]
        return found
    return Recording(run.recording.config, list(run.recording.snapshots))


def keep(recording: Recording, runs: Path, name: str = "") -> Path:
    """Write a toy run into the folder of runs, whole or not at all; its folder.

    Without a name it gets one that is free; one that is taken raises ``ValueError``, and so does a
    folder that cannot be written.
    """
    if name and (runs / run_names.check_name(name)).exists():
        raise ValueError(f"there is a run {name} already; choose another name.")
    data = recording.to_bytes()
    about = {"format": FORMAT, "facevis": __version__, "kept": round(time.time(), 3)}
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with beside(runs / (name or RECORDING)) as partial:
            partial.mkdir()
            (partial / RECORDING).write_bytes(data)
            (partial / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
            bring_to_disk(partial)
            return run_names.land(partial, runs, stem_of(recording), name)
    except OSError as error:
        raise ValueError(
            f"the run could not be kept in {runs} ({error.strerror}); make room or correct the "
            "permissions. It is still in the app."
        ) from error


def check_about(text: str) -> float:
    """When the run of an ``about.json`` was kept, seconds since 1970; ``ValueError`` if none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{ABOUT} is not JSON.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{ABOUT} is of a version of facevis that this one does not know.")
    kept = found.get("kept")
    if not isinstance(kept, int | float) or isinstance(kept, bool) or not 0 <= kept < 1e11:
        raise ValueError(f"{ABOUT} does not say when the run was kept.")
    return float(kept)
