"""Drawn faces that a detector takes for faces, as files."""

import numpy as np
from PIL import Image

from facevis.corpora import made_up


def drawn(people=2, each=1):
    """Pictures (H, W, 3) of each person, with some room around the face."""
    faces = made_up(f"faces:identities={people},images={each},size=200")
    for index, label in enumerate(faces.labels):
        yield int(label), np.pad(faces.pixels(index), ((40, 40), (40, 40), (0, 0)), mode="edge")


def write_people(folder, people=2, each=1):
    """One subfolder for each: p0/0.png, p0/1.png, …"""
    counts = {}
    for label, picture in drawn(people, each):
        place = folder / f"p{label}"
        place.mkdir(exist_ok=True)
        counts[label] = counts.get(label, -1) + 1
        Image.fromarray(picture).save(place / f"{counts[label]}.png")
