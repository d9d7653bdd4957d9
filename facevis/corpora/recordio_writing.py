"""Write a RecordIO set as InsightFace's tools do: ``train.rec``, ``train.idx``, ``property``.

The format is told in ``recordio``. The files get their names when all is written.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from operator import index as index_of
from pathlib import Path
from typing import BinaryIO

import numpy as np

from facevis.corpora.recordio_scan import HEADER, LARGEST_EXACT, LENGTH, MAGIC, MAGIC_BYTES
from facevis.validation import whole
from facevis.writing import growing, in_words

_NAMES = ("train.rec", "train.idx", "property")
"""In the order in which they are put in place: without its index a set can still be read."""


def write_recordio(
    folder: str | Path,
    pictures: Iterable[tuple[bytes, int]],
    num_classes: int,
    size: int,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write encoded pictures with their labels (0 … ``num_classes`` − 1); how many there were.

    ``size`` is their side in pixels, for ``property``; ``progress`` is told the count after each.
    The record of an identity says between which records its pictures lie, which is all of them
    only if they come identity by identity. Raises ``ValueError``, and leaves nothing behind, if
    there is a set already, no picture, a wrong label, or more records than float32 can count.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_recordio(folder, [(b"one", 0), (b"two", 1)], num_classes=2, size=112)
    ...     sorted(path.name for path in Path(folder).iterdir())
    2
    ['property', 'train.idx', 'train.rec']
    """
    whole("num_classes", num_classes, 1, LARGEST_EXACT)
    whole("size", size, 1, 10_000)
    folder = Path(folder)
    if (folder / "train.rec").exists():
        raise ValueError(f"{folder} holds a train.rec already; choose another folder.")
    new = not folder.exists()
    try:
        with in_words(folder), ExitStack() as files:
            folder.mkdir(parents=True, exist_ok=True)
            # The last to be opened gets its name first: a folder with a train.rec has the others.
            partial = {name: files.enter_context(growing(folder / name)) for name in _NAMES}
            with (
                partial["train.rec"].open("w+b") as rec,
                partial["train.idx"].open("w", encoding="ascii", newline="\n") as idx,
            ):
                count = _write_records(rec, idx.write, pictures, num_classes, progress)
            partial["property"].write_text(f"{num_classes},{size},{size}\n", encoding="ascii")
    except BaseException:
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return count


def _write_records(
    rec: BinaryIO,
    index: Callable[[str], object],
    pictures: Iterable[tuple[bytes, int]],
    num_classes: int,
    progress: Callable[[int], None] | None,
) -> int:
    def append(key: int, body: bytes) -> None:
        index(f"{key}\t{rec.tell()}\n")
        _write_record(rec, body)

    spans = np.zeros((num_classes, 2), np.int64)
    append(0, _note(0, 0))  # written again below, when the numbers are known
    key = 0
    for key, (picture, label) in enumerate(pictures, 1):
        whole(f"the label of picture {key}", index_of(label), 0, num_classes - 1)
        if key + 1 + num_classes > LARGEST_EXACT:
            raise ValueError(
                f"more than {LARGEST_EXACT:,} records cannot be counted in float32; "
                "write shards instead, or several sets."
            )
        append(key, HEADER.pack(0, label, key, 0) + picture)
        spans[label] = (spans[label, 0] or key, key + 1)
        if progress:
            progress(key)
    if not key:
        raise ValueError("there is no picture to write; give at least one.")
    for label, (first, end) in enumerate(spans.tolist()):
        append(key + 1 + label, _note(first, end))
    rec.seek(0)
    _write_record(rec, _note(key + 1, key + 1 + num_classes))
    return key


def _note(first: int, end: int) -> bytes:
    """A record without a picture, with two labels: from where to where something lies."""
    return HEADER.pack(2, 0, 0, 0) + struct.pack("<ff", first, end)


def _write_record(rec: BinaryIO, body: bytes) -> None:
    """One record, cut where the magic stands at a multiple of four."""
    if len(body) > LENGTH:
        raise ValueError(f"a picture of {len(body):,} bytes does not fit; give at most {LENGTH:,}.")
    cuts, at = [], body.find(MAGIC_BYTES)
    while at >= 0:
        if at % 4 == 0:
            cuts.append(at)
        at = body.find(MAGIC_BYTES, at + 1 if at % 4 else at + 4)
    starts = [0, *(cut + 4 for cut in cuts)]
    for part, (start, end) in enumerate(zip(starts, [*cuts, len(body)], strict=True)):
        mark = 0 if not cuts else 1 if part == 0 else 3 if part == len(cuts) else 2
        rec.write(struct.pack("<II", MAGIC, mark << 29 | end - start))
        rec.write(body[start:end])
    rec.write(bytes(-len(body) % 4))
