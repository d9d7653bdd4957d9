"""Pictures as a network reads them: the one place where bytes become numbers."""

from __future__ import annotations

import torch
from torch import Tensor


def as_tensor(
    pictures: Tensor, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Tensor:
    """Pictures uint8 (B, S, S, 3) to floats (B, 3, S, S) from −1 to 1, x/127.5 − 1, on a device.

    The bytes travel, the numbers are made there. The same numbers as ``datasets.as_inputs``.

    >>> as_tensor(torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)).flatten()
    tensor([-1.0000,  1.0000, -0.6000])
    """
    moved = pictures.to(device, non_blocking=True)
    return moved.permute(0, 3, 1, 2).to(dtype).div_(127.5).sub_(1.0)
