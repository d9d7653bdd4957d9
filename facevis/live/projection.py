"""How more than three dimensions are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Projection:
    """Which one."""

    kind: str = "span"
    classes: tuple[int, ...] = (0, 1, 2)


def parse_projection(text: str, num_classes: int) -> Projection:
    """From the text of an address."""
    if text == "pca":
        return Projection("pca", ())
    return Projection("span", tuple(int(part) for part in text.removeprefix("span:").split(",")))
