"""The network of a run: untrained, or as a checkpoint of its folder holds it."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from facevis.fullscale import checkpoint
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.runs import CHECKPOINTS, CONFIG, read_config
from facevis.models.backbones import build_backbone, build_filled

NETWORK = "network."
"""What the names of the network's tensors begin with in a checkpoint."""


def load_trained(folder: Path, step: int | None = None) -> nn.Module:
    """The network of a run as its last checkpoint, or that of ``step``, holds it."""
    config = read_config(folder)
    there = checkpoint.steps(folder / CHECKPOINTS)
    if not there:
        raise ValueError(f"{folder} has no checkpoint yet; let it train until its first one.")
    if step is not None and step not in there:
        known = ", ".join(map(str, there))
        raise ValueError(f"{folder} has no checkpoint of step {step}; choose one of {known}.")
    wanted = there[-1] if step is None else step
    checkpoint.progress_of(folder / CHECKPOINTS, wanted)
    found = checkpoint.read_whole(
        folder / CHECKPOINTS, wanted, lambda name: name.startswith(NETWORK)
    )
    network = build_filled(
        *(config.backbone.name, config.backbone.embedding_dim, config.data.size),
        state={name.removeprefix(NETWORK): value for name, value in found.items()},
        where=f"the checkpoint of step {wanted} in {folder}",
        remedy=f"restore the {CONFIG} that the run began with",
    )
    return network.eval()


def build_network(config: FullScaleConfig) -> nn.Module:
    """The network of a configuration, untrained."""
    backbone = config.backbone
    return build_backbone(
        backbone.name, backbone.embedding_dim, config.data.size, dropout=backbone.dropout
    )
