"""How the learning rate and the margin go over the steps. Pure functions of the step."""

from __future__ import annotations

import math

from facevis.fullscale.config_parts import ScheduleConfig


def learning_rate(step: int, highest: float, schedule: ScheduleConfig) -> float:
    """The learning rate of a step (from 0 on).

    It rises in a line over ``warmup`` steps and then goes as ``kind`` says: ``polynomial``
    (1 − p)^power, ``cosine`` (1 + cos πp)/2 with p from 0 to 1 over the rest, ``step`` by
    ``factor`` at each milestone.

    >>> schedule = ScheduleConfig(steps=100, kind="step", milestones=(50, 80))
    >>> [round(learning_rate(step, 0.1, schedule), 6) for step in (0, 49, 50, 99)]
    [0.1, 0.1, 0.01, 0.001]
    """
    if step < schedule.warmup:
        return highest * (step + 1) / schedule.warmup
    if schedule.kind == "step":
        return highest * schedule.factor ** sum(step >= at for at in schedule.milestones)
    share = (step - schedule.warmup) / max(schedule.steps - schedule.warmup, 1)
    left = max(1.0 - share, 0.0)
    if schedule.kind == "polynomial":
        return float(highest * left**schedule.power)
    return highest * 0.5 * (1.0 - math.cos(math.pi * left))


def margin_share(step: int, schedule: ScheduleConfig) -> float:
    """How much of the margin a step has, 0 to 1.

    >>> [margin_share(step, ScheduleConfig(margin_warmup=4)) for step in (0, 2, 4, 9)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return min(step / schedule.margin_warmup, 1.0) if schedule.margin_warmup else 1.0
