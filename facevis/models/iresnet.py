"""IResNet, the residual network of ArcFace: 18 to 200 layers, pictures (B, 3, S, S) → (B, D).

A block normalises first, activates once and adds at its end; the first convolution keeps the size,
four stages halve it each, and what is left, 512 × S/16 × S/16, is one fully connected layer to the
embedding. Names and shapes of parameters are those of InsightFace's ``backbone.pth``, so published
weights load. It knows no loss.

Sources: Duta et al., "Improved Residual Networks", 2020; Deng et al., "ArcFace", CVPR 2019 (IR
blocks and the embedding's layers); layers per stage and names: insightface, recognition/
arcface_torch/backbones/iresnet.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYERS = {
    "iresnet18": (2, 2, 2, 2),
    "iresnet34": (3, 4, 6, 3),
    "iresnet50": (3, 4, 14, 3),
    "iresnet100": (3, 13, 30, 3),
    "iresnet200": (6, 26, 60, 6),
}
"""Blocks in each of the four stages."""

_PLANES = (64, 128, 256, 512)


class IBlock(nn.Module):
    """Norm, 3×3, norm, PReLU, 3×3, norm, and the shortcut."""

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.prelu = nn.PReLU(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes)
        # The first block of each stage halves the size, so its shortcut has to as well.
        self.downsample = None
        if stride != 1:
            shortcut = nn.Conv2d(inputs, planes, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, planes, H / stride, W / stride)."""
        inner = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        inner = self.bn3(self.conv2(inner))
        beside: Tensor = x if self.downsample is None else self.downsample(x)
        outputs: Tensor = inner + beside
        return outputs


class IResNet(nn.Module):
    """Residual network with so many blocks in each of its four stages.

    ``size`` S is a multiple of 16; ``dropout`` is the share that is dropped before the last layer.

    >>> IResNet((1, 1, 1, 1), embedding_dim=8, size=32).eval()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        layers: tuple[int, int, int, int],
        embedding_dim: int = 512,
        size: int = 112,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding_dim, self.size = embedding_dim, size
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        self.layer1 = _stage(64, _PLANES[0], layers[0])
        self.layer2 = _stage(_PLANES[0], _PLANES[1], layers[1])
        self.layer3 = _stage(_PLANES[1], _PLANES[2], layers[2])
        self.layer4 = _stage(_PLANES[2], _PLANES[3], layers[3])
        self.bn2 = nn.BatchNorm2d(_PLANES[3])
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(_PLANES[3] * (size // 16) ** 2, embedding_dim)
        self.features = nn.BatchNorm1d(embedding_dim)
        # The length of an embedding is no matter of the loss, so its scale is not learned.
        self.features.weight.requires_grad = False
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) from −1 to 1 → embeddings (B, D), float32 also under autocast."""
        x = self.prelu(self.bn1(self.conv1(pictures)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.dropout(torch.flatten(self.bn2(x), 1))
        with torch.autocast(x.device.type, enabled=False):
            embeddings: Tensor = self.features(self.fc(x.to(self.fc.weight.dtype)))
            return embeddings


def _stage(inputs: int, planes: int, blocks: int) -> nn.Sequential:
    rest = (IBlock(planes, planes, stride=1) for _ in range(blocks - 1))
    return nn.Sequential(IBlock(inputs, planes, stride=2), *rest)
