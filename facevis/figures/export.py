"""A recording to take away: a picture, a drawing, a table or a film, as the bytes of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from facevis.figures import film, tables
from facevis.figures.look import THEMES
from facevis.figures.moments import Moment, aligned, along, moment, replay
from facevis.figures.sheet import MOST_PANELS, Sheet
from facevis.figures.words import Words
from facevis.live.config import RunConfig
from facevis.live.material import Material
from facevis.live.recording import Recording
from facevis.validation import choice

FORMATS = ("png", "svg", "csv", "gif", "mp4")
Progress = Callable[[int, int], None]
"""Called with what is done and how much there is; it may raise ``Cancelled``."""

Script = Callable[[float], list[Moment]]
"""What is shown at a share (0 … 1) of a film; the whole of it is the still picture."""

_WIDEST = {"gif": 960, "mp4": 1280}
_PIXELS_PER_INCH = 112


class Cancelled(Exception):
    """Raised by a progress function to stop; nothing is left behind."""


def take_away(
    recording: Recording,
    material: Material,
    format: str,
    *,
    words: Words,
    theme: str = "light",
    progress: Progress | None = None,
    walk: bool | None = None,
) -> bytes:
    """The recording as the bytes of a png, svg, csv, gif or mp4 file.

    png and svg show the last snapshot, the csv holds its statistics (``tables.history_csv`` those
    of every step), gif and mp4 replay all snapshots in about six seconds. Up to six members stand
    side by side; of a longer sweep five do. A film of a sweep walks through its members instead,
    there and back (``walk``; left out, every sweep is walked). For another step than the last,
    hand in a recording that ends there.

    ``words`` is ``facevis.i18n.translator(language)``, ``theme`` "light" or "dark". ``progress`` is
    called often and may raise ``Cancelled``. ``ValueError`` for a recording without a snapshot, for
    more members than there is room for, and for pictures of other than 2 or 3 dimensions.

    >>> from facevis.i18n import translator
    >>> from facevis.live import Ensemble, RunConfig
    >>> ensemble = Ensemble(RunConfig())
    >>> recording = ensemble.record(steps=2)
    >>> take_away(recording, ensemble.material, "png", words=translator("en"))[:4]
    b'\\x89PNG'
    """
    choice("format", format, FORMATS)
    choice("theme", theme, tuple(THEMES))
    if not recording.snapshots:
        raise ValueError("the recording has no snapshot yet; train before taking it away.")
    report = progress or (lambda done, total: None)
    if format == "csv":
        report(0, 1)
        return tables.statistics_csv(recording)
    check_pictures(recording.config)
    name = recording.config.swept
    moving = format in ("gif", "mp4")
    if walk is None:
        walk = name is not None
    stations = _walk(recording) if moving and walk else []
    script = partial(_along, stations) if stations else _replay(recording, name)
    sheet = Sheet(script(1.0), recording.config, material, words, theme, name, stations)
    if not moving:
        report(1, 2)
        return sheet.png() if format == "png" else sheet.svg()
    width = min(_WIDEST[format], round(_PIXELS_PER_INCH * sheet.width))
    # A walk ends where it begins; a replay ends with its last snapshot and rests there.
    shares = [k / (film.FRAMES if walk else film.FRAMES - 1) for k in range(film.FRAMES)]
    hold = 0 if walk else film.HOLD

    def frames() -> Iterator[np.ndarray]:
        for done, share in enumerate(shares):
            report(done, len(shares) + 1)
            sheet.show(script(share))
            yield sheet.pixels(width)
        report(len(shares), len(shares) + 1)

    if format == "mp4":
        return film.mp4(frames(), hold)
    palette = sheet.pixels(width).copy()
    return film.gif(frames(), palette, hold)


def chosen(config: RunConfig) -> list[int]:
    """The members that stand on a sheet: all, or of a longer sweep five, evenly."""
    count = len(config.members)
    if count <= MOST_PANELS:
        return list(range(count))
    if config.swept is None:
        raise ValueError(
            f"a picture has room for {MOST_PANELS} members, not {count}; "
            "take fewer, or the csv with all of them."
        )
    return [round(share * (count - 1)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]


def check_pictures(config: RunConfig) -> None:
    """Refuse a run of which no picture can be drawn."""
    if config.embedding_dim not in (2, 3):
        raise ValueError(
            f"a picture needs 2 or 3 dimensions, not {config.embedding_dim}; take the csv."
        )
    chosen(config)


def _replay(recording: Recording, name: str | None) -> Script:
    """All snapshots, every one as long as the next; the members of a sweep turned alike."""
    members = chosen(recording.config)
    show = aligned if name else list

    def script(share: float) -> list[Moment]:
        return show(replay(recording, members, share))

    return script


def _along(stations: list[Moment], share: float) -> list[Moment]:
    return [along(stations, share)]


def _walk(recording: Recording) -> list[Moment]:
    """The last snapshot's members, turned alike, without those that diverged."""
    last = recording.snapshots[-1]
    moments = [moment(recording, last, i) for i in range(len(recording.config.members))]
    return aligned([each for each in moments if not each.diverged] or moments[:1])
