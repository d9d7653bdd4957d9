"""What a verification found, as curves (ROC, DET, histograms of angles, CMC) and plain types.

FAR below ten impostor pairs is shaded: what a curve does there, a few pairs do. It draws what was
measured and measures nothing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from facevis.figures.look import THEMES, Theme, class_color
from facevis.figures.sheet import SETTINGS
from facevis.figures.words import Words, number
from facevis.verification import (
    ANGLES_DEG,
    FARS,
    FoldAccuracy,
    Identification,
    OperatingPoint,
    Roc,
    Scores,
    TarIntervals,
    auc,
    eer,
    roc,
    tar_at_far,
)
from facevis.verification.curves import LEAST_IMPOSTORS

FPIRS = FARS[:2]
MOST_CURVES = 6
"""Models in one picture; more cannot be told apart."""
MOST_POINTS = 20_000
_BAR = 4
"""Half degrees in a bar of a histogram."""
_RANKS = 20
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "-", (0, (5, 1.5)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """What was measured of one model."""

    name: str
    settings: str
    scores: Scores
    intervals: TarIntervals | None = None
    """Of TAR at ``FARS``, and then at ``band``."""
    band: np.ndarray | None = None
    accuracy: FoldAccuracy | None = None
    found: Identification | None = None

    @property
    def tar(self) -> list[OperatingPoint]:
        """TAR at ``FARS``."""
        return [tar_at_far(self.scores, far) for far in FARS]

    @property
    def tpir(self) -> list[OperatingPoint]:
        """TPIR at ``FPIRS``, where there are strangers."""
        known = self.found is not None and self.found.open_set is not None
        return [self.found.tpir(fpir) for fpir in FPIRS] if self.found and known else []


def thinned(curve: Roc, most: int = MOST_POINTS) -> Roc:
    """A ROC of at most about ``most`` corners: evenly along TAR, and along the logarithm of FAR.

    >>> corners = np.linspace(0, 1, 1001)
    >>> few = thinned(Roc(corners, corners, -corners), 100)
    >>> len(few.far) <= 100, float(few.far[0]), float(few.far[-1])
    (True, 0.0, 1.0)
    """
    count = len(curve.far)
    if count <= most:
        return curve
    levels = np.geomspace(curve.far[curve.far > 0][0], 1.0, most // 3)
    heights = np.linspace(0.0, 1.0, most // 3)
    found = np.r_[np.searchsorted(curve.tar, heights), np.searchsorted(curve.far, levels)]
    ends = np.linspace(0, count - 1, most // 3).astype(int)
    kept = np.unique(np.r_[ends, found.clip(0, count - 1)])
    return Roc(curve.far[kept], curve.tar[kept], curve.threshold[kept])


def roc_csv(results: Sequence[Result]) -> bytes:
    """The corners of each model's ROC, models by name and settings; an empty cell is no number."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("model", "settings", "far", "tar", "threshold", "threshold_deg"))
    for result in results:
        curve = thinned(roc(result.scores))
        columns = curve.far, curve.tar, curve.threshold, _degrees(curve.threshold)
        for row in np.stack(columns, axis=1).tolist():
            writer.writerow((result.name, result.settings, *plain(row)))
    return text.getvalue().encode()


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


# -- in plain types -------------------------------------------------------------------------------


def entry(result: Result) -> dict[str, Any]:
    """A model's part of the JSON file: shares from 0 to 1, thresholds as cosines and degrees."""
    scores, found, folds, ends = result.scores, result.found, result.accuracy, result.intervals
    tar = [_operating(point) for point in result.tar]
    for k, point in enumerate(tar):
        point |= {"low": ends.low[k] if ends else None, "high": ends.high[k] if ends else None}
    return {
        "name": result.name,
        "settings": result.settings,
        "genuine_pairs": len(scores.genuine),
        "impostor_pairs": scores.impostors,
        "auc": auc(scores),
        "eer": eer(scores),
        "tar_at_far": tar,
        "identities_resampled": ends.identities if ends else None,
        "accuracy": folds
        and {
            "mean": folds.mean,
            "standard_error": folds.standard_error,
            "folds": folds.accuracies,
            "thresholds": folds.thresholds,
            "thresholds_deg": _degrees(folds.thresholds),
        },
        "identification": found
        and {
            "gallery": found.gallery,
            "mated_probes": len(found.ranks),
            "non_mated_probes": found.non_mated,
            "cmc": found.cmc,
            "tpir_at_fpir": [_operating(point) for point in result.tpir],
        },
        "angles_deg": ANGLES_DEG,
        "accepted": {"genuine": scores.accepted[0], "impostor": scores.accepted[1]},
    }


def _operating(point: OperatingPoint) -> dict[str, Any]:
    return {**asdict(point), "threshold_deg": point.threshold_deg}


def _degrees(cosines: np.ndarray) -> np.ndarray:
    """Angles; NaN for a threshold that nothing or everything reaches."""
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    return np.where(np.isfinite(cosines), angles, np.nan)


def plain(value: Any) -> Any:
    """The same in plain types, with None for what is no finite number: JSON knows none."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
