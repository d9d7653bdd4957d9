"""How far apart K prototypes can stand on the hypersphere.

Exact where the optimum is known, else a lower bound: a seeded search, or a formula where searching
would take too long. It knows points and angles; margins are for ``geometry``.

Sources: Rankin 1955 (simplex and cross-polytope); Tammes' problem: Schütte and van der Waerden
1951, Danzer 1986, Musin and Tarasov 2012 and 2015, Robinson 1961, other values from N. J. A.
Sloane's tables of spherical codes; Wyner 1965 (lower bound in any dimension); roots: Conway and
Sloane, "Sphere Packings, Lattices and Groups", chapter 4.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv
from threadpoolctl import threadpool_limits

from facevis.validation import whole

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

# Above this many points a packing is bounded by a formula and no longer searched.
_SEARCH_POINTS = 128
# So many directions that are 60° apart are known in these dimensions; a search misses them.
_ROOTS = {4: 24, 5: 40, 6: 72, 7: 126}
_LARGEST = 10**9


def packing_angle(num_classes: int, embedding_dim: int) -> float:
    """The smallest angle φ_K between K prototypes that stand as far apart as they can, in radians.

    Circle: 2π/K. K ≤ D + 1: arccos(−1/(K − 1)), the simplex. K ≤ 2D: π/2, the cross-polytope.
    Sphere: Tammes' optimum from the literature. Otherwise a lower bound (``packing_is_exact`` says
    so): the best of a seeded search and of known roots up to 128 points (seconds at worst, then
    remembered); beyond them rings of latitude on the sphere and Wyner's covering bound in more
    dimensions. Anything but whole numbers from 2 to 10^9 raises ``ValueError``.

    >>> [round(math.degrees(packing_angle(10, dim)), 2) for dim in (2, 3, 9)]
    [36.0, 66.15, 96.38]
    """
    return _packing_angle(*check_sizes(num_classes, embedding_dim))


def packing_is_exact(num_classes: int, embedding_dim: int) -> bool:
    """Whether ``packing_angle`` is the proven optimum (True) or a lower bound of it (False).

    >>> packing_is_exact(10, 3), packing_is_exact(17, 3)
    (True, False)
    """
    count, dim = check_sizes(num_classes, embedding_dim)
    if dim == 2 or count <= 2 * dim:
        return True
    return dim == 3 and count in _TAMMES_DEG and count not in _UNPROVEN


def packing_points(num_classes: int, embedding_dim: int) -> np.ndarray:
    """Unit vectors (K, D) that stand as far apart as they can, the same at every call.

    They reach ``packing_angle`` (to 1e-4 radians where that comes from the literature). More than
    128 points raise ``ValueError``.

    >>> packing_points(4, 2).round(6) + 0.0
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.],
           [ 0., -1.]])
    """
    count, dim = check_sizes(num_classes, embedding_dim)
    if count > _SEARCH_POINTS or dim > 10 * _SEARCH_POINTS:
        raise ValueError(
            f"{count} classes in {dim} dimensions are too many to place; ask for at most "
            f"{_SEARCH_POINTS} classes in {10 * _SEARCH_POINTS} dimensions."
        )
    return _packing_points(count, dim).copy()


def check_sizes(num_classes: int, embedding_dim: int) -> tuple[int, int]:
    """Return both as whole numbers from 2 to 10^9, or raise ``ValueError`` that names one."""
    sizes = {"num_classes": num_classes, "embedding_dim": embedding_dim}
    count, dim = (
        # What NumPy counts is as good a whole number as Python's own.
        whole(name, int(value) if isinstance(value, np.integer) else value, 2, _LARGEST)
        for name, value in sizes.items()
    )
    return count, dim


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
    if count <= _SEARCH_POINTS:
        return _smallest_angle(_packing_points(count, dim))
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
    found = _search_packing(count, dim)
    if count > _ROOTS.get(dim, 0):
        return found
    return max(found, _roots(dim)[:count], key=_smallest_angle)


def _simplex(count: int, dim: int) -> np.ndarray:
    """K ≤ D + 1 unit vectors with all cosines −1/(K − 1): the corners of a centred simplex."""
    corners = np.eye(count) - 1.0 / count
    flat = np.linalg.svd(corners)[0][:, : count - 1] * math.sqrt(count / (count - 1.0))
    return np.pad(flat, ((0, 0), (0, dim - count + 1)))


def _roots(dim: int) -> np.ndarray:
    """The roots of D4, D5, E6 or E7 as unit vectors, all 60° apart or more."""
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=8)))
    pairs = [
        sign * np.eye(8)[first] + other * np.eye(8)[second]
        for first, second in itertools.combinations(range(8), 2)
        for sign, other in itertools.product((-1.0, 1.0), repeat=2)
    ]
    of_e8 = np.concatenate([pairs, signs[signs.prod(axis=1) > 0] / 2])
    # E8 holds the others: D4 where the last coordinates are 0, the rest where they are equal.
    last = of_e8[:, 4:] if dim == 4 else np.diff(of_e8[:, dim - 1 :], axis=1)
    inside = of_e8[~last.any(axis=1)]
    points: np.ndarray = inside @ np.linalg.svd(inside)[2][:dim].T
    return points / math.sqrt(2.0)


def _search_packing(count: int, dim: int) -> np.ndarray:
    """The best of some seeded descents on a soft smallest angle that hardens as they go."""
    generator = np.random.default_rng(0)
    # Few points cost little and have many local optima; many points the other way round.
    starts = generator.standard_normal((max(3, min(40, 600 // count)), count * dim))
    # A soft beginning finds the most regular packings, a hard one those that soft ones miss.
    paths = itertools.cycle([(10.0, 1e3), (4.0, 30.0, 300.0)])
    # Threads gain nothing on matrices this small, and on a busy machine they cost twentyfold.
    with threadpool_limits(1, user_api="blas"):
        rough = [_descend(start, count, dim, p) for start, p in zip(starts, paths, strict=False)]
        rough.sort(key=_crowding)
        fine = [_descend(points.ravel(), count, dim, (1e4, 1e5, 1e6)) for points in rough[:2]]
    return min(fine, key=_crowding)


def _descend(flat: np.ndarray, count: int, dim: int, sharpnesses: tuple[float, ...]) -> np.ndarray:
    """Unit vectors (K, D) after one quasi-Newton descent for each sharpness in turn."""
    # What counts is the sharpness per gap of the cosine, and gaps shrink as points are added.
    gap = max(1.0 - math.cos(_covering_bound(count, dim)), 1e-6)
    options = {"maxiter": 400, "ftol": 1e-15, "gtol": 1e-10}
    for sharpness in sharpnesses:
        flat = minimize(
            _soft_largest_cosine,
            flat,
            args=(count, dim, sharpness / gap),
            jac=True,
            method="L-BFGS-B",
            options=options,
        ).x
    points = flat.reshape(count, dim)
    directions: np.ndarray = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions


def _crowding(points: np.ndarray) -> float:
    return -_smallest_angle(points)


def _soft_largest_cosine(
    flat: np.ndarray, count: int, dim: int, sharpness: float
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

    return largest_where(holds, 1.0 / math.sqrt(count), math.pi / 2.0)


def largest_where(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The last place where ``holds``, true at ``low`` and false from some place on (bisection)."""
    if holds(high):
        return high
    while True:
        middle = (low + high) / 2.0
        if high - low < 1e-13 or middle in (low, high):
            return float(low)
        low, high = (middle, high) if holds(middle) else (low, middle)
