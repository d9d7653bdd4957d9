"""What is written over and under a panel, in the reader's language.

It turns moments into words; the words themselves lie in ``assets/strings``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from facevis.datasets import DATASETS
from facevis.figures.moments import Moment
from facevis.live.config import OPEN_MARGINS, RunConfig
from facevis.live.material import Material

Words = Callable[..., str]
"""A translator: ``facevis.i18n.translator(language)``."""

_SIGNS = {"m1": "m₁", "m2": "m₂", "m3": "m₃", "scale": "s"}
_NEUTRAL = {"m1": 1.0, "m2": 0.0, "m3": 0.0}


def title(moment: Moment, words: Words, swept: str | None = None) -> tuple[str, str]:
    """Two lines: which loss, and its settings that matter; in a sweep the swept value leads.

    >>> from facevis.i18n import translator
    >>> from facevis.live import Ensemble, RunConfig
    >>> from facevis.figures.moments import moment
    >>> ensemble = Ensemble(RunConfig())
    >>> title(moment(ensemble.record(steps=0), ensemble.snapshot(), 0), translator("en"))
    ('ArcFace', 'm₂ = 0.5 · s = 16')
    """
    name = words(f"objective_{moment.member.objective}")
    settings = _settings(moment, words)
    if swept is None:
        return name, " · ".join(settings.values())
    lead = settings.pop(swept)
    return lead, " · ".join([name, *settings.values()])


def _settings(moment: Moment, words: Words) -> dict[str, str]:
    """Those of a loss's settings that act and say something, by field."""
    objective = moment.member.objective
    if moment.member.pairwise:
        value = number(moment.member.distance_margin or 0.0, words)
        return {"distance_margin": words("figure_distance", value=value)}
    if not moment.member.in_margin_family:
        return {"": words("figure_free")}
    margin, own = moment.margin, OPEN_MARGINS.get(objective, ())
    shown = [m for m in _NEUTRAL if m in own or getattr(margin, m) != _NEUTRAL[m]]
    values = {m: getattr(margin, m) for m in shown} | {"scale": moment.scale}
    return {name: f"{_SIGNS[name]} = {number(value, words)}" for name, value in values.items()}


def figures(moment: Moment, words: Words) -> list[tuple[str, str]]:
    """What was measured, as pairs of name and value."""
    shares = ["accuracy", "held_out_accuracy"]
    if math.isnan(moment.statistic("held_out_accuracy")):
        shares.pop()
    pairs = [(words(f"figure_{name}"), percent(moment.statistic(name), words)) for name in shares]
    angles = [(words(f"figure_{n}"), degrees(moment.statistic(n), words)) for n in _ANGLES]
    return pairs + angles


_ANGLES = ("intra", "w_inter")


def percent(share: float, words: Words) -> str:
    """A share as a percentage; a dash where it is unknown."""
    return (
        "–" if math.isnan(share) else words("figure_percent", value=number(100 * share, words, 1))
    )


def degrees(angle: float, words: Words) -> str:
    """An angle in degrees; a dash where it is unknown."""
    return "–" if math.isnan(angle) else f"{number(angle, words, 1)}°"


def number(value: float, words: Words, digits: int | None = None) -> str:
    """A number as the language writes it, with so many decimals or as short as it goes."""
    text = f"{value:.4g}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", words("figure_decimal"))


def header(config: RunConfig, material: Material, step: int, words: Words) -> tuple[str, str]:
    """What is seen, and when: the dataset with its number of classes, and the step."""
    own = config.dataset not in DATASETS
    name = material.dataset.name if own else words(f"dataset_{config.dataset}")
    about = words("figure_about", name=name, classes=material.num_classes)
    return about, words("figure_step", step=step)


def shorten(name: str) -> str:
    """A class's name, cut where it would fill the picture.

    >>> shorten("a name without an end")
    'a name wi…'
    """
    return name if len(name) <= 10 else name[:9] + "…"
