"""Checkpoints: everything a run needs to go on, on any number of processes.

Tensors are written by torch.distributed.checkpoint as safetensors, prototypes and what the
optimizer knows of them as DTensors, so that each process writes its rows and reads those that are
its own then; what is no tensor lies in progress.json. A checkpoint is written under another name
and renamed when it is whole: what bears the name of a step is whole. No pickle is read or written.
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint import state_dict_loader, state_dict_saver
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard

from facevis.fullscale import ranks
from facevis.validation import line
from facevis.writing import bring_to_disk

_NAME = re.compile(r"step-(\d{8,10})")
_PROGRESS = "progress.json"


class Tensors:
    """The tensors of a checkpoint by name: such that all processes hold, and rows of tables."""

    def __init__(self) -> None:
        self.shared: dict[str, Tensor] = {}
        self.rows: dict[str, tuple[Tensor, int]] = {}
        """This process' rows, and how many there are in all."""

    def as_state(self, device: str, packed: bool = False) -> dict[str, Tensor]:
        """As torch.distributed.checkpoint takes them; ``packed`` for files, without strides."""
        state = {n: t.contiguous() if packed else t for n, t in self.shared.items()}
        mesh = init_device_mesh(device, (ranks.world(),)) if dist.is_initialized() else None
        for name, (part, count) in self.rows.items():
            if mesh is None:
                state[name] = part
                continue
            shape = torch.Size([count, *part.shape[1:]])
            whole = torch.empty(shape, device="meta")
            state[name] = DTensor.from_local(
                part, mesh, [Shard(0)], run_check=False, shape=shape, stride=whole.stride()
            )
        return state


def save(
    folder: Path, step: int, tensors: Tensors, progress: Mapping[str, Any], device: str
) -> None:
    """Write the checkpoint of a step; all processes call it, and it ends alike in all.

    ``ValueError`` in a sentence where it cannot be written; older checkpoints stay as they are.
    """
    growing, final = folder / f".step-{step:08d}", folder / f"step-{step:08d}"
    first = ranks.rank() == 0

    def begin() -> None:
        if first:
            shutil.rmtree(growing, ignore_errors=True)
            growing.mkdir(parents=True)

    def write() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about single processes, and about its own insides
            state_dict_saver.save(
                tensors.as_state(device, packed=True),
                storage_writer=HuggingFaceStorageWriter(str(growing), save_distributed=True),
                no_dist=not dist.is_initialized(),
            )

    def finish() -> None:
        if first:
            files = {file.name: file.stat().st_size for file in sorted(growing.iterdir())}
            about = {"format": "facevis-checkpoint-1", "step": step, "files": files, **progress}
            (growing / _PROGRESS).write_text(json.dumps(about, indent=1), encoding="utf-8")
            bring_to_disk(growing)
            shutil.rmtree(final, ignore_errors=True)
            growing.rename(final)

    for part in (begin, write, finish):
        fault: BaseException | None = None
        try:
            part()
        except (Exception, CheckpointException) as error:  # of no common class
            fault = error
        if ranks.add(torch.tensor([float(fault is not None)], device=device)).item():
            if first:
                shutil.rmtree(growing, ignore_errors=True)
            reason = "another process could not" if fault is None else _reason(fault)
            raise ValueError(
                f"the checkpoint could not be written to {folder} ({reason}); older ones are "
                "whole. Make room or correct the permissions; the run can be taken up again."
            ) from fault


def _reason(error: BaseException) -> str:
    """In a few words; the library wraps what went wrong on each process."""
    if isinstance(error, CheckpointException) and error.failures:
        error = next(iter(error.failures.values()))[0]
    text = " ".join(str(error).split())
    if "No space left" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return "the disk is full"
    return text[:160]


def steps(folder: Path) -> list[int]:
    """The steps of all whole checkpoints, in order."""
    if not folder.is_dir():
        return []
    found = (_NAME.fullmatch(entry.name) for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(match[1]) for match in found if match)


def tidy(folder: Path, keep: int) -> None:
    """Remove all but the last ``keep`` checkpoints, and what a killed run left half written."""
    for step in steps(folder)[:-keep]:
        # Renamed first: a removal that is cut off must not leave half a checkpoint of that name.
        with contextlib.suppress(OSError):  # it stays, and costs room only
            old = (folder / f"step-{step:08d}").rename(folder / f".old-{step:08d}")
            shutil.rmtree(old, ignore_errors=True)
    for entry in folder.glob(".*"):
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)


def progress_of(folder: Path, step: int) -> dict[str, Any]:
    """What is no tensor in the checkpoint of a step; its files are there and whole."""
    path = folder / f"step-{step:08d}" / _PROGRESS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"the checkpoint {path.parent.name} has no readable {_PROGRESS}; remove the folder "
            f"{path.parent}, and the run goes on from the one before."
        ) from error
    known = isinstance(found, dict) and found.get("format") == "facevis-checkpoint-1"
    if not known or not isinstance(found.get("files"), dict):
        raise ValueError(
            f"{path} is of a version of facevis that this one does not know; remove the folder "
            f"{path.parent}, and the run goes on from the one before."
        )
    for name, size in found["files"].items():
        file = path.parent / Path(name).name
        if not file.is_file() or file.stat().st_size != size:
            what = "is cut off" if file.is_file() else "is missing"
            raise ValueError(
                f"{line(name)} of the checkpoint {path.parent.name} {what}; remove the folder "
                f"{path.parent}, and the run goes on from the one before."
            )
    return dict(found)


def shapes(folder: Path, step: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Shape and type of each tensor in a checkpoint, from the headers of its files."""
    path = folder / f"step-{step:08d}"
    try:
        metadata = HuggingFaceStorageReader(str(path)).read_metadata()
    except (Exception, CheckpointException) as error:  # of no common class
        raise ValueError(
            f"{path} cannot be read ({_reason(error)}); remove that folder, and the run goes on "
            "from the checkpoint before."
        ) from error
    return {
        name: (tuple(entry.size), entry.properties.dtype)  # type: ignore[union-attr]
        for name, entry in metadata.state_dict_metadata.items()
    }


def load(folder: Path, step: int, tensors: Tensors, device: str) -> None:
    """Fill the tensors from the checkpoint of a step; all processes call it."""
    path = folder / f"step-{step:08d}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state_dict_loader.load(
                tensors.as_state(device),
                storage_reader=HuggingFaceStorageReader(str(path)),
                no_dist=not dist.is_initialized(),
            )
    except (Exception, CheckpointException) as error:  # of no common class
        raise ValueError(
            f"{path} cannot be read ({_reason(error)}); remove that folder, and the run goes on "
            "from the checkpoint before."
        ) from error


def read_whole(folder: Path, step: int, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    """Tensors of a checkpoint, whole, in a process of its own; for showing and exporting."""
    tensors = Tensors()
    for name, (shape, dtype) in shapes(folder, step).items():
        if wanted(name):
            tensors.shared[name] = torch.empty(shape, dtype=dtype)
    load(folder, step, tensors, "cpu")
    return tensors.shared
