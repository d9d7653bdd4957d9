"""A sweep: one value of the margin family at many settings, trained side by side as one run.

It builds configurations and knows where a margin stops fitting; it neither trains nor draws.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from facevis.geometry import feasible, scale_bound
from facevis.live.config import SWEPT, Member, RunConfig
from facevis.margins import Margin
from facevis.packings import largest_where
from facevis.validation import choice, whole, within

MODELS = 21
POSTERIOR = 0.9
"""What the smallest scale worth training must be able to reach."""

_NAMED = {"m1": "sphereface", "m2": "arcface", "m3": "cosface", "scale": "arcface"}
_LIMITS = {"m1": (0.05, 10.0), "m2": (0.0, np.pi), "m3": (0.0, 2.0), "scale": (0.1, 1000.0)}


def sweep_config(
    config: RunConfig, name: str, low: float, high: float, count: int = MODELS
) -> RunConfig:
    """``config`` with ``count`` members, evenly from ``low`` to ``high`` in the value ``name``.

    ``name`` is m1, m2 (radians), m3 or scale; everything else is that of the first member. All
    start from the same weights and see the same batches.

    >>> sweep = sweep_config(RunConfig(), "m2", 0.0, 0.5, 3)
    >>> [member.margin.m2 for member in sweep.members]
    [0.0, 0.25, 0.5]
    """
    least, most = _LIMITS[choice("the swept value", name, SWEPT)]
    low, high = within(f"{name} from", low, least, most), within(f"{name} to", high, least, most)
    if low >= high:
        raise ValueError(f"the sweep goes from {low:g} to {high:g}; let it rise.")
    whole("the number of models", count, 2, 101)
    base = dataclasses.replace(config.members[0], objective=_NAMED[name])
    values = [round(float(value), 6) for value in np.linspace(low, high, count)]
    members = tuple(_at(base, name, value) for value in values)
    return dataclasses.replace(config, members=members, swept=name)


def swept_values(config: RunConfig, name: str) -> list[float]:
    """The members' values of m1, m2, m3 or the scale."""
    if name == "scale":
        return [member.scale for member in config.members]
    return [getattr(member.margin, name) for member in config.members]


def sweep_bound(config: RunConfig, name: str, num_classes: int) -> float | None:
    """Where the swept value stops making sense for so many classes; None where it never does.

    For m2 and m3 the largest value that the prototypes leave room for, the other margins as they
    are (``geometry.feasible``); below the first value if none fits. m1 multiplies an angle that a
    class without spread makes 0, so no m1 is infeasible by itself. For the scale the smallest that
    can reach a posterior of 0.9 (``geometry.scale_bound``).

    >>> config = RunConfig(members=(Member(objective="cosface"),))
    >>> round(sweep_bound(config, "m3", 10), 3)
    0.191
    """
    if name == "scale":
        return scale_bound(num_classes, POSTERIOR)
    if name == "m1":
        return None
    margin = config.members[0].margin or Margin()

    def fits(value: float) -> bool:
        there = dataclasses.replace(margin, **{name: value})
        return feasible(there, num_classes, config.embedding_dim)

    least, most = _LIMITS[name]
    return largest_where(fits, least, most) if fits(least) else least


def _at(member: Member, name: str, value: float) -> Member:
    if name == "scale":
        return dataclasses.replace(member, scale=value)
    margin = dataclasses.replace(member.margin or Margin(), **{name: value})
    return dataclasses.replace(member, margin=margin)


__all__ = ["MODELS", "SWEPT", "sweep_bound", "sweep_config", "swept_values"]
