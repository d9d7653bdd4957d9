"""Members of one kind, computed together: the bridge from configurations to objectives.

An ensemble splits its members into groups that run the same code (softmax; the margin family with
one tail and gradient; contrastive; triplet with one mining); inside a group margins and scales
differ freely. A group owns its prototypes and reports what they look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from facevis.live.config import Member
from facevis.live.recording import STATISTICS
from facevis.margins import GRADIENTS, StackedMargin, unit
from facevis.objectives import (
    contrastive_loss,
    cross_entropy,
    initial_prototypes,
    margin_logits,
    softmax_logits,
    triplet_loss,
)
from facevis.statistics import angle_tables, packing_share

_PAIRS = ("contrastive", "triplet")


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
    for kind, index in sorted(kinds.items(), key=lambda item: item[0][0] in _PAIRS):
        if kind[0] in _PAIRS:
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


class Roles(NamedTuple):
    """Where among the shown samples those of each role stand."""

    trained: Tensor
    held_out: Tensor
    unseen: Tensor


def statistics_rows(
    group: Group, embeddings: Tensor, prototypes: Tensor, labels: Tensor, roles: Roles
) -> np.ndarray:
    """The statistics (G, len(STATISTICS)) of drawn embeddings (G, N, D)."""
    seen, held_out, unseen = roles
    known = _hits(group.scores(embeddings, prototypes), labels)
    tables = angle_tables(_array(embeddings[:, seen]), _array(labels[seen]), _array(prototypes))
    columns = dict(zip(("w_ec", "w_inter", "intra", "inter"), tables.T, strict=True))
    # A member that is not finite any more has no accuracy, rather than one of 0.
    whole = embeddings.isfinite().all(-1).all(-1)
    known = torch.where(whole.unsqueeze(-1), known, torch.nan)
    columns["accuracy"] = _array(known[:, seen].mean(-1))
    columns["held_out_accuracy"] = _array(known[:, held_out].mean(-1))
    columns["packing_share"] = np.array([packing_share(own) for own in prototypes])
    if not group.own_prototypes:
        columns["w_ec"] = np.full(len(embeddings), np.nan)  # 0 by construction, and no achievement
    columns["teaching_share"] = np.array(group.teaching())
    if len(unseen):
        found = unseen_columns(embeddings[:, unseen], labels[unseen] - prototypes.shape[1])
        found["unseen_accuracy"][~_array(whole)] = np.nan
        columns |= found
    blank = np.full(len(embeddings), np.nan)
    return np.stack([columns.get(name, blank) for name in STATISTICS], -1).astype(np.float32)


def _hits(scores: Tensor, labels: Tensor) -> Tensor:
    """1 where a sample's class has the highest score (G, N, C), else 0.

    What is not finite is nobody's, as in ``statistics.accuracy``.
    """
    return ((scores.argmax(-1) == labels) & scores.isfinite().all(-1)).float()


def unseen_columns(embeddings: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """What identities look like that have no prototype: their class means stand in.

    A sample is judged by class means without itself: one alone in its class has nobody to be like.
    """
    directions = unit(embeddings)
    sums = directions.new_zeros(len(directions), int(labels.max()) + 1, directions.shape[-1])
    sums = sums.index_add(1, labels, directions)
    scores = directions @ unit(sums).mT
    own = (directions * unit(sums[:, labels] - directions)).sum(-1)
    scores = scores.scatter(-1, labels.expand(own.shape).unsqueeze(-1), own.unsqueeze(-1))
    tables = angle_tables(_array(embeddings), _array(labels))
    return {
        "unseen_accuracy": _array(_hits(scores, labels).mean(-1)),
        "unseen_intra": tables[:, 2],
        "unseen_inter": tables[:, 3],
    }


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().numpy()
