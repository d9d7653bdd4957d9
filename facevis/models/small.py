"""Small networks for small pictures, M of them side by side in one set of stacked parameters.

A stacked network maps a batch that all members share, (B, ...), to embeddings (M, B, D). Nothing
crosses from member to member, so one backward pass gives each its own gradient. What loss they
serve is unknown here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facevis.validation import choice

NETWORKS = ("mlp", "cnn")

Draw = Callable[[tuple[int, ...], float], Tensor]


class StackedMLP(nn.Module):
    """A three-layer perceptron per member: pixels → 128 → 64 → D, ReLU between."""

    def __init__(self, image_shape: tuple[int, int, int], embedding_dim: int, draw: Draw) -> None:
        super().__init__()
        self.image_shape = image_shape
        sizes = (math.prod(image_shape), 128, 64, embedding_dim)
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        # Before a ReLU twice the variance (He et al., ICCV 2015); nothing follows the last layer.
        for inputs, outputs, gain in zip(sizes, sizes[1:], (6.0, 6.0, 3.0), strict=False):
            self.weights.append(nn.Parameter(draw((inputs, outputs), math.sqrt(gain / inputs))))
            self.biases.append(nn.Parameter(draw((1, outputs), 1.0 / math.sqrt(inputs))))

    def forward(self, images: Tensor) -> Tensor:
        """(B, pixels) → (M, B, D)."""
        members = self.weights[0].shape[0]
        hidden = images.expand(members, *images.shape)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < last:
                hidden = torch.relu_(hidden)
        return hidden


class StackedCNN(nn.Module):
    """Two 3×3 convolutions (16, 32 channels, each halved by pooling) and a layer of 64, per member.

    Members are the groups of a grouped convolution.
    """

    def __init__(self, image_shape: tuple[int, int, int], embedding_dim: int, draw: Draw) -> None:
        super().__init__()
        self.image_shape = image_shape
        channels, height, width = image_shape
        flat = 32 * (height // 4) * (width // 4)
        self.kernels = nn.ParameterList()
        for inputs, outputs in ((channels, 16), (16, 32)):
            bound = math.sqrt(6.0 / (9 * inputs))
            self.kernels.append(nn.Parameter(draw((outputs, inputs, 3, 3), bound)))
        self.offsets = nn.ParameterList([nn.Parameter(draw((size,), 0.1)) for size in (16, 32)])
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs, gain in ((flat, 64, 6.0), (64, embedding_dim, 3.0)):
            self.weights.append(nn.Parameter(draw((inputs, outputs), math.sqrt(gain / inputs))))
            self.biases.append(nn.Parameter(draw((1, outputs), 1.0 / math.sqrt(inputs))))

    def forward(self, images: Tensor) -> Tensor:
        """(B, pixels) → (M, B, D)."""
        members, batch = self.kernels[0].shape[0], images.shape[0]
        hidden = images.view(batch, *self.image_shape)
        for layer, (kernel, offset) in enumerate(zip(self.kernels, self.offsets, strict=True)):
            groups = 1 if layer == 0 else members  # all members read the same picture
            hidden = F.conv2d(
                hidden, kernel.flatten(0, 1), offset.flatten(), padding=1, groups=groups
            )
            hidden = F.max_pool2d(torch.relu_(hidden), 2)
        hidden = hidden.view(batch, members, -1).transpose(0, 1)
        hidden = torch.relu_(torch.baddbmm(self.biases[0], hidden, self.weights[0]))
        return torch.baddbmm(self.biases[1], hidden, self.weights[1])


@torch.no_grad()
def centre_and_whiten(network: StackedMLP | StackedCNN, images: Tensor) -> None:
    """Rescale the last layer so that the embeddings of ``images`` start around the origin.

    Untrained embeddings all point into one narrow cone; on a circle two classes can then never
    get past each other. Mean 0 and covariance 1 at step 0 spread them over all directions
    (data-dependent initialisation: Krähenbühl et al., ICLR 2016; Mishkin and Matas, ICLR 2016).
    """
    embeddings = network(images).double()
    mean = embeddings.mean(1, keepdim=True)
    centred = embeddings - mean
    covariance = centred.transpose(1, 2) @ centred / max(images.shape[0] - 1, 1)
    values, vectors = torch.linalg.eigh(covariance)
    # A direction in which nothing varies stays as it is: there is nothing to spread.
    gains = torch.where(values > 1e-9 * values.amax(-1, keepdim=True), values.rsqrt(), 1.0)
    gains = torch.where(torch.isfinite(gains), gains, 1.0)
    whitening = (vectors * gains.unsqueeze(-2)) @ vectors.transpose(1, 2)
    weight, bias = network.weights[-1], network.biases[-1]
    weight.copy_(weight.double() @ whitening)
    bias.copy_((bias.double() - mean) @ whitening)


def stacked_network(
    name: str, image_shape: tuple[int, int, int], embedding_dim: int, seeds: Sequence[int]
) -> StackedMLP | StackedCNN:
    """Build one network per seed; equal seeds start from equal weights.

    ``image_shape`` is (channels, height, width).

    >>> net = stacked_network("mlp", (1, 8, 8), 2, seeds=[0, 0, 1])
    >>> net(torch.zeros(5, 64)).shape
    torch.Size([3, 5, 2])
    """
    choice("network", name, NETWORKS)
    if name == "cnn" and min(image_shape[1:]) < 4:
        raise ValueError("the network 'cnn' needs images of at least 4×4 pixels; choose 'mlp'.")
    unique = sorted(set(seeds))
    generators = {seed: torch.Generator().manual_seed(seed) for seed in unique}

    def draw(shape: tuple[int, ...], bound: float) -> Tensor:
        drawn = {
            seed: (torch.rand(shape, generator=generators[seed]) * 2 - 1) * bound for seed in unique
        }
        return torch.stack([drawn[seed] for seed in seeds])

    return (StackedMLP if name == "mlp" else StackedCNN)(image_shape, embedding_dim, draw)
