"""Pictures to learn from, under one protocol: ``load("digits")``, ``load(path)``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facevis.datasets.bundled import digits, mnist
from facevis.datasets.dataset import Dataset
from facevis.datasets.download import lfw, mnist_full, olivetti
from facevis.datasets.faces import procedural_faces
from facevis.datasets.own import own_images

DATASETS: dict[str, Callable[..., Dataset]] = {
    "digits": digits,
    "mnist": mnist,
    "faces": procedural_faces,
    "olivetti": olivetti,
    "lfw": lfw,
    "mnist-full": mnist_full,
}
"""Known by name, in the order of a menu; the last three are downloaded once."""


def load(name: str | os.PathLike[str], **options: Any) -> Dataset:
    """Load pictures by name, or from a folder (one subfolder per class) or a zip of it.

    ``options`` go to the source: ``load("faces", identities=24, seed=0)``. What cannot be loaded
    raises ``ValueError`` in one sentence.

    >>> load("digits").num_classes
    10
    """
    if isinstance(name, str) and name in DATASETS:
        return DATASETS[name](**options)
    if isinstance(name, str) and not _there(name):
        raise ValueError(
            f"there is no dataset or path {name[:80]!r}; choose one of {', '.join(DATASETS)}, "
            "or name a folder or a zip of pictures."
        )
    return own_images(Path(name), **options)


def _there(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a path, or with a zero byte
        return False


__all__ = ["DATASETS", "Dataset", "load"]
