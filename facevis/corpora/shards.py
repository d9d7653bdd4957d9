"""Face sets in WebDataset shards: tar files in which a picture and its label share a name.

``0001.jpg`` and ``0001.cls`` are one sample: its key is the path up to the first dot of the file
name (webdataset ``tariterators.py``). The headers of the archives are walked once, in
``shard_samples``; pictures are then read from where they lie, in any order.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.keeping import Arrays, kept
from facevis.corpora.labelling import by_text
from facevis.corpora.mapped import MappedFile
from facevis.corpora.naming import read_names, write_names
from facevis.corpora.shard_samples import LABELS, PICTURES, samples
from facevis.corpora.writing import readable
from facevis.datasets.own import MAX_FILE_BYTES
from facevis.validation import whole
from facevis.writing import new_folder

MAX_SHARDS = 100_000
_MOST_MAPPED = 400
"""Shards held open at once: systems allow a process about a thousand files."""


class ShardCorpus(Corpus):
    """Shards: a folder of ``*.tar``, one ``.tar``, or ``shards-{000000..000010}.tar``.

    Samples without a picture or a label are left out with a remark, and so is what lies after the
    point where an archive is cut off. ``cache`` is a folder in which the places and labels of all
    samples are kept for the next time. ``ValueError`` in one sentence if there is no sample.
    """

    def __init__(self, path: str | Path, cache: Path | None = None) -> None:
        path = Path(path)
        places = _shards(path)
        self.name = path.stem
        self._files = [MappedFile(place) for place in places]
        self._mapped: list[int] = []
        remarks: list[str] = []
        found = kept(cache, self._files, self._find, remarks)
        self._rows, self.labels = found["rows"], found["labels"]
        numbers, said = json.loads(found["texts"].tobytes())
        remarks += said
        self.identities = read_names(places[0].parent, tuple(numbers), remarks)
        self.remarks = tuple(remarks)

    def _find(self) -> Arrays:
        rows: list[tuple[int, int, int]] = []
        texts: list[str] = []
        remarks: list[str] = []
        for number, file in enumerate(self._files):
            for label, offset, size in samples(file, remarks):
                rows.append((number, offset, size))
                texts.append(label)
            file.close()
        if not rows:
            raise ValueError(
                f"{self.name} holds no sample, a picture (.{', .'.join(PICTURES)}) and a label "
                f"(.{', .'.join(LABELS)}) of one name; write the shards again."
            )
        self._rows = np.array(rows, np.int64)
        labels, identities, more = by_text(texts, self.place)
        text = json.dumps([identities, [*remarks, *more]]).encode()
        return {"rows": self._rows, "labels": labels, "texts": np.frombuffer(text, np.uint8)}

    def encoded(self, index: int) -> bytes:
        """The bytes of the picture's member."""
        number, offset, size = self._rows[index].tolist()
        if size > MAX_FILE_BYTES:
            raise DamagedPicture(f"{self.place(index)} is larger than {MAX_FILE_BYTES >> 20} MiB.")
        data = self._read(number, offset, size)
        if len(data) < size:
            raise DamagedPicture(f"{self.place(index)} is cut off; fetch the shard again.")
        return data

    def place(self, index: int) -> str:
        """``shard-000000.tar, 000012.jpg``."""
        number, offset, _ = self._rows[index].tolist()
        # A member's header lies just before its data and begins with its name.
        name = self._read(number, offset - 512, 100).split(b"\0")[0]
        return f"{self._files[number].path.name}, {name.decode('utf-8', 'replace')}"

    def _read(self, number: int, offset: int, size: int) -> bytes:
        if not self._files[number].mapped:
            self._mapped.append(number)
            if len(self._mapped) > _MOST_MAPPED:
                self._files[self._mapped.pop(0)].close()
        return self._files[number].read(offset, size)


def is_shards(path: Path) -> bool:
    """Whether a path names a ``.tar``, a pattern of them, or a folder that holds one."""
    if path.is_dir():
        return any(path.glob("*.tar"))
    return path.suffix.lower() == ".tar"


def _shards(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.tar"))
        if not found:
            raise ValueError(f"{path} has no .tar file; give the folder that holds the shards.")
        return found
    braces = re.search(r"\{(\d+)\.\.(\d+)\}", path.name)
    if not braces:
        return [path]
    first, last = braces.groups()
    count = int(last) - int(first) + 1
    if not 1 <= count <= MAX_SHARDS:
        raise ValueError(
            f"{path.name} names {count} shards; write {{first..last}} for at most {MAX_SHARDS}."
        )
    before, after = path.name[: braces.start()], path.name[braces.end() :]
    numbers = range(int(first), int(last) + 1)
    return [path.with_name(f"{before}{number:0{len(first)}}{after}") for number in numbers]


def write_shards(
    folder: str | Path,
    corpus: Corpus,
    per_shard: int = 10_000,
    progress: Callable[[int], None] | None = None,
) -> tuple[str, ...]:
    """Write ``shard-000000.tar`` …: each picture unchanged, its label as ``.cls``.

    Returns sentences about what was left out. Names of identities that are no numbers from 0 go
    into ``identities.json`` beside the shards. Raises ``ValueError``, and leaves nothing behind,
    if the folder exists and is not empty.
    """
    whole("per_shard", per_shard, 1, 10_000_000)
    left_out: list[str] = []
    with new_folder(Path(folder)) as partial:
        shard: tarfile.TarFile | None = None
        try:
            for done, (index, data, suffix) in enumerate(readable(corpus, left_out)):
                if done % per_shard == 0:
                    if shard:
                        shard.close()
                    shard = _new_shard(partial / f"shard-{done // per_shard:06d}.tar")
                assert shard is not None
                label = str(int(corpus.labels[index])).encode()
                for ending, content in ((suffix, data), (".cls", label)):
                    member = tarfile.TarInfo(f"{index:09d}{ending}")
                    member.size = len(content)
                    shard.addfile(member, io.BytesIO(content))
                if progress:
                    progress(done + 1)
        finally:
            if shard:
                shard.close()
        write_names(partial, corpus.identities)
    return tuple(left_out)


def _new_shard(path: Path) -> tarfile.TarFile:
    return tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)
