"""Whatever facevis writes and must survive, in one table.

``faults`` has the children that meet the faults; ``test_writing`` says what must be left.
"""

import dataclasses
import datetime
import json
import os
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from runs import small

from facevis.atlas import cache as embeddings
from facevis.classroom.votes import VotesFile, question_of
from facevis.corpora import made_up, write_folder, write_recordio, write_shards
from facevis.corpora.bins import read_bin, write_bin
from facevis.corpora.keeping import kept
from facevis.corpora.lists import write_list
from facevis.corpora.sheet import write_png
from facevis.fullscale import checkpoint, jobs, queue, running, runs
from facevis.fullscale.journal import Journal, read_journal
from facevis.lessons import export
from facevis.library import notes, packing, toys, unpacking
from facevis.live import Ensemble, RunConfig
from facevis.live.recording import Recording
from facevis.writing import write_in_words

RUN, TRAINER = "run", os.getpid()


@dataclasses.dataclass(frozen=True)
class Writer:
    """How something is written into a folder, and what stands there then."""

    write: Callable[[Path, str], object]
    read: Callable[[Path], str | None]
    """The text that was written last, None where there is none; what is not whole raises."""
    prepare: Callable[[Path], object] = lambda folder: None
    once: bool = False
    """Whether it refuses what is there already."""
    says: bool = True
    """Whether a person hears of faults; a cache does without."""


def _text(name):
    def read(folder):
        path = folder / name
        return path.read_text() if path.exists() else None

    return read


def _run(folder):
    runs.prepare(folder / RUN, small())


@cache
def recording():
    return Ensemble(RunConfig(steps=1, identities=2, images_per_class=1), device="cpu").record()


def _recording(text):
    return dataclasses.replace(recording(), state={"text": np.array(list(text.encode()))})


def _text_of(recorded):
    return bytes(recorded.state["text"].astype(np.uint8)).decode()


def _number(text):
    """Something for writers that take numbers: old is 3, new is 7."""
    return {"old": 3, "new": 7}[text]


def _name(number):
    return {3: "old", 7: "new"}[number]


# -- runs -----------------------------------------------------------------------------------------


def _begun(folder):
    if not (folder / RUN).exists():
        return None
    return _name(runs.read_config(folder / RUN).seed)


def _environment(folder):
    path = folder / RUN / runs.ENVIRONMENT
    return _name(json.loads(path.read_text())["processes"]) if path.exists() else None


def _queued(folder):
    entry = queue.entry_of(folder / RUN)
    return _name(entry["processes"]) if entry else None


def _enqueue(folder, text):
    wake, queue.wake = queue.wake, lambda runs: None
    try:
        jobs._enqueue(folder / RUN, _number(text))
    finally:
        queue.wake = wake


def _trains(folder):
    _run(folder)
    running.note(folder / RUN, TRAINER)


def _ended(folder):
    code = running.read(folder / RUN).code
    return None if code is None else _name(code)


def _add_line(folder, text):
    journal = Journal(folder)
    journal.write("event", _number(text), sentence=text)
    journal.close()
    if journal._waiting:
        raise ValueError(f"{folder}: No space left on device; make room.")


def _last_line(folder):
    found = read_journal(folder)
    return found[-1]["sentence"] if found else None


def _three_steps(folder):
    journal = Journal(folder)
    for step in (1, 2, 7):
        journal.write("train", step, loss=1.0)
    journal.close()


def _last_step(folder):
    return {7: "old", 2: "new"}[read_journal(folder)[-1]["step"]]


def _save(folder, text):
    tensors = checkpoint.Tensors()
    tensors.shared["network.a"] = torch.full((20,), float(_number(text)))
    checkpoint.save(folder / "checkpoints", _number(text), tensors, {}, "cpu")


def _saved(folder):
    there = folder / "checkpoints"
    steps = checkpoint.steps(there)
    if not steps:
        return None
    checkpoint.progress_of(there, steps[-1])
    (found,) = checkpoint.read_whole(there, steps[-1], lambda name: True).values()
    assert found.tolist() == [float(steps[-1])] * 20
    return _name(steps[-1])


def _noted(folder, text):
    notes.write_notes(folder / RUN, text, notes.read_notes(folder / RUN))


# -- the library ----------------------------------------------------------------------------------


def _kept(folder):
    if not (folder / "toy").exists():
        return None
    toys.check_about((folder / "toy" / toys.ABOUT).read_text())
    return _text_of(toys.recording_of(folder / "toy"))


def _to_pack(folder):
    toys.keep(_recording("new"), folder / "runs", "toy")


def _packed(folder):
    path = folder / f"toy{packing.SUFFIX}"
    if not path.exists():
        return None
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert packing.MANIFEST in archive.namelist()
    return "new"


def _pack(folder, text):
    packing.pack(folder / "runs" / "toy", folder / f"toy{packing.SUFFIX}")


def _to_unpack(folder):
    _to_pack(folder)
    _pack(folder, "new")
    notes.delete(folder / "runs" / "toy")


# -- the classroom --------------------------------------------------------------------------------


def _vote(folder, text):
    question = question_of(8)
    at = datetime.datetime(2024, 5, 1, 10, _number(text), tzinfo=datetime.UTC)
    VotesFile(folder / "votes.csv").add(question, [_number(text), 0, 0], at)


def _nearly_a_page(folder):
    """With the old votes the table ends 100 bytes before a page does: so much fits on any disk."""
    _vote(folder, "old")
    path = folder / "votes.csv"
    header, size = path.read_bytes().splitlines(keepends=True)[0], path.stat().st_size
    path.write_bytes(header + b"x" * (3994 - size) + b"\r\n")


def _voted(folder):
    rows = (folder / "votes.csv").read_text().splitlines(keepends=True)
    assert rows[-1].endswith("\n")
    assert rows[-1].startswith("x") or rows[-1].count(",") >= 7
    later = datetime.datetime(2024, 5, 2, tzinfo=datetime.UTC)
    counts = VotesFile(folder / "votes.csv").earlier(question_of(8), later)
    return None if counts is None else _name(counts[0])


# -- caches ---------------------------------------------------------------------------------------


def _remembered(folder):
    found = embeddings.recall(folder, "a")
    return None if found is None else _name(int(found[0]))


def _labels(folder):
    return [path for path in folder.glob("found-*.npz") if np.load(path)["a"].tolist() == [7]]


# -- sets of faces --------------------------------------------------------------------------------


@cache
def faces():
    return made_up("faces:identities=2,images=2,size=16")


def _files(folder):
    """Sets are new as a whole or not there."""
    place = folder / "set"
    if not place.exists():
        return None
    names = {path.name for path in place.rglob("*") if path.is_file()}
    names = {name for name in names if not name.endswith(".partial")}
    if names <= {"train.idx", "property"}:
        return None  # it can be written there
    wanted = ({"train.rec", "train.idx", "property"}, {"shard-000000.tar", "identities.json"})
    assert names in wanted or sum(name.endswith(".png") for name in names) == len(faces()), names
    return "new"


def _pictures(folder):
    write_folder(folder / "pictures", faces())


def _list(folder, text):
    from facevis.corpora import open_corpus

    write_list(folder / "list.tsv", open_corpus(str(folder / "pictures")))


def _bin(folder, text):
    write_bin(folder / "pairs.bin", [b"\x89PNG"] * 2, [True])


def _binned(folder):
    path = folder / "pairs.bin"
    return "new" if path.exists() and len(read_bin(path).same) == 1 else None


WRITERS = {
    "settings of a run": Writer(
        lambda f, t: runs.prepare(f / RUN, small(seed=_number(t))), _begun, once=True
    ),
    "environment of a run": Writer(
        lambda f, t: runs.write_environment(f / RUN, "cpu", _number(t)), _environment, _run
    ),
    "place in the queue": Writer(_enqueue, _queued, _run),
    "process of a run": Writer(
        lambda f, t: running.ended(f / RUN, TRAINER, _number(t)), _ended, _trains, says=False
    ),
    "line of a journal": Writer(_add_line, _last_line),
    "journal that goes on": Writer(
        lambda f, t: Journal(f, resumed_at=2).close(), _last_step, _three_steps, once=True
    ),
    "checkpoint": Writer(_save, _saved),
    "notes": Writer(_noted, lambda f: notes.read_notes(f / RUN) or None, _run),
    "kept toy run": Writer(lambda f, t: toys.keep(_recording(t), f, "toy"), _kept, once=True),
    "exported run": Writer(_pack, _packed, _to_pack, once=True),
    "imported run": Writer(
        lambda f, t: unpacking.unpack(f / f"toy{packing.SUFFIX}", f / "runs"),
        lambda f: _kept(f / "runs"),
        _to_unpack,
        once=True,
    ),
    "votes": Writer(_vote, _voted, _nearly_a_page),
    "embeddings": Writer(
        lambda f, t: embeddings.keep(f, "a", np.array([_number(t)])), _remembered, says=False
    ),
    "labels that were found": Writer(
        lambda f, t: kept(f, [], lambda: {"a": np.array([7])}, []),
        lambda f: "new" if _labels(f) else None,
        once=True,
        says=False,
    ),
    "recording": Writer(
        lambda f, t: _recording(t).save(f / "a.npz"),
        lambda f: _text_of(Recording.load(f / "a.npz")) if (f / "a.npz").exists() else None,
        says=False,
    ),
    "lesson": Writer(lambda f, t: export._write(f / "3.html", t), _text("3.html")),
    "result": Writer(lambda f, t: write_in_words(f / "a.csv", t.encode()), _text("a.csv")),
    "sheet": Writer(
        lambda f, t: _sheet(f, t),
        lambda f: _sheet_of(f),
    ),
    "list": Writer(
        _list, lambda f: "new" if (f / "list.tsv").exists() else None, _pictures, once=True
    ),
    "pairs": Writer(_bin, _binned, once=True),
    "RecordIO": Writer(
        lambda f, t: write_recordio(f / "set", [(b"one", 0)], 1, 16), _files, once=True
    ),
    "folder of pictures": Writer(lambda f, t: write_folder(f / "set", faces()), _files, once=True),
    "shards": Writer(lambda f, t: write_shards(f / "set", faces()), _files, once=True),
}


def _sheet(folder, text):
    from PIL import Image

    write_png(folder / "a.png", Image.new("L", (_number(text), 1)))


def _sheet_of(folder):
    from PIL import Image

    if not (folder / "a.png").exists():
        return None
    with Image.open(folder / "a.png") as image:
        image.load()
        return _name(image.width)
