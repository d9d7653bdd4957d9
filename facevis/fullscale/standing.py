"""How a run stands, read off its journal, its log and the note about its process.

It is light: PyTorch is not loaded. What is done with a run it does not know.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from facevis.fullscale import running
from facevis.fullscale.journal import METRICS, entry_of
from facevis.fullscale.queue import LOG
from facevis.i18n import Said

_KILLED = -9
"""What Python makes of SIGKILL, which Windows does not know."""
_ENDINGS = ("finished", "stopped", "failed")
_LAST = 2**17
"""Bytes of the journal in which its last step and its last event are sought."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def state_of(
    folder: Path, process: running.Process | None, entries: list[dict[str, Any]]
) -> tuple[str, str]:
    """State and sentence of a run that does not wait."""
    now = _of_this_start(process, entries)
    if process is not None and process.alive:
        if process.asked_to_stop:
            return "stopping", ""
        return ("training" if now else "starting"), ""
    last = next((entry for entry in reversed(now) if entry.get("event") in _ENDINGS), None)
    if last is not None:
        return last["event"], "" if last["event"] == "finished" else str(last.get("sentence", ""))
    if process is None or process.asked_to_stop:
        return "stopped", ""
    return "failed", _how_it_ended(folder, process)


def _of_this_start(
    process: running.Process | None, entries: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Entries since the process began: those of an earlier start say nothing about this one."""
    if process is None:
        return entries
    begun = [i for i, e in enumerate(entries) if e.get("event") in ("started", "resumed")]
    if begun and "pid" in entries[begun[-1]]:
        return entries[begun[-1] :] if entries[begun[-1]]["pid"] == process.pid else []
    # Of a long run its beginning is not among the last entries. Times are rounded.
    return [entry for entry in entries if entry["time"] >= process.since - 0.001]


def _how_it_ended(folder: Path, process: running.Process) -> str:
    """Why a process is gone that left no word in the journal."""
    if process.code == 2:  # it said so itself
        text = _end_of(folder / LOG, 2**16, process.log).decode("utf-8", "replace")
        lines = [_ESCAPES.sub("", line).strip() for line in text.splitlines()]
        said = next((line for line in reversed(lines) if line), "")
        if said:
            return said
    if process.code == _KILLED:
        return Said("live_full_killed")
    if process.code is None:
        return Said("live_full_vanished")
    return Said("live_full_fell", code=process.code)


def last_entries(folder: Path) -> list[dict[str, Any]]:
    """The journal's last entries; lines that are none are passed over."""
    found = []
    for line in _end_of(folder / METRICS, _LAST).splitlines():
        entry = entry_of(line)
        if entry is not None and "time" in entry:
            found.append(entry)
    return found


def _end_of(path: Path, size: int, start: int = 0) -> bytes:
    """The last bytes of a file, from ``start`` on; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - size, 0))
            return file.read()
    except OSError:
        return b""


def log_tail(folder: Path, lines: int = 60) -> list[str]:
    """The last lines of what the run's process said, without colours and control characters."""
    text = _end_of(folder / LOG, 2**16).decode("utf-8", "replace")
    found = text.removesuffix("\n").split("\n")[-lines:] if text else []
    return [_ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in found]
