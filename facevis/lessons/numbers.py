"""What the lessons' numbers are computed with: formulas, and readings of the tapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facevis.geometry import packing_angle
from facevis.lessons.tapes import last_points, tape

END = 10**9
"""A step after the last of any run."""


@dataclass(frozen=True)
class Claim:
    """A number and with how many digits it is written."""

    value: Callable[[], float]
    digits: int = 0


def degrees(count: int, dim: int) -> float:
    """The best angle between ``count`` prototypes, in degrees."""
    return math.degrees(packing_angle(count, dim))


def best_confidence(scale: float, classes: int) -> float:
    """The largest softmax probability of one class at scale s: e^s / (e^s + (C − 1)·e^−s).

    All other cosines are −1, so no prototypes and no embedding reach more.

    >>> round(best_confidence(1.0, 10), 3)
    0.451
    """
    return 1.0 / (1.0 + (classes - 1) * math.exp(-2.0 * scale))


def statistic(name: str, member: int, what: str, step: int = END) -> float:
    """What a tape measured of a member at a step."""
    return float(tape(name).at(step)["statistics"][member][what])


def share(name: str, member: int, what: str, step: int = END) -> float:
    """The same in percent."""
    return 100.0 * statistic(name, member, what, step)


@lru_cache(maxsize=8)
def pair_cosines(member: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of all genuine and of all impostor pairs of strangers, each falling."""
    points, labels = last_points("strangers", member)
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    first, second = np.triu_indices(len(points), 1)
    cosines = (points @ points.T)[first, second]
    same = labels[first] == labels[second]
    return -np.sort(-cosines[same]), -np.sort(-cosines[~same])


def strangers_tar(member: int, far: float) -> float:
    """TAR: the share of genuine pairs accepted where at most ``far`` of the impostors pass."""
    genuine, impostor = pair_cosines(member)
    threshold = impostor[math.floor(far * len(impostor) + 1e-9)]
    return float((genuine > threshold).mean())
