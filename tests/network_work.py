"""What the processes of the tests of shared batch norm do; ``gloo.together`` starts them."""

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from facevis.adaptive import FixedMargin
from facevis.fullscale import ranks
from facevis.fullscale.batchnorm import share_batch_norm
from facevis.fullscale.prototypes import ShardedObjective
from facevis.margins import Margin
from facevis.models.backbones import build_backbone


def network_step():
    """Gradients and statistics of a network with batch norms after a step on 12 pictures."""
    torch.manual_seed(0)
    network = share_batch_norm(build_backbone("mobilefacenet", 8, 32), "cpu").double()
    head = ShardedObjective(5, 8, FixedMargin(Margin.arcface(0.3)), 16.0).double()
    pictures = torch.randn(12, 3, 32, 32, dtype=torch.float64)
    labels = torch.arange(12) % 5
    called: nn.Module = network
    if ranks.world() > 1:
        called = DistributedDataParallel(network)
    head(called(ranks.own_part(pictures)), ranks.own_part(labels)).backward()
    found = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return found | {name: b.clone() for name, b in network.named_buffers()}


def save_network_step(path):
    found = network_step()
    if ranks.rank() == 0:
        torch.save(found, path)
