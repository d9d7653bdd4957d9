"""Which pictures an evaluation compares: a folder's, a list's, or a recording's own strangers.

It reads and names; what is measured on them it does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facevis.datasets import Dataset
from facevis.datasets.own import own_images
from facevis.datasets.pair_lists import check_names, read_pairs, read_pictures
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
    remarks = _skipped(read.skipped, read.unreadable, words)
    if remarks:
        remarks.append(words("evaluate_note_lost", count=read.lost_pairs))
    remarks += _trained(model, root or path.parent, words)
    about = {"kind": "pairs", "name": listed.name, "pictures": len(read.images)}
    about |= {"listed_pairs": len(listed.same), "lost_pairs": read.lost_pairs}
    about |= {"unreadable": read.unreadable, "skipped": read.skipped}
    title = words(
        "evaluate_title_list", name=listed.name, pairs=len(read.same), pictures=len(read.images)
    )
    pairs = read.first, read.second, read.same
    names = tuple(str(file) for file in read.files)
    return Trial(title, read.images, about, None, names, pairs, listed.folds, tuple(remarks))


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
        raise ValueError("an .onnx model brings no pictures; name some with --folder or --pairs.")
    return _of_dataset("own", model.strangers(), (), words)


def _of_dataset(kind: str, data: Dataset, remarks: tuple[str, ...], words: Words) -> Trial:
    about = {"name": data.name, "pictures": len(data.images), "identities": data.num_classes}
    title = words(f"evaluate_title_{kind}", **about)
    about |= {"kind": kind, "skipped": data.skipped}
    return Trial(title, data.images, about, data.labels, data.class_names, remarks=remarks)


def _skipped(skipped: tuple[str, ...], count: int, words: Words) -> list[str]:
    return [words("evaluate_note_skipped", count=count, first=skipped[0])] if skipped else []


def _trained(model: Embedder, folder: Path, words: Words) -> list[str]:
    known = isinstance(model, RecordingEmbedder) and model.trained_on(folder)
    return [words("evaluate_note_trained", name=folder.name)] if known else []
