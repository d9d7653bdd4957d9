"""A prototype as an arrow on the page: plain points, of what can be seen of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facevis.figures import projection


class Arrow(NamedTuple):
    """Points on the page, each (2,)."""

    shaft: list[np.ndarray]
    """From foot to neck."""
    head: list[np.ndarray]
    """A triangle, the tip first."""


def arrow(
    direction: np.ndarray, low: float, high: float, width: float, point: float, ball: bool
) -> Arrow | None:
    """From ``low`` to ``high`` along a direction (D,); None where nothing of it is seen.

    ``width`` of the shaft in points of ``point`` each; ``ball``: it stands on an opaque sphere.
    """
    if ball and projection.hidden(high * direction[None])[0]:
        return None
    foot = low * direction
    if ball and projection.hidden(foot[None])[0]:
        foot = direction * (low + high) / 2.0
    (start, tip), _ = projection.project(np.stack([foot, high * direction]))
    length = float(np.linalg.norm(tip - start))
    if length < point:
        return None
    forward = (tip - start) / length
    head = min(length, (3.2 * width + 3.0) * point)
    across = 0.42 * head * np.array([-forward[1], forward[0]])
    neck = tip - head * forward
    return Arrow([start, neck], [tip, neck + across, neck - across])
