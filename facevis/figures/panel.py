"""One member's picture: circle or sphere, samples, prototypes, admissible caps.

Its artists are built once and moved afterwards, so that a film costs little more than its markers.
It knows moments, and of words the names of classes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.patches import Circle
from matplotlib.transforms import IdentityTransform

from facevis.alignment import directions
from facevis.figures import projection
from facevis.figures.arrows import arrow
from facevis.figures.look import (
    SHAPES,
    Theme,
    class_color,
    class_marker,
    darker,
    marker_colors,
    marker_path,
)
from facevis.figures.moments import Moment
from facevis.figures.words import shorten
from facevis.geometry import admissible_radius, packing_angle
from facevis.margins import Margin

RANGE = 1.3
"""The picture goes from −RANGE to RANGE at least: room for caps and names outside the circle."""
_LETTER = 0.36
"""Half the width of a bold letter, as a share of the font's size."""
_BAND = (1.045, 1.08)
_TIP = 1.17
_RINGS = 6
_POINTS = 72.0


class Panel:
    """A square picture on ``axes`` of ``side`` inches; ``show`` a moment, as often as wanted."""

    def __init__(
        self,
        axes: Axes,
        side: float,
        dim: int,
        names: list[str],
        labels: np.ndarray,
        hollow: np.ndarray,
        spherical: bool,
        theme: Theme,
    ) -> None:
        self.axes, self.dim, self.theme = axes, dim, theme
        self.names = [shorten(name) for name in names]
        self.spherical, self.labels = spherical, labels
        self.font = 10.0 if len(names) <= 12 else 8.0
        reach = self._reach(side)
        # One point (1/72 inch) in the picture's own units.
        self._point = 2.0 * reach / (side * _POINTS)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_axis_off()
        self._draw_frame()
        self._colors = marker_colors(labels, hollow, theme)
        self._marker = np.array([class_marker(int(label)) for label in labels])
        self._paths = np.array([marker_path(k) for k in range(len(SHAPES))], dtype=object)
        self._widths = np.where(hollow, 1.0, 0.45)
        self._kinds = 2 * labels + hollow
        self._build(side)

    def _reach(self, side: float) -> float:
        """How far the picture goes: farther where long names stand beside the circle."""
        longest = max((len(name) for name in self.names), default=0)
        share = min(0.5, 4.0 * _LETTER * self.font * longest / (side * _POINTS))
        return max(RANGE, min(1.7, 1.13 / (1.0 - share)))

    # -- what stays ---------------------------------------------------------------------------

    def _draw_frame(self) -> None:
        if self.dim == 2:
            cross = [[(-1.1, 0.0), (1.1, 0.0)], [(0.0, -1.1), (0.0, 1.1)]]
            self._lines(cross, self.theme.grid, 0.8, 1)
            if self.spherical:
                self.axes.add_patch(Circle((0, 0), 1, fc="none", ec=self.theme.rim, lw=1.2))
        elif self.spherical:
            self._draw_sphere()
        else:
            ends = np.eye(3)
            spans = [projection.project(np.stack([-end, end]))[0] for end in ends]
            self._lines(spans, self.theme.rim, 1.2, 1)

    def _draw_sphere(self) -> None:
        inner = projection.INNER
        shades = LinearSegmentedColormap.from_list("", [self.theme.shade, self.theme.sphere])
        disc = self.axes.imshow(
            shades(projection.shading()), extent=(-inner, inner, -inner, inner), zorder=1
        )
        disc.set_clip_path(Circle((0, 0), inner, transform=self.axes.transData))
        runs = [r for c in projection.great_circles() for r in projection.visible_runs(c)]
        self._lines(runs, self.theme.rim, 0.8, 2)
        rim = Circle((0, 0), inner, fc="none", ec=self.theme.rim, lw=1.2, zorder=2)
        self.axes.add_patch(rim)

    def _lines(
        self, segments: list[Any], color: str, width: float, zorder: float
    ) -> LineCollection:
        lines = LineCollection(segments, colors=color, linewidths=width, zorder=zorder)
        self._add(lines)
        return lines

    def _add(self, collection: Collection) -> None:
        # The limits stand: data must not be looked through for them.
        self.axes.add_collection(collection, autolim=False)

    # -- what moves ---------------------------------------------------------------------------

    def _build(self, side: float) -> None:
        theme, above = self.theme, 6 if self.dim == 3 else 4
        self._fills = PolyCollection([], linewidths=0.0, zorder=3)
        self._bands = PolyCollection([], linewidths=0.0, zorder=3)
        self._edges = LineCollection([], linewidths=1.4, zorder=3, capstyle="butt")
        self._samples = PathCollection(
            [self._paths[0]],
            sizes=[(self._diameter(side)) ** 2],
            offsets=np.zeros((0, 2)),
            offset_transform=self.axes.transData,
            zorder=5,
        )
        self._samples.set_transform(IdentityTransform())
        self._rings = self._lines([], theme.mute, 0.7, 2)
        self._rings.set_alpha(0.35)
        self._shafts = [LineCollection([], zorder=above, capstyle="round") for _ in range(2)]
        self._heads = [PolyCollection([], zorder=above, joinstyle="round") for _ in range(2)]
        moving = (self._fills, self._bands, self._edges, self._samples)
        for collection in (*moving, *self._shafts, *self._heads):
            self._add(collection)
        box = dict(boxstyle="round,pad=0.12", fc=to_rgba(theme.background, 0.75), ec="none")
        self._names = [
            self.axes.text(
                *(0, 0, name),
                ha="center",
                va="center",
                fontsize=self.font,
                fontweight="bold",
                color=theme.ink,
                zorder=8,
                bbox=box if self.dim == 3 else None,
                parse_math=False,
            )
            for name in self.names
        ]
        self._lengths = [
            self.axes.text(
                0, 0, "", fontsize=7.5, color=theme.mute, zorder=7, va="bottom", bbox=box
            )
            for _ in range(_RINGS)
        ]

    def _diameter(self, side: float) -> float:
        """Points; like the live view's markers beside its stage."""
        return side * _POINTS / 90.0 + (0.4 if self.dim == 2 else 0.8)

    def show(self, moment: Moment) -> None:
        """Draw a moment; one whose numbers are not finite leaves the frame empty."""
        blank = moment.diverged
        points = moment.embeddings[:0] if blank else moment.embeddings
        prototypes = directions(moment.prototypes[:0] if blank else moment.prototypes)
        longest = 1.0 if self.spherical else float(np.linalg.norm(points, axis=1).max(initial=0.0))
        self._show_samples(points / (longest or 1.0))
        self._show_arrows(prototypes)
        self._show_names(prototypes)
        if self.spherical:
            self._show_caps(prototypes, self.cap_radius(moment))
        elif self.dim == 2:
            self._show_rings(longest)

    def cap_radius(self, moment: Moment) -> float | None:
        """The admissible radius, radians; 0 where the margin does not fit, None without caps."""
        if not moment.member.in_margin_family:
            return None
        return _admissible(moment.margin, len(moment.prototypes), self.dim)

    def _show_samples(self, points: np.ndarray) -> None:
        page, depth = projection.project(points)
        order = np.flatnonzero(~projection.hidden(points))
        if self.dim == 3:
            order = order[np.argsort(depth[order], kind="stable")]
        order = order[
            projection.last_of_each(page[order] / (0.25 * self._point), self._kinds[order])
        ]
        faces, edges = self._colors
        self._samples.set(
            offsets=page[order],
            facecolors=faces[order],
            edgecolors=edges[order],
            linewidths=self._widths[order],
        )
        if self._marker.any():
            self._samples.set_paths(list(self._paths[self._marker[order]]))

    def _show_arrows(self, prototypes: np.ndarray) -> None:
        ball = self.dim == 3 and self.spherical
        low, high = (1.0, _TIP) if ball else (0.0, 0.97 if self.spherical else 1.04)
        width, shafts, heads, colors = (2.2 if ball else 1.5), [], [], []
        for c, direction in enumerate(prototypes):
            parts = arrow(direction, low, high, width, self._point, ball)
            if parts is None:
                continue
            shafts.append(parts.shaft)
            heads.append(parts.head)
            colors.append(darker(class_color(c), 0.2) if ball else class_color(c))
        # On the sphere a light edge first: an arrow stays visible among samples of its colour.
        halo = [self.theme.background] * len(colors)
        for place, (tones, extra) in enumerate(((halo, 2.0), (colors, 0.0))):
            shown = place == 1 or ball
            self._shafts[place].set(
                segments=shafts if shown else [], colors=tones, linewidths=width + extra
            )
            self._heads[place].set(
                verts=heads if shown else [], facecolors=tones, edgecolors=tones, linewidths=extra
            )

    def _show_names(self, prototypes: np.ndarray) -> None:
        """Names at the prototypes; one that would cover another is left out."""
        ball = self.dim == 3 and self.spherical
        height = 1.27 if ball else 1.175 if self.spherical else 1.13
        taken: list[tuple[float, float, float]] = []
        for text in self._names:
            text.set_visible(False)
        for text, direction in zip(self._names, prototypes, strict=False):
            if not direction.any() or (ball and projection.hidden(_TIP * direction[None])[0]):
                continue
            ((right, up),), _ = projection.project(direction[None])
            x, y = height * right, height * up
            letter = _LETTER * self.font * self._point
            half = letter * len(text.get_text())
            # A long name is moved outwards, clear of the circle.
            x += (half - letter) * right
            line = 1.15 * self.font * self._point
            if any(abs(a - x) < r + half and abs(b - y) < line for a, b, r in taken):
                continue
            taken.append((x, float(y), half))
            text.set(position=(x, y), visible=True)

    def _show_caps(self, prototypes: np.ndarray, radius: float | None) -> None:
        bad = radius == 0.0
        shown = _gap(len(self.names), self.dim) / 2.0 if bad else radius or 0.0
        fills, bands, edges, colors = [], [], [], []
        for c, centre in enumerate(prototypes if radius is not None else ()):
            color = self.theme.warn if bad else class_color(c)
            if not centre.any():
                continue
            if self.dim == 3:
                circle = projection.cap_circle(centre, shown)
                runs = projection.visible_runs(circle)
                edges += runs
                colors += [color] * len(runs)
                whole = len(runs) == 1 and len(runs[0]) == len(circle)
                fills.append(runs[0] if whole and not bad else np.zeros((3, 2)))
            elif bad:
                edges.append(projection.cap_arc(centre, shown, sum(_BAND) / 2.0))
                colors.append(color)
            else:
                arc = projection.cap_arc(centre, shown)
                fills.append(np.vstack([np.zeros(2), arc]))
                bands.append(np.vstack([_BAND[0] * arc, _BAND[1] * arc[::-1]]))
        tones = [class_color(c) for c in range(len(prototypes))]
        share = self.theme.wedge * (1.4 if self.dim == 3 else 1.0)
        self._fills.set(verts=fills, facecolors=[to_rgba(tone, share) for tone in tones])
        self._bands.set(verts=bands, facecolors=tones)
        self._edges.set(
            segments=edges, colors=colors, linestyles="--" if bad else "-", linewidths=1.4
        )

    def _show_rings(self, longest: float) -> None:
        """Circles that say how long embeddings are where they keep their length."""
        step = ring_step(longest)
        values = [k * step for k in range(1, _RINGS + 1) if k * step <= 1.02 * longest]
        circle = projection.cap_arc(np.array([1.0, 0.0]), math.pi, count=120)
        self._rings.set_segments([value / longest * circle for value in values])
        for text in self._lengths:
            text.set_visible(False)
        for text, value in zip(self._lengths, values, strict=False):
            place = value / longest * math.sqrt(0.5) + 2.0 * self._point
            text.set(position=(place, place), text=f"{value:g}", visible=True)


def ring_step(longest: float) -> float:
    """The round step (1, 2 or 5 times a power of ten) of which two to five fit; 1 for nothing.

    >>> [ring_step(value) for value in (0.9, 3.0, 47.0)]
    [0.2, 1.0, 20.0]
    """
    if longest <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(longest / 2.0))
    return next(k * power for k in (5.0, 2.0, 1.0) if longest / (k * power) >= 2.0)


@lru_cache(maxsize=1024)
def _admissible(margin: Margin, num_classes: int, dim: int) -> float:
    return admissible_radius(margin, _gap(num_classes, dim))


@lru_cache(maxsize=64)
def _gap(num_classes: int, dim: int) -> float:
    return packing_angle(num_classes, dim)
