"""One face set into another form: RecordIO, folder, list of files, WebDataset shards.

JPEG, PNG and WebP are copied byte for byte. Rarer formats, which not every reader of these forms
knows, become PNG, which loses nothing; with a size, a picture that has another one is scaled and
saved anew. Each picture is decoded, so that a damaged one is left out and named. A set appears
whole or not at all.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from facevis.corpora.bins import BinSet
from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.decoding import MAX_SIZE, MIN_SIZE, decode_picture, whole_picture
from facevis.corpora.folders import FileCorpus, write_folder
from facevis.corpora.lists import SUFFIXES, write_list
from facevis.corpora.naming import write_names
from facevis.corpora.packing import Packed
from facevis.corpora.recordio_writing import write_recordio
from facevis.corpora.shards import write_shards
from facevis.corpora.writing import MAX_SENTENCES, ending, readable
from facevis.datasets.own import FORMATS as READ
from facevis.validation import choice, whole
from facevis.writing import new_folder

FORMATS = ("recordio", "folder", "list", "webdataset")
PAIRS = "pairs.txt"
QUALITY = 95
"""Of JPEG, as InsightFace's tools save (insightface ``face2rec2.py``)."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Converted:
    """What came of it: pictures written, and sentences about the first of those left out."""

    written: int
    left_out: int
    sentences: tuple[str, ...]


class Prepared(Corpus):
    """A corpus whose pictures are ready to be written, in the order ``rows`` (all, as they are)."""

    def __init__(
        self,
        source: Corpus,
        size: int | None = None,
        png: bool = False,
        rows: np.ndarray | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.name, self.identities, self.remarks = source.name, source.identities, source.remarks
        self.rows = np.arange(len(source)) if rows is None else rows
        self.labels = source.labels[self.rows]
        self._source, self._size, self._png, self._progress = source, size, png, progress

    def encoded(self, index: int) -> bytes:
        """The picture as it will lie in the new set."""
        if self._progress:
            self._progress(index + 1, len(self))
        try:
            return prepared(self._source.encoded(int(self.rows[index])), self._size, self._png)
        except DamagedPicture:
            raise
        except ValueError as error:
            raise DamagedPicture(f"{self.place(index)} cannot be read: {error}.") from error

    def place(self, index: int) -> str:
        """Where it lies in the old set."""
        return self._source.place(int(self.rows[index]))


def prepared(data: bytes, size: int | None = None, png: bool = False) -> bytes:
    """A picture as it is, if it is whole, of a common format, and of the wanted ``size``.

    A centred square of ``size`` pixels as JPEG, or PNG, otherwise. Raises ``ValueError``, half a
    sentence, for a damaged picture.

    >>> jpeg = simplejpeg.encode_jpeg(np.full((20, 20, 3), 90, np.uint8))
    >>> prepared(jpeg) is jpeg, prepared(jpeg, 20) is jpeg, prepared(jpeg, 16) is jpeg
    (True, True, False)
    """
    _, stored = whole_picture(data)
    common = ending(data) in (".jpg", ".png", ".webp")
    if common and (size is None or stored == (size, size)):
        return data
    if size is None:
        with Image.open(io.BytesIO(data), formats=READ) as picture:
            upright = ImageOps.exif_transpose(picture)
            return _png(upright.convert("L" if upright.mode in ("1", "L") else "RGB"))
    pixels = np.ascontiguousarray(decode_picture(data, size))
    if png:
        return _png(Image.fromarray(pixels))
    return bytes(simplejpeg.encode_jpeg(pixels, QUALITY, colorsubsampling="444", fastdct=False))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def convert(
    source: Corpus,
    target: str | Path,
    format: str,
    *,
    size: int | None = None,
    png: bool = False,
    per_shard: int = 10_000,
    progress: Progress | None = None,
) -> Converted:
    """Write a corpus in another form; ``progress(done, total)`` hears of each picture.

    ``format`` is one of ``FORMATS``; a list names the files where they are. Raises ``ValueError``
    in one sentence for a target that exists and is not empty, and where no picture can be read;
    whatever ends it, a Ctrl+C too, no half set is left.
    """
    choice("format", format, FORMATS)
    target = Path(target).absolute()  # a name of its own, even for "."
    if size is not None:
        whole("size", size, MIN_SIZE, MAX_SIZE)
    if format == "list":
        if size is not None or png:
            raise ValueError("a list leaves the files as they are; leave out the size and PNG.")
        return _list(source, target, progress)
    # Identity by identity, as the records about identities want it.
    rows = np.argsort(source.labels, kind="stable") if format == "recordio" else None
    view = Prepared(source, size, png, rows, progress)
    written = 0

    def count(done: int) -> None:
        nonlocal written
        written = done

    with new_folder(target) as partial, _called(target, partial):
        if format == "recordio":
            sentences = _recordio(partial, view, size, count)
        elif format == "folder":
            sentences = write_folder(partial, view, count)
        else:
            sentences = write_shards(partial, view, per_shard, count)
        if not written:
            raise ValueError(
                f"no picture of {source.name} can be read; first problem: {sentences[0]}"
            )
    return Converted(written, len(source) - written, sentences)


@contextmanager
def _called(target: Path, partial: Path) -> Iterator[None]:
    """Nobody knows the folder in which a set grows: faults there are told of its target."""
    try:
        yield
    except ValueError as error:
        raise ValueError(str(error).replace(str(partial), str(target))) from error


def _recordio(
    folder: Path, view: Prepared, size: int | None, count: Callable[[int], None]
) -> tuple[str, ...]:
    """The set, and beside it the identities' names, for which RecordIO has no place."""
    left_out: list[str] = []
    pictures = ((data, int(view.labels[row])) for row, data, _ in readable(view, left_out))
    first = next(pictures, None)
    if first is None:
        return tuple(left_out)
    with Image.open(io.BytesIO(first[0]), formats=READ) as picture:
        side = size or max(picture.size)
    write_recordio(folder, chain([first], pictures), view.num_classes, side, count)
    write_names(folder, view.identities)
    return tuple(left_out)


def _list(source: Corpus, target: Path, progress: Progress | None) -> Converted:
    """The list of a corpus of files, without those that cannot be read."""
    if target.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"{target.name} is no name of a list; give one that ends in {', '.join(SUFFIXES)}."
        )
    if target.exists():
        raise ValueError(f"{target} exists already; choose another name.")
    if not isinstance(source, FileCorpus):
        raise ValueError(f"the pictures of {source.name} are no files; write a folder first.")
    left_out: list[str] = []
    kept = [row for row, _, _ in readable(Prepared(source, progress=progress), left_out)]
    if not kept:
        raise ValueError(f"no picture of {source.name} can be read; first problem: {left_out[0]}")
    part = FileCorpus()
    part.name, part.root, part.identities = source.name, source.root, source.identities
    part.names, part.labels = Packed(source.names[row] for row in kept), source.labels[kept]
    write_list(target, part)
    return Converted(len(kept), len(source) - len(kept), tuple(left_out))


def unpack_bin(
    source: BinSet,
    target: str | Path,
    *,
    size: int | None = None,
    png: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Write a verification set as a folder of pictures with ``pairs.txt``, which evaluation reads.

    A pair of which one picture is damaged is left out with it. ``ValueError`` as in ``convert``.
    """
    if size is not None:
        whole("size", size, MIN_SIZE, MAX_SIZE)
    names: dict[int, str] = {}
    left_out: list[str] = []
    lines = []
    with new_folder(Path(target).absolute()) as partial:
        for index, encoded in enumerate(source.encoded):
            try:
                data = prepared(encoded, size, png)
                names[index] = f"{index:06d}{ending(data)}"
                (partial / names[index]).write_bytes(data)
            except ValueError as error:
                left_out.append(f"{source.place(index)} cannot be read: {error}.")
            if progress:
                progress(index + 1, len(source.encoded))
        for pair, same in zip(
            zip(source.first, source.second, strict=True), source.same, strict=True
        ):
            both = [names.get(int(index), "") for index in pair]
            if all(both):
                lines.append(f"{both[0]} {both[1]} {int(same)}\n")
        if not lines:
            raise ValueError(f"no pair of {source.name} can be read; first problem: {left_out[0]}")
        (partial / PAIRS).write_text("".join(lines), encoding="ascii", newline="\n")
    return Converted(len(names), len(left_out), tuple(left_out[:MAX_SENTENCES]))
