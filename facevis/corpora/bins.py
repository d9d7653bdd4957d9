"""InsightFace's verification sets: ``lfw.bin``, ``cfp_fp.bin``, ``agedb_30.bin`` …

Such a file is a pickle of two lists: 2P encoded pictures, of which 2p and 2p + 1 are a pair, and P
booleans, whether a pair shows one person (insightface ``eval/verification.py`` ``load_bin``,
``lfw2pack.py``). It is read as data, by ``pickled``: nothing in it is run. It decodes nothing
unless asked.
"""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facevis.corpora.corpus import DamagedPicture
from facevis.corpora.decoding import decode_picture
from facevis.corpora.pickled import read_plain
from facevis.corpora.pickled_names import Row
from facevis.datasets.own import MAX_FILE_BYTES
from facevis.validation import whole
from facevis.writing import new_file

SUFFIX = ".bin"
FOLDS = 10
"""Equal runs of the pairs in which all of InsightFace's sets are judged."""
MAX_BYTES = 2 * 2**30
_FORM = "a verification set is two lists, 2P pictures and P booleans: get the file again"


@dataclass(frozen=True, eq=False)
class BinSet:
    """Pairs of pictures in the order of their file: P pairs of 2P pictures, not yet decoded."""

    name: str
    encoded: list[bytes]
    """(2P,) pictures as they lie there (JPEG, PNG …)."""
    same: np.ndarray
    """(P,) booleans: one person or two."""
    folds: int = FOLDS
    """Equal runs of the pairs for cross-validation."""

    @property
    def first(self) -> np.ndarray:
        """(P,) places of the pairs' first pictures in ``encoded``."""
        return np.arange(0, len(self.encoded), 2)

    @property
    def second(self) -> np.ndarray:
        """(P,) places of the pairs' second pictures."""
        return self.first + 1

    def place(self, index: int) -> str:
        """Where a picture lies, for messages: ``lfw.bin, picture 17``."""
        return f"{self.name}, picture {index}"

    def picture(self, index: int, size: int) -> np.ndarray:
        """A picture as uint8 RGB (size, size, 3); ``DamagedPicture`` if it cannot be read."""
        try:
            return decode_picture(self.encoded[index], size)
        except ValueError as error:
            raise DamagedPicture(
                f"{self.place(index)} cannot be read: {error}; fetch it again, or leave it out."
            ) from error


def read_bin(path: str | Path, size: int | None = None) -> BinSet:
    """Read a verification set; with ``size`` (pixels), decode each picture once to see that it can.

    Raises ``ValueError`` in one sentence for a file that wants anything run, that is cut off, that
    is no such set, and, with ``size``, for a damaged picture.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bin(Path(folder) / "two.bin", [b"a", b"b", b"a", b"c"], [True, False])
    ...     pairs = read_bin(Path(folder) / "two.bin")
    >>> pairs.same, pairs.second, pairs.encoded[3]
    (array([ True, False]), array([1, 3]), b'c')
    """
    path = Path(path)
    content = _content(path)
    if not isinstance(content, tuple | list) or len(content) != 2:
        raise ValueError(f"{path.name} is no verification set; {_FORM} from its source.")
    encoded, same = _pictures(path.name, content[0]), _booleans(path.name, content[1])
    if not encoded:
        raise ValueError(f"{path.name} is empty: it holds no pair; get the file again.")
    if len(encoded) != 2 * len(same):
        raise ValueError(
            f"{path.name} holds {len(encoded):,} pictures and {len(same):,} booleans, but {_FORM}."
        )
    found = BinSet(path.name, encoded, same, min(FOLDS, len(same)))
    if size is not None:
        for index in range(len(encoded)):
            found.picture(index, size)
    return found


def _content(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            if length > MAX_BYTES:
                raise ValueError(f"{path.name} is larger than {MAX_BYTES >> 30} GiB; split it.")
            if not length:
                raise ValueError(f"{path.name} is empty; get the file again from its source.")
            # Mapped, so that only the pictures themselves take memory.
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return read_plain(data, path.name)
    except OSError as error:
        raise ValueError(
            f"{str(path)[-80:]} cannot be read ({error.strerror}); check its name and permissions."
        ) from error


def _pictures(name: str, found: Any) -> list[bytes]:
    if not isinstance(found, tuple | list):
        raise ValueError(f"{name} begins with something that is no list of pictures; {_FORM}.")
    encoded = [item.data if isinstance(item, Row) and item.kind == "u1" else item for item in found]
    for index, item in enumerate(encoded):
        if not isinstance(item, bytes) or not 0 < len(item) <= MAX_FILE_BYTES:
            raise ValueError(
                f"{name}, picture {index} is empty, larger than {MAX_FILE_BYTES >> 20} MiB, or no "
                "row of bytes; get the file again from its source."
            )
    return encoded


def _booleans(name: str, found: Any) -> np.ndarray:
    if isinstance(found, Row) and found.kind == "b1":
        return np.not_equal(np.frombuffer(found.data, np.uint8), 0)
    if isinstance(found, tuple | list) and all(isinstance(item, bool) for item in found):
        return np.array(found, bool)
    raise ValueError(f"{name} does not say of each pair whether it is one person; {_FORM}.")


def write_bin(path: str | Path, encoded: Sequence[bytes], same: Sequence[bool]) -> None:
    """Write pairs as InsightFace reads them: pictures 2p and 2p + 1 are pair p.

    The file appears whole or not at all. Raises ``ValueError`` where there are not twice as many
    pictures as booleans, where there is none, and where the file exists or cannot be written.
    """
    path = Path(path)
    pictures, flags = [bytes(picture) for picture in encoded], [bool(flag) for flag in same]
    whole("the number of pairs", len(flags), 1, 10_000_000)
    if len(pictures) != 2 * len(flags):
        raise ValueError(
            f"there are {len(pictures)} pictures and {len(flags)} booleans; give two pictures for "
            "each pair."
        )
    with new_file(path) as partial, partial.open("wb") as file:
        # Bytes need no call to be read from protocol 3 on; every Python 3 reads it.
        pickle.dump((pictures, flags), file, protocol=3)
