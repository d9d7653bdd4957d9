"""How embeddings of more than three dimensions are shown on a sphere, and what of it is exact.

``span``: the orthogonal projection into the space that three prototypes span. These three and the
angles between them are exact; so is the cosine of every point to each of them, which is the inner
product of its projection with that prototype. A point lies the deeper inside the ball, the more of
it points elsewhere. ``pca``: the three directions that hold most of the shown embeddings, and every
point moved out onto the sphere: an overview in which no angle is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh

from facevis.i18n import Said
from facevis.validation import choice, shown, whole

KINDS = ("span", "pca")
BAR_DEG = 3


@dataclass(frozen=True)
class Projection:
    """Which projection, and of ``span`` whose prototypes."""

    kind: str = "span"
    classes: tuple[int, ...] = (0, 1, 2)


def parse_projection(text: str, num_classes: int) -> Projection:
    """The projection that a text names; ``ValueError`` in words.

    >>> parse_projection("span:4,0,7", 10)
    Projection(kind='span', classes=(4, 0, 7))
    """
    kind, _, rest = text.partition(":")
    choice(Said("link_projection"), kind, KINDS)
    if kind == "pca":
        return Projection("pca", ())
    parts = rest.split(",")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise ValueError(Said("wrong_three", value=shown(rest)))
    classes = tuple(whole(Said("link_a_class"), int(part), 0, num_classes - 1) for part in parts)
    wanted = min(3, num_classes)
    if len(set(classes)) != wanted or len(classes) != wanted:
        raise ValueError(Said("wrong_classes", value=shown(rest), count=wanted))
    return Projection("span", classes)


def default_projection(num_classes: int) -> Projection:
    """The first three classes."""
    return Projection("span", tuple(range(min(3, num_classes))))


@dataclass(frozen=True, eq=False)
class Projected:
    """What is drawn of a snapshot, and what is said about it."""

    embeddings: np.ndarray
    """(M, N, 3)"""
    prototypes: np.ndarray
    """(M, C, 3)"""
    held: np.ndarray
    """(M,) the share of the embeddings' squared length that lies in the three dimensions; NaN for
    a member without lengths."""


class Projector:
    """Projects the snapshots of one run; frames of one projector fit each other."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self._first: np.ndarray | None = None

    def project(self, embeddings: np.ndarray, prototypes: np.ndarray) -> Projected:
        """Embeddings (M, N, D) and prototypes (M, C, D) in three dimensions.

        Both are put onto the hypersphere first. A member with a NaN harms no other.
        """
        points, centres = _unit(embeddings), _unit(prototypes)
        if self.projection.kind == "span":
            bases = np.stack([_span(own[list(self.projection.classes)]) for own in centres])
        else:
            bases = np.stack([_leading(own) for own in points])
            bases = self._turned(bases)
        flat, ends = points @ bases, centres @ bases
        total = np.square(points).sum(axis=(1, 2))
        held = np.square(flat).sum(axis=(1, 2)) / np.where(total > 0.0, total, np.nan)
        if self.projection.kind == "pca":
            flat, ends = _unit(flat), _unit(ends)
        return Projected(flat.astype(np.float32), ends.astype(np.float32), held)

    def _turned(self, bases: np.ndarray) -> np.ndarray:
        """Each basis turned within its span, as near as can be to the first one seen.

        Without it, pictures would flip from frame to frame. Orthogonal Procrustes.
        """
        if self._first is None:
            self._first = bases
            return bases
        left, _, right = np.linalg.svd(bases.swapaxes(1, 2) @ self._first)
        turned: np.ndarray = bases @ (left @ right)
        return turned


def angle_bars(
    embeddings: np.ndarray, prototypes: np.ndarray, labels: np.ndarray
) -> list[dict[str, Any]]:
    """Of each member, counts in bars of 3 degrees: angles to the own prototype and to all others.

    Computed in all dimensions, of the samples whose class has a prototype.
    """
    known = labels < prototypes.shape[1]
    cosine = _unit(embeddings)[:, known] @ _unit(prototypes).swapaxes(1, 2)
    angles = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    own = labels[known][:, None] == np.arange(prototypes.shape[1])[None]
    edges = np.arange(0, 181, BAR_DEG)
    return [
        {
            "own": np.histogram(member[own], edges)[0].tolist(),
            "others": np.histogram(member[~own], edges)[0].tolist(),
        }
        for member in angles
    ]


def _span(three: np.ndarray) -> np.ndarray:
    """An orthonormal basis (D, 3) of the span: the first prototype lies on its first axis, the
    second in the plane of the first two, turned so that all three look at you."""
    basis, upper = np.linalg.qr(_filled(three).T)
    return basis * np.where(np.diag(upper) < 0.0, -1.0, 1.0)


def _filled(rows: np.ndarray) -> np.ndarray:
    """Three rows that are independent: what is zero or repeats another gives way to an axis."""
    found = np.zeros((3, rows.shape[1]))
    axes = np.eye(rows.shape[1])
    spare = iter(axes)
    for k in range(3):
        candidate = rows[k] if k < len(rows) else next(spare)
        while True:
            rest = candidate - found[:k].T @ np.linalg.lstsq(found[:k].T, candidate, rcond=None)[0]
            if np.linalg.norm(rest) > 1e-6:
                break
            candidate = next(spare)
        found[k] = candidate
    return found


def _leading(points: np.ndarray) -> np.ndarray:
    """The three directions (D, 3) with the largest sum of squares, not centred."""
    last = points.shape[1] - 1
    _, vectors = eigh(points.T @ points, subset_by_index=(last - 2, last))
    leading: np.ndarray = vectors[:, ::-1]
    return leading


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length one; what is zero or no number is zero."""
    rows = np.nan_to_num(rows.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    length = np.sqrt(np.square(rows).sum(axis=-1, keepdims=True))
    units: np.ndarray = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-12)
    return units
