"""What is in a face set: how many pictures of how many people, their sizes, and which are damaged.

Labels are counted all, pictures are decoded one by one, in threads, since decoding leaves the
interpreter free. It knows no words and no screen: ``data_command`` says what is found here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from facevis.corpora.bins import BinSet
from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.decoding import whole_picture
from facevis.corpora.writing import MAX_SENTENCES
from facevis.validation import whole

Progress = Callable[[int, int], None]
MAX_IMAGES = 1_000_000_000
_AT_ONCE = 16
"""Pictures that a thread takes at a time: what a Ctrl+C waits for."""
_BARS = 12
_SIZES = 10


@dataclass(frozen=True)
class People:
    """How the pictures are spread over the identities of a corpus."""

    identities: int
    fewest: int
    """Pictures of the identity with the fewest."""
    median: float
    mean: float
    most: int
    single: int
    """Identities with one picture, of which no genuine pair can be made."""
    histogram: tuple[tuple[int, int, int], ...]
    """From, to (both included), and how many identities have so many pictures."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of a verification set."""

    pairs: int
    same: int
    different: int
    folds: int


@dataclass(frozen=True)
class Inspection:
    """What was found; pictures were decoded as far as ``looked_at`` says."""

    name: str
    images: int
    people: People | None
    """Of a corpus; ``pairs`` of a verification set."""
    pairs: Pairs | None
    looked_at: int
    """Pictures that were decoded: all, or as many as were asked for."""
    bytes: int
    """What those take as they lie there."""
    formats: dict[str, int]
    """Of the whole ones, most common first."""
    sizes: tuple[tuple[int, int, int], ...]
    """Width, height and how many, most common first; the first ten."""
    distinct_sizes: int
    damaged: int
    damage: tuple[str, ...]
    """A sentence for each of the first fifty damaged ones: which, and why."""
    remarks: tuple[str, ...]
    """What the corpus said on opening."""


@dataclass(frozen=True)
class _Look:
    length: int
    kind: str = ""
    size: tuple[int, int] = (0, 0)
    damage: str = ""


def inspect(
    source: Corpus | BinSet,
    progress: Progress | None = None,
    *,
    limit: int | None = None,
    threads: int | None = None,
) -> Inspection:
    """Count labels and decode pictures; ``progress(done, total)`` hears of them.

    With ``limit``, so many pictures are drawn at random, the same ones each time; labels are
    counted all the same. Raises ``ValueError`` in one sentence for a limit that is no number.

    >>> from facevis.corpora import open_corpus
    >>> found = inspect(open_corpus("faces:identities=3,images=2,size=32"), limit=4)
    >>> found.images, found.looked_at, found.sizes, found.formats
    (6, 4, ((32, 32, 4),), {'PNG': 4})
    >>> found.people.histogram, found.damaged
    (((2, 2, 3),), 0)
    """
    count = len(source.encoded) if isinstance(source, BinSet) else len(source)
    rows = _chosen(count, limit)
    formats, sizes = Counter[str](), Counter[tuple[int, int]]()
    damage: list[str] = []
    total, damaged = 0, 0
    for look in _looks(source, rows, progress, threads or min(16, os.cpu_count() or 2)):
        total += look.length
        if look.damage:
            damaged += 1
            if damaged <= MAX_SENTENCES:
                damage.append(look.damage)
        else:
            formats[look.kind] += 1
            sizes[look.size] += 1
    return Inspection(
        name=source.name,
        images=count,
        people=None if isinstance(source, BinSet) else _people(source),
        pairs=_pairs(source) if isinstance(source, BinSet) else None,
        looked_at=len(rows),
        bytes=total,
        formats=dict(formats.most_common()),
        sizes=tuple((*size, number) for size, number in sizes.most_common(_SIZES)),
        distinct_sizes=len(sizes),
        damaged=damaged,
        damage=tuple(damage),
        remarks=() if isinstance(source, BinSet) else tuple(source.remarks),
    )


def _chosen(count: int, limit: int | None) -> np.ndarray:
    if limit is not None and whole("limit", limit, 1, MAX_IMAGES) < count:
        return np.sort(np.random.default_rng(0).choice(count, limit, replace=False))
    return np.arange(count)


# -- labels ---------------------------------------------------------------------------------------


def _people(corpus: Corpus) -> People:
    counts = np.bincount(corpus.labels, minlength=corpus.num_classes)
    return People(
        identities=len(counts),
        fewest=int(counts.min()),
        median=float(np.median(counts)),
        mean=float(counts.mean()),
        most=int(counts.max()),
        single=int((counts == 1).sum()),
        histogram=histogram(counts),
    )


def histogram(counts: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    """Whole numbers (C,) from 1 in bars (from, to, how many): a few each alone, many by doubling.

    >>> histogram(np.array([5, 5, 9]))
    ((5, 5, 2), (9, 9, 1))
    >>> histogram(np.arange(1, 21))
    ((1, 1, 1), (2, 3, 2), (4, 7, 4), (8, 15, 8), (16, 31, 5))
    """
    values, numbers = np.unique(counts, return_counts=True)
    if len(values) <= _BARS:
        return tuple((v, v, n) for v, n in zip(values.tolist(), numbers.tolist(), strict=True))
    power = np.array([value.bit_length() - 1 for value in values.tolist()])
    bars = np.bincount(power, weights=numbers).astype(int).tolist()
    first = int(power[0])
    return tuple((2**k, 2 ** (k + 1) - 1, bars[k]) for k in range(first, len(bars)))


def _pairs(source: BinSet) -> Pairs:
    same = int(source.same.sum())
    return Pairs(len(source.same), same, len(source.same) - same, source.folds)


# -- pictures -------------------------------------------------------------------------------------


def _looks(
    source: Corpus | BinSet, rows: np.ndarray, progress: Progress | None, threads: int
) -> Iterator[_Look]:
    """What became of each picture, in their order."""
    step, done = _AT_ONCE * threads * 4, 0
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(rows), step):
            part = rows[start : start + step].tolist()
            parts = [part[at : at + _AT_ONCE] for at in range(0, len(part), _AT_ONCE)]
            for looks in pool.map(lambda some: [_look(source, row) for row in some], parts):
                yield from looks
                done += len(looks)
                if progress:
                    progress(done, len(rows))


def _look(source: Corpus | BinSet, row: int) -> _Look:
    length = 0
    try:
        data = source.encoded[row] if isinstance(source, BinSet) else source.encoded(row)
        length = len(data)
        return _Look(length, *whole_picture(data))
    except DamagedPicture as error:
        return _Look(length, damage=str(error))
    except ValueError as error:
        reason = str(error).rstrip(".")
        return _Look(length, damage=f"{source.place(row)} cannot be read: {reason}.")
