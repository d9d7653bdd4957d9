"""Genuine and impostor pairs of embeddings, and everything a threshold on them is judged by.

A pair is accepted where its similarity is at least the threshold. All
pairs are walked through in blocks: the genuine ones are kept, one person at a time; of the
impostors only how many reach each genuine similarity, which is all that ROC, AUC, EER and TAR at
FAR depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facevis.validation import whole
from facevis.verification.similarity import (
    Array,
    Progress,
    check_pairs,
    checked,
    impostor_blocks,
    in_order,
    on_grid,
    unit,
    within_person,
)

ANGLES_DEG = np.arange(0.0, 180.5, 0.5)
"""Angles at which a ``Scores`` counts the accepted pairs: a threshold on a slider."""
_BLOCK = 2**20
_NEVER = -2.0


@dataclass(frozen=True, eq=False)
class Scores:
    """What is known of a set of genuine and impostor pairs."""

    genuine: np.ndarray
    """(G,) float64, the genuine similarities, rising."""
    reaching: np.ndarray
    """(G,) int64, how many impostor pairs are as similar as that genuine pair or more."""
    beyond: np.ndarray
    """(G,) int64, how many are more similar."""
    impostors: int
    """How many impostor pairs there are."""
    accepted: np.ndarray
    """(2, 361) int64: genuine and impostor pairs with an angle of at most ``ANGLES_DEG``."""


def compare_all(
    embeddings: Array,
    labels: Array,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Every pair of embeddings (N, D) with labels (N,): N(N − 1)/2 similarities, not kept.

    Two of one label are a genuine pair, two of different labels an impostor pair. ``names`` are
    what a message calls the labels; ``progress(done, total)`` hears of rows. Raises
    ``ValueError`` in words where there is no genuine or no impostor pair, where an embedding is
    zero or no number, or where all are the same.

    >>> points = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]])
    >>> scores = compare_all(points, np.array([0, 0, 1, 1]))
    >>> scores.genuine.round(2), scores.reaching, scores.impostors
    (array([0.8, 0.8]), array([1, 1]), 4)
    """
    points, owners = checked(embeddings, labels, names)
    order, starts, ends = in_order(owners)
    points = points[order]
    genuine = np.sort(
        np.concatenate([within_person(points[a:b]) for a, b in zip(starts, ends, strict=True)])
    )
    counter = _Counter(genuine)
    for _, _, block, apart in impostor_blocks(points, starts, ends, counter.block, progress):
        block[~apart] = _NEVER
        counter.add(block.ravel(), int(apart.sum()))
    return counter.scores()


def compare_pairs(similarity: np.ndarray, same: np.ndarray) -> Scores:
    """Pairs that were listed or sampled: similarities (P,) and whether each is genuine (P,).

    Raises ``ValueError`` in words where one kind is missing or a similarity is no number.

    >>> compare_pairs(np.array([0.9, 0.4, 0.5]), np.array([True, True, False])).reaching
    array([1, 0])
    """
    values, genuine = listed(similarity, same)
    if not genuine.any():
        raise ValueError("there is no genuine pair; list pairs of two pictures of one person.")
    if genuine.all():
        raise ValueError("there is no impostor pair; list pairs of two different people.")
    counter = _Counter(np.sort(values[genuine]))
    counter.add(values[~genuine], int((~genuine).sum()))
    return counter.scores()


def listed(similarity: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Similarities (P,) as float64 and which pairs are genuine (P,); ``ValueError`` in words."""
    values, genuine = np.asarray(similarity, np.float64), np.asarray(same)
    if values.ndim != 1 or genuine.shape != values.shape or genuine.dtype != bool:
        raise ValueError(
            f"similarities have shape {values.shape}, the words on who is who {genuine.shape} and "
            f"type {genuine.dtype}; give two rows of one length, numbers and booleans."
        )
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ValueError(f"similarity {place} is not a number; leave that pair out.")
    return values, genuine


def pair_similarities(embeddings: Array, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The similarity (P,) of each listed pair of rows; ``ValueError`` as in ``compare_all``."""
    points = unit(embeddings)
    step = _BLOCK // 64
    found = [np.empty(0)]
    for k in range(0, len(first), step):
        one, other = points[first[k : k + step]], points[second[k : k + step]]
        found.append(on_grid(np.einsum("pd,pd->p", one, other)))
    return np.concatenate(found)


def sample_pairs(
    labels: np.ndarray, count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``count`` genuine and ``count`` impostor pairs, drawn with replacement, each pair alike.

    Returns rows of the first, rows of the second, and whether they are of one person, (2·count,).

    >>> first, second, same = sample_pairs(np.array([0, 0, 1, 1]), 3)
    >>> bool((np.array([0, 0, 1, 1])[first] == np.array([0, 0, 1, 1])[second])[same].all())
    True
    """
    whole("count", count, 1, 100_000_000)
    rng = np.random.default_rng(seed)
    owners = np.asarray(labels)
    order = np.argsort(owners, kind="stable")
    names, starts, sizes = np.unique(owners[order], return_index=True, return_counts=True)
    check_pairs(names, sizes, None)
    weights = sizes * (sizes - 1.0)
    own = rng.choice(len(names), count, p=weights / weights.sum())
    one = rng.integers(0, sizes[own])
    other = (one + rng.integers(1, np.maximum(sizes[own], 2))) % sizes[own]
    genuine = order[starts[own] + one], order[starts[own] + other]
    strangers = [np.empty(0, np.int64), np.empty(0, np.int64)]
    while len(strangers[0]) < count:
        a, b = rng.integers(0, len(owners), (2, 2 * count))
        apart = owners[a] != owners[b]
        strangers = [np.r_[strangers[0], a[apart]], np.r_[strangers[1], b[apart]]]
    first = np.r_[genuine[0], strangers[0][:count]]
    second = np.r_[genuine[1], strangers[1][:count]]
    return first, second, np.arange(2 * count) < count


class _Counter:
    """Counts impostors against the genuine similarities, block by block."""

    def __init__(self, genuine: np.ndarray) -> None:
        self.genuine, self.impostors = genuine, 0
        # Every block is compared with all genuine similarities: not too small, not too large.
        self.block = min(max(_BLOCK, 2 * len(genuine)), 8 * _BLOCK)
        self.reaching = np.zeros(len(genuine), np.int64)
        self.beyond = np.zeros(len(genuine), np.int64)
        self.cosines = on_grid(np.cos(np.radians(ANGLES_DEG)))
        self.cosines[-1] = _NEVER / 2 - 1e-6  # 180 degrees take whatever there is
        self.accepted = np.zeros((2, len(ANGLES_DEG)), np.int64)
        self.accepted[0] = _count_from(genuine, self.cosines)

    def add(self, values: np.ndarray, count: int) -> None:
        """Impostor similarities, ``count`` of them and maybe some ``_NEVER``; they get sorted."""
        values.sort()
        self.impostors += count
        self.reaching += _count_from(values, self.genuine)
        self.beyond += len(values) - np.searchsorted(values, self.genuine, side="right")
        self.accepted[1] += _count_from(values, self.cosines)

    def scores(self) -> Scores:
        for array in (self.genuine, self.reaching, self.beyond, self.accepted):
            array.setflags(write=False)
        return Scores(self.genuine, self.reaching, self.beyond, self.impostors, self.accepted)


def _count_from(rising: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """How many of the rising values are at least each level."""
    return len(rising) - np.searchsorted(rising, levels, side="left")
