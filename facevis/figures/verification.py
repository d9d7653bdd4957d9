"""Curves of a verification: ROC, DET, histograms of angles, CMC; one colour for each model.

FAR below ten impostor pairs is shaded: what a curve does there, a few pairs do. It draws what was
measured and measures nothing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from facevis.figures.look import THEMES, Theme, class_color
from facevis.figures.sheet import _SETTINGS
from facevis.figures.words import Words, number
from facevis.verification import ANGLES_DEG, Roc, Scores, roc
from facevis.verification.curves import LEAST_IMPOSTORS

MOST_CURVES = 6
"""Models in one picture; more cannot be told apart."""
MOST_POINTS = 20_000
_BAR = 4
"""Half degrees in a bar of a histogram."""
_RANKS = 20
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "-", (0, (5, 1.5)))


@dataclass(frozen=True, eq=False)
class Curve:
    """What is drawn of one model."""

    name: str
    scores: Scores
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    """FAR, and the low and high end of the interval of TAR there."""
    cmc: np.ndarray | None = None
    threshold_deg: float = math.nan
    """An angle that a histogram marks, and its FAR."""
    threshold_far: float = math.nan


def thinned(curve: Roc, most: int = MOST_POINTS) -> Roc:
    """A ROC of at most about ``most`` corners: evenly along TAR, and along the logarithm of FAR.

    >>> corners = np.linspace(0, 1, 1001)
    >>> few = thinned(Roc(corners, corners, -corners), 100)
    >>> len(few.far) <= 100, few.far[0], few.far[-1]
    (True, 0.0, 1.0)
    """
    count = len(curve.far)
    if count <= most:
        return curve
    positive = curve.far[curve.far > 0]
    levels = np.geomspace(positive[0], 1.0, most // 3)
    kept = np.unique(
        np.concatenate(
            [
                np.linspace(0, count - 1, most // 3).astype(int),
                np.searchsorted(curve.tar, np.linspace(0, 1, most // 3)).clip(0, count - 1),
                np.searchsorted(curve.far, levels).clip(0, count - 1),
            ]
        )
    )
    return Roc(curve.far[kept], curve.tar[kept], curve.threshold[kept])


def roc_csv(models: Sequence[tuple[str, str, Scores]]) -> bytes:
    """The corners of each model's ROC, models by name and settings; an empty cell is no number."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("model", "settings", "far", "tar", "threshold_cosine", "threshold_deg"))
    for name, settings, scores in models:
        curve = thinned(roc(scores))
        for far, tar, cosine in zip(curve.far, curve.tar, curve.threshold, strict=True):
            finite = math.isfinite(cosine)
            angle = math.degrees(math.acos(min(1.0, max(-1.0, cosine)))) if finite else None
            numbers = (float(far), float(tar), float(cosine) if finite else None, angle)
            writer.writerow((name, settings, *numbers))
    return text.getvalue().encode()


def roc_figure(curves: Sequence[Curve], words: Words, theme: str) -> Figure:
    """TAR over FAR, FAR on a logarithmic axis, with the intervals as bands."""
    look, lowest = THEMES[theme], _lowest(curves)
    figure, axes = _figure(look, words("evaluate_far"), words("evaluate_tar"))
    _unreliable(axes, curves, words, look)
    for place, curve in enumerate(curves):
        line = thinned(roc(curve.scores), 4000)
        if curve.band is not None:
            far, low, high = curve.band
            axes.fill_between(far, low, high, color=class_color(place), alpha=0.16, lw=0)
        far = np.maximum(line.far, lowest / 10)
        axes.plot(far, line.tar, **_line(place), label=curve.name)
    axes.set(xscale="log", xlim=(lowest, 1.0), ylim=(-0.01, 1.01))
    axes.yaxis.set_major_formatter(_percent(words))
    _legend(axes, look, "lower right")
    return figure


def det_figure(curves: Sequence[Curve], words: Words, theme: str) -> Figure:
    """The errors against each other, 1 − TAR over FAR, both axes logarithmic."""
    look, lowest = THEMES[theme], _lowest(curves)
    figure, axes = _figure(look, words("evaluate_far"), words("evaluate_fnmr"))
    _unreliable(axes, curves, words, look)
    least = min(1.0 / len(curve.scores.genuine) for curve in curves)
    floor = 10.0 ** math.floor(math.log10(min(least, 0.1)))
    axes.plot([1e-9, 1], [1e-9, 1], color=look.mute, lw=1, ls=":", label=words("evaluate_equal"))
    for place, curve in enumerate(curves):
        line = thinned(roc(curve.scores), 4000)
        far = np.maximum(line.far, lowest / 10)
        axes.plot(far, np.maximum(1.0 - line.tar, floor / 10), **_line(place), label=curve.name)
    axes.set(xscale="log", yscale="log", xlim=(lowest, 1.0), ylim=(floor, 1.0))
    _decades(axes.yaxis)
    _legend(axes, look, "lower left")
    return figure


def histogram_figure(curves: Sequence[Curve], words: Words, theme: str) -> Figure:
    """Angles of genuine and of impostor pairs, each kind as shares; a panel for each model."""
    look, count = THEMES[theme], len(curves)
    columns = min(3, count) if count != 4 else 2
    rows = math.ceil(count / columns)
    size = (7.2, 4.8) if count == 1 else (4.4 * columns, 3.7 * rows + 0.3)
    figure = Figure(figsize=size, facecolor=look.background, layout="constrained")
    FigureCanvasAgg(figure)
    edges = ANGLES_DEG[::_BAR]
    for place, curve in enumerate(curves):
        axes = figure.add_subplot(rows, columns, place + 1)
        _style(axes, look, words("evaluate_angle"), words("evaluate_share"))
        for kind, color, name in ((1, 2, "evaluate_impostor"), (0, 0, "evaluate_genuine")):
            inside = np.diff(curve.scores.accepted[kind][::_BAR], prepend=0)[1:].astype(float)
            inside[0] += curve.scores.accepted[kind][0]  # an angle of 0 is in the first bar
            shares = inside / inside.sum()
            axes.stairs(shares, edges, fill=True, color=class_color(color), alpha=0.4)
            axes.stairs(shares, edges, color=class_color(color), lw=1.4, label=words(name))
        if math.isfinite(curve.threshold_deg):
            power = round(math.log10(curve.threshold_far))
            name = words("evaluate_threshold_at", power=f"$10^{{{power}}}$")
            axes.axvline(curve.threshold_deg, color=look.ink, lw=1.2, ls="--", label=name)
        axes.set(xlim=(0, 180), ylim=(0, None))
        axes.set_xticks(range(0, 181, 30), [f"{angle}°" for angle in range(0, 181, 30)])
        axes.yaxis.set_major_formatter(_percent(words))
        title = axes.set_title(curve.name, color=look.ink, fontsize=11, fontweight="bold")
        title.set_parse_math(False)
        axes.margins(y=0.1)
        if place == 0:
            _legend(axes, look, "upper right", names=False)
    return figure


def cmc_figure(curves: Sequence[Curve], words: Words, theme: str) -> Figure:
    """The share of mated probes whose identity is among the first k of the gallery."""
    look = THEMES[theme]
    figure, axes = _figure(look, words("evaluate_rank"), words("evaluate_found"))
    lowest, longest = 1.0, 2
    for place, curve in enumerate(curves):
        if curve.cmc is None:
            continue
        shares = curve.cmc[:_RANKS]
        ranks = np.arange(1, len(shares) + 1)
        axes.plot(ranks, shares, marker="o", ms=4, **_line(place), label=curve.name)
        lowest, longest = min(lowest, float(shares[0])), max(longest, len(shares))
    axes.set(xlim=(0.7, longest + 0.3), ylim=(max(0.0, lowest - 0.08), 1.01))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(_percent(words))
    _legend(axes, look, "lower right")
    return figure


FIGURES: dict[str, Callable[[Sequence[Curve], Words, str], Figure]] = {
    "roc": roc_figure,
    "det": det_figure,
    "histogram": histogram_figure,
    "cmc": cmc_figure,
}
"""By the names of their files."""


def picture(figure: Figure, format: str) -> bytes:
    """A figure as the bytes of a png or svg; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    if format == "png":
        figure.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()
    # Matplotlib's settings are the whole process's: one drawing at a time.
    with _SETTINGS, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "facevis"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


# -- look -----------------------------------------------------------------------------------------


def _figure(look: Theme, across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 5.2), facecolor=look.background, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _style(axes, look, across, up)
    return figure, axes


def _style(axes: Axes, look: Theme, across: str, up: str) -> None:
    axes.set_facecolor(look.background)
    axes.set_xlabel(across, color=look.ink)
    axes.set_ylabel(up, color=look.ink)
    axes.tick_params(which="both", color=look.rim, labelcolor=look.mute)
    axes.grid(True, color=look.grid, lw=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_color(look.rim)
        spine.set_visible(side in ("left", "bottom"))


def _line(place: int) -> dict:
    dashes = _DASHES[place % len(_DASHES)]
    return dict(color=class_color(place), lw=2.0, ls=dashes, solid_capstyle="round")


def _lowest(curves: Sequence[Curve]) -> float:
    """The decade of one impostor pair: no curve says anything below."""
    most = max(curve.scores.impostors for curve in curves)
    return 10.0 ** min(-1, -math.ceil(math.log10(most)))


def _unreliable(axes: Axes, curves: Sequence[Curve], words: Words, look: Theme) -> None:
    limit = max(LEAST_IMPOSTORS / curve.scores.impostors for curve in curves)
    name = words("evaluate_few")
    axes.axvspan(1e-12, min(limit, 1.0), color=look.mute, alpha=0.13, lw=0, label=name)
    _decades(axes.xaxis)


def _decades(axis: matplotlib.axis.Axis) -> None:
    axis.set_major_locator(LogLocator(numticks=12))
    axis.set_minor_formatter(NullFormatter())


def _percent(words: Words) -> FuncFormatter:
    def say(value: float, _: int) -> str:
        digits = 0 if abs(100 * value - round(100 * value)) < 1e-6 else 1
        return words("figure_percent", value=number(100 * value, words, digits))

    return FuncFormatter(say)


def _legend(axes: Axes, look: Theme, where: str, names: bool = True) -> None:
    legend = axes.legend(loc=where, fontsize=9, labelcolor=look.ink, framealpha=0.85)
    legend.get_frame().set(facecolor=look.background, edgecolor=look.grid)
    if names:
        for text in legend.get_texts():
            text.set_parse_math(False)  # names are names, even with a dollar in them
