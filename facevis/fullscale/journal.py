"""What a run writes about itself: one JSON object a line in ``metrics.jsonl``, and for TensorBoard.

Each line has ``kind``, ``step`` and ``time`` (seconds since 1970). Kinds: ``train`` (loss, learning
rate …), ``evaluation`` (one set of strangers), ``angles`` (the angle table and histograms) and
``event``. A line is written at once and whole, so another process may read along; what has no
number is null. It knows numbers and files, not where they come from.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facevis.writing import in_words, write_whole

if TYPE_CHECKING:
    from facevis.fullscale.board import Board

METRICS = "metrics.jsonl"


class Journal:
    """The journal of the run in a folder, opened where training goes on.

    Entries of steps beyond ``resumed_at`` are from work that was lost, and are removed: the curve
    has each step once. What was measured after that very step may be cut off, and is measured
    again. Events stay, since they happened. A last line that a killed process left unfinished is
    removed too. On a full disk lines wait until there is room.
    """

    def __init__(self, folder: Path, tensorboard: bool = False, resumed_at: int = 0) -> None:
        self.path = folder / METRICS
        try:
            self._tidy(resumed_at)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise ValueError(
                f"{self.path} cannot be written ({error.strerror}); make room or correct its "
                "permissions."
            ) from error
        self._waiting = b""
        self._board: Board | None = None
        if tensorboard:
            from facevis.fullscale.board import Board

            with in_words(folder / "tensorboard", "make room, or train without TensorBoard"):
                self._board = Board(folder / "tensorboard", resumed_at)

    def _tidy(self, resumed_at: int) -> None:
        if not self.path.exists():
            return
        kept = [
            entry
            for entry in read_journal(self.path.parent)
            if entry["kind"] == "event"
            or entry["step"] < resumed_at
            or (entry["step"] == resumed_at and entry["kind"] == "train")
        ]
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in kept)
        write_whole(self.path, "".join(lines))

    def write(self, kind: str, step: int, **values: Any) -> None:
        """Append one entry."""
        entry = {"kind": kind, "step": step, "time": round(time.time(), 3)} | _plain(values)
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
        self._waiting += line.encode()
        self._write_out()
        if self._board is not None:
            self._show(self._board, kind, step, values)

    def _write_out(self) -> None:
        """What waits, as far as there is room; the rest of a line follows when there is."""
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._waiting = self._waiting[written:]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                self._waiting = b""  # the run ends, and cannot say so here
                raise ValueError(
                    f"{self.path} cannot be written ({error.strerror}); mend the disk, and take "
                    "the run up again from its last checkpoint."
                ) from error

    def _show(self, board: Board, kind: str, step: int, values: dict[str, Any]) -> None:
        """What cannot be shown stops no training: the curves are in the journal too."""
        try:
            board.show(kind, step, values)
        except OSError as error:
            self._board = None
            board.close()
            said = (
                f"TensorBoard is shown nothing after step {step} ({error.strerror}); the curves "
                f"go on in {METRICS}."
            )
            self.write("event", step, event="remark", sentence=said)

    def close(self) -> None:
        """Close its files."""
        self._write_out()
        os.close(self._file)
        if self._board is not None:
            self._board.close()


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """All entries of a run, in order; an unfinished last line is left out.

    A line that is no entry raises ``ValueError`` with its number.
    """
    path = folder / METRICS
    if not path.exists():
        return []
    entries, _ = tail(folder, 0)
    return entries


def tail(folder: Path, offset: int) -> tuple[list[dict[str, Any]], int]:
    """The entries from a place in the file on, and where the next call goes on.

    For following a run from another process: begin at 0 and pass on what comes back.
    """
    path = folder / METRICS
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    entries = []
    for number, line in enumerate(whole.splitlines(), 1):
        entry = entry_of(line)
        if entry is None:
            raise _no_entry(path, number, offset)
        entries.append(entry)
    return entries, offset + len(whole)


def entry_of(line: bytes) -> dict[str, Any] | None:
    """The entry that a line holds, None if it is none, whoever wrote it.

    Numbers are finite and fit into 64 bits, others are None; texts can be shown.

    >>> entry_of(b'{"kind": "train", "step": 3, "time": 1.5, "loss": 1e999}')
    {'kind': 'train', 'step': 3, 'time': 1.5, 'loss': None}
    >>> entry_of(b'{"kind": "train"}')
    """
    try:
        found = json.loads(
            line, parse_int=_whole, parse_float=_finite, parse_constant=lambda name: None
        )
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    entry = {"kind": "event"} | {name: _shown(value) for name, value in found.items()}
    right = isinstance(entry["kind"], str) and type(entry.get("step")) is int
    return entry if right and isinstance(entry.get("time", 0.0), int | float) else None


def _whole(text: str) -> int | None:
    value = int(text)
    return value if abs(value) < 2**63 else None


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _shown(value: Any) -> Any:
    """Of a text what can be written down: JSON allows halves of letters."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _no_entry(path: Path, number: int, offset: int) -> ValueError:
    where = f"line {number}" + (f" after byte {offset}" if offset else "")
    return ValueError(f"{where} of {path} is no entry of a journal; remove that line.")


def _plain(value: Any) -> Any:
    """For JSON: no NaN, no infinity."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
