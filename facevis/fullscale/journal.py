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
from typing import Any

from facevis.writing import write_whole

METRICS = "metrics.jsonl"
_HISTOGRAMS = ("own", "nearest_other")


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
        self._board = None
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(
                str(folder / "tensorboard"),
                purge_step=resumed_at + 1,
                filename_suffix=f".{resumed_at:08d}",  # no second file has the name of the first
            )

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
            self._show(kind, step, values)

    def _write_out(self) -> None:
        """What waits, as far as there is room; the rest of a line follows when there is."""
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._waiting = self._waiting[written:]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    def _show(self, kind: str, step: int, values: dict[str, Any]) -> None:
        assert self._board is not None
        group = f"evaluation/{values.get('set')}" if kind == "evaluation" else kind
        for name, value in values.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._board.add_scalar(f"{group}/{name}", value, step)
            elif isinstance(value, str) and kind == "event" and name == "sentence" and value:
                self._board.add_text("events", value, step)
            elif name in _HISTOGRAMS:
                self._show_histogram(f"{group}/{name}", value, step)
        self._board.flush()

    def _show_histogram(self, name: str, counts: list[int], step: int) -> None:
        """Counts of angles by the degree."""
        assert self._board is not None
        total = sum(counts)
        if not total:
            return
        moments = [sum(c * (k + 0.5) ** p for k, c in enumerate(counts)) for p in (1, 2)]
        self._board.add_histogram_raw(
            name,
            min=0.0,
            max=float(len(counts)),
            num=total,
            sum=moments[0],
            sum_squares=moments[1],
            bucket_limits=[float(k + 1) for k in range(len(counts))],
            bucket_counts=counts,
            global_step=step,
        )

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
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise _no_entry(path, number, offset) from error
        if not isinstance(entry, dict) or not isinstance(entry.get("step"), int):
            raise _no_entry(path, number, offset)
        entries.append({"kind": "event"} | entry)
    return entries, offset + len(whole)


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
