"""Faults of the machine that a user can do something about, in words.

It knows what PyTorch raises; it does not know what was going on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
import torch.distributed as dist

from facevis.memory import in_short, ran_out

_LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL", "gloo")
"""What PyTorch says where another process went away."""


@contextlib.contextmanager
def machine_faults() -> Iterator[None]:
    """Memory that ran out, a reader that was killed, a compiler that is missing: ``ValueError``.

    >>> with machine_faults():
    ...     raise MemoryError
    Traceback (most recent call last):
    ...
    ValueError: memory ran out (MemoryError); ...
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        said = _sentence(error)
        if said is None:
            raise
        raise ValueError(said) from error


def _sentence(error: BaseException) -> str | None:
    text, reason = str(error), in_short(error)
    if ran_out(error):
        return (
            f"memory ran out ({reason}); lower batch_size, raise accumulate, take precision "
            "bfloat16 or head.sample_rate below 1, or train on more processes."
        )
    if dist.is_initialized() and any(word in text for word in _LOST):
        return "another process of the run is gone; this one ends too."
    if "DataLoader worker" in text:
        return (
            f"a process that reads pictures was killed ({reason}); memory may have run out: lower "
            "data.workers, or give containers more shared memory (--shm-size)."
        )
    if isinstance(error, torch._dynamo.exc.TorchDynamoException):
        return (
            f"the network could not be compiled ({reason}); install a C++ compiler such as g++, or "
            "train without --compile."
        )
    return None
