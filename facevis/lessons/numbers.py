"""What the lessons' numbers are computed with: formulas, and readings of the tapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from facevis.geometry import packing_angle
from facevis.lessons.tapes import last_points, tape
from facevis.verification import OperatingPoint, Scores, compare_all, tar_at_far

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
def stranger_scores(member: int) -> Scores:
    """Genuine and impostor pairs of the strangers on lesson 12's tape."""
    return compare_all(*last_points("strangers", member))


def strangers_at(member: int, far: float) -> OperatingPoint:
    """TAR and threshold where at most ``far`` of the impostors pass."""
    return tar_at_far(stranger_scores(member), far)
