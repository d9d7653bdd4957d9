"""One protocol for face sets of any size: labels in memory, pictures read one at a time.

A ``Dataset`` holds all its pictures in memory and is for the small networks; a corpus holds labels
and knows where each encoded picture lies, so that millions fit. It is opened anew in every process
that reads it: pickling one carries paths and labels, no open file. It knows no network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from facevis.corpora.decoding import decode_picture


class DamagedPicture(ValueError):
    """One picture that cannot be read; the message says which one, and why."""


class Corpus(ABC):
    """Labelled pictures that are read when they are asked for.

    ``name`` is what a person would call it; ``labels`` (N,) int64 go from 0 to C − 1 without gaps;
    ``identities`` (C,) are the identities' own names (folder names, the numbers in the file);
    ``remarks`` are sentences about what was put right or left out on opening.
    """

    name: str
    labels: np.ndarray
    identities: Sequence[str]
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many pictures there are."""
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        """How many identities there are."""
        return len(self.identities)

    def prepare(self, rows: Sequence[int] | np.ndarray | None = None) -> None:  # noqa: B027
        """Do at once what these pictures, or all, need once; nothing, in most corpora.

        All pictures are prepared for other processes too, which would each do it.
        """

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The picture as it lies there (JPEG, PNG …); ``DamagedPicture`` if it cannot be read."""

    @abstractmethod
    def place(self, index: int) -> str:
        """Where a picture lies, for messages: ``train.rec, record 17`` or a path."""

    def picture(self, index: int, size: int) -> np.ndarray:
        """The picture as uint8 RGB (size, size, 3); ``DamagedPicture`` if it cannot be read.

        A picture of another size is scaled, its centred square, as ``datasets.own.decode`` does.
        """
        try:
            return decode_picture(self.encoded(index), size)
        except DamagedPicture:
            raise
        except ValueError as error:
            raise DamagedPicture(
                f"{self.place(index)} cannot be read: {str(error).rstrip('.')}; fetch it again, or "
                "leave it out."
            ) from error
