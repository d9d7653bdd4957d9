"""The pairs that a model finds hardest: one person far apart, two people close together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facevis.validation import whole
from facevis.verification.similarity import Array, checked, similarities

_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class Hardest:
    """Some pairs of one kind, the hardest first: rows of both pictures and their similarity."""

    first: np.ndarray
    second: np.ndarray
    similarity: np.ndarray


def hardest_pairs(embeddings: Array, labels: Array, count: int = 12) -> tuple[Hardest, Hardest]:
    """The genuine pairs with the smallest and the impostor pairs with the largest similarity.

    Of all pairs of embeddings (N, D) with labels (N,), at most ``count`` of each kind; equal ones
    in the order of their rows. Raises ``ValueError`` as ``compare_all`` does.

    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]])
    >>> genuine, impostor = hardest_pairs(points, np.array([0, 0, 1]), 1)
    >>> genuine.first, genuine.second, impostor.second, impostor.similarity.round(2)
    (array([0]), array([1]), array([2]), array([0.8]))
    """
    whole("count", count, 1, 10_000)
    points, owners = checked(embeddings, labels)
    genuine = impostor = _NONE
    step = max(1, _BLOCK // len(points))
    for start in range(0, len(points), step):
        rows = np.arange(start, min(start + step, len(points)))
        values = similarities(points[rows], points)
        later = np.arange(len(points))[None] > rows[:, None]
        same = owners[rows][:, None] == owners[None]
        genuine = _most(genuine, start, later & same, -values, count)
        impostor = _most(impostor, start, later & ~same, values, count)
    far = Hardest(genuine.first, genuine.second, -genuine.similarity)
    return far, impostor


_NONE = Hardest(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def _most(kept: Hardest, start: int, where: np.ndarray, values: np.ndarray, count: int) -> Hardest:
    """The largest values of those kept and of a block that begins at row ``start``."""
    among = values[where]
    if len(among) > count:
        where = where & (values >= np.partition(among, -count)[-count])
    a, b = np.nonzero(where)
    first, second = np.r_[kept.first, start + a], np.r_[kept.second, b]
    found = np.r_[kept.similarity, values[a, b]]
    order = np.argsort(-found, kind="stable")[:count]  # equal ones as they came
    return Hardest(first[order], second[order], found[order])
