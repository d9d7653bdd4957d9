"""InsightFace's face sets: MXNet's RecordIO, ``train.rec`` with ``train.idx`` and ``property``.

A record is the magic word, a word with the length (29 bits) and a mark (3 bits), the bytes, and
padding to a multiple of four. Bytes that contain the magic at a multiple of four are cut there
into parts marked 1, 2 … 2, 3, and the magic is left out (dmlc-core ``recordio.h``). A record of
MXNet opens with ``flag, label, id, id2`` (``IfQQ``); a flag above 0 says how many labels follow as
float32 instead, of which the first is the class (mxnet ``recordio.py`` ``pack``). InsightFace's
record 0 holds two labels and no picture: pictures are 1 … a − 1, and a … b − 1 are notes on the
identities, which nothing here needs (insightface ``face2rec2.py``). ``train.idx`` is a text of
``key<TAB>offset``.

It decodes nothing. ``recordio_scan`` finds the records, ``recordio_writing`` writes a set.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.labelling import by_number
from facevis.corpora.mapped import MappedFile
from facevis.corpora.naming import read_names
from facevis.corpora.recordio_scan import HEADER, MAGIC, MAGIC_BYTES, scan


class RecordIO(Corpus):
    """A RecordIO set, given by its ``.rec``, its ``.idx`` or their folder.

    Opening reads the index and the head of every record, and no picture; ``cache`` is a folder in
    which the heads are kept for the next time. ``ValueError`` in one sentence if the files do not
    belong together, hold no picture, or hold a label that is no whole number.
    """

    def __init__(self, path: str | Path, cache: Path | None = None) -> None:
        rec, idx = _pair(Path(path))
        self._file = MappedFile(rec)
        found = scan(self._file, idx, cache)
        self.name = rec.parent.name if rec.stem == "train" else rec.stem
        self._keys, self._offsets = found.keys, found.offsets
        self.labels, numbers, gaps = by_number(found.labels)
        remarks = [*found.remarks, *gaps, *_property(rec, numbers)]
        self.identities = read_names(rec.parent, numbers, remarks)
        self.remarks = tuple(remarks)

    def encoded(self, index: int) -> bytes:
        """The picture's bytes as they were packed."""
        start = int(self._offsets[index])
        body = self._body(index, start)
        if len(body) < HEADER.size:
            raise DamagedPicture(f"{self.place(index)} is too short for a record of a picture.")
        labels = HEADER.unpack_from(body)[0]
        return body[HEADER.size + 4 * labels :]

    def _body(self, index: int, start: int) -> bytes:
        """The bytes of a record, its parts joined with the magic that was left out."""
        parts: list[bytes] = []
        while True:
            head = self._file.read(start, 8)
            magic, word = struct.unpack("<II", head) if len(head) == 8 else (0, 0)
            mark, length = word >> 29, word & 0x1FFFFFFF
            follows = mark in (2, 3) if parts else mark in (0, 1)
            if magic != MAGIC or not follows:
                break
            part = self._file.read(start + 8, length)
            if len(part) < length:
                break
            parts.append(part)
            if mark in (0, 3):
                return part if mark == 0 else MAGIC_BYTES.join(parts)
            start += 8 + (length + 3 & ~3)
        raise DamagedPicture(
            f"{self.place(index)} is cut off or overwritten; fetch the file again, or leave it out."
        )

    def place(self, index: int) -> str:
        """``train.rec, record 17``, by the key in the index."""
        return f"{self._file.path.name}, record {self._keys[index]}"


def is_recordio(path: Path) -> bool:
    """Whether a path names a ``.rec``, an ``.idx``, or a folder that holds a ``.rec``."""
    if path.is_dir():
        return any(path.glob("*.rec"))
    return path.suffix.lower() in (".rec", ".idx")


def _pair(path: Path) -> tuple[Path, Path]:
    if path.is_dir():
        found = sorted(path.glob("*.rec"))
        train = path / "train.rec"
        if not found:
            raise ValueError(f"{path} has no .rec file; give the folder that holds train.rec.")
        if len(found) > 1 and train not in found:
            names = ", ".join(file.name for file in found[:3])
            raise ValueError(f"{path} has several .rec files ({names}); name the one to read.")
        path = train if train in found else found[0]
    rec = path.with_suffix(".rec") if path.suffix.lower() == ".idx" else path
    if not rec.is_file():
        raise ValueError(f"there is no file {rec}; an .idx needs its .rec beside it.")
    return rec, rec.with_suffix(".idx")


def _property(rec: Path, identities: Sequence[str]) -> list[str]:
    """A remark if the file ``property`` beside the set says something else than the set."""
    path = rec.with_name("property")
    if not path.is_file():
        return []
    text = path.read_bytes()[:200].decode("utf-8", "replace").strip()
    fields = text.split(",")
    if len(fields) != 3 or not all(field.strip().isdecimal() for field in fields):
        return [f"the file property says {text[:40]!r} instead of classes,height,width; ignored."]
    said = int(fields[0])
    if said in (len(identities), int(identities[-1]) + 1):
        return []
    return [
        f"the file property speaks of {said} identities, the records hold {len(identities)}; "
        "the records count."
    ]
