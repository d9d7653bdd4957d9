"""What one chooses in a lesson: a number or one of a few words, checked as it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from facevis.i18n import Said


@dataclass(frozen=True)
class Range:
    """A number to choose."""

    name: str
    low: float
    high: float
    step: float
    value: float
    scene: str | None = None
    power: bool = False
    """The number is a power of ten."""

    def read(self, text: str) -> float:
        """What a link says; ``ValueError`` if it cannot be."""
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(Said("link_from_to", low=f"{self.low:g}", high=f"{self.high:g}"))
        steps = (value - self.low) / self.step
        if abs(steps - round(steps)) > 1e-6:
            limits = {"step": f"{self.step:g}", "low": f"{self.low:g}"}
            raise ValueError(Said("link_steps_of", **limits))
        return value

    def to_json(self) -> dict[str, Any]:
        """What the browser is told."""
        return {"kind": "range", **self.__dict__}


@dataclass(frozen=True)
class Choice:
    """One of a few."""

    name: str
    options: tuple[str, ...]
    value: str
    scene: str | None = None

    def read(self, text: str) -> str:
        """What a link says; ``ValueError`` if it cannot be."""
        if text not in self.options:
            raise ValueError(Said("link_choose", choices=", ".join(self.options)))
        return text

    def to_json(self) -> dict[str, Any]:
        """What the browser is told."""
        return {"kind": "choice", **self.__dict__, "options": list(self.options)}
