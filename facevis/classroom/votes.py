"""Votes of earlier years: a table (CSV) to which every locked poll is added once.

One row an option: when, which lesson and question, the option, its votes and how many voted in all.
A question that is worded anew is another question. Nobody's name is in it, for nobody has one.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import os
import re
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from facevis.lessons.programme import lesson
from facevis.lessons.texts import lesson_text

COLUMNS = ("time", "lesson", "question", "option", "right", "votes", "voters", "text")
_MARK = "\ufeff"
"""With it spreadsheets read letters of all languages."""
_LARGEST_FILE = 2**24
_PATIENCE = 2.0
"""Seconds that another app is waited for."""


@dataclass(frozen=True)
class Question:
    """What a lesson asks."""

    lesson: int
    name: str
    options: tuple[str, ...]
    right: tuple[bool, ...]
    text: str

    @cached_property
    def key(self) -> str:
        """Eight letters that change with the words."""
        words = "\n".join((self.name, self.text, *self.options))
        return hashlib.sha256(words.encode()).hexdigest()[:8]


def question_of(number: int) -> Question:
    """The question of a lesson, in English.

    >>> question = question_of(8)
    >>> question.lesson, len(question.options), len(question.key)
    (8, 3, 8)
    """
    name = lesson(number).name
    text = lesson_text(name, "en")
    options = tuple(_plain(option.text) for option in text.options)
    right = tuple(option.right for option in text.options)
    return Question(number, name, options, right, _plain(text.question))


class VotesFile:
    """The table; what cannot be written is kept and written with the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten = ""
        self._lock = threading.Lock()

    def add(self, question: Question, counts: list[int], at: datetime) -> None:
        """Add the votes of a poll; ``ValueError`` in words if the file cannot be written."""
        when, total = at.isoformat(timespec="seconds"), sum(counts)
        options = zip(question.options, question.right, counts, strict=True)
        rows: list[list[object]] = [
            [when, question.lesson, question.key, place, int(right), votes, total, text]
            for place, (text, right, votes) in enumerate(options, 1)
        ]
        with self._lock:
            self._unwritten += _as_csv(rows)
        self.write()

    def write(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            if not self._unwritten:
                return
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                # Another app may write the same table; the lock goes with the process.
                with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_PATIENCE):
                    _append(self.path, self._unwritten)
            except OSError as error:
                raise ValueError(
                    f"the votes could not be written to {self.path} ({error.strerror or error}); "
                    "they are kept and written with the next ones: make room for the file."
                ) from error
            self._unwritten = ""

    def earlier(self, question: Question, before: datetime) -> list[int] | None:
        """Votes of all days before that one, by option: of each day those that were locked last.

        Lines that are no votes are passed over; None where there are none.
        """
        days: dict[str, tuple[str, dict[int, int]]] = {}
        for time, place, votes in self._rows(question):
            day = time[:10]
            if day >= before.date().isoformat():
                continue
            last, counts = days.get(day, ("", {}))
            if time > last:
                counts = {}
            if time >= last:
                days[day] = time, {**counts, place: votes}
        places = range(1, len(question.options) + 1)
        all_days = [sum(day.get(place, 0) for _, day in days.values()) for place in places]
        return all_days if any(all_days) else None

    def _rows(self, question: Question) -> list[tuple[str, int, int]]:
        """Time, option and votes of a question's rows."""
        try:
            if self.path.stat().st_size > _LARGEST_FILE:
                return []
            text = self.path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError:  # there is none yet
            return []
        found = []
        try:
            for row in csv.DictReader(io.StringIO(text, newline="")):
                place, votes = _count(row.get("option")), _count(row.get("votes"))
                time = row.get("time")
                if row.get("question") != question.key or not isinstance(time, str):
                    continue
                if place is not None and 1 <= place <= len(question.options) and votes is not None:
                    found.append((time, place, votes))
        except csv.Error:  # by no means a table from there on
            return found
        return found


def _append(path: Path, rows: str) -> None:
    """Add rows to the table, whole or not at all: what a full disk cut off is taken back."""
    with path.open("ab+", buffering=0) as file:  # a buffer would be written once more at the end
        before = file.seek(0, os.SEEK_END)
        if not before:
            rows = _MARK + _as_csv([list(COLUMNS)]) + rows
        elif _ends_in_a_row(file, before):
            rows = "\r\n" + rows
        try:
            left = rows.encode()
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)
            raise


def _ends_in_a_row(file: BinaryIO, size: int) -> bool:
    """Whether the last row has no end: an editor took it away."""
    file.seek(size - 1)
    return file.read(1) != b"\n"


def _count(text: object) -> int | None:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6:
        return int(text)
    return None


def _as_csv(rows: list[list[object]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _plain(text: str) -> str:
    """The words of a little HTML."""
    text = re.sub(r"<annotation.*?</annotation>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())
