"""Colours, markers and their dark edges: the look of the live view, for pictures on paper.

Source of the ten colours: M. Petroff, "Accessible color sequences for data visualization", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

TEN = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
SHAPES = ("o", "s", "D", "P")
"""What tells classes apart beyond ten, as matplotlib's markers."""
_SIZES = (1.0, 0.9, 0.85, 1.1)


@dataclass(frozen=True)
class Theme:
    """The colours of the live view's style sheet, by the same names."""

    background: str
    ink: str
    mute: str
    grid: str
    rim: str
    sphere: str
    shade: str
    warn: str
    wedge: float
    """How much of its colour the inside of a cap takes, 0 to 1."""


THEMES = {
    "light": Theme(
        *("#ffffff", "#1f2430", "#6b7280", "#e3e6ed", "#c3c8d4", "#f6f7fb", "#ccd1de", "#c8102e"),
        wedge=0.1,
    ),
    "dark": Theme(
        *("#0e1117", "#e8eaf1", "#989fb0", "#272c38", "#4b5264", "#2b3144", "#141822", "#ff6b75"),
        wedge=0.16,
    ),
}


def class_color(label: int) -> str:
    """The colour of a class."""
    return TEN[label % len(TEN)]


def class_marker(label: int) -> int:
    """The place of a class's marker in ``SHAPES``."""
    return label // len(TEN) % len(SHAPES)


def darker(color: str, share: float = 0.45) -> tuple[float, float, float]:
    """A colour mixed with black: the edge of its marker."""
    red, green, blue = (part * (1.0 - share) for part in to_rgb(color))
    return red, green, blue


def marker_path(shape: int) -> Path:
    """A marker of about unit width around the origin."""
    style = MarkerStyle(SHAPES[shape])
    size = Affine2D().scale(_SIZES[shape])
    return style.get_path().transformed(style.get_transform() + size)


def marker_colors(
    labels: np.ndarray, hollow: np.ndarray, theme: Theme
) -> tuple[np.ndarray, np.ndarray]:
    """Faces and edges of samples, two arrays (N, 4); what was not trained on is hollow."""
    count = int(labels.max(initial=0)) + 1
    full = np.array([to_rgba(class_color(c)) for c in range(count)])
    edge = np.array([(*darker(class_color(c)), 1.0) for c in range(count)])
    blank = to_rgba(theme.background, 0.8)
    faces = np.where(hollow[:, None], blank, full[labels])
    return faces, np.where(hollow[:, None], full[labels], edge[labels])
