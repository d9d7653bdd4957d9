"""Which pictures an evaluation compares: a folder's, a list's, a set's, or a recording's strangers.

It reads and names; what is measured on them it does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facevis.corpora import DamagedPicture
from facevis.corpora.bins import read_bin
from facevis.datasets import Dataset
from facevis.datasets.own import MAX_SENTENCES, own_images
from facevis.datasets.pair_lists import PairPictures, check_names, read_pairs, read_pictures
from facevis.embedders import Embedder, RecordingEmbedder
from facevis.figures.words import Words
from facevis.verification import FOLDS

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Report = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Trial:
    """Pictures and what is compared of them: all pairs of ``labels``, or those that are listed."""

    title: str
    images: np.ndarray
    about: dict[str, Any]
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    pairs: Pairs | None = None
    folds: int = FOLDS
    remarks: tuple[str, ...] = ()


def of_list(path: Path, root: Path | None, model: Embedder, words: Words, report: Report) -> Trial:
    """The pairs of a list."""
    listed = read_pairs(path, root)
    read = read_pictures(listed, model.size, report)
    trained = _trained(model, root or path.parent, words)
    return _of_pairs(listed.name, len(listed.same), listed.folds, read, trained, words)


def of_bin(path: Path, model: Embedder, words: Words, report: Report) -> Trial:
    """The pairs of a verification set (.bin); a picture that comes in several is embedded once."""
    pairs = read_bin(path)
    first_place: dict[bytes, int] = {}
    for index, content in enumerate(pairs.encoded):
        first_place.setdefault(content, index)
    images, skipped, row = [], [], {}
    for done, (content, index) in enumerate(first_place.items(), start=1):
        try:
            images.append(pairs.picture(index, model.size))
            row[content] = len(images) - 1
        except DamagedPicture as error:
            skipped.append(str(error))
        report(done, len(first_place))
    rows = np.array([row.get(content, -1) for content in pairs.encoded])
    first, second = rows[pairs.first], rows[pairs.second]
    kept = (first >= 0) & (second >= 0)
    if not kept.any():
        raise ValueError(
            f"no pair of {pairs.name} has two readable pictures; get the file again from its "
            f"source. First problem: {skipped[0]}"
        )
    read = PairPictures(
        images=np.stack(images),
        files=(path,) * len(images),
        first=first[kept],
        second=second[kept],
        same=pairs.same[kept],
        lost_pairs=int((~kept).sum()),
        unreadable=len(skipped),
        skipped=tuple(skipped[:MAX_SENTENCES]),
    )
    return _of_pairs(pairs.name, len(pairs.same), pairs.folds, read, [], words)


def of_folder(folder: Path, model: Embedder, words: Words) -> Trial:
    """All pictures of a folder with one subfolder for each person."""
    check_names(folder)
    data = own_images(folder, model.size)
    remarks = _skipped(data.skipped, len(data.skipped), words)
    remarks += _trained(model, folder, words)
    return _of_dataset("folder", data, tuple(remarks), words)


def of_strangers(model: Embedder, words: Words) -> Trial:
    """The identities that a recording left out of its training."""
    if not isinstance(model, RecordingEmbedder):
        raise ValueError("this model brings no pictures; name some with --folder or --pairs.")
    return _of_dataset("own", model.strangers(), (), words)


def _of_pairs(
    name: str, listed: int, folds: int, read: PairPictures, trained: list[str], words: Words
) -> Trial:
    remarks = _skipped(read.skipped, read.unreadable, words)
    if remarks:
        remarks.append(words("evaluate_note_lost", count=read.lost_pairs))
    remarks += trained
    about = {"kind": "pairs", "name": name, "pictures": len(read.images)}
    about |= {"listed_pairs": listed, "lost_pairs": read.lost_pairs}
    about |= {"unreadable": read.unreadable, "skipped": read.skipped}
    title = words("evaluate_title_list", name=name, pairs=len(read.same), pictures=len(read.images))
    pairs = read.first, read.second, read.same
    names = tuple(str(file) for file in read.files)
    return Trial(title, read.images, about, None, names, pairs, folds, tuple(remarks))


def _of_dataset(kind: str, data: Dataset, remarks: tuple[str, ...], words: Words) -> Trial:
    about = {"name": data.name, "pictures": len(data.images), "identities": data.num_classes}
    title = words(f"evaluate_title_{kind}", **about)
    about |= {"kind": kind, "skipped": data.skipped}
    return Trial(title, data.images, about, data.labels, data.class_names, remarks=remarks)


def _skipped(skipped: tuple[str, ...], count: int, words: Words) -> list[str]:
    return [words("evaluate_note_skipped", count=count, first=skipped[0])] if skipped else []


def _trained(model: Embedder, folder: Path, words: Words) -> list[str]:
    known = model.trained_on(folder)
    return [words("evaluate_note_trained", name=folder.name)] if known else []
