"""Some pictures of some identities of a face set, in memory. It knows no network."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facevis.corpora.bins import SUFFIX
from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.opening import open_corpus
from facevis.validation import whole

Progress = Callable[[int, int], None]

MOST_PICTURES = 2000
"""What the live view still draws fluently."""
_READERS = 4
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class People:
    """N pictures of K identities of a set."""

    name: str
    pictures: np.ndarray
    """(N, size, size, 3) uint8."""
    labels: np.ndarray
    """(N,) int64 from 0 to K − 1."""
    names: tuple[str, ...]
    """(K,) the identities' own names."""
    classes: np.ndarray
    """(K,) their numbers in the whole set."""
    num_classes: int
    """Identities of the whole set."""
    remarks: tuple[str, ...] = ()
    """Sentences about what was left out."""


def choose(
    spec: str,
    size: int,
    *,
    identities: int = 24,
    images_each: int = 20,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> People:
    """Identities spread evenly over a set and the first pictures of each, ``size`` pixels wide.

    ``spec`` names the set as ``corpora.open_corpus`` takes it. Identities with one picture are
    taken only where too few have more. Raises ``ValueError`` in words for what is no face set, for
    fewer than two identities that can be read, and for more than ``MOST_PICTURES`` pictures.

    >>> people = choose("faces:identities=9,images=3,size=32", 32, identities=4, images_each=2)
    >>> people.pictures.shape, people.classes
    ((8, 32, 32, 3), array([0, 3, 5, 8]))
    """
    whole("identities", identities, 2, 1000)
    whole("images_each", images_each, 1, 1000)
    if spec.lower().endswith(SUFFIX):
        raise ValueError(
            f"{Path(spec).name} holds pairs and does not say who is who; name a folder with one "
            "subfolder for each person, a RecordIO, a list or shards."
        )
    corpus = open_corpus(spec, cache)
    classes, rows = _chosen(corpus, identities, images_each)
    if len(rows) > MOST_PICTURES:
        raise ValueError(
            f"{len(classes)} identities with up to {images_each} pictures are {len(rows)} "
            f"pictures, more than {MOST_PICTURES}; choose fewer."
        )
    corpus.prepare(rows)
    pictures, there, said = _read(corpus, rows, size, progress)
    labels = np.searchsorted(classes, corpus.labels[rows[there]])
    present, labels = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        hint = f" The first: {said[0]}" if said else ""
        raise ValueError(
            f"{corpus.name} has pictures of fewer than two identities that can be read; choose "
            f"another set.{hint}"
        )
    classes = classes[present]
    names = tuple(str(corpus.identities[int(k)]) for k in classes)
    remarks = (*corpus.remarks, *said)
    return People(corpus.name, pictures[there], labels, names, classes, corpus.num_classes, remarks)


def _chosen(corpus: Corpus, identities: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes spread evenly over those that can be compared, and the first rows of each."""
    sizes = np.bincount(corpus.labels, minlength=corpus.num_classes)
    able = np.flatnonzero(sizes > 1)
    if len(able) < 2:
        able = np.flatnonzero(sizes)
    places = np.linspace(0, len(able) - 1, min(identities, len(able))).round().astype(np.int64)
    classes = able[np.unique(places)]
    order = np.argsort(corpus.labels, kind="stable")
    start = np.searchsorted(corpus.labels[order], classes)
    picked = [order[s : s + min(each, sizes[k])] for s, k in zip(start, classes, strict=True)]
    return classes, np.concatenate(picked)


def _read(
    corpus: Corpus, rows: np.ndarray, size: int, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Pictures, which of them could be read, and a sentence about the first that could not."""
    pictures = np.zeros((len(rows), size, size, 3), np.uint8)
    there = np.ones(len(rows), bool)
    said: list[str] = []

    def read(place: int) -> str:
        try:
            pictures[place] = corpus.picture(int(rows[place]), size)
        except DamagedPicture as error:
            return str(error)
        return ""

    readers = ThreadPoolExecutor(_READERS)
    try:
        for place, fault in enumerate(readers.map(read, range(len(rows)))):
            if fault:
                there[place] = False
                said += [fault] if len(said) < _MOST_NAMED else []
            if progress:
                progress(place + 1, len(rows))
    finally:
        readers.shutdown(cancel_futures=True)
    return pictures, there, said
