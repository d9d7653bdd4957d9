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
    tables = angle_tables(points[None], owners, None if centres is None else centres[None])
    return AngleTable(*tables[0].tolist())


def angle_tables(
    embeddings: np.ndarray, labels: np.ndarray, prototypes: np.ndarray | None = None
) -> np.ndarray:
    """The four angles of ``angle_table`` for M models at once, (M, 4), in the table's order.

    Shapes: (M, N, D), (N,), (M, C, D). What is a NaN in one model concerns no other.

    >>> embeddings = np.array([[[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]]])
    >>> angle_tables(embeddings, np.array([0, 0, 1])).round(2)
    array([[  nan,   nan,  30.,  135.]])
    """
    points = _unit(embeddings.astype(np.float64))
    classes, rank = np.unique(labels, return_inverse=True)
    sums = _class_sums(points, rank, len(classes))
    means, known = _unit(sums), _nonzero(sums)
    spread = _angles(points, means[:, rank])
    intra = _mean(spread, _nonzero(points) & known[:, rank])
    inter = [_mean_nearest(own[there]) for own, there in zip(means, known, strict=True)]
    w_ec = w_inter = np.full(len(points), math.nan)
    if prototypes is not None:
        centres = _unit(prototypes.astype(np.float64))
        real = _nonzero(centres)
        w_ec = _mean(_angles(means, centres[:, classes]), known & real[:, classes])
        w_inter = np.array(
            [_mean_nearest(own[there]) for own, there in zip(centres, real, strict=True)]
        )
    angles: np.ndarray = np.degrees(np.stack([w_ec, w_inter, intra, np.array(inter)], axis=1))
    return angles


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


def _mean_nearest(directions: np.ndarray) -> float:
    """Mean of ``_nearest_angles``; NaN where there are fewer than two."""
    return float(_nearest_angles(directions).mean()) if len(directions) > 1 else math.nan


def _angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """2·atan2(‖a − b‖, ‖a + b‖) of unit vectors (..., D), exact near 0 and π, radians."""
    apart, together = first - second, first + second
    lengths = (
        np.einsum("...i,...i->...", apart, apart),
        np.einsum("...i,...i->...", together, together),
    )
    angles: np.ndarray = 2.0 * np.arctan2(np.sqrt(lengths[0]), np.sqrt(lengths[1]))
    return angles


def _class_sums(points: np.ndarray, rank: np.ndarray, count: int) -> np.ndarray:
    """Sums (M, count, D) of the points (M, N, D) of each class; every class has a point."""
    if count == 0:
        return np.empty((len(points), 0, points.shape[-1]))
    order = np.argsort(rank, kind="stable")
    starts = np.searchsorted(rank[order], np.arange(count))
    return np.add.reduceat(points[:, order], starts, axis=1)


def _nonzero(vectors: np.ndarray) -> np.ndarray:
    """Which rows have a direction; a NaN has one, so that it shows in the result."""
    return np.asarray(vectors.any(axis=-1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a zero row stays zero, an infinite one is NaN.

    They are scaled first, so that no length overflows or vanishes.
    """
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
    largest[np.isinf(largest)] = np.nan
    vectors = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest != 0)
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    np.divide(vectors, length, out=vectors, where=length != 0)
    return vectors


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Row by row, the mean (M,) of the values (M, K) at ``where``; NaN where there are none."""
    count = where.sum(axis=1)
    total = np.where(where, values, 0.0).sum(axis=1)
    means: np.ndarray = np.divide(total, count, out=np.full(len(values), math.nan), where=count > 0)
    return means


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
