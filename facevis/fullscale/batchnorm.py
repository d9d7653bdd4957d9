"""Batch norm over the batch of all processes, on any device.

PyTorch's own SyncBatchNorm is for GPUs; with this one a run on two CPU processes is the run on one,
within rounding. It knows tensors and processes, no network.

Source: Ioffe and Szegedy, Batch Normalization, ICML 2015.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from facevis.fullscale import ranks


class _Sum(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        return ranks.add(part.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return ranks.add(gradient.clone())


class SharedBatchNorm(_BatchNorm):
    """As ``nn.BatchNorm``, with mean and variance of all processes' samples while training."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions from two on."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, ...) → the same."""
        if not self.training or ranks.world() == 1:
            return super().forward(input)
        x = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        axes = [0, *range(2, x.ndim)]
        count = x.numel() // x.shape[1] * ranks.world()
        shape = [1, -1] + [1] * (x.ndim - 2)
        mean = _Sum.apply(x.sum(axes)) / count  # type: ignore[no-untyped-call]
        centred = x - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(axes)) / count  # type: ignore[no-untyped-call]
        self._follow(mean.detach(), variance.detach() * count / max(count - 1, 1))
        found: Tensor = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            found = found * self.weight.view(shape) + self.bias.view(shape)
        return found.to(input.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        weight = 0.1 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), weight)
        self.running_var.lerp_(variance.to(self.running_var), weight)


def share_batch_norm(network: nn.Module, device: str) -> nn.Module:
    """The network with all its batch norms shared; names, weights and statistics stay."""
    if device == "cuda":
        shared: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return shared
    for name, child in network.named_children():
        if isinstance(child, _BatchNorm):
            shared = SharedBatchNorm(
                child.num_features, child.eps, child.momentum, child.affine,
                child.track_running_stats,
            )  # fmt: skip
            for kind in ("weight", "bias"):
                setattr(shared, kind, getattr(child, kind))
            for kind, value in child.named_buffers(recurse=False):
                setattr(shared, kind, value)
            setattr(network, name, shared)
        else:
            share_batch_norm(child, device)
    return network
