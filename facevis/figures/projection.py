"""From the sphere to the page: an orthographic view, and what the sphere hides.

Plain arrays. The eye is where the live view's camera first stands.
"""

from __future__ import annotations

import numpy as np

EYE = (1.35, 0.95, 0.75)
INNER = 0.985
"""Radius of the opaque sphere inside the unit sphere."""
_LAMP = (0.62, 0.18, 0.76)


def _axes() -> np.ndarray:
    """Rows: right, up, towards the eye, (3, 3)."""
    towards = np.array(EYE) / np.linalg.norm(EYE)
    right = np.cross([0.0, 0.0, 1.0], towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


AXES = _axes()


def project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, D) on the page, (N, 2), and their depth (N,), larger is nearer; D is 2 or 3.

    >>> page, depth = project(np.array([EYE, [0.0, 0.0, 1.0]]))
    >>> bool(np.allclose(page[0], 0.0)), bool(page[1, 1] > 0), bool(depth[0] > depth[1])
    (True, True, True)
    """
    if points.shape[-1] == 2:
        return points, np.zeros(len(points))
    seen = points @ AXES.T
    return seen[:, :2], seen[:, 2]


def hidden(points: np.ndarray) -> np.ndarray:
    """Which points (N, D) lie behind the opaque sphere, booleans (N,); in the plane none."""
    page, depth = project(points)
    if points.shape[-1] == 2:
        return np.zeros(len(points), dtype=bool)
    behind: np.ndarray = (depth < 0.0) & (np.square(page).sum(axis=1) < INNER**2)
    return behind


def visible_runs(points: np.ndarray) -> list[np.ndarray]:
    """The parts of a polyline (N, 3) that can be seen, each (K, 2) on the page, K ≥ 2."""
    page, _ = project(points)
    seen = ~hidden(points)
    breaks = np.flatnonzero(np.diff(seen.astype(int))) + 1
    runs = zip(np.split(page, breaks), np.split(seen, breaks), strict=True)
    return [run for run, shown in runs if shown[0] and len(run) > 1]


def great_circles(radius: float = INNER, count: int = 180) -> list[np.ndarray]:
    """The equator and two meridians, each (count + 1, 3)."""
    turn = np.linspace(0.0, 2.0 * np.pi, count + 1)
    a, b, zero = radius * np.cos(turn), radius * np.sin(turn), np.zeros(count + 1)
    return [np.stack(axes, axis=1) for axes in ((a, b, zero), (a, zero, b), (zero, a, b))]


def cap_circle(centre: np.ndarray, radius: float, count: int = 96) -> np.ndarray:
    """The edge of a cap on the sphere, a closed polyline (count + 1, 3); ``radius`` in radians."""
    helper = np.eye(3)[2 if abs(centre[2]) < 0.9 else 0]
    first = np.cross(helper, centre)
    first /= np.linalg.norm(first)
    second = np.cross(centre, first)
    turn = np.linspace(0.0, 2.0 * np.pi, count + 1)[:, None]
    around = np.cos(turn) * first + np.sin(turn) * second
    rim: np.ndarray = 1.002 * (np.cos(radius) * centre + np.sin(radius) * around)
    return rim


def cap_arc(centre: np.ndarray, radius: float, height: float = 1.0, count: int = 48) -> np.ndarray:
    """The arc of a cap on the circle, (count + 1, 2), ``height`` away from the origin."""
    middle = np.arctan2(centre[1], centre[0])
    angle = middle + radius * np.linspace(-1.0, 1.0, count + 1)
    return height * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def shading(size: int = 320) -> np.ndarray:
    """Brightness of the sphere's visible half, (size, size), 0 to 1, the top row first."""
    across = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(across, -across)
    front = np.sqrt(np.clip(1.0 - x**2 - y**2, 0.0, None))
    places = np.stack([x, y, front], axis=-1) @ AXES
    light = np.clip(places @ np.array(_LAMP) + 0.25, -1.0, 1.0)
    brightness: np.ndarray = (light + 1.0) / 2.0
    return brightness


def last_of_each(places: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Which rows to draw: of several of one kind in one unit square only the last is seen.

    ``places`` (N, 2), ``kinds`` (N,) whole numbers → rising indices.

    >>> last_of_each(np.array([[0.1, 0.1], [5.0, 0.0], [-0.1, 0.2], [0.0, 0.0]]), np.zeros(4, int))
    array([1, 3])
    """
    squares = np.rint(places).astype(np.int64)
    keys = (kinds * 2**20 + squares[:, 0]) * 2**20 + squares[:, 1]
    _, first = np.unique(keys[::-1], return_index=True)
    return np.sort(len(keys) - 1 - first)
