"""Members of one kind, computed together: the bridge from configurations to objectives.

An ensemble splits its members into groups that run the same code (softmax; the margin family with
one tail and gradient; contrastive; triplet with one mining); inside a group margins and scales
differ freely. A group owns its prototypes and reports what they look like; what is measured on
them is in ``measuring``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from facevis.live.config import PAIRWISE, Member
from facevis.margins import GRADIENTS, StackedMargin, unit
from facevis.objectives import (
    contrastive_loss,
    cross_entropy,
    initial_prototypes,
    margin_logits,
    softmax_logits,
    triplet_loss,
)


class Group:
    """Members (indices into the ensemble) whose losses are one batched computation."""

    own_prototypes = True

    gradients: tuple[str, ...] = ("exact",)
    """The gradient modes that the loss has."""

    def __init__(self, index: Sequence[int], members: Sequence[Member]) -> None:
        self.index = list(index)
        self.update(members)

    def update(self, members: Sequence[Member]) -> None:
        """Take the members' present settings."""
        self.members = [members[i] for i in self.index]

    def parameters(self) -> list[Tensor]:
        """What the optimizer trains besides the network."""
        return []

    def logits(
        self, embeddings: Tensor, labels: Tensor, step: int, gradient: str | None = None
    ) -> Tensor | None:
        """Logits (G, B, C) of embeddings (G, B, D), where the loss is a cross-entropy.

        ``gradient`` overrides the members' own mode.
        """
        return None

    def plain_logits(self, embeddings: Tensor) -> Tensor | None:
        """The same without a margin on any class."""
        return None

    def losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Losses (G,) of embeddings (G, B, D), where it is not."""
        raise AssertionError("each kind of group has logits or computes its own losses")

    def display(self, raw: Tensor) -> Tensor:
        """Embeddings as they are drawn: of unit length, unless the objective keeps lengths."""
        return unit(raw)

    def shown_prototypes(self, embeddings: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        """Prototypes (G, C, D) as drawn."""
        raise AssertionError("each kind of group knows its own prototypes")

    def scores(self, embeddings: Tensor, prototypes: Tensor) -> Tensor:
        """What decides the class of a sample, (G, N, C): the cosine to each prototype."""
        return embeddings @ unit(prototypes).transpose(-1, -2)

    def teaching(self) -> list[float]:
        """Share of the last batch's pairs or triplets that gave a gradient; NaN for others."""
        return [float("nan")] * len(self.index)


class SoftmaxGroup(Group):
    """Plain softmax: free lengths, weights and biases."""

    def __init__(self, index: Sequence[int], members: Sequence[Member], prototypes: Tensor) -> None:
        super().__init__(index, members)
        self.prototypes = prototypes.requires_grad_()
        self.bias = torch.zeros(prototypes.shape[:2], device=prototypes.device, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        """Weights and biases."""
        return [self.prototypes, self.bias]

    def logits(
        self, embeddings: Tensor, labels: Tensor, step: int, gradient: str | None = None
    ) -> Tensor:
        """z_j = W_jᵀx + b_j; there is one gradient mode."""
        return self.plain_logits(embeddings)

    def plain_logits(self, embeddings: Tensor) -> Tensor:
        """The same: there is no margin."""
        return softmax_logits(embeddings, self.prototypes, self.bias)

    def display(self, raw: Tensor) -> Tensor:
        """As they are: in the plane the classes are rays."""
        return raw

    def shown_prototypes(self, embeddings: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        """The rows of W."""
        return self.prototypes.detach()

    def scores(self, embeddings: Tensor, prototypes: Tensor) -> Tensor:
        """The logits."""
        return softmax_logits(embeddings, prototypes, self.bias)


class MarginGroup(Group):
    """The margin family; margins and scales are tensors and may change between steps."""

    gradients = GRADIENTS

    def __init__(self, index: Sequence[int], members: Sequence[Member], prototypes: Tensor) -> None:
        self.directions = prototypes.requires_grad_()
        super().__init__(index, members)

    def update(self, members: Sequence[Member]) -> None:
        """Take new margins and scales."""
        super().update(members)
        self._margin: StackedMargin | None = None
        scales = torch.tensor([m.scale for m in self.members], device=self.directions.device)
        self._scale = scales.view(-1, 1, 1)

    def parameters(self) -> list[Tensor]:
        """The directions of the prototypes."""
        return [self.directions]

    def logits(
        self, embeddings: Tensor, labels: Tensor, step: int, gradient: str | None = None
    ) -> Tensor:
        """The logits with the margins in force at this step."""
        first = self.members[0]
        return margin_logits(
            embeddings,
            self.directions,
            labels,
            self._stacked_margin(step),
            self._scale,
            first.tail,
            gradient or first.gradient,
        )

    def plain_logits(self, embeddings: Tensor) -> Tensor:
        """s·cos θ_j."""
        return self._scale * self.scores(unit(embeddings), self.directions)

    def _stacked_margin(self, step: int) -> StackedMargin:
        if self._margin is None or any(step <= m.warmup for m in self.members):
            margins = [m.margin_at(step) for m in self.members]
            self._margin = StackedMargin.of(margins, like=self.directions)
        return self._margin

    def shown_prototypes(self, embeddings: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        """Unit vectors."""
        return unit(self.directions.detach())


class PairGroup(Group):
    """Contrastive and triplet: no prototypes of their own; the class means stand in when drawn."""

    own_prototypes = False

    def __init__(self, index: Sequence[int], members: Sequence[Member]) -> None:
        super().__init__(index, members)
        self._teaching: Tensor | None = None

    def losses(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean over the pairs or the mined triplets of the batch."""
        first, embeddings = self.members[0], unit(embeddings)
        margins = torch.tensor([m.distance_margin for m in self.members], device=embeddings.device)
        margins = margins.view(-1, 1, 1)
        if first.objective == "contrastive":
            return contrastive_loss(embeddings, labels, margins)
        terms = triplet_loss(embeddings, labels, margins, first.mining, first.squared)
        self._teaching = terms.teaching
        return terms.loss

    def shown_prototypes(self, embeddings: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        """Directions of the class means; a class without samples gets the zero vector."""
        sums = embeddings.new_zeros(embeddings.shape[0], num_classes, embeddings.shape[-1])
        return unit(sums.index_add(1, labels, embeddings))

    def teaching(self) -> list[float]:
        """Share of valid triplets that still violate the margin."""
        if self._teaching is None:
            return super().teaching()
        return self._teaching.expand(len(self.index)).tolist()


def group_members(
    members: Sequence[Member],
    num_classes: int,
    embedding_dim: int,
    seeds: Sequence[int],
    device: torch.device,
) -> list[Group]:
    """Sort members into groups; equal seeds start from equal prototypes."""
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for place, member in enumerate(members):
        kinds.setdefault(_kind(member), []).append(place)
    groups: list[Group] = []
    # Pairs last: what has logits is one slice of the ensemble.
    for kind, index in sorted(kinds.items(), key=lambda item: item[0][0] in PAIRWISE):
        if kind[0] in PAIRWISE:
            groups.append(PairGroup(index, members))
            continue
        generators = [torch.Generator().manual_seed(seeds[i] + 1_000_003) for i in index]
        prototypes = torch.stack(
            [initial_prototypes(num_classes, embedding_dim, g) for g in generators]
        ).to(device)
        make = SoftmaxGroup if kind[0] == "softmax" else MarginGroup
        groups.append(make(index, members, prototypes))
    return groups


def group_losses(
    groups: Sequence[Group],
    embeddings: Sequence[Tensor],
    labels: Tensor,
    step: int,
    gradient: str | None = None,
) -> Tensor:
    """The losses (M,) of each group's embeddings (G, B, D), group by group.

    Groups with logits stand first and share one cross-entropy. ``gradient`` overrides the members'
    own mode.
    """
    logits, losses = [], []
    for group, own in zip(groups, embeddings, strict=True):
        own_logits = group.logits(own, labels, step, gradient)
        if own_logits is None:
            losses.append(group.losses(own, labels))
        else:
            logits.append(own_logits)
    if logits:
        # Joined with the classes before the samples, as they lie in memory.
        joined = torch.cat([own.mT for own in logits]).mT
        losses.insert(0, cross_entropy(joined, labels))
    return torch.cat(losses)


def _kind(member: Member) -> tuple[Any, ...]:
    if member.in_margin_family:
        return ("margin", member.tail, member.gradient)
    if member.objective == "triplet":
        return ("triplet", member.mining, member.squared)
    return (member.objective,)
