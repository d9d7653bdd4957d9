"""From a configuration to the objective that trains it, over one process or many."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facevis.adaptive import AdaFace, CurricularFace, FixedMargin, MagFace
from facevis.fullscale import ranks
from facevis.fullscale.config_parts import PAIR_LOSSES, HeadConfig
from facevis.fullscale.prototypes import ShardedObjective
from facevis.margins import Margin
from facevis.objectives import ContrastiveObjective, Objective, TripletObjective


class PairObjective(nn.Module):
    """A loss on pairs or triplets of the batch of all processes; it has no prototypes."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of the whole batch, on every process."""
        with torch.autocast(embeddings.device.type, enabled=False):
            wide = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            every = ranks.GatherWithGradient.apply(wide)  # type: ignore[no-untyped-call]
            loss: Tensor = self.objective(every, ranks.gather(labels))
            return loss


def rule_of(config: HeadConfig) -> FixedMargin | None:
    """What the loss sees of cosines; None for the plain softmax."""
    gradient = config.gradient
    if config.objective == "softmax":
        return None
    if config.objective == "adaface":
        return AdaFace(config.adaface_m, config.adaface_h, gradient=gradient)
    if config.objective == "magface":
        return MagFace(weight=config.magface_weight, gradient=gradient)
    if config.objective == "curricularface":
        return CurricularFace(config.m2, gradient=gradient)
    return FixedMargin(Margin(config.m1, config.m2, config.m3), config.tail, gradient)


def build_objective(
    config: HeadConfig, num_classes: int, embedding_dim: int, seed: int
) -> ShardedObjective | PairObjective:
    """The objective of a configuration."""
    if config.objective in PAIR_LOSSES:
        if config.objective == "triplet":
            loss: Objective = TripletObjective(config.distance, config.mining, config.squared)
        else:
            loss = ContrastiveObjective(config.distance)
        return PairObjective(loss)
    return ShardedObjective(
        num_classes,
        embedding_dim,
        rule_of(config),
        config.scale,
        sub_centers=config.sub_centers,
        sample_rate=config.sample_rate,
        seed=seed,
    )
