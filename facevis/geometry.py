"""What a margin asks of the hypersphere, and whether there is room for it.

Whether a margin can be met by K prototypes, how wide a class may then be, where two classes meet,
and how large the scale must be. The margin itself is only ever ``margins.target_cosine``, the room
only ``packings.packing_angle``; networks, data and pictures are unknown here.

Sources: Wang et al., CosFace, CVPR 2018 (bounds of margin and scale, eq. 6 and 7); Deng et al.,
ArcFace, CVPR 2019 (decision boundaries, fig. 5).
"""

from __future__ import annotations

import math

import numpy as np
import torch

from facevis.margins import Margin, target_cosine
from facevis.packings import (
    check_sizes,
    largest_where,
    packing_angle,
    packing_is_exact,
    packing_points,
)
from facevis.validation import whole

_ROUNDING = 1e-9


def feasible(margin: Margin, num_classes: int, embedding_dim: int) -> bool:
    """Whether the margin can be met by K classes without spread: ψ(m2) − m3 ≥ cos φ_K.

    Where ``packing_is_exact`` is False, True is certain and False is not.

    >>> [feasible(Margin.cosface(0.35), classes, 2) for classes in (7, 8, 10)]
    [True, False, False]
    """
    return _fits(margin, packing_angle(num_classes, embedding_dim))


def max_cosface(num_classes: int, embedding_dim: int) -> float:
    """The largest m3 that CosFace alone can meet: 1 − cos φ_K (Wang et al. 2018).

    >>> round(max_cosface(10, 2), 3), round(max_cosface(10, 3), 3)
    (0.191, 0.596)
    """
    return 1.0 - math.cos(packing_angle(num_classes, embedding_dim))


def max_arcface(num_classes: int, embedding_dim: int) -> float:
    """The largest m2 that ArcFace alone can meet, in radians: φ_K.

    >>> round(max_arcface(10, 2), 3)
    0.628
    """
    return packing_angle(num_classes, embedding_dim)


def admissible_radius(margin: Margin, packing_angle: float) -> float:
    """The radius ρ of the cap in which a class meets its margin: the largest θ, in radians, with
    ψ(m1·θ + m2) − m3 ≥ cos(φ − θ).

    ``packing_angle`` φ in (0, π] is the angle to the nearest other prototype. ArcFace gives
    (φ − m2)/2, SphereFace φ/(m1 + 1). A margin that is not feasible there has no cap: 0.0.

    >>> round(admissible_radius(Margin.arcface(0.2), 0.6), 6)
    0.2
    >>> admissible_radius(Margin.cosface(0.35), math.radians(36))
    0.0
    """
    if not 0.0 < packing_angle <= math.pi + _ROUNDING:
        raise ValueError(
            f"packing_angle is {packing_angle}; give an angle above 0 and up to pi, in radians."
        )
    if not _fits(margin, packing_angle):
        return 0.0
    # On [0, φ] the left side falls and the right side rises: they meet once.
    return largest_where(
        lambda angle: (
            float(target_cosine(angle, margin)) >= math.cos(packing_angle - angle) - 1e-15
        ),
        0.0,
        packing_angle,
    )


def decision_boundary(
    margin: Margin, points: int = 181, tail: str = "monotone"
) -> tuple[np.ndarray, np.ndarray]:
    """Where class 1 begins to win over class 2: angles (θ1, θ2), ψ(m1·θ1 + m2) − m3 = cos θ2.

    Two arrays (points,) in radians, θ1 even from 0 to π. Where the target logit lies below −1,
    class 1 cannot win: the first such point is moved to the edge θ2 = π, so that the curve ends
    there, and the others have θ2 = NaN. The boundary of class 2 is the mirror image: swap the two.

    >>> angle1, angle2 = decision_boundary(Margin.arcface(0.5), points=7)
    >>> np.degrees(angle1).round(1)
    array([  0. ,  30. ,  60. ,  90. , 120. , 150. , 151.4])
    >>> np.degrees(angle2).round(1)
    array([ 28.6,  58.6,  88.6, 118.6, 148.6, 178.6, 180. ])
    """
    whole("points", points, 2, 1_000_000)
    angle1 = np.linspace(0.0, math.pi, points)
    cosine = target_cosine(torch.from_numpy(angle1), margin, tail).numpy()
    inside = np.abs(cosine) <= 1.0 + _ROUNDING
    angle2 = np.where(inside, np.arccos(np.clip(cosine, -1.0, 1.0)), np.nan)
    if inside[0] and not inside.all():
        # The curve is steep where it leaves the square: put the first point outside on the edge.
        first = int(np.argmin(inside))
        edge = largest_where(
            lambda angle: float(target_cosine(angle, margin, tail)) >= -1.0,
            angle1[first - 1],
            angle1[first],
        )
        angle1[first], angle2[first] = edge, math.pi
    return angle1, angle2


def scale_bound(num_classes: int, posterior: float) -> float:
    """The smallest scale s that lets C classes reach posterior P: (C−1)/C · ln((C−1)P/(1−P)).

    ``posterior`` in (0, 1). Never below 0 (Wang et al. 2018, eq. 6).

    >>> round(scale_bound(10, 0.9), 2), round(scale_bound(93431, 0.9), 2)
    (3.96, 13.64)
    """
    count, _ = check_sizes(num_classes, 2)
    if not 0.0 < posterior < 1.0:
        raise ValueError(f"posterior is {posterior}; give a probability between 0 and 1.")
    odds = (count - 1) * posterior / (1.0 - posterior)
    return max(0.0, (count - 1) / count * math.log(odds))


def _fits(margin: Margin, packing_angle: float) -> bool:
    # ψ falls and m3 ≥ 0, so this holds only where m2 ≤ φ too.
    return float(target_cosine(0.0, margin)) >= math.cos(packing_angle) - _ROUNDING


__all__ = [
    "admissible_radius",
    "decision_boundary",
    "feasible",
    "max_arcface",
    "max_cosface",
    "packing_angle",
    "packing_is_exact",
    "packing_points",
    "scale_bound",
]
