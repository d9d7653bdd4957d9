"""What a verification found, as curves: ROC, DET, histograms of angles, CMC.

FAR below ten impostor pairs is shaded: what a curve does there, a few pairs do. It draws what was
measured and measures nothing.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from facevis.figures.look import THEMES, Theme, class_color
from facevis.figures.results import Result, thinned
from facevis.figures.sheet import SETTINGS
from facevis.figures.words import Words, number
from facevis.verification import ANGLES_DEG, FARS, roc
from facevis.verification.curves import LEAST_IMPOSTORS

MOST_CURVES = 6
"""Models in one picture; more cannot be told apart."""
_BAR = 4
"""Half degrees in a bar of a histogram."""
_RANKS = 20
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "-", (0, (5, 1.5)))


def roc_figure(results: Sequence[Result], words: Words, theme: str) -> Figure:
    """TAR over FAR, FAR on a logarithmic axis, with the intervals as bands."""
    look, lowest = THEMES[theme], _lowest(results)
    figure, axes = _figure(look, words("evaluate_far"), words("evaluate_tar"))
    _unreliable(axes, results, words, look)
    for place, result in enumerate(results):
        line = thinned(roc(result.scores), 4000)
        if result.intervals and result.band is not None:
            low, high = (
                ends[len(FARS) :] for ends in (result.intervals.low, result.intervals.high)
            )
            band = axes.fill_between(result.band, low, high, color=class_color(place), lw=0)
            band.set(alpha=0.16, label=words("evaluate_band") if place == 0 else None)
        far = np.maximum(line.far, lowest / 10)
        axes.plot(far, line.tar, **_line(place), label=_names(results)[place])
    axes.set(xscale="log", xlim=(lowest, 1.0), ylim=(-0.01, 1.01))
    axes.yaxis.set_major_formatter(_percent(words))
    _legend(axes, look, "lower right")
    return figure


def det_figure(results: Sequence[Result], words: Words, theme: str) -> Figure:
    """The errors against each other, 1 − TAR over FAR, both axes logarithmic."""
    look, lowest = THEMES[theme], _lowest(results)
    figure, axes = _figure(look, words("evaluate_far"), words("evaluate_fnmr"))
    _unreliable(axes, results, words, look)
    least = min(1.0 / len(result.scores.genuine) for result in results)
    floor = 10.0 ** math.floor(math.log10(min(least, 0.1)))
    axes.plot([1e-9, 1], [1e-9, 1], color=look.mute, lw=1, ls=":", label=words("evaluate_equal"))
    for place, result in enumerate(results):
        line = thinned(roc(result.scores), 4000)
        far = np.maximum(line.far, lowest / 10)
        missed = np.maximum(1.0 - line.tar, floor / 10)
        axes.plot(far, missed, **_line(place), label=_names(results)[place])
    axes.set(xscale="log", yscale="log", xlim=(lowest, 1.0), ylim=(floor, 1.0))
    _decades(axes.yaxis)
    _legend(axes, look, "lower left")
    return figure


def histogram_figure(results: Sequence[Result], words: Words, theme: str) -> Figure:
    """Angles of genuine and of impostor pairs, each kind as shares; a panel for each model."""
    look, count = THEMES[theme], len(results)
    columns = min(3, count) if count != 4 else 2
    rows = math.ceil(count / columns)
    size = (7.2, 4.8) if count == 1 else (4.4 * columns, 3.7 * rows + 0.3)
    figure = Figure(figsize=size, facecolor=look.background, layout="constrained")
    edges = ANGLES_DEG[::_BAR]
    for place, result in enumerate(results):
        axes = figure.add_subplot(rows, columns, place + 1)
        _style(axes, look, words("evaluate_angle"), words("evaluate_share"))
        for kind, color, name in ((1, 2, "evaluate_impostor"), (0, 0, "evaluate_genuine")):
            inside = np.diff(result.scores.accepted[kind][::_BAR], prepend=0)[1:].astype(float)
            inside[0] += result.scores.accepted[kind][0]  # an angle of 0 is in the first bar
            shares = inside / inside.sum()
            axes.stairs(shares, edges, fill=True, color=class_color(color), alpha=0.4)
            axes.stairs(shares, edges, color=class_color(color), lw=1.4, label=words(name))
        reliable = [point for point in result.tar if point.reliable]
        if reliable and math.isfinite(reliable[-1].threshold_deg):
            power = round(math.log10(reliable[-1].far))
            name = words("evaluate_threshold_at", power=f"$10^{{{power}}}$")
            axes.axvline(reliable[-1].threshold_deg, color=look.ink, lw=1.2, ls="--", label=name)
        axes.set(xlim=(0, 180), ylim=(0, None))
        axes.set_xticks(range(0, 181, 30), [f"{angle}°" for angle in range(0, 181, 30)])
        axes.yaxis.set_major_formatter(_percent(words))
        title = axes.set_title(_names(results)[place], color=look.ink, fontweight="bold")
        title.set(fontsize=11, parse_math=False)
        if place == 0:
            _legend(axes, look, "upper right", names=False)
    return figure


def cmc_figure(results: Sequence[Result], words: Words, theme: str) -> Figure:
    """The share of mated probes whose identity is among the first k of the gallery."""
    look = THEMES[theme]
    figure, axes = _figure(look, words("evaluate_rank"), words("evaluate_found"))
    lowest, longest = 1.0, 2
    for place, result in enumerate(results):
        if result.found is None:
            continue
        shares = result.found.cmc[:_RANKS]
        ranks = np.arange(1, len(shares) + 1)
        axes.plot(ranks, shares, marker="o", ms=4, **_line(place), label=_names(results)[place])
        lowest, longest = min(lowest, float(shares[0])), max(longest, len(shares))
    axes.set(xlim=(0.7, longest + 0.3), ylim=(max(0.0, lowest - 0.08), 1.01))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(_percent(words))
    _legend(axes, look, "lower right")
    return figure


FIGURES: dict[str, Callable[[Sequence[Result], Words, str], Figure]] = {
    "roc": roc_figure,
    "det": det_figure,
    "histogram": histogram_figure,
    "cmc": cmc_figure,
}
"""By the names of their files."""


def picture(name: str, results: Sequence[Result], format: str, words: Words, theme: str) -> bytes:
    """One of ``FIGURES`` as the bytes of a png or svg; the same results give the same bytes."""
    buffer = io.BytesIO()
    # Matplotlib's settings are the whole process's: one drawing at a time.
    with SETTINGS, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "facevis"}):
        figure = FIGURES[name](results, words, theme)
        about = {"Software": None} if format == "png" else {"Date": None, "Creator": None}
        figure.savefig(buffer, format=format, dpi=160, metadata=about)
    return buffer.getvalue()


# -- look -----------------------------------------------------------------------------------------


def _figure(look: Theme, across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 5.2), facecolor=look.background, layout="constrained")
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


def _line(place: int) -> dict[str, Any]:
    return dict(color=class_color(place), lw=2.0, ls=_DASHES[place], solid_capstyle="round")


def _names(results: Sequence[Result]) -> list[str]:
    """Models of one name are told apart by their settings."""
    names = [result.name for result in results]
    return [
        f"{result.name}, {result.settings}" if names.count(result.name) > 1 else result.name
        for result in results
    ]


def _lowest(results: Sequence[Result]) -> float:
    """The decade of one impostor pair: no curve says anything below."""
    most = max(result.scores.impostors for result in results)
    return 10.0 ** min(-1, -math.ceil(math.log10(most)))


def _unreliable(axes: Axes, results: Sequence[Result], words: Words, look: Theme) -> None:
    limit = max(LEAST_IMPOSTORS / result.scores.impostors for result in results)
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


def _legend(axes: Axes, look: Theme, where: Any, names: bool = True) -> None:
    legend = axes.legend(loc=where, fontsize=9, labelcolor=look.ink, framealpha=0.85)
    legend.get_frame().set(facecolor=look.background, edgecolor=look.grid)
    if names:
        for text in legend.get_texts():
            text.set_parse_math(False)  # names are names, even with a dollar in them
