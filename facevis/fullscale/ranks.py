"""The processes of a run: who am I, how many are we, and sums over all of us.

With one process and no process group every function is what it would be alone, so the code above
has one path. It knows torch.distributed and nothing of faces.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def rank() -> int:
    """The number of this process, 0 without a process group."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes train together, 1 without a process group."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rows_of(count: int, process: int, processes: int) -> range:
    """The rows of a table of ``count`` on a process: runs of equal length, the last ones shorter.

    The same cut as DTensor's ``Shard(0)``.

    >>> [rows_of(10, process, 4) for process in range(4)]
    [range(0, 3), range(3, 6), range(6, 9), range(9, 10)]
    """
    each = -(-count // processes)
    return range(min(process * each, count), min((process + 1) * each, count))


def gather(part: Tensor) -> Tensor:
    """The parts (B, ...) of all processes one after the other, (world · B, ...); no gradient."""
    if world() == 1:
        return part
    parts = part.new_empty(world() * len(part), *part.shape[1:])
    dist.all_gather(list(parts.chunk(world())), part.contiguous())
    return parts


def add(part: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if world() > 1:
        dist.all_reduce(part)
    return part


def own_part(whole: Tensor) -> Tensor:
    """This process' run of rows of what ``gather`` put together."""
    each = len(whole) // world()
    return whole[rank() * each : (rank() + 1) * each]


def add_and_cut(whole: Tensor) -> Tensor:
    """The sum over all processes of (world · B, ...), of which each gets its own (B, ...)."""
    if world() == 1:
        return whole
    if dist.get_backend() == "nccl":
        part = torch.empty_like(own_part(whole))
        dist.reduce_scatter(part, list(whole.contiguous().chunk(world())))
        return part
    return own_part(add(whole))  # gloo knows no such sum


class GatherWithGradient(torch.autograd.Function):
    """``gather`` for losses that look at the batch of all processes, each computing all of it.

    Every process then holds the whole gradient. DistributedDataParallel takes the mean over the
    processes, so the process' own rows are passed on ``world`` times as large.
    """

    @staticmethod
    def forward(ctx: object, part: Tensor) -> Tensor:  # noqa: D102
        return gather(part)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # noqa: D102
        return own_part(gradient) * world()
