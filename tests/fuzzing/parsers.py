"""The five parsers that read what strangers made, each as a function of bytes.

Whatever the bytes are, a parser gives something or raises ``ValueError`` with one sentence; all
else is a fault. ``SEEDS`` are whole inputs to begin with. Hypothesis and the fuzzer both ask here.
"""

import io
import itertools
import shutil
import struct
import tempfile
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
from hostile.test_hostile_archives import PICTURES, zipped
from hostile.test_hostile_pictures import GOOD
from recordio_by_hand import insightface, lay
from test_library_packing import full_scale, packed, rebuilt

from facevis.corpora import open_corpus
from facevis.corpora.bins import read_bin, write_bin
from facevis.corpora.corpus import DamagedPicture
from facevis.datasets.own import own_images
from facevis.lessons.bundle import opening
from facevis.library.packing import MANIFEST
from facevis.library.unpacking import unpack
from facevis.links import comparison_from_query, from_query, sweep_from_query
from facevis.live import Ensemble, Recording, RunConfig
from facevis.live.presets import COMPARISONS

_SPLIT = struct.Struct("<I")


@cache
def _place():
    """A folder that goes with the process."""
    place = tempfile.TemporaryDirectory()
    _kept.append(place)
    return Path(place.name)


_kept = []
_numbers = itertools.count()


def recordio(data):
    """``train.idx``, whose length comes first, and ``train.rec``."""
    length = _SPLIT.unpack(data[:4].ljust(4, b"\0"))[0] % max(1, len(data))
    # A file that is mapped is never written over.
    folder = _place() / f"records-{next(_numbers)}"
    folder.mkdir()
    try:
        if length:
            (folder / "train.idx").write_bytes(data[4 : 4 + length])
        (folder / "train.rec").write_bytes(data[4 + length :])
        corpus = open_corpus(folder)
        for index in range(min(3, len(corpus))):
            try:
                corpus.picture(index, 16)
            except DamagedPicture:
                continue
    finally:
        shutil.rmtree(folder)


def verification_set(data):
    """A ``.bin``."""
    path = _place() / f"set-{next(_numbers)}.bin"
    path.write_bytes(data)
    try:
        read_bin(path, 16)
    finally:
        path.unlink()


def recording(data):
    """An ``.npz``."""
    Recording.from_bytes(data, "run.npz")


def run_file(data):
    """The file of a run."""
    runs = _place() / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    try:
        unpack(io.BytesIO(data), runs)
    except ValueError:
        assert not runs.exists() or not list(runs.iterdir())
        raise


def pictures(data):
    """A zip of one's own pictures."""
    path = _place() / "mine.zip"
    path.write_bytes(data)
    own_images(path, 8)


def link(data):
    """The query of every page."""
    query = dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    found = [
        from_query(query),
        comparison_from_query(query, COMPARISONS["five"]),
        sweep_from_query(query, RunConfig()),
        opening(query),
    ]
    for _, ignored in found:
        for said in ignored:
            assert said.endswith("."), said
            assert len(said) < 600, said


PARSERS = {
    parser.__name__: parser
    for parser in (recordio, verification_set, recording, run_file, pictures, link)
}


def in_member(name, data, place, change):
    """An input of the parser ``name`` in which one member of the archive is another.

    Checksums are right again: a change in the bytes of an archive would end at them.
    """
    if name == "run_file":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.namelist() if member != MANIFEST]
        chosen = members[place % len(members)]
        exchanged = lambda found: found.update({chosen: change(found[chosen])})  # noqa: E731
        return rebuilt(io.BytesIO(data), exchanged).getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [(member, archive.read(member)) for member in archive.namelist()]
    chosen, old = files[place % len(files)]
    files[place % len(files)] = chosen, change(old)
    return zipped(files)


ARCHIVES = ("recording", "run_file", "pictures")
"""Parsers whose inputs are archives."""


def _file(make):
    with tempfile.TemporaryDirectory() as folder:
        return make(Path(folder))


def _records(folder):
    lay(folder, insightface([(GOOD, 0), (GOOD, 0), (GOOD, 1)], 2))
    index = (folder / "train.idx").read_bytes()
    return _SPLIT.pack(len(index)) + index + (folder / "train.rec").read_bytes()


def _pairs(folder):
    write_bin(folder / "set.bin", [GOOD] * 4, [True, False])
    return (folder / "set.bin").read_bytes()


def _recorded(folder):
    """Three points of each step, and little of the state: a fuzzer changes short inputs only."""
    config = RunConfig(steps=2, identities=2, images_per_class=2, batch_size=4)
    made = Ensemble(config).record()
    snapshots = [replace(s, embeddings=s.embeddings[:, :3].copy()) for s in made.snapshots]
    state = {"taken": np.array(snapshots[-1].step), "more": np.zeros(2, np.float32)}
    return Recording(config, snapshots, state).to_bytes()


LINKS = (
    b"loss=cosface&m3=0.3&s=30&dim=3&n=7&seed=4&net=cnn&lr=0.01&warm=5&sq=1&d=0.7",
    b"members=softmax,arcface:m2=0.3:s=24,triplet:d=0.2:mining=all",
    b"sweep=m3&from=0&to=0.4&models=5&loss=cosface&step=10&cam=1_2_3_4&at=50&project=1",
    b"lesson=8&m2=0.4&hide=seed,m2&view=present&answer=1",
)
SEEDS = {
    "recordio": lambda: (_file(_records),),
    "verification_set": lambda: (_file(_pairs),),
    "recording": lambda: (_file(_recorded),),
    "run_file": lambda: (_file(lambda folder: packed(full_scale(folder / "runs")).read_bytes()),),
    "pictures": lambda: (zipped(PICTURES), zipped(PICTURES, 8), zipped(PICTURES, 14)),
    "link": lambda: LINKS,
}
