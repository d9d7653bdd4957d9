"""A face set at a glance: a picture with a row for each of a few identities, or with pairs.

Pictures are shown as training sees them, their centred square. Which ones are shown is spread
evenly over the set, so that the same set gives the same sheet. It knows no language: whoever asks
for a sheet gives the words.
"""

from __future__ import annotations

import importlib.util
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from facevis.corpora.bins import BinSet
from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.writing import new_file

TILE = 112
"""Side of a picture in pixels, that of most face sets."""
ROWS, COLUMNS = 8, 8
PAIR_ROWS = 6
_PAIR_COLUMNS = 2  # of each kind
_MARGIN, _GAP, _FRAME = 20, 6, 4
_NAMES = 150
"""The most that the names of identities are wide, in pixels."""
_TITLES = 900
_TEXT, _TITLE = 14, 18
_WHITE, _INK, _GREY, _PALE = "#ffffff", "#1a1a1a", "#767676", "#e4e4e4"
SAME, DIFFERENT = "#0072b2", "#d55e00"
"""Blue and vermilion, which everybody can tell apart (Okabe and Ito, 2008)."""


def people_sheet(corpus: Corpus, title: str) -> Image.Image:
    """At most eight identities with at most eight pictures each; "×20" says how many there are.

    A damaged picture is a grey square with a cross.

    >>> from facevis.corpora import open_corpus
    >>> sheet = people_sheet(open_corpus("faces:identities=3,images=2,size=32"), "three people")
    >>> sheet.height == 2 * 20 + 18 + 3 * 112 + 2 * 6 + 20
    True
    """
    counts = np.bincount(corpus.labels, minlength=corpus.num_classes)
    people = _spread(corpus.num_classes, ROWS)
    across = min(COLUMNS, int(counts[people].max()))
    step = TILE + _GAP
    names = [_fitting(corpus.identities[person], _NAMES) for person in people]
    wide = max(_length(text) for text in [*names, f"×{counts.max()}"])
    left, top = 2 * _MARGIN + wide, 2 * _MARGIN + _TITLE
    width, height = left + across * step - _GAP, top + len(people) * step - _GAP
    sheet, pen = _blank(width + _MARGIN, height + _MARGIN, title)
    for row, (person, name) in enumerate(zip(people, names, strict=True)):
        y = top + row * step
        pen.text((_MARGIN, y + TILE // 2), name, _INK, _font(_TEXT), "ls")
        pen.text((_MARGIN, y + TILE // 2 + 20), f"×{counts[person]}", _GREY, _font(_TEXT), "ls")
        own = np.flatnonzero(corpus.labels == person)
        for column, place in enumerate(_spread(len(own), across)):
            tile = _tile(corpus, int(own[place]))
            sheet.paste(tile, (left + column * step, y))
    return sheet


def pairs_sheet(pairs: BinSet, title: str, same: str, different: str) -> Image.Image:
    """Genuine pairs on the left, in blue, impostor pairs on the right; a number is a pair's place.

    ``same`` and ``different`` are the headings of the two halves.
    """
    step_x, step_y = 2 * TILE + 2 * _FRAME + 3 * _GAP, TILE + 2 * _FRAME + 26
    half = _PAIR_COLUMNS * step_x
    top = 3 * _MARGIN + _TITLE + _TEXT
    most = PAIR_ROWS * _PAIR_COLUMNS
    kinds = [np.flatnonzero(pairs.same), np.flatnonzero(~pairs.same)]
    rows = -(-min(most, max(map(len, kinds))) // _PAIR_COLUMNS)
    width = 2 * _MARGIN + 2 * half + _MARGIN - 3 * _GAP
    sheet, pen = _blank(width, top + rows * step_y + _MARGIN - _GAP, title)
    for kind, (own, colour, words) in enumerate(
        zip(kinds, (SAME, DIFFERENT), (same, different), strict=True)
    ):
        left = _MARGIN + kind * (half + _MARGIN)
        heading = _fitting(f"{words} ({len(own)})", half, _TITLE)
        pen.text((left, top - _MARGIN // 2), heading, colour, _font(_TITLE), "ls")
        for number, place in enumerate(_spread(len(own), most)):
            pair = int(own[place])
            down, across = divmod(number, _PAIR_COLUMNS)
            x, y = left + across * step_x, top + down * step_y
            frame = (x, y, x + 2 * TILE + _GAP + 2 * _FRAME - 1, y + TILE + 2 * _FRAME - 1)
            pen.rectangle(frame, _WHITE, colour, _FRAME)
            for side in (0, 1):
                at = (x + _FRAME + side * (TILE + _GAP), y + _FRAME)
                sheet.paste(_tile(pairs, 2 * pair + side), at)
            pen.text((x, y + TILE + 2 * _FRAME + 16), str(pair), _GREY, _font(_TEXT), "ls")
    return sheet


def write_png(path: Path, sheet: Image.Image) -> None:
    """Write a sheet whole or not at all; an old file gives way. ``ValueError`` if it cannot be."""
    with new_file(path, replace=True) as partial:
        sheet.save(partial, "PNG")


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` of the places 0 … ``count`` − 1, from the first to the last.

    >>> _spread(100, 4), _spread(2, 4)
    ([0, 33, 66, 99], [0, 1])
    """
    return [int(place) for place in np.linspace(0, count - 1, min(count, most)).round()]


def _blank(width: int, height: int, title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    title = _fitting(title, _TITLES, _TITLE)
    sheet = Image.new("RGB", (max(width, _length(title, _TITLE) + 2 * _MARGIN), height), _WHITE)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN + _TITLE), title, _INK, _font(_TITLE), "ls")
    return sheet, pen


def _tile(source: Corpus | BinSet, index: int) -> Image.Image:
    try:
        return Image.fromarray(source.picture(index, TILE))
    except DamagedPicture:
        tile = Image.new("RGB", (TILE, TILE), _PALE)
        pen, end = ImageDraw.Draw(tile), TILE - 1
        pen.line((0, 0, end, end), _GREY, 2)
        pen.line((0, end, end, 0), _GREY, 2)
        return tile


def _fitting(text: str, width: int, size: int = _TEXT) -> str:
    """A text in one line, cut where it is wider than ``width`` pixels."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:200])
    cut = shown
    while cut and _length(cut if cut == shown else cut + "…", size) > width:
        cut = cut[:-1]
    return cut if cut == shown else cut + "…"


def _length(text: str, size: int = _TEXT) -> int:
    return math.ceil(_font(size).getlength(text))


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu Sans, which comes with Matplotlib and has Cyrillic; Pillow's own has Latin only."""
    found = importlib.util.find_spec("matplotlib")  # found, not imported
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
