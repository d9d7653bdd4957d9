"""Turning one picture onto another: what a rotation or a reflection can undo is no difference.

Angles do not know where north is, so two models that agree may lie turned or mirrored. Plain
arrays; it does not know what they are pictures of.

Source: Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def procrustes(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal matrix Q (D, D), rotation or reflection, with the least ‖points·Q − target‖.

    Both (K, D), row by row: Q = U·Vᵀ of the singular value decomposition pointsᵀ·target = U·S·Vᵀ.

    >>> square = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> np.allclose(turned @ procrustes(turned, square), square)
    True
    """
    if points.shape != target.shape or points.ndim != 2:
        raise ValueError(
            f"points have shape {points.shape} and target {target.shape}; give rows that match."
        )
    left, _, right = np.linalg.svd(points.T.astype(np.float64) @ target.astype(np.float64))
    turn: np.ndarray = left @ right
    return turn


def align_members(embeddings: np.ndarray, prototypes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn each member onto the one before it, by its prototypes; the first stays as it is.

    Shapes: (M, N, D), (M, C, D) → the same. A chain of neighbours changes less from one to the
    next than each does from the first, so a walk along it shows real change only. A member that is
    not finite stays as it is, and the chain goes on over it.
    """
    finite = [np.isfinite(each).all(axis=(1, 2)) for each in (embeddings, prototypes)]
    whole = finite[0] & finite[1]
    turns = np.broadcast_to(
        np.eye(prototypes.shape[-1]), (len(prototypes), *2 * prototypes.shape[-1:])
    )
    turns = turns.astype(prototypes.dtype)
    centres = directions(np.where(whole[:, None, None], prototypes, 0.0))
    for before, own in pairwise(np.flatnonzero(whole)):
        turns[own] = procrustes(centres[own], centres[before] @ turns[before])
    return embeddings @ turns, prototypes @ turns


def directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) of length one; a zero vector stays zero.

    >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: np.ndarray = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return units


__all__ = ["align_members", "directions", "procrustes"]
