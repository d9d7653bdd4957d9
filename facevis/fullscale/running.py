"""Which process trains in the folder of a run: written where it starts, read by whoever asks.

``process.json`` in the folder names the process by its number and the moment it began, since
numbers are used again. It is light: PyTorch is not loaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from facevis.writing import write_whole

PROCESS = "process.json"


@dataclass(frozen=True, kw_only=True)
class Process:
    """The last process that trained in a folder, or the launcher of several."""

    pid: int
    born: float
    """When it began, as the system says it."""
    since: float
    """When this start of the run was noted, seconds since 1970."""
    processes: int = 1
    """How many train together."""
    log: int = 0
    """Where in the log its lines begin."""
    asked_to_stop: bool = False
    code: int | None = None
    """What it ended with, where somebody waited for it."""

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self.code is None and _born(self.pid) == self.born


def note(folder: Path, pid: int, processes: int = 1, log: int = 0) -> None:
    """Write down who trains here; what is known of the same process already, stays."""
    born, known = _born(pid), read(folder)
    if known is not None and (known.pid, known.born) == (pid, born):
        return
    if born is not None:
        _write(
            folder,
            Process(pid=pid, born=born, since=time.time(), processes=processes, log=log),
        )


def marked(runs: Path, name: str) -> list[Path]:
    """The folders in which a file of that name lies; what cannot be read is left out."""
    found = []
    with contextlib.suppress(OSError):
        for folder in runs.iterdir():
            with contextlib.suppress(OSError):
                if (folder / name).is_file():
                    found.append(folder)
    return found


def leader(processes: int) -> int:
    """The process that stands for a run: this one, or the launcher of several."""
    return os.getppid() if processes > 1 else os.getpid()


def read(folder: Path) -> Process | None:
    """Who trained here last; None where nobody did or the note cannot be read."""
    try:
        found = json.loads((folder / PROCESS).read_text(encoding="utf-8"))
        process = Process(**found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    whole = (process.pid, process.processes, process.log)
    right = all(isinstance(number, int) for number in whole) and all(
        isinstance(moment, int | float) for moment in (process.born, process.since)
    )
    return process if right else None


def ended(folder: Path, pid: int, code: int) -> None:
    """Write down how a process ended."""
    known = read(folder)
    if known is not None and known.pid == pid:
        _write(folder, dataclasses.replace(known, code=code))


def ask_to_stop(folder: Path) -> bool:
    """Tell the process of a folder to write a checkpoint and end; whether there is one."""
    known = read(folder)
    if known is None or not known.alive:
        return False
    if not known.asked_to_stop:
        _write(folder, dataclasses.replace(known, asked_to_stop=True))
    with contextlib.suppress(ProcessLookupError):
        os.kill(known.pid, signal.SIGTERM)
    return True


def _write(folder: Path, process: Process) -> None:
    with contextlib.suppress(OSError):  # a full disk stops no training
        write_whole(folder / PROCESS, json.dumps(dataclasses.asdict(process)))


def _born(pid: int) -> float | None:
    """When a process began, as the system counts; None if it is gone, or waits to be forgotten."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        ticks = Path(f"/proc/{pid}/stat")
        if ticks.exists():  # since the machine started: no clock that is set moves it
            return float(
                ticks.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
            )
        return float(process.create_time())
    except (psutil.Error, OSError, ValueError, IndexError):
        return None
