"""The similarity of two embeddings, which embeddings have one, and a walk through all pairs.

It is the cosine of their angle, computed in float64 and rounded to a grid of 2⁻⁴⁰, so that pairs
that differ in the last bits of a sum only (copies of a picture, above all) count as equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import Tensor

Array = Tensor | np.ndarray
Progress = Callable[[int, int], None]

GRID = 2.0**40


def similarities(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosines (A, B) of unit vectors (A, D) and (B, D), on the grid."""
    return on_grid(first @ second.T)


def on_grid(values: np.ndarray) -> np.ndarray:
    """Cosines rounded to the grid, in place."""
    np.multiply(values, GRID, out=values)
    np.rint(values, out=values)
    np.divide(values, GRID, out=values)
    return values


def within_person(points: np.ndarray) -> np.ndarray:
    """All similarities between two different rows, each pair once."""
    first, second = np.triu_indices(len(points), 1)
    return similarities(points, points)[first, second]


def in_order(owners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows person by person, (N,), and where each begins and ends there.

    >>> in_order(np.array([7, 3, 7]))
    (array([1, 0, 2]), array([0, 1]), array([1, 3]))
    """
    order = np.argsort(owners, kind="stable")
    owners = owners[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    return order, starts, np.r_[starts[1:], len(owners)]


def impostor_blocks(
    points: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    size: int,
    progress: Progress | None,
) -> Iterator[tuple[slice, slice, np.ndarray, np.ndarray]]:
    """Every pair of two people once, of unit vectors in order, about ``size`` at a time.

    Rows, columns, their similarities (R, C), and which of these are such pairs: the others are of
    the row's own person, or were met from the other side. ``progress(done, total)`` hears of rows.
    """
    row_ends = np.repeat(ends, ends - starts)
    first, total = 0, int(starts[-1])
    while first < total:
        last = min(first + max(1, size // (len(points) - first)), total)
        rows, columns = slice(first, last), slice(int(row_ends[first]), len(points))
        apart = np.arange(columns.start, columns.stop)[None] >= row_ends[rows, None]
        yield rows, columns, similarities(points[rows], points[columns]), apart
        first = last
        if progress:
            progress(first, total)


# -- what can be compared at all ------------------------------------------------------------------


def checked(
    embeddings: Array, labels: Array, names: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors and labels of embeddings that can be verified; ``ValueError`` in words."""
    points = unit(embeddings)
    owners = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if owners.shape != (len(points),) or owners.dtype.kind not in "iu":
        raise ValueError(
            f"there are {len(points)} embeddings, but the labels have shape {owners.shape} and "
            f"type {owners.dtype}; give one whole number for each embedding."
        )
    classes, sizes = np.unique(owners, return_counts=True)
    check_pairs(classes, sizes, names)
    if (similarities(points, points[:1]) == 1.0).all():
        raise ValueError(
            f"all {len(points)} embeddings point the same way, so nothing can be told apart; "
            "the network has collapsed: train it again with another setting."
        )
    return points, owners.astype(np.int64)


def unit(embeddings: Array) -> np.ndarray:
    """Embeddings (N, D) as float64 rows of length one; zero rows and NaN raise ``ValueError``.

    >>> unit(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    if isinstance(embeddings, Tensor):
        embeddings = embeddings.detach().cpu().double().numpy()
    points = np.asarray(embeddings, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] < 2:
        raise ValueError(
            f"embeddings have shape {points.shape}; give rows of at least 2 coordinates."
        )
    lost: np.ndarray = np.logical_not(np.isfinite(points).all(axis=1))
    if lost.any():
        raise ValueError(
            f"{_some(lost, 'is not a number', 'are each not a number')}; the network diverged or "
            "its input is damaged: train again with a lower learning rate, or leave these pictures "
            "out."
        )
    largest = np.abs(points).max(axis=1, keepdims=True, initial=0.0)
    zero: np.ndarray = np.equal(largest[:, 0], 0.0)
    if zero.any():
        raise ValueError(
            f"{_some(zero, 'is zero and has no direction', 'are zero and have no direction')}; "
            "leave these pictures out, or use a network whose embedding does not vanish."
        )
    points = points / largest  # first, so that no length overflows
    directions: np.ndarray = points / np.sqrt(np.einsum("nd,nd->n", points, points))[:, None]
    return directions


def _some(rows: np.ndarray, one: str, several: str) -> str:
    """Which rows, and what they are."""
    found = np.flatnonzero(rows)
    if len(found) == 1:
        return f"embedding {found[0]} {one}"
    return f"{len(found)} embeddings (the first is number {found[0]}) {several}"


def check_pairs(classes: np.ndarray, sizes: np.ndarray, names: Sequence[str] | None) -> None:
    """``ValueError`` where people of so many embeddings make no genuine or no impostor pair."""
    if len(classes) == 0:
        raise ValueError("there are no embeddings; give at least two of each of two people.")
    if len(classes) == 1:
        known = names is not None and 0 <= classes[0] < len(names)
        who = names[int(classes[0])] if names and known else f"identity {classes[0]}"
        raise ValueError(
            f"all {sizes[0]} embeddings are of one identity ({who}), so there is no impostor pair; "
            "add a second person."
        )
    if sizes.max() < 2:
        raise ValueError(
            f"each of the {len(classes)} identities has one embedding, so there is no genuine "
            "pair; add a second picture of someone."
        )
