"""What a run makes of people it was never trained on: the report behind the open-set page.

``report`` measures a look with ``facevis.verification`` and gives plain types for the browser.
Nothing here trains or draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from facevis.jsonable import jsonable
from facevis.live.look import Look, strangers_of
from facevis.live.material import Material
from facevis.validation import flag, whole
from facevis.verification import (
    FARS,
    OperatingPoint,
    auc,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    eer,
    far_grid,
    hardest_pairs,
    identification,
    people_accuracy,
    split_gallery,
    tar_at_far,
)
from facevis.verification.bootstrap import LEAST_IDENTITIES
from facevis.verification.curves import LEAST_IMPOSTORS
from facevis.verification.similarity import similarities, unit

BAR_DEG = 3
_SURE_BARS = 25
_PAIRS_PER_DEGREE = 4
_PAIRED = 1500
_ENROLLED = (1, 2, 3, 4, 6, 8, 12)
ENROL_FAR = 1e-2
SURE_LEVEL = 0.9


@dataclass(frozen=True, kw_only=True)
class Question:
    """What of the report is wanted, and for which gallery and which stranger."""

    full: bool = True
    """Intervals, pairs, identification and enrolment too; without, what is cheap."""
    gallery: int = 0
    """Unseen identities that are enrolled; 0: half of them."""
    per_identity: int = 1
    """Pictures of each in the gallery."""
    stranger: int = 0
    """Whose pictures are enrolled one after the other."""
    enrolled: int = 1
    """How many of them."""

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, in one sentence."""
        flag("full", self.full)
        whole("gallery", self.gallery, 0, 1000)
        whole("per_identity", self.per_identity, 1, 1000)
        whole("stranger", self.stranger, 0, 999)
        whole("enrolled", self.enrolled, 1, 1000)


def report(look: Look, material: Material, question: Question) -> dict[str, Any]:
    """Everything the page shows, one entry for each member; plain types, None for no number."""
    rows, first = strangers_of(material), material.num_classes
    labels = material.dataset.labels[rows] - first
    names = material.dataset.class_names[first:]
    members = [_member(look, i, labels, names, question) for i in range(len(look.embeddings))]
    identities, sizes = np.unique(labels, return_counts=True)
    told: dict[str, Any] = jsonable(
        {
            "step": look.step,
            "names": list(names),
            "trained_names": list(material.dataset.class_names[:first]),
            "labels": labels.tolist(),
            "pictures": len(rows),
            "all_pictures": int((material.dataset.labels >= first).sum()),
            "columns": max(1, math.ceil(math.sqrt(len(rows)))),
            "most_per_identity": int(sizes.max()) - 1,
            "gallery": _gallery_size(question, identities, sizes),
            "full": question.full,
            "fars": FARS,
            "least_impostors": LEAST_IMPOSTORS,
            "least_identities": LEAST_IDENTITIES,
            "sure_level": SURE_LEVEL,
            "enrol_far": ENROL_FAR,
            "members": members,
        },
        digits=6,
    )
    return told


def _member(
    look: Look, i: int, labels: np.ndarray, names: tuple[str, ...], question: Question
) -> dict[str, Any]:
    points = look.embeddings[i]
    try:
        scores = compare_all(points, labels, names)
    except ValueError as error:
        return {"error": str(error)}
    known = look.sure.shape[1] - len(labels)
    here, there = slice(known), slice(known, None)
    found = {
        "genuine": len(scores.genuine),
        "impostors": scores.impostors,
        "accepted": scores.accepted.tolist(),
        "auc": auc(scores),
        "eer": eer(scores),
        "tar": _operating_points(partial(tar_at_far, scores)),
        "curve": _curve(scores.impostors, partial(tar_at_far, scores)),
        "sure": {
            "known": _shares(look.sure[i, here], 0.0, 1.0, _SURE_BARS),
            "strangers": _shares(look.sure[i, there], 0.0, 1.0, _SURE_BARS),
            "median": [_median(look.sure[i, rows]) for rows in (here, there)],
            "above": [_above(look.sure[i, rows]) for rows in (here, there)],
        },
        "near": {
            "known": _shares(look.angle_deg[i, here], 0.0, 180.0, 180 // BAR_DEG),
            "strangers": _shares(look.angle_deg[i, there], 0.0, 180.0, 180 // BAR_DEG),
        },
    }
    if question.full:
        if len(np.unique(labels)) >= LEAST_IDENTITIES:
            fars = [*FARS, *(far for far, _ in found["curve"])]
            intervals = bootstrap_tar(points, labels, fars)
            for place, entry in enumerate(found["tar"]):
                entry["low"], entry["high"] = intervals.low[place], intervals.high[place]
            found["band"] = np.stack([intervals.low, intervals.high], 1)[len(FARS) :].tolist()
        found["folds"] = _folds(points, labels)
        found["pairs"] = _pairs(points, labels)
        found["hardest"] = _hardest(points, labels)
        found["identification"] = _identify(points, labels, question)
        found["enrol"] = _enrol(look, i, labels, question)
    return found


def _operating_points(at: Callable[[float], OperatingPoint]) -> list[dict[str, Any]]:
    points = [at(far) for far in FARS]
    return [
        {"far": p.far, "tar": p.tar, "threshold": p.threshold_deg, "reliable": p.reliable}
        for p in points
    ]


def _curve(count: int, at: Callable[[float], OperatingPoint]) -> list[tuple[float, float]]:
    """TAR along the FARs that ``count`` impostors can tell apart."""
    return [(far, at(far).tar) for far in far_grid(count).tolist()]


def _folds(points: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    found = people_accuracy(points, labels)
    if found is None:
        return {"folds": 0}
    folds = len(found.accuracies)
    return {"folds": folds, "mean": found.mean, "error": found.standard_error}


def _pairs(points: np.ndarray, labels: np.ndarray) -> dict[str, list[Any]]:
    """Of each degree some pairs, [first, second, angle], drawn at random: genuine and impostor."""
    rng = np.random.default_rng(0)
    rows = np.sort(rng.permutation(len(labels))[:_PAIRED])
    first, second = np.triu_indices(len(rows), 1)
    directions = unit(points[rows])
    cosines = similarities(directions, directions)[first, second]
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    same = labels[rows[first]] == labels[rows[second]]
    order = rng.permutation(len(angles))
    found: dict[str, list[Any]] = {}
    for name, kind in (("genuine", order[same[order]]), ("impostor", order[~same[order]])):
        kind = kind[np.argsort(angles[kind].astype(np.int16), kind="stable")]
        degree = angles[kind].astype(np.int16)
        place = np.arange(len(kind)) - np.searchsorted(degree, degree)
        kept = kind[place < _PAIRS_PER_DEGREE]
        triples = zip(rows[first[kept]], rows[second[kept]], angles[kept], strict=True)
        found[name] = [[int(a), int(b), round(float(angle), 2)] for a, b, angle in triples]
    return found


def _hardest(points: np.ndarray, labels: np.ndarray) -> dict[str, list[Any]]:
    """[first, second, angle] of the pairs that are hardest, of both kinds."""
    found = {}
    for name, pairs in zip(("genuine", "impostor"), hardest_pairs(points, labels), strict=True):
        angles = np.degrees(np.arccos(np.clip(pairs.similarity, -1.0, 1.0)))
        triples = zip(pairs.first, pairs.second, angles, strict=True)
        found[name] = [[int(a), int(b), round(float(angle), 2)] for a, b, angle in triples]
    return found


def _gallery_size(question: Question, identities: np.ndarray, sizes: np.ndarray) -> int:
    able = int((sizes > question.per_identity).sum())
    return min(question.gallery or max(2, len(identities) // 2), max(1, able))


def _identify(points: np.ndarray, labels: np.ndarray, question: Question) -> dict[str, Any]:
    identities, sizes = np.unique(labels, return_counts=True)
    count = _gallery_size(question, identities, sizes)
    try:
        gallery, probes = split_gallery(labels, count, question.per_identity)
        found = identification(points[gallery], labels[gallery], points[probes], labels[probes])
    except ValueError as error:
        return {"error": str(error)}
    answer: dict[str, Any] = {
        "gallery": found.gallery,
        "mated": len(found.ranks),
        "non_mated": found.non_mated,
        "cmc": found.cmc[:20].tolist(),
    }
    if found.open_set is not None:
        answer["curve"] = _curve(found.non_mated, found.tpir)
        answer["tpir"] = _operating_points(found.tpir)[:3]
    return answer


def _enrol(look: Look, i: int, labels: np.ndarray, question: Question) -> dict[str, Any]:
    """A stranger becomes known: the template of some pictures, and who is near it."""
    points = unit(look.embeddings[i])
    who = min(question.stranger, int(labels.max()))
    own = np.flatnonzero(labels == who)
    if len(own) < 2:
        return {"error": "this person has one picture; enrol somebody with two or more."}
    count = min(question.enrolled, len(own) - 1)
    template = unit(points[own[:count]].sum(axis=0, keepdims=True))
    angles = np.degrees(np.arccos(np.clip(similarities(points, template)[:, 0], -1.0, 1.0)))
    rest = own[count:]
    others = np.flatnonzero(labels != who)
    near = others[np.argsort(angles[others], kind="stable")[:24]]
    known = look.sure.shape[1] - len(labels)
    return {
        "who": who,
        "count": count,
        "own": [[int(k), round(float(angles[k]), 2)] for k in rest],
        "others": [[int(k), round(float(angles[k]), 2)] for k in near],
        "other_bars": _shares(angles[others], 0.0, 180.0, 180 // BAR_DEG),
        "own_bars": _shares(angles[rest], 0.0, 180.0, 180 // BAR_DEG),
        "guess": [
            [int(look.nearest[i, known + k]), look.sure[i, known + k], look.angle_deg[i, known + k]]
            for k in own[:12]
        ],
        "pictures": own[:12].tolist(),
        "by_count": _by_count(points, labels),
    }


def _by_count(points: np.ndarray, labels: np.ndarray) -> list[list[float]]:
    """[n, TAR, threshold in degrees] at FAR 1e-2 where everybody is enrolled with n pictures."""
    order = np.argsort(labels, kind="stable")
    points, labels = points[order], labels[order]
    identities, sizes = np.unique(labels, return_counts=True)
    place = np.arange(len(labels)) - np.searchsorted(labels, labels)
    counts = [count for count in _ENROLLED if count < sizes.min()]
    probes = place >= max(counts, default=0)  # the same for every count
    found = []
    for count in counts:
        sums = np.zeros((len(identities), points.shape[1]))
        np.add.at(sums, np.searchsorted(identities, labels[place < count]), points[place < count])
        table = similarities(points[probes], unit(sums))
        same = labels[probes][:, None] == identities[None]
        at = tar_at_far(compare_pairs(table.ravel(), same.ravel()), ENROL_FAR)
        found.append([count, at.tar, at.threshold_deg])
    return found


def _shares(values: np.ndarray, low: float, high: float, bars: int) -> list[float] | None:
    if not np.isfinite(values).all() or not len(values):
        return None
    counts = np.histogram(values, bins=bars, range=(low, high + 1e-9))[0]
    return [float(share) for share in counts / len(values)]


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else math.nan


def _above(values: np.ndarray) -> float:
    """The share that is surer than ``SURE_LEVEL``."""
    return (
        float((values > SURE_LEVEL).mean())
        if np.isfinite(values).all() and len(values)
        else math.nan
    )
