"""Identification: who of the gallery is it, and is it anybody?

Every identity of the gallery has one template. A probe's score with an identity is its cosine to
that template. Closed set: the rank of the right identity (CMC). Open set: TPIR, the share of mated
probes found at rank one with at least the threshold, at FPIR, the share of non-mated probes (people
who are not in the gallery) whose best score reaches it.

Source: Grother, Ngan and Hanaoka, NIST FRVT part 2, for the terms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from facevis.validation import choice, whole
from facevis.verification.curves import OperatingPoint, tar_at_far
from facevis.verification.pairs import Scores, compare_pairs
from facevis.verification.similarity import Array, similarities, unit

FUSIONS = ("mean", "max")
_BLOCK = 4096
_MISSED = -2.0


@dataclass(frozen=True, eq=False)
class Identification:
    """What a gallery makes of its probes."""

    ranks: np.ndarray
    """(mated,) the rank of the right identity, from 1; ties count against it."""
    gallery: int
    """Identities in the gallery."""
    non_mated: int
    """Probes of people who are not in the gallery."""
    open_set: Scores | None
    """Mated probes against non-mated ones, those that are not found at rank one far below all
    others. None where one kind of probe is missing."""

    def tpir(self, fpir: float) -> OperatingPoint:
        """TPIR at a FPIR from 0 to 1, as an ``OperatingPoint``: never above the rank-one rate."""
        if self.open_set is None:
            raise ValueError("everybody who asks is enrolled, so there is no FPIR; enrol fewer.")
        point = tar_at_far(self.open_set, fpir)
        if not point.threshold <= _MISSED:  # also where nothing is accepted
            return point
        first = int(np.searchsorted(self.open_set.genuine, _MISSED, side="right"))
        if first == len(self.open_set.genuine):  # nobody is found
            return replace(point, tar=0.0, threshold=math.nan, false_accepts=0)
        lowest, reaching = self.open_set.genuine[first], self.open_set.reaching[first]
        tar = float(self.cmc[0])
        return replace(point, tar=tar, threshold=float(lowest), false_accepts=int(reaching))

    @property
    def cmc(self) -> np.ndarray:
        """(gallery,): the share of mated probes whose identity is among the first k."""
        counts = np.bincount(self.ranks, minlength=self.gallery + 1)[1:]
        return np.cumsum(counts) / len(self.ranks)


def identification(
    gallery: Array,
    gallery_labels: np.ndarray,
    probes: Array,
    probe_labels: np.ndarray,
    fusion: str = "mean",
) -> Identification:
    """Look for every probe in the gallery, both embeddings (N, D) with labels (N,).

    Several pictures of one identity make one template: ``"mean"``, the direction of the sum of
    their unit vectors, or ``"max"``, the most similar of them. Raises ``ValueError`` for an empty
    gallery, no mated probe, zero or NaN embeddings.

    >>> gallery = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> probes = np.array([[0.9, 0.1], [0.6, 0.5], [-1.0, -1.0]])
    >>> found = identification(gallery, np.array([0, 1]), probes, np.array([0, 1, 2]))
    >>> found.ranks, found.cmc
    (array([1, 2]), array([0.5, 1. ]))
    """
    choice("fusion", fusion, FUSIONS)
    enrolled, owners = unit(gallery), np.asarray(gallery_labels)
    asked, wanted = unit(probes), np.asarray(probe_labels)
    if len(enrolled) != len(owners) or len(asked) != len(wanted):
        raise ValueError("embeddings and labels differ in number; give one label for each.")
    if enrolled.shape[1] != asked.shape[1]:
        raise ValueError(
            f"gallery and probes have {enrolled.shape[1]} and {asked.shape[1]} dimensions; "
            "give both from the same model."
        )
    if not len(owners):
        raise ValueError("the gallery is empty; enrol at least one person.")
    names, place = np.unique(owners, return_inverse=True)
    mated = np.isin(wanted, names)
    if not mated.any():
        raise ValueError("no probe is of a person in the gallery; add a second picture of someone.")
    own, best, ranks = [], [], []
    for start in range(0, len(asked), _BLOCK):
        rows = slice(start, start + _BLOCK)
        scores = _scores(asked[rows], enrolled, place, len(names), fusion)
        known = mated[rows]
        right = np.searchsorted(names, wanted[rows][known])
        among = scores[known]
        hit = among[np.arange(len(among)), right]
        ranks.append((among >= hit[:, None]).sum(axis=1))
        own.append(hit)
        best.append(scores[~known].max(axis=1))
    ranks_, strangers = np.concatenate(ranks), np.concatenate(best)
    # A mated probe that is not at rank one is missed at any threshold.
    found = np.where(ranks_ == 1, np.concatenate(own), _MISSED)
    scores_ = None
    if len(strangers):
        kinds = np.arange(len(found) + len(strangers)) < len(found)
        scores_ = compare_pairs(np.r_[found, strangers], kinds)
    return Identification(ranks_, len(names), len(strangers), scores_)


def _scores(
    asked: np.ndarray, enrolled: np.ndarray, place: np.ndarray, count: int, fusion: str
) -> np.ndarray:
    """(probes, identities)."""
    if fusion == "mean":
        sums = np.zeros((count, enrolled.shape[1]))
        np.add.at(sums, place, enrolled)
        if not sums.any(axis=1).all():
            raise ValueError(
                "the pictures of somebody in the gallery point opposite ways and have no mean; "
                "enrol other pictures of that person, or take fusion 'max'."
            )
        return similarities(asked, unit(sums))
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(count))
    return np.maximum.reduceat(similarities(asked, enrolled[order]), starts, axis=1)


def split_gallery(
    labels: np.ndarray, enrolled: int, per_identity: int = 1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the gallery (``per_identity`` pictures of ``enrolled`` identities) and of the probes.

    Both are drawn at random; an enrolled identity keeps at least one picture as a probe. The same
    seed with more pictures keeps those of before and adds some, as long as everybody has enough.

    >>> gallery, probes = split_gallery(np.repeat(range(4), 3), enrolled=2, per_identity=1)
    >>> len(gallery), len(probes)
    (2, 10)
    """
    owners = np.asarray(labels)
    classes, sizes = np.unique(owners, return_counts=True)
    able = classes[sizes > per_identity]
    if len(able) < 1:
        raise ValueError(
            f"no identity has more than {per_identity} pictures; enrol fewer pictures of each, "
            "one must be left to ask with."
        )
    whole("per_identity", per_identity, 1, int(sizes.max()) - 1)
    whole("enrolled", enrolled, 1, len(able))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(owners))
    drawn = rng.permutation(classes)
    chosen = drawn[np.isin(drawn, able)][:enrolled]
    gallery = np.concatenate([order[owners[order] == c][:per_identity] for c in chosen])
    return np.sort(gallery), np.setdiff1d(np.arange(len(owners)), gallery)
