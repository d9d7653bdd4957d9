"""What the names of precisions mean to PyTorch. It knows types of numbers, no network."""

from __future__ import annotations

import torch

_HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def of_weights(name: str) -> torch.dtype:
    """The type of weights: float32, unless all is float64.

    >>> of_weights("float64"), of_weights("bfloat16")
    (torch.float64, torch.float32)
    """
    return torch.float64 if name == "float64" else torch.float32


def autocast(device: str, name: str) -> torch.autocast:
    """A block in which networks compute with half as many bits, where ``name`` asks for that.

    >>> with autocast("cpu", "bfloat16"):
    ...     torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype
    torch.bfloat16
    """
    half = _HALVES.get(name)
    return torch.autocast(device, half, enabled=half is not None)
