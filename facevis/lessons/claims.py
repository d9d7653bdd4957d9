"""The numbers that lessons speak of, each computed by the package: a text names them, and no text
holds a result typed in by hand."""

from __future__ import annotations

from facevis.lessons import claims_early, claims_late
from facevis.lessons.numbers import Claim

CLAIMS: dict[str, Claim] = {**claims_early.CLAIMS, **claims_late.CLAIMS}
"""Every number by its name, in the order of the lessons."""


def claim_text(name: str, language: str) -> str:
    """A claim as this language writes it; an unknown one is a ``ValueError``.

    >>> claim_text("circle_bound_10", "en"), claim_text("circle_bound_10", "ru")
    ('0.191', '0,191')
    """
    if name not in CLAIMS:
        raise ValueError(f"there is no number called {name!r}.")
    claim = CLAIMS[name]
    text = f"{claim.value():,.{claim.digits}f}".replace("-", "−")
    if language == "ru":
        text = text.replace(",", " ").replace(".", ",")
    return text
