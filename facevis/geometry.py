"""How much room there is on the hypersphere, and what a margin asks of it.

Packings of K prototypes, whether a margin can be met there, how wide a class may then be, where two
classes meet, and how large the scale must be. It knows margins only by ``margins.target_cosine``,
and no network, data or picture.

Sources: Rankin 1955 (simplex and cross-polytope); Tammes' problem: Schütte and van der Waerden
1951, Danzer 1986, Musin and Tarasov 2012 and 2015, Robinson 1961, other values from N. J. A.
Sloane's tables of spherical codes; Wyner 1965 (lower bound in any dimension); Wang et al., CosFace,
CVPR 2018 (bounds of margin and scale).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv
from torch import Tensor

from facevis.margins import Margin, target_cosine

# The smallest angle of the best packing of K points on the sphere, degrees (K up to 6 follows from
# the general rules). Proven up to 14 and for 24; 15, 16 and 20 are the best known.
_TAMMES_DEG = {
    7: 77.8695421,
    8: 74.8584922,
    9: 70.5287794,
    10: 66.1468220,
    11: 63.4349488,
    12: 63.4349488,
    13: 57.1367031,
    14: 55.6705700,
    15: 53.6578501,
    16: 52.2443957,
    20: 47.4310362,
    24: 43.6907671,
}
_UNPROVEN = (15, 16, 20)

# Above this many points, or dimensions, a packing is bounded by a formula and no longer searched.
_SEARCH_POINTS = 128
_SEARCH_DIMENSIONS = 64
_ROUNDING = 1e-9


def packing_angle(num_classes: int, embedding_dim: int) -> float:
    """The smallest angle φ_K between K prototypes that stand as far apart as they can, in radians.

    Circle: 2π/K. K ≤ D + 1: arccos(−1/(K − 1)), the simplex. K ≤ 2D: π/2, the cross-polytope.
    Sphere: Tammes' optimum from the literature. Otherwise a lower bound (``packing_is_exact`` says
    so): the best of a seeded search up to 128 points, a construction by rings on larger spheres,
    Wyner's covering bound in higher dimensions. Fewer than 2 classes or dimensions raise
    ``ValueError``.

    >>> [round(math.degrees(packing_angle(10, dim)), 2) for dim in (2, 3, 9)]
    [36.0, 66.15, 96.38]
    """
    return _packing_angle(*_checked_sizes(num_classes, embedding_dim))


def packing_is_exact(num_classes: int, embedding_dim: int) -> bool:
    """Whether ``packing_angle`` is the proven optimum (True) or a lower bound of it (False).

    >>> packing_is_exact(10, 3), packing_is_exact(17, 3)
    (True, False)
    """
    count, dim = _checked_sizes(num_classes, embedding_dim)
    if dim == 2 or count <= 2 * dim:
        return True
    return dim == 3 and count in _TAMMES_DEG and count not in _UNPROVEN


def packing_points(num_classes: int, embedding_dim: int) -> np.ndarray:
    """Unit vectors (K, D) that stand as far apart as they can, the same at every call.

    They reach ``packing_angle`` (to 1e-4 radians where that comes from the literature). More than
    128 points above the circle raise ``ValueError``.

    >>> packing_points(4, 2).round(6) + 0.0
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.],
           [ 0., -1.]])
    """
    count, dim = _checked_sizes(num_classes, embedding_dim)
    if count > _SEARCH_POINTS * (8 if dim == 2 else 1):
        raise ValueError(
            f"num_classes is {count}; packings are built for at most {_SEARCH_POINTS} classes "
            f"(1,024 on the circle); ask packing_angle for a bound instead."
        )
    return _packing_points(count, dim).copy()


def feasible(margin: Margin, num_classes: int, embedding_dim: int) -> bool:
    """Whether the margin can be met by K classes without spread: ψ(m2) − m3 ≥ cos φ_K, m2 ≤ φ_K.

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
    """  # noqa: D205
    if not 0.0 < packing_angle <= math.pi + _ROUNDING:
        raise ValueError(
            f"packing_angle is {packing_angle}; give an angle above 0 and up to pi, in radians."
        )
    if not _fits(margin, packing_angle):
        return 0.0
    # On [0, φ] the left side falls and the right side rises: they meet once.
    return _last_true(
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

    Two arrays (points,) in radians, θ1 even from 0 to π. Where no θ2 in [0, π] solves the equation
    (the target logit lies below −1: class 1 cannot win) θ2 is NaN, and the curve ends exactly on
    θ2 = π. The boundary of class 2 is the mirror image: swap the two.

    >>> angle1, angle2 = decision_boundary(Margin.arcface(0.5), points=5)
    >>> np.degrees(angle2 - angle1).round(2)
    array([28.65, 28.65, 28.65, 28.65,   nan])
    """
    if isinstance(points, bool) or not isinstance(points, int) or not 2 <= points <= 1_000_000:
        raise ValueError(f"points is {points!r}; give a whole number from 2 to 1,000,000.")
    angle1 = np.linspace(0.0, math.pi, points)
    cosine = _target(angle1, margin, tail)
    inside = np.abs(cosine) <= 1.0 + _ROUNDING
    angle2 = np.where(inside, np.arccos(np.clip(cosine, -1.0, 1.0)), np.nan)
    if inside[0] and not inside.all():
        # The curve is steep where it leaves the square: put the first point outside on the edge.
        first = int(np.argmin(inside))
        edge = _last_true(
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
    count, _ = _checked_sizes(num_classes, 2)
    if not 0.0 < posterior < 1.0:
        raise ValueError(f"posterior is {posterior}; give a probability between 0 and 1.")
    odds = (count - 1) * posterior / (1.0 - posterior)
    return max(0.0, (count - 1) / count * math.log(odds))


def _target(angle: np.ndarray, margin: Margin, tail: str) -> np.ndarray:
    cosine: Tensor = target_cosine(angle, margin, tail)  # type: ignore[arg-type]
    return cosine.numpy()


def _fits(margin: Margin, packing_angle: float) -> bool:
    clear = float(target_cosine(0.0, margin)) >= math.cos(packing_angle) - _ROUNDING
    return clear and margin.m2 <= packing_angle + _ROUNDING


def _last_true(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The last place where ``holds``, true at ``low`` and false from some place on (bisection)."""
    if holds(high):
        return high
    while True:
        middle = (low + high) / 2.0
        if high - low < 1e-13 or middle in (low, high):
            return float(low)
        low, high = (middle, high) if holds(middle) else (low, middle)


def _checked_sizes(num_classes: int, embedding_dim: int) -> tuple[int, int]:
    sizes = {"num_classes": num_classes, "embedding_dim": embedding_dim}
    whole = []
    for name, value in sizes.items():
        try:
            whole.append(operator.index(value))
        except TypeError:
            raise ValueError(f"{name} is {value!r}; give a whole number from 2.") from None
        if whole[-1] < 2 or isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; give a whole number from 2.")
    return whole[0], whole[1]


@lru_cache(maxsize=4096)
def _packing_angle(count: int, dim: int) -> float:
    if dim == 2:
        return 2.0 * math.pi / count
    if count <= dim + 1:
        return math.acos(-1.0 / (count - 1))
    if count <= 2 * dim:
        return math.pi / 2.0
    if dim == 3 and count in _TAMMES_DEG:
        return math.radians(_TAMMES_DEG[count])
    if count <= _SEARCH_POINTS and dim <= _SEARCH_DIMENSIONS:
        return max(_smallest_angle(_packing_points(count, dim)), _covering_bound(count, dim))
    return _ring_bound(count) if dim == 3 else _covering_bound(count, dim)


@lru_cache(maxsize=64)
def _packing_points(count: int, dim: int) -> np.ndarray:
    if dim == 2:
        turn = 2.0 * math.pi * np.arange(count) / count
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    if count <= dim + 1:
        return _simplex(count, dim)
    if count <= 2 * dim:
        return np.concatenate([np.eye(dim), -np.eye(dim)])[:count]
    return _search_packing(count, dim)


def _simplex(count: int, dim: int) -> np.ndarray:
    """K ≤ D + 1 unit vectors with all cosines −1/(K − 1): the corners of a centred simplex."""
    corners = np.eye(count) - 1.0 / count
    flat = np.linalg.svd(corners)[0][:, : count - 1] * math.sqrt(count / (count - 1.0))
    return np.pad(flat, ((0, 0), (0, dim - count + 1)))


def _search_packing(count: int, dim: int, starts: int = 8) -> np.ndarray:
    """The best of some seeded descents on log Σ exp(β cos), β rising: a soft smallest angle."""
    generator = np.random.default_rng(0)
    upper = np.triu_indices(count, 1)
    spread = 1.0 / max(1.0 - math.cos(_covering_bound(count, dim)), 1e-6)
    best, best_angle = None, -1.0
    # Few points cost little and have many local optima; many points the other way round.
    for _ in range(max(2, min(starts, 400 // count))):
        flat = generator.standard_normal(count * dim)
        for sharpness in (4.0, 30.0, 300.0, 3e3, 3e4, 3e5):
            options = {"maxiter": 400, "ftol": 1e-15, "gtol": 1e-10}
            flat = minimize(
                _soft_largest_cosine,
                flat,
                args=(count, dim, sharpness * spread, upper),
                jac=True,
                method="L-BFGS-B",
                options=options,
            ).x
        points = flat.reshape(count, dim)
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
        if (angle := _smallest_angle(points)) > best_angle:
            best, best_angle = points, angle
    assert best is not None
    return best


def _soft_largest_cosine(
    flat: np.ndarray, count: int, dim: int, sharpness: float, upper: tuple[np.ndarray, np.ndarray]
) -> tuple[float, np.ndarray]:
    """(1/β) log Σ_{i<j} exp(β cos θ_ij) of K directions, and its gradient."""
    points = flat.reshape(count, dim)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    points = points / length
    cosine = points @ points.T
    np.fill_diagonal(cosine, -np.inf)
    top = cosine.max()
    weight = np.exp(sharpness * (cosine - top))
    total = weight.sum()
    pull = (2.0 / total) * (weight @ points)
    pull -= (pull * points).sum(1, keepdims=True) * points
    return top + math.log(total / 2.0) / sharpness, (pull / length).ravel()


def _smallest_angle(points: np.ndarray) -> float:
    """The smallest angle between any two unit vectors (K, D), by 2·atan2, radians."""
    cosine = points @ points.T
    np.fill_diagonal(cosine, -np.inf)
    first, second = np.divmod(int(cosine.argmax()), len(points))
    apart = np.linalg.norm(points[first] - points[second])
    together = np.linalg.norm(points[first] + points[second])
    return 2.0 * math.atan2(apart, together)


def _covering_bound(count: int, dim: int) -> float:
    """Wyner's bound: while K − 1 caps of radius φ cannot cover the sphere, a K-th point fits."""
    share = 1.0 / (count - 1)
    if share >= 0.5:
        return math.pi / 2.0
    # A cap of radius φ ≤ π/2 is the share ½·I(sin² φ; (D − 1)/2, ½) of the sphere.
    sine_squared = float(betaincinv((dim - 1) / 2.0, 0.5, 2.0 * share))
    return math.asin(math.sqrt(sine_squared))


def _ring_bound(count: int) -> float:
    """The largest angle at which rings of latitude, one angle apart, hold K points on the sphere.

    About 0.93 of the optimum for many points, and a packing that exists.
    """

    def holds(angle: float) -> bool:
        latitude = np.arange(angle / 2.0, math.pi - angle / 2.0 + 1e-12, angle)
        ratio = math.sin(angle / 2.0) / np.sin(latitude)
        on_ring = np.where(ratio < 1.0, math.pi / np.arcsin(np.minimum(ratio, 1.0)), 1.0)
        return int(np.floor(on_ring).sum()) >= count

    return _last_true(holds, 1.0 / math.sqrt(count), math.pi / 2.0)
