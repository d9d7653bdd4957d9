"""People who do not train: sets that judge a network by its embeddings of them.

Every measure is one of ``facevis.verification``. It knows pictures and embeddings, no network.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from facevis.corpora import Corpus
from facevis.corpora.bins import BinSet
from facevis.corpora.opening import open_any
from facevis.verification import (
    Scores,
    auc,
    compare_all,
    compare_pairs,
    eer,
    kfold_accuracy,
    pair_similarities,
    people_accuracy,
    tar_at_far,
)

MOST_PICTURES = 5000
"""Beyond so many pictures of strangers, fewer of each identity are compared."""
_FARS = (1e-2, 1e-3, 1e-4)


class EvaluationSet(ABC):
    """Pictures of people who do not train."""

    name: str

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are."""

    def prepare(self, rows: range) -> None:  # noqa: B027 — most sets have nothing to do
        """Do at once what these pictures need once."""

    @abstractmethod
    def picture(self, index: int, size: int) -> np.ndarray:
        """One picture, uint8 RGB (size, size, 3); ``DamagedPicture`` if it cannot be read."""

    @abstractmethod
    def score(self, embeddings: np.ndarray, whole: np.ndarray) -> dict[str, float]:
        """What embeddings (N, D) are worth; only those that are ``whole`` (N,) count."""


class PairSet(EvaluationSet):
    """A ``.bin`` set: listed pairs, accuracy over ten folds."""

    def __init__(self, pairs: BinSet) -> None:
        self.pairs, self.name = pairs, pairs.name

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.pairs.encoded)

    def picture(self, index: int, size: int) -> np.ndarray:
        """One picture."""
        return self.pairs.picture(index, size)

    def score(self, embeddings: np.ndarray, whole: np.ndarray) -> dict[str, float]:
        """Accuracy of the folds, AUC, EER, TAR at FAR."""
        first, second, same = self.pairs.first, self.pairs.second, self.pairs.same
        kept = whole[first] & whole[second]
        similarity = pair_similarities(embeddings, first[kept], second[kept])
        scores = compare_pairs(similarity, same[kept])
        folds = kfold_accuracy(similarity, same[kept], min(self.pairs.folds, int(kept.sum())))
        return {"accuracy": folds.mean} | _curve(scores)


class PeopleSet(EvaluationSet):
    """A set of identities: all pairs, accuracy over folds of people."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus, self.name = corpus, corpus.name
        self.rows = _thinned(corpus.labels, MOST_PICTURES)

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.rows)

    def prepare(self, rows: range) -> None:
        """Do at once what these pictures need once."""
        self.corpus.prepare(self.rows[rows.start : rows.stop])

    def picture(self, index: int, size: int) -> np.ndarray:
        """One picture."""
        return self.corpus.picture(int(self.rows[index]), size)

    def score(self, embeddings: np.ndarray, whole: np.ndarray) -> dict[str, float]:
        """Accuracy of the folds, AUC, EER, TAR at FAR."""
        points, labels = embeddings[whole], self.corpus.labels[self.rows][whole]
        scores = compare_all(points, labels, tuple(self.corpus.identities))
        folds = people_accuracy(points, labels)
        return {"accuracy": math.nan if folds is None else folds.mean} | _curve(scores)


def _curve(scores: Scores) -> dict[str, float]:
    found = {"auc": auc(scores), "eer": eer(scores)}
    for far in _FARS:
        point = tar_at_far(scores, far)
        if point.reliable:
            found[f"tar_at_{far:g}"] = point.tar
    return found


def _thinned(labels: np.ndarray, most: int) -> np.ndarray:
    """At most so many rows, the first ones of each identity, as many of each."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], labels[order])
    place = np.arange(len(labels)) - starts
    each = max(2, int(np.searchsorted(np.cumsum(np.bincount(place)), most, side="right")))
    return np.sort(order[place < each])[:most]


def open_sets(specs: Sequence[str]) -> list[EvaluationSet]:
    """The sets that ``follow.sets`` names: .bin files, and whatever ``open_corpus`` opens.

    Where two would have one name, each has that by which it was asked for.

    >>> [len(found) for found in open_sets(["faces:identities=3,images=2,size=32"])]
    [6]
    """
    found: list[EvaluationSet] = []
    for spec in specs:
        opened = open_any(spec)
        found.append(PairSet(opened) if isinstance(opened, BinSet) else PeopleSet(opened))
    names = [one.name for one in found]
    for one, spec in zip(found, specs, strict=True):
        if names.count(one.name) > 1:
            one.name = spec
    return found
