"""How sure a TAR at FAR is: bootstrap intervals over identities.

Pairs of one person are no independent draws, people are: identities are drawn with replacement. An
identity drawn w times weighs its genuine pairs w-fold; a pair of two identities weighs the product
of their numbers. Thresholds are read at up to 512 quantiles of the genuine similarities; many
identities are dealt into groups that are drawn as a whole.

Source: Bolle, Ratha and Pankanti, "Error analysis of pattern recognition systems: the subsets
bootstrap", CVIU 2004; Efron and Tibshirani, 1993, for the percentile interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facevis.validation import whole, within
from facevis.verification.similarity import (
    Array,
    Progress,
    checked,
    impostor_blocks,
    in_order,
    within_person,
)

LEAST_IDENTITIES = 10
"""With fewer people, percentile intervals are too narrow: of three or four they held the truth in
80 to 85 % of simulated cases."""
_LEVELS = 512
_DRAWN = 64
"""Resamples at once."""
_GROUPS = 128
_BLOCK = 2**20


@dataclass(frozen=True, eq=False)
class TarIntervals:
    """Percentile intervals of TAR, one for each FAR."""

    low: np.ndarray
    high: np.ndarray
    identities: int
    """How many identities were drawn from."""


def bootstrap_tar(
    embeddings: Array,
    labels: np.ndarray,
    fars: Sequence[float],
    resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> TarIntervals:
    """The interval of TAR at each of ``fars`` over resampled identities, percentile method.

    Embeddings (N, D), labels (N,); raises ``ValueError`` as ``compare_all`` does, and for fewer
    than ten identities. A resample without a genuine or an impostor pair is drawn again.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(range(12), 5)
    >>> points = np.eye(12)[labels] + 0.3 * rng.standard_normal((60, 12))
    >>> found = bootstrap_tar(points, labels, [0.1])
    >>> bool(found.low[0] <= found.high[0])
    True
    """
    whole("resamples", resamples, 10, 10_000)
    within("confidence", confidence, 0.5, 0.999)
    fars = [within("far", float(far), 0.0, 1.0) for far in fars]
    points, owners = checked(embeddings, labels)
    rng = np.random.default_rng(seed)
    classes, rank = np.unique(owners, return_inverse=True)
    if len(classes) < LEAST_IDENTITIES:
        raise ValueError(
            f"there are {len(classes)} identities; an interval from fewer than {LEAST_IDENTITIES} "
            "would look surer than it is: add people."
        )
    groups = rng.permutation(len(classes)) % _GROUPS
    group = groups[rank]
    count = int(groups.max()) + 1
    genuine, impostor = _tables(points, rank, group, count, progress)
    first, second = np.triu_indices(count)
    found: list[np.ndarray] = []
    while len(found) < resamples:
        weights = rng.multinomial(count, np.full(count, 1.0 / count), size=_DRAWN).astype(float)
        products = weights[:, first] * weights[:, second]
        products[:, first == second] = weights  # pairs inside a group come with the group
        accepts, hits = products @ impostor, weights @ genuine
        # A draw without any genuine or impostor pair says nothing; another takes its place.
        some = (accepts[:, -1] > 0) & (hits[:, -1] > 0)
        rates = zip(_shares(accepts[some]), _shares(hits[some]), strict=True)
        found += [_read(far, tar, fars) for far, tar in rates]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(found[:resamples], (tail, 1.0 - tail), axis=0)
    return TarIntervals(low, high, len(classes))


def _tables(
    points: np.ndarray, rank: np.ndarray, group: np.ndarray, count: int, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs by group (and pair of groups) and level, the level of the highest similarity first."""
    order, starts, ends = in_order(rank)
    points, group = points[order], group[order]
    own = [within_person(points[a:b]) for a, b in zip(starts, ends, strict=True)]
    everyone = np.concatenate(own)
    levels = np.unique(np.quantile(everyone, np.linspace(0, 1, _LEVELS), method="nearest"))
    size = len(levels) + 1
    genuine = np.zeros((count, size))
    for a, values in zip(starts, own, strict=True):
        genuine[group[a]] += np.bincount(_level(values, levels), minlength=size)
    place = np.zeros((count, count), np.int64)
    place[np.triu_indices(count)] = np.arange(count * (count + 1) // 2)
    place = np.maximum(place, place.T)
    impostor = np.zeros(count * (count + 1) // 2 * size)
    blocks = impostor_blocks(points, starts, ends, _BLOCK, progress)
    for rows, columns, block, apart in blocks:
        codes = place[group[rows, None], group[columns][None]] * size
        codes += _level(block, levels)
        impostor += np.bincount(codes[apart], minlength=len(impostor))
    return genuine[:, ::-1].cumsum(1), impostor.reshape(-1, size)[:, ::-1].cumsum(1)


def _level(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """How many levels each value reaches."""
    return np.searchsorted(levels, values, side="right")


def _shares(counts: np.ndarray) -> np.ndarray:
    """Of each row's total, the last column."""
    shares: np.ndarray = counts / counts[:, -1:]
    return shares


def _read(far: np.ndarray, tar: np.ndarray, fars: Sequence[float]) -> np.ndarray:
    """TAR at each FAR: of the levels whose FAR is at most it, the last."""
    last = np.searchsorted(far[:-1], np.asarray(fars) * (1.0 + 1e-12), side="right")
    return np.where(last > 0, tar[np.maximum(last - 1, 0)], 0.0)
