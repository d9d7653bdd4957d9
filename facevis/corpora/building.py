"""Make a verification set of one's own from any corpus, in the style of LFW.

Half of the pairs are genuine, half are impostor pairs; they lie in folds, and no person is in two
folds, so that a threshold is never chosen on people whom it judges (Huang et al., "Labeled Faces
in the Wild", 2007). Unlike ``verification.folds.fold_pairs``, which measures by the way, no pair is
drawn twice, since a set is kept. It knows no network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from facevis.corpora.bins import FOLDS, write_bin
from facevis.corpora.converting import Prepared
from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.decoding import MAX_SIZE, MIN_SIZE
from facevis.corpora.folders import FileCorpus
from facevis.corpora.lists import Seen
from facevis.corpora.writing import MAX_SENTENCES
from facevis.validation import whole
from facevis.verification.folds import dealt
from facevis.writing import new_file

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Progress = Callable[[int, int], None]
MAX_PAIRS = 1_000_000


def sample_verification_pairs(
    labels: np.ndarray, pairs: int, folds: int = FOLDS, seed: int = 0
) -> Pairs:
    """Draw ``pairs`` different pairs, fold after fold, the genuine half of each fold first.

    Returns rows of the first (P,), rows of the second (P,) and whether they are of one person.
    Identities are dealt to the folds at random; within a fold each pair is as likely as another.
    Raises ``ValueError`` where ``pairs`` is no multiple of 2 · ``folds``, and where a fold has too
    few genuine or impostor pairs, with the number that it has.

    >>> first, second, same = sample_verification_pairs(np.repeat(range(8), 4), 24, folds=4)
    >>> same[:6]
    array([ True,  True,  True, False, False, False])
    >>> sample_verification_pairs(np.repeat(range(8), 4), 104, folds=4)
    Traceback (most recent call last):
    ...
    ValueError: fold 1 has 8 pictures of 2 people, which make 12 genuine and 16 impostor pairs, ...
    """
    whole("folds", folds, 2, 1000)
    whole("pairs", pairs, 2 * folds, MAX_PAIRS)
    if pairs % (2 * folds):
        raise ValueError(
            f"pairs is {pairs}; give a multiple of {2 * folds}, so that each of {folds} folds has "
            "as many genuine as impostor pairs."
        )
    owners = np.asarray(labels)
    classes, inverse, sizes = np.unique(owners, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    order = dealt(sizes, folds, rng)
    fold_of = np.empty(len(classes), np.int64)
    fold_of[order] = np.arange(len(classes)) % folds
    half, parts = pairs // folds // 2, []
    by_owner = np.argsort(inverse, kind="stable")
    for fold in range(folds):
        rows = by_owner[fold_of[inverse[by_owner]] == fold]
        parts += _fold(rows, inverse[rows], half, fold, rng)
    first, second = (np.concatenate(part) for part in zip(*parts, strict=True))
    return first, second, np.tile(np.repeat([True, False], half), folds)


def _fold(
    rows: np.ndarray, owners: np.ndarray, half: int, fold: int, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """``half`` genuine pairs and ``half`` impostor pairs of rows that are sorted by owner."""
    people, counts = np.unique(owners, return_counts=True)
    ends = np.repeat(np.cumsum(counts), counts)
    here = np.arange(len(rows))
    # Partners of a row: those of its own person that follow it, and all people after that.
    genuine, impostors = ends - here - 1, len(rows) - ends
    if min(genuine.sum(), impostors.sum()) < half:
        raise ValueError(
            f"fold {fold + 1} has {len(rows)} pictures of {len(people)} people, which make "
            f"{genuine.sum():,} genuine and {impostors.sum():,} impostor pairs, but no {half:,} "
            f"genuine and {half:,} impostor ones; ask for fewer pairs or folds."
        )
    drawn = []
    for partners, begin in ((genuine, here + 1), (impostors, ends)):
        last = np.cumsum(partners)
        places = rng.choice(int(last[-1]), half, replace=False)
        row = np.searchsorted(last, places, side="right")
        other = begin[row] + places - (last - partners)[row]
        # Otherwise the first picture would always be of the earlier person.
        turned = rng.random(half) < 0.5
        drawn.append((rows[np.where(turned, other, row)], rows[np.where(turned, row, other)]))
    return drawn


def readable_pairs(
    corpus: Corpus, pairs: int, folds: int = FOLDS, seed: int = 0, progress: Progress | None = None
) -> tuple[Pairs, tuple[str, ...]]:
    """Pairs of a corpus whose pictures can all be read, and sentences about those that cannot.

    A damaged picture that is drawn is left out, and all is drawn again. ``ValueError`` as in
    ``sample_verification_pairs``.
    """
    whole_ones = Prepared(corpus)
    rows, looked, damaged = np.arange(len(corpus)), set[int](), dict[int, str]()
    while True:
        found = sample_verification_pairs(corpus.labels[rows], pairs, folds, seed)
        first, second, same = rows[found[0]], rows[found[1]], found[2]
        drawn = np.unique(np.concatenate([first, second])).tolist()
        for done, index in enumerate(drawn, 1):
            if index not in looked:
                looked.add(index)
                try:
                    whole_ones.encoded(index)
                except DamagedPicture as error:
                    damaged[index] = str(error)
            if progress:
                progress(done, len(drawn))
        if damaged.keys().isdisjoint(drawn):
            return (first, second, same), tuple(damaged.values())[:MAX_SENTENCES]
        rows = np.setdiff1d(rows, np.fromiter(damaged, np.int64))


def write_pairs_bin(
    path: Path, corpus: Corpus, pairs: Pairs, size: int | None, progress: Progress | None = None
) -> None:
    """Write pairs of a corpus as an InsightFace ``.bin``, each picture a square of ``size`` pixels.

    A picture that has that size already stays as it is, as do all without a size.
    ``DamagedPicture`` if one cannot be read.
    """
    if size is not None:
        whole("size", size, MIN_SIZE, MAX_SIZE)
    first, second, same = pairs
    places = np.stack([first, second], axis=1).ravel().tolist()
    ready = Prepared(corpus, size)
    known: dict[int, bytes] = {}
    for done, index in enumerate(places, 1):
        if index not in known:
            known[index] = ready.encoded(index)
        if progress:
            progress(done, len(places))
    write_bin(path, [known[index] for index in places], same.tolist())


def write_pair_list(path: Path, corpus: Corpus, pairs: Pairs) -> None:
    """Write lines ``path<TAB>path<TAB>1`` (or 0), seen from the list's folder.

    ``ValueError`` if the pictures are no files, if a name cannot stand in a list, and if the file
    exists.
    """
    files = check_files(corpus)
    first, second, same = (part.tolist() for part in pairs)
    seen = Seen(path, files)
    names = {index: seen[index] for index in {*first, *second}}
    strange = next((n for n in names.values() if '"' in n or n.startswith("#")), None)
    if strange:
        raise ValueError(f"{strange!r} holds a quote or begins with #; rename the file.")
    with new_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        for one, other, is_same in zip(first, second, same, strict=True):
            file.write(f"{names[one]}\t{names[other]}\t{int(is_same)}\n")


def check_files(corpus: Corpus) -> FileCorpus:
    """The corpus, if its pictures are files that a list can name; ``ValueError`` otherwise."""
    if not isinstance(corpus, FileCorpus):
        raise ValueError(f"the pictures of {corpus.name} are no files; write a .bin instead.")
    return corpus
