"""What a page that watches a full-scale run is told: what is new in its journal, and its state.

A page has a token, never a path. It asks again and again, each time with the place in the journal
that it was told last; the journal is read from there on. A place names the bytes before it too, so
that a journal which was tidied or edited meanwhile is noticed, and told from its beginning. However
long a journal is, the answer is bounded: of its curves every k-th point is kept. Garbage is passed
over. It knows folders, and neither sockets nor pages.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from facevis.fullscale import jobs, running, standing
from facevis.fullscale.jobs import Job
from facevis.fullscale.journal import METRICS, entry_of
from facevis.fullscale.queue import QUEUED
from facevis.fullscale.runs import CHECKPOINTS, CONFIG
from facevis.i18n import Said

CURVES = ("loss", "learning_rate", "angle_deg", "images_per_second")
"""What is told of training steps."""
MOST_POINTS = 1000
"""From twice as many points on, every other one of a curve is left out."""
_MOST_EVALUATIONS, _MOST_ANGLES, _MOST_EVENTS = 300, 60, 200
_CAPACITY = 256
_BEFORE = 64
"""Bytes before a place that must be the same for it to be gone on from."""
_PLACE = re.compile(r"(\d{1,18})-([0-9a-f]{8})")
_TRAIN = b'{"kind": "train",'
_END = 2**14
"""Bytes in which the last loss is sought."""
_LONGEST = 5.0
"""A state is looked at anew after so many seconds even if nothing seems to have changed."""

_Line = TypeVar("_Line")


class Watches:
    """The runs that pages watch, by unguessable token; one run has one."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[Path, str] = OrderedDict()
        self._watches: dict[str, Watch] = {}
        self._lock = threading.Lock()

    def token_of(self, folder: Path) -> str:
        """The token of a run's folder."""
        with self._lock:
            if folder not in self._tokens:
                token = secrets.token_urlsafe(18)
                self._tokens[folder], self._watches[token] = token, Watch(folder)
            self._tokens.move_to_end(folder)
            while len(self._tokens) > _CAPACITY:
                self._watches.pop(self._tokens.popitem(last=False)[1])
            return self._tokens[folder]

    def find(self, token: str) -> Watch | None:
        """Whom a token lets look, or None."""
        with self._lock:
            return self._watches.get(token)


@dataclass
class Watch:
    """One run as those see it who watch."""

    folder: Path
    _job: Job | None = None
    _seen: tuple[Any, ...] = ()
    _looked: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def poll(self, place: str = "", log: bool = False) -> dict[str, Any]:
        """State and what is new since ``place``; ``ValueError`` where there is no run any more.

        ``place`` is that of the answer before, empty at first. ``anew`` says that what was told
        before does not hold and all is told again. ``log`` asks for the end of the log too.
        """
        news = _news(self.folder, place)
        job = self._look(bool(news.others), bool(news.train["step"]))
        config = job.config
        step = news.train["step"][-1] if news.train["step"] else job.step
        told = {
            "name": job.name,
            "state": job.state,
            "sentence": job.sentence,
            "said": _key_and_values(job.sentence),
            "step": step,
            "steps": job.steps,
            "place": job.place,
            "processes": job.processes,
            "batch_size": config.batch_size if config else 0,
            "checkpoints": list(job.checkpoints[-1:]),
            "silent": round(max(0.0, time.time() - job.changed), 1),
            "at": news.place,
            "anew": news.anew,
            "every": news.every,
            "unreadable": news.unreadable,
            "train": news.train,
            "others": news.others,
        }
        return told | {"log": standing.log_tail(self.folder)} if log else told

    def last_loss(self) -> float | None:
        """The loss that the journal's end tells, if it does."""
        try:
            with (self.folder / METRICS).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _END))
                lines = file.read().splitlines()
        except OSError:
            return None
        return next((loss for line in reversed(lines) if (loss := _loss(line)) is not None), None)

    def _look(self, happened: bool, trained: bool) -> Job:
        """The run's state; looked at anew only where something tells that it may be another."""
        with self._lock:
            process = running.read(self.folder)
            seen = (
                process,
                process is not None and process.alive,
                *(_stamp(self.folder / name) for name in (CONFIG, QUEUED, CHECKPOINTS)),
            )
            known, now = self._job, time.monotonic()
            happened = happened or (trained and known is not None and known.state != "training")
            late = now - self._looked > _LONGEST
            if known is None or happened or late or seen != self._seen:
                known = jobs.look(self.folder)
                self._job, self._seen, self._looked = known, seen, now
            return known


watches = Watches()


# -- the journal -----------------------------------------------------------------------------------


@dataclass
class _News:
    """Lines of a journal, sorted and thinned."""

    place: str
    anew: bool
    every: int
    unreadable: int
    train: dict[str, list[Any]]
    """Columns: step, time and ``CURVES``."""
    others: list[dict[str, Any]]
    """Evaluations, angles and events, in order of their steps."""


class _Thinned(Generic[_Line]):
    """Of any number of lines at most twice ``most``, evenly, and the last one."""

    def __init__(self, most: int) -> None:
        self.most, self.every, self._count = most, 1, 0
        self._kept: list[_Line] = []
        self._last: list[_Line] = []

    def add(self, line: _Line) -> None:
        self._last = [line]
        if self._count % self.every == 0:
            self._kept.append(line)
            self._last = []
        self._count += 1
        if len(self._kept) >= 2 * self.most:
            self._last = self._last or self._kept[-1:]
            self._kept = self._kept[::2]
            self.every *= 2

    def __iter__(self) -> Iterator[_Line]:
        return iter([*self._kept, *self._last])


def _news(folder: Path, place: str) -> _News:
    """What a journal says from a place on."""
    train: _Thinned[bytes] = _Thinned(MOST_POINTS)
    angles: _Thinned[dict[str, Any]] = _Thinned(_MOST_ANGLES)
    evaluations: dict[str, _Thinned[dict[str, Any]]] = {}
    events: deque[dict[str, Any]] = deque(maxlen=_MOST_EVENTS)
    unreadable = 0
    try:
        with (folder / METRICS).open("rb") as file:
            start = _start(file, place)
            reading = _Lines(file, start)
            for line in reading:
                if line.startswith(_TRAIN):
                    train.add(line)
                    continue
                entry = entry_of(line)
                if entry is None:
                    unreadable += 1
                    continue
                kind = entry["kind"]
                if kind == "train":
                    train.add(line)
                elif kind == "angles":
                    angles.add(entry)
                elif kind == "evaluation":
                    name = str(entry.get("set"))
                    evaluations.setdefault(name, _Thinned(_MOST_EVALUATIONS)).add(entry)
                else:
                    events.append(entry)
            place = _place(file, reading.end)
    except OSError:  # not there yet, or not to be read: the state says what there is to say
        start, place = 0, ""
    entries = [entry_of(line) for line in train]
    rows = [entry for entry in entries if entry is not None]
    names = ("step", "time", *CURVES)
    others = [*events, *angles, *(entry for one in evaluations.values() for entry in one)]
    return _News(
        place=place,
        anew=start == 0,
        every=train.every,
        unreadable=unreadable + len(entries) - len(rows),
        train={name: [_number(row.get(name)) for row in rows] for name in names},
        others=sorted(others, key=lambda entry: entry["step"]),
    )


class _Lines:
    """The whole lines of a file from a place on; ``end`` is where the last of them ended."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self.file, self.end = file, start

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.end)
        for line in self.file:
            if not line.endswith(b"\n"):
                return  # it is being written
            self.end += len(line)
            yield line


def _start(file: BinaryIO, place: str) -> int:
    """Where to go on from; 0 if the bytes before are others than they were."""
    match = _PLACE.fullmatch(place)
    offset = int(match[1]) if match else 0
    there = offset <= file.seek(0, os.SEEK_END) and _place(file, offset) == place
    return offset if there else 0


def _place(file: BinaryIO, offset: int) -> str:
    """A place in the file: how many bytes lie before it, and what the last of them are."""
    first = max(0, offset - _BEFORE)
    file.seek(first)
    return f"{offset}-{zlib.crc32(file.read(offset - first)):08x}"


def _key_and_values(sentence: str) -> tuple[str, dict[str, object]] | None:
    """Of a sentence that has words in other languages what the page needs to say it."""
    if not isinstance(sentence, Said):
        return None
    return sentence.key.removeprefix("live_"), sentence.values


def _loss(line: bytes) -> float | None:
    entry = entry_of(line) if line.startswith(_TRAIN) else None
    return None if entry is None else _number(entry.get("loss"))


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stamp(path: Path) -> int:
    """When a file was changed last, 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
