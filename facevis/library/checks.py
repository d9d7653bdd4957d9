"""What the folder of a run may hold, and whether every part of it is what it says.

The same checks before a run is given away and when one is taken in. No tensor is read, no pickle.
It knows folders and the formats of their files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from facevis.fullscale.journal import METRICS, read_journal
from facevis.fullscale.queue import LOG
from facevis.fullscale.runs import CHECKPOINTS, CONFIG, ENVIRONMENT, read_config
from facevis.library import toys
from facevis.library.notes import NOTES

PROGRESS = "progress.json"
FULL_FILES = (CONFIG, ENVIRONMENT, METRICS, LOG, NOTES)
TOY_FILES = (toys.RECORDING, toys.ABOUT, NOTES)
CHECKPOINT_FILE = re.compile(
    rf"{CHECKPOINTS}/step-([0-9]{{8,10}})/"
    rf"({re.escape(PROGRESS)}|[A-Za-z0-9_-]{{1,80}}\.safetensors)"
)
"""A file of a checkpoint, by its name below the folder of the run."""


def check_run(folder: Path, names: Sequence[str]) -> None:
    """Refuse a run of which one of these files is missing or not what it should be, in words."""
    try:
        if toys.RECORDING in names or toys.ABOUT in names:
            toys.check_about(_text(folder / toys.ABOUT))
            toys.recording_of(folder)
        else:
            _check_full(folder, names)
        if NOTES in names:
            _text(folder / NOTES)
    except RecursionError as error:
        raise ValueError("one of its files is nested too deeply") from error


def _check_full(folder: Path, names: Sequence[str]) -> None:
    read_config(folder)
    read_journal(folder)
    if ENVIRONMENT in names and not isinstance(_json(folder / ENVIRONMENT), dict):
        raise ValueError(f"{ENVIRONMENT} is no table of values")
    for step in sorted({name.split("/")[1] for name in names if CHECKPOINT_FILE.fullmatch(name)}):
        check_checkpoint(folder / CHECKPOINTS / step)


def check_checkpoint(folder: Path) -> None:
    """Refuse a checkpoint that is not whole, by the headers of its files; in words."""
    name = folder.name
    about = _json(folder / PROGRESS)
    if not isinstance(about, dict) or about.get("format") != "facevis-checkpoint-1":
        raise ValueError(f"the checkpoint {name} is of another version of facevis")
    sizes = {file.name: file.stat().st_size for file in folder.iterdir() if file.name != PROGRESS}
    if about.get("files") != sizes or about.get("step") != int(name.removeprefix("step-")):
        raise ValueError(
            f"the checkpoint {name} is not whole: {PROGRESS} tells other files; remove its folder"
        )
    for file in sizes:
        try:
            with safe_open(folder / file, "numpy") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{file} of the checkpoint {name} cannot be read: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ValueError(f"{path.name} cannot be read ({reason})") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError as error:
        where = f" of the checkpoint {path.parent.name}" if path.name == PROGRESS else ""
        raise ValueError(f"{path.name}{where} cannot be read: {error}") from error
