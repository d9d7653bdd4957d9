"""Photographs as upright RGB pixels, from bytes or from a folder that is only read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from facevis.corpora.folders import SUFFIXES
from facevis.datasets.own import MAX_FILE_BYTES, opened
from facevis.validation import path_of

MOST = 500
"""Photographs at once."""
_LONGEST = 1600
"""Longest side that is kept: phones take more than a face of 112 pixels needs."""


@dataclass(frozen=True)
class Photograph:
    """A picture that is not decoded yet."""

    name: str
    person: str
    data: bytes


def upright(data: bytes) -> np.ndarray:
    """A picture as uint8 RGB (H, W, 3), turned as its camera was held, at most 1600 pixels long.

    Of an animation the first frame, on white where it is transparent. Raises ``ValueError``, half
    a sentence, for what is no whole picture of at most 64 million pixels.
    """
    with opened(data) as picture:
        picture.draft("RGB", (_LONGEST, _LONGEST))
        turned = ImageOps.exif_transpose(picture)
        turned.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        if turned.has_transparency_data:
            ground = Image.new("RGBA", turned.size, "white")
            turned = Image.alpha_composite(ground, turned.convert("RGBA"))
        return np.array(_eight_bits(turned).convert("RGB"))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of sixteen bits as eight: Pillow would cut it off at 255."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).astype(np.uint8))


def of_folder(path: str | Path) -> Iterator[Photograph]:
    """The photographs of a folder, by name.

    One subfolder is one person. Pictures beside the subfolders are of whom their names begin with,
    up to a number: ``anna_2.jpg`` is anna, ``7.jpg`` is 7. Raises ``ValueError`` in words for no
    folder, no permission, no picture, or more than ``MOST``.
    """
    root = path_of(path)
    try:
        if not root.is_dir():
            raise ValueError(f"there is no folder {str(root)[-80:]}; check its path.")
        files = [(file, person_of(file.name)) for file in _pictures(root)]
        for folder in sorted(p for p in root.iterdir() if p.is_dir() and p.name[0] != "."):
            files += [(file, folder.name) for file in _pictures(folder)]
        if not files:
            raise ValueError(
                f"{str(root)[-80:]} has no picture ({', '.join(SUFFIXES[:4])} …), nor have its "
                "subfolders; choose another folder."
            )
        if len(files) > MOST:
            raise ValueError(
                f"{str(root)[-80:]} has {len(files)} pictures, more than {MOST}; choose a smaller "
                "folder."
            )
        for file, person in files:
            with file.open("rb") as opened:
                data = opened.read(MAX_FILE_BYTES + 1)  # one more: ``upright`` refuses it
            yield Photograph(file.relative_to(root).as_posix(), person, data)
    except OSError as error:
        raise ValueError(
            f"{str(error.filename or root)[-80:]} cannot be read ({error.strerror}); check its "
            "permissions."
        ) from error


def _pictures(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name.lower().endswith(SUFFIXES) and e.is_file()]
    return [folder / name for name in sorted(names) if name[0] != "."]


def person_of(name: str) -> str:
    """Whose picture a file is, by its name.

    >>> [person_of(name) for name in ("anna_2.jpg", "Ben-old.png", "7.jpg", "IMG_0123.JPG")]
    ['anna', 'Ben-old', '7', 'IMG']
    """
    stem = Path(name).stem
    return re.split(r"[_\W]*\d", stem, maxsplit=1)[0] or stem
