"""What every embedder can do, and what they share. It knows no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from facevis.figures.words import Words

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Made = TypeVar("Made")

_GREY = np.array([0.299, 0.587, 0.114], np.float32)


class Embedder(Protocol):
    """One model, or several that were trained side by side."""

    size: int
    """Side of its square pictures, pixels."""

    def embed(self, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Pictures (N, size, size, 1 or 3), uint8, to embeddings (M, N, D), float32."""
        ...

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings of each model."""
        ...

    def trained_on(self, folder: Path) -> bool:
        """Whether the folder is where its own training pictures come from, if it knows."""
        ...

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        ...


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Pictures (N, H, W, 1 or 3) with so many channels: grey repeated, or colour weighed to grey.

    >>> with_channels(np.full((1, 8, 8, 1), 7, np.uint8), 3).shape
    (1, 8, 8, 3)
    """
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    return np.rint(images @ _GREY)[..., None].astype(np.uint8)


def batches(count: int, size: int, progress: Progress | None) -> Iterator[slice]:
    """The rows of each batch; ``progress`` hears when one is done."""
    for first in range(0, count, size):
        yield slice(first, first + size)
        if progress:
            progress(min(first + size, count), count)


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What is made of each item, in order; the next is made on a thread meanwhile.

    >>> list(ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ThreadPoolExecutor(1) as maker:
        coming = None
        for item in items:
            made, coming = coming, maker.submit(make, item)
            if made is not None:
                yield made.result()
        if coming is not None:
            yield coming.result()
