"""A sheet of panels side by side, each with a title above and numbers below.

One layout for still pictures and films. It knows moments, words and one look.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from facevis.figures.look import SHAPES, THEMES, class_color, class_marker
from facevis.figures.moments import Moment
from facevis.figures.panel import Panel
from facevis.figures.words import Words, figures, header, shorten, title
from facevis.live.config import RunConfig
from facevis.live.material import Material

_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}
MOST_PANELS = max(_COLUMNS)
_SIDE = {1: 5.6, 2: 4.8, 3: 4.2}
"""Inches of a panel, by the number of columns."""
_EDGE, _GAP, _ROW_GAP, _HEADER, _ABOVE, _BELOW = 0.4, 0.3, 0.2, 0.85, 0.62, 0.62
_NAMED_UNSEEN = 6

SETTINGS = threading.Lock()
"""Held while Matplotlib's settings, which are the whole process's, are changed."""


class Sheet:
    """Panels for so many moments; ``show`` others of the same members as often as wanted.

    ``coming`` are moments that a film shows later, where the legend must know of them.
    """

    def __init__(
        self,
        moments: list[Moment],
        config: RunConfig,
        material: Material,
        words: Words,
        theme: str,
        swept: str | None = None,
        coming: Sequence[Moment] = (),
    ) -> None:
        count = len(moments)
        columns = _COLUMNS[count]
        rows = math.ceil(count / columns)
        self.side = _SIDE[columns]
        self.words, self.theme, self.swept = words, THEMES[theme], swept
        self.config, self.material = config, material
        height = _ABOVE + self.side + _BELOW
        width = 2 * _EDGE + columns * self.side + (columns - 1) * _GAP
        self.figure = Figure(
            figsize=(width, _HEADER + rows * height + (rows - 1) * _ROW_GAP + 0.1),
            facecolor=self.theme.background,
        )
        self.canvas = FigureCanvasAgg(self.figure)
        self._size = width, _HEADER + rows * height + (rows - 1) * _ROW_GAP + 0.1
        labels = material.dataset.labels[material.shown]
        hollow = material.held_out | material.unseen
        self._panels: list[Panel] = []
        self._texts: list[list[Text]] = []
        for place, each in enumerate(moments):
            row, column = divmod(place, columns)
            # A last row that is not full stands in the middle.
            absent = max(0, (row + 1) * columns - count)
            left = _EDGE + (column + absent / 2) * (self.side + _GAP)
            top = _HEADER + row * (height + _ROW_GAP)
            axes = self._axes(left, top + _ABOVE)
            names = list(material.dataset.class_names[: material.num_classes])
            dim = each.embeddings.shape[1]
            spherical = each.member.spherical
            self._panels.append(
                Panel(axes, self.side, dim, names, labels, hollow, spherical, self.theme)
            )
            self._texts.append(self._write(each, left, top))
        self._head = [
            self._text(_EDGE, 0.3, "", 11, "bold", self.theme.ink, "left"),
            self._text(width - _EDGE, 0.3, "", 11, "normal", self.theme.mute, "right"),
        ]
        self._draw_legend([*moments, *coming])
        self.show(moments)

    def show(self, moments: list[Moment]) -> None:
        """Draw other moments of the same members."""
        for panel, texts, each in zip(self._panels, self._texts, moments, strict=True):
            panel.show(each)
            values = [value for _, value in figures(each, self.words)]
            lines = [*title(each, self.words, self.swept), *values]
            for text, line in zip(texts, lines, strict=False):
                text.set_text(line)
            texts[-1].set_visible(each.diverged)
        about = header(self.config, self.material, moments[0].step, self.words)
        for text, line in zip(self._head, about, strict=True):
            text.set_text(line)

    def _axes(self, left: float, top: float) -> Axes:
        width, height = self._size
        box = (
            left / width,
            1.0 - (top + self.side) / height,
            self.side / width,
            self.side / height,
        )
        return self.figure.add_axes(box)

    def _write(self, moment: Moment, left: float, top: float) -> list[Text]:
        """Title, settings, values and the word for a failure; names of the values stay."""
        ink, mute, middle = self.theme.ink, self.theme.mute, left + self.side / 2
        texts = [
            self._text(middle, top + 0.2, "", 15, "bold", ink, "center"),
            self._text(middle, top + 0.46, "", 10.5, "normal", mute, "center"),
        ]
        pairs = figures(moment, self.words)
        below = top + _ABOVE + self.side
        for place, (name, _) in enumerate(pairs):
            x = left + self.side * (0.5 + (place - (len(pairs) - 1) / 2) * 0.27)
            self._text(x, below + 0.13, name, 9, "normal", mute, "center")
            texts.append(self._text(x, below + 0.35, "", 12.5, "bold", ink, "center"))
        failed = self.words("figure_diverged")
        centre = top + _ABOVE + self.side / 2
        texts.append(self._text(middle, centre, failed, 11, "bold", self.theme.warn, "center"))
        texts[-1].set_bbox(dict(fc=self.theme.background, ec="none", pad=4.0))
        return texts

    def _text(
        self, x: float, y: float, line: str, size: float, weight: str, color: str, align: str
    ) -> Text:
        width, height = self._size
        text = self.figure.text(
            *(x / width, 1.0 - y / height, line),
            fontsize=size,
            fontweight=weight,
            color=color,
            ha=align,
            va="center",
        )
        text.set_parse_math(False)
        return text

    def _draw_legend(self, moments: list[Moment]) -> None:
        """Which samples were trained on, and, by name, which identities never were."""
        material, words, mute = self.material, self.words, self.theme.mute
        entries = [(words("figure_training"), mute, True, 0)]
        if material.held_out.any():
            entries.append((words("figure_held_out"), mute, False, 0))
        names = material.dataset.class_names
        unseen = range(material.num_classes, len(names))
        if material.unseen.any() and len(unseen) > _NAMED_UNSEEN:
            entries.append((words("figure_unseen"), mute, False, 0))
        elif material.unseen.any():
            entries += [(shorten(names[c]), class_color(c), False, c) for c in unseen]
            first = words("figure_unseen_named", name=shorten(names[unseen[0]]))
            entries[-len(unseen)] = (first, *entries[-len(unseen)][1:])
        handles = [self._handle(*entry) for entry in entries]
        if any(self._panels[0].cap_radius(each) == 0.0 for each in moments):
            word = words("figure_infeasible")
            dashes = Line2D([], [], label=word, color=self.theme.warn, linewidth=2.2)
            dashes.set_linestyle((0, (2.2, 1.2)))
            handles.append(dashes)
        if len(handles) == 1:
            return
        width, height = self._size
        legend = self.figure.legend(
            handles=handles,
            loc="center left",
            bbox_to_anchor=(_EDGE / width, 1.0 - 0.6 / height),
            ncols=len(handles),
            frameon=False,
            fontsize=9.5,
            labelcolor=mute,
            handletextpad=0.45,
            columnspacing=1.6,
            borderpad=0.0,
            handlelength=1.6,
            borderaxespad=0.0,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # names are names, even with a dollar in them

    def _handle(self, name: str, color: str, full: bool, c: int) -> Line2D:
        return Line2D(
            *([], []),
            label=name,
            linestyle="none",
            marker=SHAPES[class_marker(c)],
            markersize=6.5,
            markerfacecolor=color if full else self.theme.background,
            markeredgecolor=color,
            markeredgewidth=1.4,
        )

    # -- out ----------------------------------------------------------------------------------

    @property
    def width(self) -> float:
        """Inches."""
        return self._size[0]

    def png(self, dpi: float = 160.0) -> bytes:
        """The sheet as a PNG."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def svg(self) -> bytes:
        """The sheet as an SVG whose words are text; the same sheet gives the same bytes."""
        buffer = io.BytesIO()
        # Matplotlib's settings are the whole process's: one drawing at a time.
        with SETTINGS, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "facevis"}):
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()

    def pixels(self, width: int) -> np.ndarray:
        """The sheet as pixels about ``width`` wide, (H, W, 3) uint8, H and W even."""
        self.figure.set_dpi(width / self._size[0])
        self.canvas.draw()
        image = np.asarray(self.canvas.buffer_rgba())[..., :3]
        return image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
