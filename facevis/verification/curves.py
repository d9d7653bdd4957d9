"""What a threshold does: ROC, AUC, EER and TAR at FAR, exact, from a ``Scores``.

FAR is the share of impostor pairs that are accepted, TAR the share of genuine pairs. A TAR at a FAR
below 10 / (number of impostor pairs) rests on fewer than ten pairs and is marked unreliable.

Source: ISO/IEC 19795-1 for the terms; Fawcett, "An introduction to ROC analysis", 2006.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facevis.validation import within
from facevis.verification.pairs import Scores

FARS = tuple(10.0**-k for k in range(1, 7))
"""Where a table reads TAR."""
LEAST_IMPOSTORS = 10
"""Accepted impostors from which on a FAR can be relied on."""


@dataclass(frozen=True)
class OperatingPoint:
    """The best TAR whose FAR is at most the one asked for."""

    far: float
    """The FAR that was asked for."""
    tar: float
    threshold: float
    """The smallest accepted genuine similarity, a cosine; NaN where none is accepted."""
    false_accepts: int
    """Impostor pairs accepted at that threshold."""
    reliable: bool
    """Whether the FAR asked for allows at least ten impostor pairs."""

    @property
    def threshold_deg(self) -> float:
        """The threshold as an angle in degrees; NaN where nothing is accepted."""
        if math.isnan(self.threshold):
            return math.nan
        return math.degrees(math.acos(min(1.0, max(-1.0, self.threshold))))


def tar_at_far(scores: Scores, far: float) -> OperatingPoint:
    """TAR at a FAR from 0 to 1: the share of genuine pairs that at most far·I impostors reach.

    >>> from facevis.verification import compare_pairs
    >>> similarity = np.array([0.9, 0.7, 0.3, 0.8, 0.2, 0.1])
    >>> scores = compare_pairs(similarity, np.array([True, True, True, False, False, False]))
    >>> tar_at_far(scores, 0.0).tar, tar_at_far(scores, 0.34).tar
    (0.3333333333333333, 1.0)
    """
    far = within("far", far, 0.0, 1.0)
    # 0.01·300 is 3, whatever binary fractions make of it.
    allowed = math.floor(far * scores.impostors * (1.0 + 1e-12))
    rejected = int(np.searchsorted(-scores.reaching, -allowed, side="left"))
    count = len(scores.genuine)
    if rejected == count:
        return OperatingPoint(far, 0.0, math.nan, 0, allowed >= LEAST_IMPOSTORS)
    return OperatingPoint(
        far,
        (count - rejected) / count,
        float(scores.genuine[rejected]),
        int(scores.reaching[rejected]),
        allowed >= LEAST_IMPOSTORS,
    )


@dataclass(frozen=True, eq=False)
class Roc:
    """A ROC curve from (0, 0) to (1, 1): corners of the exact polygon, FAR and TAR rising."""

    far: np.ndarray
    tar: np.ndarray
    threshold: np.ndarray
    """Accept from this similarity on; infinity at the start, minus infinity at the end."""


def roc(scores: Scores) -> Roc:
    """The ROC polygon through every similarity at which TAR changes.

    Between two genuine similarities only FAR moves; the points in between lie on the same line.

    >>> from facevis.verification import compare_pairs
    >>> curve = roc(compare_pairs(np.array([0.9, 0.4, 0.5]), np.array([True, True, False])))
    >>> curve.far, curve.tar
    (array([0., 0., 1., 1., 1.]), array([0. , 0.5, 0.5, 1. , 1. ]))
    """
    values, first = np.unique(scores.genuine, return_index=True)
    count = len(scores.genuine)
    at_least = (count - first) / count
    above = np.r_[at_least[1:], 0.0]
    # Falling thresholds: just above a genuine similarity, then at it.
    far = np.stack([scores.beyond[first], scores.reaching[first]], axis=1)[::-1]
    tar = np.stack([above, at_least], axis=1)[::-1]
    level = np.stack([np.nextafter(values, np.inf), values], axis=1)[::-1]
    threshold = np.r_[np.inf, level.ravel(), -np.inf]
    far, tar = np.r_[0.0, far.ravel() / scores.impostors, 1.0], np.r_[0.0, tar.ravel(), 1.0]
    if far[1] == 0.0:  # no impostor lies above every genuine pair: the start is there already
        far, tar, threshold = far[1:], tar[1:], threshold[1:]
        threshold[0] = np.inf
    return Roc(far, tar, threshold)


def far_grid(impostors: int, count: int = 49) -> np.ndarray:
    """``count`` FARs for a curve, even in the logarithm: from one impostor pair or less up to 1.

    >>> far_grid(1000, 4)
    array([0.001, 0.01 , 0.1  , 1.   ])
    """
    lowest = min(-1, -math.ceil(math.log10(max(1, impostors))))
    return np.logspace(lowest, 0.0, count)


def auc(scores: Scores) -> float:
    """The area under the ROC curve: how often a genuine pair beats an impostor pair, ties half.

    >>> from facevis.verification import compare_pairs
    >>> auc(compare_pairs(np.array([0.9, 0.4, 0.5]), np.array([True, True, False])))
    0.5
    """
    lost = int(scores.reaching.sum()) + int(scores.beyond.sum())
    return 1.0 - lost / (2.0 * scores.impostors * len(scores.genuine))


def eer(scores: Scores) -> float:
    """The equal error rate: where FAR = 1 − TAR on the ROC polygon.

    >>> from facevis.verification import compare_pairs
    >>> similarity = np.array([0.9, 0.7, 0.3, 0.8, 0.2, 0.1])
    >>> round(eer(compare_pairs(similarity, np.array([True] * 3 + [False] * 3))), 4)
    0.3333
    """
    curve = roc(scores)
    excess = curve.far + curve.tar - 1.0
    after = int(np.argmax(excess >= 0.0))  # it rises from −1 to 1
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    return float(curve.far[after - 1] + share * (curve.far[after] - curve.far[after - 1]))
