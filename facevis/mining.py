"""Pairs and triplets of a batch: how many exist, which are mined, which still teach.

It knows labels and a matrix of distances; it does not know where the distances come from (plain or
squared, normalised or not) nor what a network is.

Sources: Schroff et al., FaceNet, CVPR 2015 (semi-hard); Hermans et al., In Defense of the Triplet
Loss, 2017 (batch-hard).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facevis.validation import choice

MINING = ("all", "semi-hard", "batch-hard")
"""Which triplets of a batch teach; ``triplet_losses`` says what each takes."""

# Triplets looked at together: 64 MiB of comparisons.
_BLOCK = 2**24


class TripletTerms(NamedTuple):
    """What a batch of triplets gives; every field has the leading member shape of the distances.

    ``loss``: mean of max(0, d(a, p) + margin − d(a, n)) over the mined triplets that violate the
    margin, 0 (with a gradient of 0) if none does. ``valid``: how many triplets the batch holds.
    ``teaching``: share (0 … 1) of those that violate the margin, whatever is mined.
    """

    loss: Tensor
    valid: Tensor
    teaching: Tensor


def count_pairs(labels: Tensor | np.ndarray | Sequence[int]) -> tuple[int, int]:
    """How many unordered pairs are of one class, and how many of two.

    Together N(N − 1)/2 for ``labels`` (N,).

    >>> count_pairs([0, 0, 0, 1, 1])
    (4, 6)
    """
    counts = _class_counts(labels)
    total = sum(counts)
    positive = sum(count * (count - 1) // 2 for count in counts)
    return positive, total * (total - 1) // 2 - positive


def count_triplets(labels: Tensor | np.ndarray | Sequence[int]) -> int:
    """How many (anchor, positive, negative) exist: Σ_c n_c(n_c − 1)(N − n_c), ``labels`` (N,).

    >>> count_triplets([0, 0, 0, 1, 1])
    18
    """
    counts = _class_counts(labels)
    total = sum(counts)
    return sum(count * (count - 1) * (total - count) for count in counts)


def triplet_losses(
    distances: Tensor, labels: Tensor, margin: float | Tensor, mining: str = "semi-hard"
) -> TripletTerms:
    """The triplet loss max(0, d(a, p) + margin − d(a, n)) of a batch, mined as ``mining`` says.

    Shapes: distances (..., B, B) from anchor (row) to sample (column), labels (B,), margin a number
    or a tensor (..., 1, 1) → terms of shape (...). Mined are: ``"all"``
    valid triplets; ``"semi-hard"``, those with d(a, p) < d(a, n) < d(a, p) + margin;
    ``"batch-hard"``, for each anchor its farthest positive with its nearest negative. The loss is
    the mean over the mined triplets that violate the margin (the average of the nonzero terms, the
    field's usual choice): triplets that are already met do not water it down.

    >>> distances = torch.tensor([[0.0, 0.2, 0.5], [0.2, 0.0, 0.3], [0.5, 0.3, 0.0]])
    >>> terms = triplet_losses(distances, torch.tensor([0, 0, 1]), margin=0.2, mining="all")
    >>> round(terms.loss.item(), 4), int(terms.valid), terms.teaching.item()
    (0.1, 2, 0.5)
    """
    choice("mining", mining, MINING)
    kin, counts = _kin(labels)
    valid = ((counts - 1) * (labels.shape[0] - counts)).sum().expand(distances.shape[:-2])
    with torch.no_grad():
        weights, violating = _triplet_weights(
            distances, kin, margin, semi_hard=mining == "semi-hard"
        )
    teaching = violating / valid.clamp_min(1)
    if mining == "batch-hard":
        return TripletTerms(_batch_hard_loss(distances, labels, margin), valid, teaching)
    # The sum over the mined triplets is linear in the distances while the choice of triplets
    # stands, so B·B weights carry both its value and its exact gradient: no B·K·B work backwards.
    mined = weights.clamp_min(0.0).sum((-1, -2), keepdim=True)
    total = (distances * weights).sum((-1, -2), keepdim=True) + margin * mined
    return TripletTerms((total / mined.clamp_min(1.0))[..., 0, 0], valid, teaching)


def _kin(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The samples of each sample's class, (B, K), and how many they are, (B,).

    K is the size of the largest class; shorter rows are filled up with the sample itself.
    """
    in_order, order = labels.sort()
    start = torch.searchsorted(in_order, labels)
    end = torch.searchsorted(in_order, labels, right=True)
    counts = end - start
    place = start.unsqueeze(-1) + torch.arange(int(counts.max()), device=labels.device)
    itself = torch.arange(len(labels), device=labels.device).unsqueeze(-1)
    inside = place < end.unsqueeze(-1)
    return torch.where(inside, order[place.clamp_max_(len(labels) - 1)], itself), counts


def _triplet_weights(
    distances: Tensor, kin: Tensor, margin: float | Tensor, semi_hard: bool
) -> tuple[Tensor, Tensor]:
    """How often each distance occurs in the violating mined triplets, and how many violate at all.

    Weights (..., B, B): plus the number of times as (a, p), minus the number of times as (a, n).
    A block of anchors at a time, (..., rows, K, B), so that a large batch fits in memory.
    """
    size, most = distances.shape[-1], kin.shape[-1]
    rows = max(1, _BLOCK // (distances.shape[:-2].numel() * most * size))
    reach = margin.unsqueeze(-1) if isinstance(margin, Tensor) else margin
    weights = torch.empty_like(distances)
    violating = distances.new_zeros(distances.shape[:-2])
    itself = torch.arange(size, device=kin.device).unsqueeze(-1)
    for start in range(0, size, rows):
        block = slice(start, start + rows)
        own = distances[..., block, :]
        index = kin[block].expand(*own.shape[:-1], most)
        to_negative = own.scatter(-1, index, torch.inf).unsqueeze(-2)
        to_positive = own.gather(-1, index).masked_fill(kin[block] == itself[block], -torch.inf)
        to_positive = to_positive.unsqueeze(-1)
        # Comparisons that write floats are several times as fast as boolean masks on a CPU.
        chosen = own.new_empty(*own.shape[:-1], most, size)
        torch.lt(to_negative, to_positive + reach, out=chosen)
        violating += chosen.sum((-1, -2, -3))
        if semi_hard:
            chosen.mul_(torch.gt(to_negative, to_positive, out=torch.empty_like(chosen)))
        as_positive = chosen.sum(-1)
        weights[..., block, :] = chosen.sum(-2).neg_().scatter_(-1, index, as_positive)
    return weights, violating


def _batch_hard_loss(distances: Tensor, labels: Tensor, margin: float | Tensor) -> Tensor:
    """Mean over the anchors whose farthest positive and nearest negative violate the margin."""
    same = _same_class(labels)
    positive = same.clone().fill_diagonal_(False)
    farthest = distances.masked_fill(~positive, -torch.inf).amax(-1, keepdim=True)
    nearest = distances.masked_fill(same, torch.inf).amin(-1, keepdim=True)
    # An anchor without a positive or a negative has an infinite term below zero: not violating.
    # relu passes no gradient where the margin is met exactly.
    violation = torch.relu(farthest - nearest + margin)
    count = (violation > 0).sum((-1, -2))
    return violation.sum((-1, -2)) / count.clamp_min(1)


def _same_class(labels: Tensor) -> Tensor:
    return labels.unsqueeze(0) == labels.unsqueeze(1)


def _class_counts(labels: Tensor | np.ndarray | Sequence[int]) -> list[int]:
    """Python integers: the triplets of ten million faces do not fit 64 bits."""
    return list(Counter(np.asarray(labels).ravel().tolist()).values())
