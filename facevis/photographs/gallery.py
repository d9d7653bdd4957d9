"""Photographs with the faces found in them, and who is how far from whom.

It knows embeddings as rows of numbers and no model.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from PIL import Image, ImageDraw

from facevis.photographs.aligning import SIDE, aligned, sharpness
from facevis.photographs.detection import Detector, Face
from facevis.photographs.reading import Photograph, upright

MOST_FACES = 12
"""Faces of one photograph that can be chosen, the largest ones."""
_SHOWN = 480
_BLURRED = 25.0


@dataclass(eq=False)
class Portrait:
    """A photograph: its faces, their crops, and which of them counts."""

    name: str
    person: str
    shown: bytes
    """A small copy as JPEG, at most 480 pixels long."""
    faces: tuple[Face, ...]
    """The largest first, in pixels of the small copy."""
    crops: tuple[np.ndarray, ...]
    remarks: tuple[tuple[str, ...], ...]
    """For each face any of ``"small"`` and ``"blurred"``."""
    chosen: int = 0

    @property
    def crop(self) -> np.ndarray:
        """The chosen face, (112, 112, 3) uint8."""
        return self.crops[self.chosen]

    @cached_property
    def pixels(self) -> Image.Image:
        """The small copy."""
        return Image.open(io.BytesIO(self.shown))

    def drawn(self) -> Image.Image:
        """The small copy with a box around each face and five points on the chosen one."""
        picture = self.pixels.convert("RGB")
        pen = ImageDraw.Draw(picture)
        for number, face in enumerate(self.faces):
            left, top, width, height = face.box
            colour = "#2ec27e" if number == self.chosen else "#f5c211"
            pen.rectangle((left, top, left + width, top + height), outline=colour, width=3)
            if len(self.faces) > 1:
                pen.rectangle((left, top, left + 18, top + 18), fill=colour)
                pen.text((left + 9, top + 9), str(number + 1), fill="black", anchor="mm")
        if self.faces:
            for x, y in self.faces[self.chosen].points:
                pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill="#2ec27e", outline="black")
        return picture


def portrait(photograph: Photograph, detector: Detector) -> Portrait:
    """Look for faces; ``ValueError`` in one sentence for what is no picture."""
    try:
        picture = upright(photograph.data)
    except ValueError as error:
        raise ValueError(f"{photograph.name} was left out: {error}.") from error
    faces = detector.faces(picture)[:MOST_FACES]
    crops = tuple(aligned(picture, face.points) for face in faces)
    remarks = tuple(
        tuple(
            word
            for word, true in (("small", face.small), ("blurred", sharpness(crop) < _BLURRED))
            if true
        )
        for face, crop in zip(faces, crops, strict=True)
    )
    small = Image.fromarray(picture)
    small.thumbnail((_SHOWN, _SHOWN))
    scale = small.width / picture.shape[1]
    file = io.BytesIO()
    small.save(file, "JPEG", quality=88)
    scaled = tuple(face.scaled(scale) for face in faces)
    return Portrait(photograph.name, photograph.person, file.getvalue(), scaled, crops, remarks)


def in_size(crops: np.ndarray, size: int) -> np.ndarray:
    """Crops (N, 112, 112, 3) with another side."""
    if size == SIDE:
        return crops
    how = cv2.INTER_AREA if size < SIDE else cv2.INTER_CUBIC
    return np.stack([cv2.resize(crop, (size, size), interpolation=how) for crop in crops])


@dataclass(frozen=True)
class Near:
    """Another person, at the smallest angle between any of your pictures and any of theirs."""

    person: str
    angle: float
    """Degrees."""
    theirs: int
    mine: int


@dataclass(frozen=True, eq=False)
class Place:
    """Where one person is among others; all angles in degrees, in all dimensions."""

    nearest: tuple[Near, ...]
    """Others, nearest first."""
    own: np.ndarray
    """Between your pictures."""
    genuine: np.ndarray
    """Between pictures of one person, everybody's."""
    impostor: np.ndarray
    """Between two others who are not one person."""
    to_others: np.ndarray
    """Between you and others."""


def place(points: np.ndarray, people: np.ndarray, you: str) -> Place:
    """Compare embeddings (N, D) of people (N,), names; ``ValueError`` where one has no direction.

    >>> found = place(np.eye(3)[[0, 0, 1]], np.array(["me", "me", "ann"]), "me")
    >>> found.nearest[0].person, round(found.nearest[0].angle), found.own
    ('ann', 90, array([0.]))
    """
    points = points.astype(np.float64)
    length = np.linalg.norm(points, axis=1, keepdims=True)
    if not (np.isfinite(length) & (length > 0)).all():
        raise ValueError("the model gives no direction for some pictures; choose another model.")
    points = points / length
    angles = np.degrees(np.arccos(np.clip(points @ points.T, -1.0, 1.0)))
    mine = people == you
    same = people[:, None] == people[None]
    upper = np.triu(np.ones_like(same), 1)
    stranger = ~mine[:, None] & ~mine[None]
    nearest = []
    rows = np.flatnonzero(mine)
    for person in np.unique(people[~mine]) if len(rows) else ():
        columns = np.flatnonzero(people == person)
        part = angles[np.ix_(rows, columns)]
        row, column = np.unravel_index(part.argmin(), part.shape)
        found = float(part[row, column]), int(columns[column]), int(rows[row])
        nearest.append(Near(str(person), *found))
    return Place(
        tuple(sorted(nearest, key=lambda near: near.angle)),
        angles[np.ix_(rows, rows)][np.triu_indices(len(rows), 1)],
        angles[same & upper],
        angles[~same & upper & stranger],
        angles[np.ix_(rows, np.flatnonzero(~mine))].ravel(),
    )
