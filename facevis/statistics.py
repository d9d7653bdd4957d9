"""Angles between embeddings, class means and prototypes, and the accuracies that go with them.

Plain measurements of arrays, NumPy or PyTorch, without gradients. It does not know which objective
trained them.

Source: Deng et al., ArcFace, CVPR 2019, Table 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from facevis.geometry import packing_angle

Array = Tensor | np.ndarray

# Rows of cosines held at once when nearest neighbours are sought: 64 MiB of them.
_BLOCK = 2**23


@dataclass(frozen=True)
class AngleTable:
    """The four angles of the ArcFace paper's Table 3, in degrees; NaN where there is none.

    ``w_ec``: mean angle between a prototype and its class mean. ``w_inter``: mean of the smallest
    angles between prototypes. ``intra``: mean angle between embeddings and their class mean.
    ``inter``: mean of the smallest angles between class means.
    """

    w_ec: float
    w_inter: float
    intra: float
    inter: float


def angle_table(embeddings: Array, labels: Array, prototypes: Array | None = None) -> AngleTable:
    """The angle statistics of embeddings (N, D) with labels (N,) and prototypes (C, D), in degrees.

    Embeddings need no unit length: they and the prototypes are compared on the hypersphere, and a
    class mean is the mean direction of its members. Classes without embeddings count only in
    ``w_inter``; zero vectors have no direction and are left out; fewer than two classes have no
    angle between them (NaN), nor has anything without ``prototypes``. A NaN or an infinity in
    gives a NaN out.
    Shapes that do not fit, or a label without its prototype, raise ``ValueError``.

    >>> embeddings = np.array([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    >>> table = angle_table(embeddings, np.array([0, 0, 1]), np.array([[1.0, 0.0], [-1.0, 0.0]]))
    >>> round(table.w_ec, 2), round(table.w_inter, 2), round(table.intra, 2), round(table.inter, 2)
    (22.5, 180.0, 30.0, 135.0)
    """
    points, owners = _points(embeddings, "embeddings"), _labels(labels)
    centres = None if prototypes is None else _points(prototypes, "prototypes")
    _check_fit(points, owners, centres)
    directed = _nonzero(points)
    if not directed.all():
        points, owners = points[directed], owners[directed]
    points = _unit(points)
    classes, rank = np.unique(owners, return_inverse=True)
    means = _class_sums(points, rank, len(classes))
    known = _nonzero(means)
    means = _unit(means)
    spread = _angles(points, means[rank])[known[rank]]
    w_ec = w_inter = math.nan
    if centres is not None:
        real = _nonzero(centres)
        centres = _unit(centres)
        both = known & real[classes]
        w_ec = _mean(_angles(means[both], centres[classes[both]]))
        w_inter = _mean(_nearest_angles(centres[real]))
    inter = _mean(_nearest_angles(means[known]))
    return AngleTable(*(math.degrees(a) for a in (w_ec, w_inter, _mean(spread), inter)))


def accuracy(
    embeddings: Array, labels: Array, prototypes: Array, bias: Array | None = None
) -> float:
    """The share (0 … 1) of embeddings (N, D) whose nearest prototype (C, D) is their class's.

    Nearest by angle; with ``bias`` (C,) by the softmax logits W_jᵀx + b_j instead. An embedding
    that is zero or not finite is nobody's and counts as wrong. No embeddings: NaN.

    >>> accuracy(np.array([[2.0, 0.1], [0.0, 3.0]]), np.array([0, 0]), np.eye(2))
    0.5
    """
    points, owners = _points(embeddings, "embeddings"), _labels(labels)
    centres = _points(prototypes, "prototypes")
    _check_fit(points, owners, centres)
    if not len(points):
        return math.nan
    placed = _nonzero(points) if bias is None else np.ones(len(points), dtype=bool)
    if bias is None:
        points, centres = _unit(points), _unit(centres)
    with np.errstate(invalid="ignore", over="ignore"):
        logits = points @ centres.T + (0.0 if bias is None else _numpy(bias))
    placed &= np.isfinite(logits).all(axis=1)
    return float(((logits.argmax(axis=1) == owners) & placed).mean())


def packing_share(prototypes: Array) -> float:
    """The smallest angle between prototypes (K, D), as a share of the best packing's.

    1 is the optimum; above 1 is possible where ``packing_angle`` is a lower bound. Zero vectors
    count as no class; fewer than two classes, or a NaN, give NaN.

    >>> round(packing_share(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])), 2)
    0.75
    """
    centres = _points(prototypes, "prototypes")
    centres = _unit(centres[_nonzero(centres)])
    if len(centres) < 2:
        return math.nan
    return float(_nearest_angles(centres).min()) / packing_angle(*centres.shape)


def _nearest_angles(directions: np.ndarray) -> np.ndarray:
    """The angle from each unit vector (K, D) to its nearest other, (K,); empty for K < 2.

    The nearest is found by cosine, in blocks; its angle is then computed exactly.
    """
    count = len(directions)
    if count < 2:
        return np.empty(0)
    nearest = np.empty(count, np.int64)
    step = max(1, _BLOCK // count)
    for start in range(0, count, step):
        cosine = directions[start : start + step] @ directions.T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf
        nearest[start : start + step] = cosine.argmax(axis=1)
    return _angles(directions, directions[nearest])


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """2·atan2(‖a − b‖, ‖a + b‖) of unit vectors (K, D), exact near 0 and π, radians."""
    apart, together = first - second, first + second
    lengths = np.einsum("ij,ij->i", apart, apart), np.einsum("ij,ij->i", together, together)
    return 2.0 * np.arctan2(np.sqrt(lengths[0]), np.sqrt(lengths[1]))


def _class_sums(points: np.ndarray, rank: np.ndarray, count: int) -> np.ndarray:
    """Sums (count, D) of the points (N, D) of each class; every class has a point."""
    if count == 0:
        return np.empty((0, points.shape[1]))
    order = np.argsort(rank, kind="stable")
    starts = np.searchsorted(rank[order], np.arange(count))
    return np.add.reduceat(points[order], starts, axis=0)


def _nonzero(vectors: np.ndarray) -> np.ndarray:
    """Which rows have a direction; a NaN has one, so that it shows in the result."""
    return np.asarray(vectors.any(axis=1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a zero row stays zero, an infinite one is NaN.

    They are scaled first, so that no length overflows or vanishes.
    """
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    largest[np.isinf(largest)] = np.nan
    vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest != 0)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return np.divide(vectors, length, out=vectors, where=length != 0)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else math.nan


def _numpy(values: Array) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def _points(values: Array, name: str) -> np.ndarray:
    points = _numpy(values)
    if points.ndim != 2 or points.shape[1] < 2:
        raise ValueError(f"{name} have shape {points.shape}; give rows of at least 2 coordinates.")
    return points


def _labels(values: Array) -> np.ndarray:
    labels = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels have shape {labels.shape} and type {labels.dtype}; "
            "give one whole number for each row."
        )
    return labels.astype(np.int64)


def _check_fit(points: np.ndarray, labels: np.ndarray, centres: np.ndarray | None) -> None:
    if len(points) != len(labels):
        raise ValueError(
            f"there are {len(points)} embeddings and {len(labels)} labels; match them."
        )
    if centres is None:
        return
    if centres.shape[1] != points.shape[1]:
        raise ValueError(
            f"embeddings have {points.shape[1]} dimensions and prototypes {centres.shape[1]}; "
            "give both from the same model."
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < len(centres)):
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; give each label its prototype, "
            f"0 to {len(centres) - 1}."
        )
