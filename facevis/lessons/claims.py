"""The numbers that lessons speak of, each computed by the package: a text names them, and no text
holds a result typed in by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A number and how it is written."""

    value: Callable[[], float]
    digits: int = 0
    unit: str = ""


def claim_text(name: str, language: str) -> str:
    """A claim as a text in this language writes it; an unknown one is a ``ValueError``."""
    if name not in CLAIMS:
        raise ValueError(f"there is no number called {name!r}.")
    claim = CLAIMS[name]
    text = f"{claim.value():,.{claim.digits}f}".replace("-", "−")
    if language == "ru":
        text = text.replace(",", " ").replace(".", ",")
    return text + claim.unit


CLAIMS: dict[str, Claim] = {}
