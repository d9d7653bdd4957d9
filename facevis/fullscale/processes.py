"""Joining the processes of a run, and the device of each. It knows torch.distributed's ways."""

from __future__ import annotations

import contextlib
import datetime
import os
import warnings
from collections.abc import Iterator

import torch
import torch.distributed as dist

from facevis.fullscale import ranks
from facevis.fullscale.config import FullScaleConfig

_PATIENCE = datetime.timedelta(minutes=30)
"""How long a process waits for the others, who may be opening data."""


@contextlib.contextmanager
def joined(config: FullScaleConfig) -> Iterator[torch.device]:
    """The device of this process; under torchrun, in the group of all of them."""
    device = device_of(config, int(os.environ.get("LOCAL_RANK", 0)), _local_processes())
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high" if config.tf32 else "highest")
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield device
        return
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    except (dist.DistError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"the processes of the run did not find each other ({_one_line(error)}); check address "
            "and port of the first machine, and that nothing else listens there."
        ) from error
    try:
        yield device
        ranks.add(torch.zeros(1, device=device))  # nobody leaves while another still talks
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dist.destroy_process_group()


def device_of(config: FullScaleConfig, place: int, processes: int) -> torch.device:
    """The device of the ``place``-th of this machine's ``processes``."""
    gpus = torch.cuda.device_count()
    if config.device == "cpu" or (config.device == "auto" and not gpus):
        return torch.device("cpu")
    if gpus < processes:
        asked = f"{processes} processes were" if processes > 1 else "a GPU was"
        fewer = f"start {gpus} (--nproc {gpus}), or " if gpus else ""
        raise ValueError(
            f"{asked} asked for and this machine has {gpus or 'no'} GPU{'' if gpus == 1 else 's'} "
            f"that PyTorch sees; {fewer}train on CPUs: --device cpu for a new run, "
            '"device": "cpu" in config.json for one that is there.'
        )
    return torch.device("cuda", place)


def _local_processes() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]
