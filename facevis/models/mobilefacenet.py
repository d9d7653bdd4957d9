"""MobileFaceNet, a network of a million parameters for faces: (B, 3, S, S) → (B, D).

Inverted bottlenecks with PReLU, and instead of averaging over places a depthwise convolution as
large as the last picture, so that each place has a weight of its own. It knows no loss. Names are
facevis' own: weights of other projects do not load.

Source: Chen et al., "MobileFaceNets", 2018, Table 1. Not in the paper: the initial weights
(He et al., 2015, as usual for such networks).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Expansion, channels, number and first stride of the bottlenecks: Table 1 of the paper."""


class Bottleneck(nn.Module):
    """Widen (1×1), look around (3×3, depthwise), narrow (1×1, linear); a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        self.widen = _convolution(inputs, wide, 1)
        self.look = _convolution(wide, wide, 3, stride, groups=wide)
        self.narrow = _convolution(wide, outputs, 1, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        inner: Tensor = self.narrow(self.look(self.widen(x)))
        return x + inner if self.shortcut else inner


class MobileFaceNet(nn.Module):
    """The network of Table 1.

    ``size`` S is a multiple of 16; ``dropout`` is the share that is dropped before the last layer.

    >>> MobileFaceNet(embedding_dim=8, size=32).eval()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 8])
    """

    def __init__(self, embedding_dim: int = 512, size: int = 112, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding_dim, self.size = embedding_dim, size
        self.stem = nn.Sequential(
            _convolution(3, 64, 3, stride=2), _convolution(64, 64, 3, groups=64)
        )
        blocks, inputs = [], 64
        for expansion, channels, count, stride in STAGES:
            for place in range(count):
                first = stride if place == 0 else 1
                blocks.append(Bottleneck(inputs, channels, expansion, first))
                inputs = channels
        self.bottlenecks = nn.Sequential(*blocks)
        self.widen = _convolution(inputs, 512, 1)
        self.whole = nn.Sequential(
            nn.Conv2d(512, 512, size // 16, groups=512, bias=False), nn.BatchNorm2d(512)
        )
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(512, embedding_dim, bias=False)
        self.features = nn.BatchNorm1d(embedding_dim)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) from −1 to 1 → embeddings (B, D), float32 also under autocast."""
        x = self.whole(self.widen(self.bottlenecks(self.stem(pictures))))
        x = self.dropout(torch.flatten(x, 1))
        with torch.autocast(x.device.type, enabled=False):
            embeddings: Tensor = self.features(self.fc(x.to(self.fc.weight.dtype)))
            return embeddings


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False
) -> nn.Sequential:
    """Convolution and norm, then PReLU unless it is linear."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([] if linear else [nn.PReLU(outputs)]))
