"""One protocol for all pictures: images, labels, names, thumbnails, and a split by identity.

It knows arrays of pixels; it does not know where they came from or what is learned from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pictures of one size.

    >>> images = np.zeros((4, 8, 8, 1), np.uint8)
    >>> data = Dataset("two", images, np.array([0, 0, 1, 1]), ("a", "b"), "made up")
    >>> data.num_classes, data.image_shape, data.inputs().shape
    (2, (1, 8, 8), (4, 64))
    """

    name: str
    images: np.ndarray
    """uint8, (N, H, W, channels), one or three channels."""
    labels: np.ndarray
    """int64, (N,), from 0 to the number of classes less one."""
    class_names: tuple[str, ...]
    source: str
    """Where the pictures come from and their licence, in one line."""
    skipped: tuple[str, ...] = ()
    """A sentence for each file that was left out."""

    def __post_init__(self) -> None:
        """Refuse what is no set of labelled pictures."""
        count, channels = len(self.images), self.images.shape[-1]
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or channels not in (1, 3):
            raise ValueError(f"the images of {self.name} must be uint8 of shape (N, H, W, 1 or 3).")
        if self.labels.shape != (count,) or count == 0:
            raise ValueError(f"{self.name} has {count} images and {len(self.labels)} labels.")
        present = np.unique(self.labels)
        if len(self.class_names) < 2 or not np.array_equal(present, range(len(self.class_names))):
            raise ValueError(
                f"{self.name} has pictures of {len(present)} classes for {len(self.class_names)} "
                "names; give at least two classes, each with a picture."
            )
        for array in (self.images, self.labels):
            array.setflags(write=False)

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        _, height, width, channels = self.images.shape
        return channels, height, width

    def inputs(self) -> np.ndarray:
        """The pictures as a network reads them: float32 (N, channels·H·W), from −1 to 1."""
        return as_inputs(self.images)

    def thumbnails(self, size: int = 32) -> np.ndarray:
        """Small colour pictures for hovering, uint8 (N, size, size, 3); pixels stay crisp."""
        height, width = self.images.shape[1:3]
        resample = Image.Resampling.NEAREST if height < size else Image.Resampling.BOX
        if (height, width) == (size, size):
            tiles = self.images
        else:
            tiles = np.stack(
                [
                    np.asarray(_picture(image).resize((size, size), resample))
                    for image in self.images
                ]
            ).reshape(len(self.images), size, size, -1)
        return np.repeat(tiles, 3, axis=-1) if tiles.shape[-1] == 1 else tiles

    def select(self, classes: Iterable[int]) -> Dataset:
        """Only these classes, numbered anew in the order given."""
        chosen = list(classes)
        if not all(0 <= label < self.num_classes for label in chosen):
            raise ValueError(f"{self.name} has classes 0 to {self.num_classes - 1}, not {chosen}.")
        place = np.full(self.num_classes, -1)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.labels] >= 0
        names = tuple(self.class_names[label] for label in chosen)
        return Dataset(
            self.name, self.images[kept], place[self.labels[kept]], names, self.source, self.skipped
        )

    def split_by_identity(self, unseen: int, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Hold whole classes out: (those that train, ``unseen`` classes never seen in training)."""
        if not 2 <= unseen <= self.num_classes - 2:
            raise ValueError(
                f"unseen is {unseen}; {self.name} has {self.num_classes} classes, and each side "
                "of the split needs at least 2."
            )
        order = np.random.default_rng(seed).permutation(self.num_classes)
        return self.select(np.sort(order[unseen:])), self.select(np.sort(order[:unseen]))


def as_inputs(images: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W, channels) uint8 as a network reads them: float32 (N, channels·H·W)."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return planes.astype(np.float32) / 127.5 - 1.0


def _picture(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
