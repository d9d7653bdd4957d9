"""Accuracy by cross-validation, as LFW reports it: the threshold is chosen on nine folds and
judged on the tenth.

Source: Huang et al., "Labeled Faces in the Wild", 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facevis.validation import whole
from facevis.verification.pairs import listed, pair_similarities, sample_pairs
from facevis.verification.similarity import Array

FOLDS = 10
"""As many as LFW has."""


@dataclass(frozen=True, eq=False)
class FoldAccuracy:
    """The accuracies of the folds and the thresholds they were reached with."""

    accuracies: np.ndarray
    """(folds,)"""
    thresholds: np.ndarray
    """(folds,), each chosen on all other folds; a pair is accepted from it on."""

    @property
    def mean(self) -> float:
        """The accuracy that is reported."""
        return float(self.accuracies.mean())

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over the folds."""
        return float(self.accuracies.std(ddof=1) / np.sqrt(len(self.accuracies)))


def kfold_accuracy(similarity: np.ndarray, same: np.ndarray, folds: int = FOLDS) -> FoldAccuracy:
    """Mean accuracy over folds; fold k is the k-th of ``folds`` equal runs of the listed pairs.

    The threshold of a fold is that similarity of the other folds with which most of their pairs
    are judged rightly, the largest of equally good ones; or infinity, where rejecting all is
    better than any. Pairs (P,) that do not divide evenly go to the first folds, as in
    ``numpy.array_split``.

    >>> similarity, same = np.array([0.9, 0.1, 0.8, 0.2]), np.array([True, False, True, False])
    >>> kfold_accuracy(similarity, same, folds=2).accuracies
    array([1. , 0.5])
    """
    values, genuine = listed(similarity, same)
    if len(values) < 2:
        raise ValueError(f"there are {len(values)} pairs; cross-validation needs at least 2.")
    whole("folds", folds, 2, len(values))
    fold = np.repeat(range(folds), [len(part) for part in np.array_split(values, folds)])
    order = np.argsort(-values, kind="stable")
    values, genuine, fold = values[order], genuine[order], fold[order]
    accuracies, thresholds = np.empty(folds), np.empty(folds)
    for k in range(folds):
        learn = fold != k
        thresholds[k] = _best_threshold(values[learn], genuine[learn])
        accepted = values[~learn] >= thresholds[k]
        accuracies[k] = (accepted == genuine[~learn]).mean()
    return FoldAccuracy(accuracies, thresholds)


def _best_threshold(falling: np.ndarray, genuine: np.ndarray) -> float:
    """Of falling similarities, the one from which on most pairs are judged rightly."""
    gain = np.cumsum(np.where(genuine, 1, -1))
    # Equal similarities are accepted together: only the last of them is a threshold.
    last = np.r_[falling[1:] != falling[:-1], True]
    gain, values = gain[last], falling[last]
    best = int(gain.argmax())
    return float(values[best]) if gain[best] > 0 else float("inf")


def fold_pairs(
    labels: np.ndarray, folds: int = FOLDS, per_fold: int = 600, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs for cross-validation: no identity is in two folds, half of each fold's are genuine.

    Identities are dealt to the folds at random. Returns rows of the first, rows of the second and
    whether they are of one person, fold after fold. Raises ``ValueError`` where a fold would be
    without a genuine or an impostor pair.

    >>> first, second, same = fold_pairs(np.repeat(range(8), 4), folds=4, per_fold=6)
    >>> len(first), int(same.sum())
    (24, 12)
    """
    owners = np.asarray(labels)
    classes, sizes = np.unique(owners, return_counts=True)
    whole("folds", folds, 2, 1000)
    whole("per_fold", per_fold, 2, 1_000_000)
    order = dealt(sizes, folds, np.random.default_rng(seed))
    parts = []
    for k in range(folds):
        rows = np.flatnonzero(np.isin(owners, classes[order[k::folds]]))
        first, second, same = sample_pairs(owners[rows], (per_fold + 1) // 2, seed + k)
        parts.append((rows[first], rows[second], same))
    first, second, same = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, same


def dealt(sizes: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Identities with so many pictures each (C,) in the order in which folds get them by turns.

    Those with a genuine pair come first, so that each fold gets one where there are enough.
    ``ValueError`` for fewer than two identities in each fold.
    """
    if len(sizes) < 2 * folds:
        raise ValueError(
            f"there are {len(sizes)} identities; {folds} folds need at least {2 * folds}, "
            "two in each: ask for fewer folds."
        )
    order = rng.permutation(len(sizes))
    return order[np.argsort(sizes[order] < 2, kind="stable")]


def people_accuracy(
    embeddings: Array, labels: np.ndarray, folds: int = FOLDS
) -> FoldAccuracy | None:
    """``kfold_accuracy`` of embeddings (N, D) over ``fold_pairs`` of their labels (N,).

    With as many folds as the people allow, ``folds`` at most; None where not even two have a
    genuine and an impostor pair each.

    >>> labels = np.repeat(range(8), 3)
    >>> people_accuracy(np.eye(8)[labels], labels).mean
    1.0
    """
    for count in range(min(folds, len(np.unique(labels)) // 2), 1, -1):
        try:
            first, second, same = fold_pairs(labels, count)
        except ValueError:  # a fold in which nobody has two pictures: fewer folds
            continue
        return kfold_accuracy(pair_similarities(embeddings, first, second), same, count)
    return None
