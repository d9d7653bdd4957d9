"""What took long to find, kept in a folder for the next time: arrays, by what they were found in.

A file that is not whole is made again. It knows no format of a set, and no pickle is ever read.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from facevis.corpora.mapped import MappedFile
from facevis.writing import growing

Arrays = dict[str, np.ndarray]


def kept(
    cache: Path | None,
    files: Iterable[MappedFile],
    find: Callable[[], Arrays],
    remarks: list[str],
) -> Arrays:
    """What ``find`` gives, or what it gave when the files had this place, size and time.

    A folder that cannot be written to costs a remark.

    >>> kept(None, [], lambda: {"labels": np.arange(2)}, [])
    {'labels': array([0, 1])}
    """
    if cache is None:
        return find()
    facts = [(str(file.path.resolve()), file.size, file.path.stat().st_mtime_ns) for file in files]
    place = cache / f"found-{hashlib.sha256(repr(facts).encode()).hexdigest()[:24]}.npz"
    try:
        with place.open("rb") as source, np.load(source, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        pass  # not there, or not whole
    found = find()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with growing(place) as partial, partial.open("wb") as target:
            np.savez(target, allow_pickle=False, **found)
    except OSError as error:
        remarks.append(f"{cache} could not keep the labels for the next time ({error.strerror}).")
    return found
