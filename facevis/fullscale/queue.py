"""Runs that wait for their turn, and the process that starts them one after the other.

``python -m facevis.fullscale.queue RUNS`` goes through the queue of a folder of runs and ends when
nobody waits. Only one of them works in a folder, whoever starts it; what it starts goes on when it
ends, or when the app that called it does. It is light: PyTorch is not loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from facevis.fullscale import running
from facevis.writing import write_whole

QUEUED, LOG = "queued.json", "log.txt"
LARGEST_LOG = 10 * 2**20
_LOCK = ".queue.lock"
_PATIENCE = 5.0
"""How long a worker waits for one that is just about to end."""
_LOOK = 0.25


def enqueue(folder: Path, processes: int = 1) -> None:
    """Let a run wait for its turn, and see that somebody starts it."""
    # Behind those who wait, also where the clock was set back meanwhile.
    latest = max((_since(other) for other in waiting(folder.parent) if other != folder), default=0)
    entry = {"since": max(time.time(), latest + 0.001), "processes": processes}
    write_whole(folder / QUEUED, json.dumps(entry))
    wake(folder.parent)


def leave(folder: Path) -> bool:
    """Take a run out of the queue; whether it was there."""
    try:
        (folder / QUEUED).unlink()
    except FileNotFoundError:
        return False
    return True


def waiting(runs: Path) -> list[Path]:
    """The folders of runs that wait, the first in line first."""
    found = []
    for folder in running.marked(runs, QUEUED):
        entry = entry_of(folder)
        if entry is not None:
            found.append((entry["since"], folder))
    return [folder for _, folder in sorted(found)]


def entry_of(folder: Path) -> dict[str, Any] | None:
    """Since when a run waits, and for how many processes; None if it does not."""
    try:
        entry = json.loads((folder / QUEUED).read_text(encoding="utf-8"))
        return {"since": float(entry["since"]), "processes": int(entry["processes"])}
    except FileNotFoundError:
        return None
    except (
        OSError,
        RecursionError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
    ):  # edited by hand: it waits nonetheless
        return {"since": 0.0, "processes": 1}


def _since(folder: Path) -> float:
    entry = entry_of(folder)
    return entry["since"] if entry else 0.0


def wake(runs: Path) -> None:
    """Have a process look after the queue; one that is there already goes on alone."""
    command = [sys.executable, "-m", "facevis.fullscale.queue", str(runs)]
    worker = _detached(command, subprocess.DEVNULL)
    threading.Thread(target=worker.wait, daemon=True).start()  # so that no zombie is left


def looked_after(runs: Path) -> bool:
    """Whether somebody goes through the queue; one who just begins waits a moment meanwhile."""
    try:
        with FileLock(str(runs / _LOCK), timeout=0):
            return False
    except (Timeout, OSError):
        return True


def work(runs: Path) -> None:
    """Start what waits, one run after the other, until nobody does."""
    given_up: set[Path] = set()
    try:
        with FileLock(str(runs / _LOCK), timeout=_PATIENCE):
            while (folders := [f for f in waiting(runs) if f not in given_up]) or _busy(runs):
                if _busy(runs) or not folders:
                    time.sleep(_LOOK)
                    continue
                try:
                    _start(folders[0])
                except OSError:  # nothing can be written there: the others need not wait for it
                    given_up.add(folders[0])
    except (Timeout, OSError):
        return  # somebody else looks after it, or the folder is gone


def _busy(runs: Path) -> bool:
    """Whether a run of the folder trains, whoever started it."""
    known = map(running.read, running.marked(runs, running.PROCESS))
    return any(process is not None and process.alive for process in known)


def _start(folder: Path) -> None:
    """Train, and wait for the end."""
    entry = entry_of(folder)
    if entry is None:
        return
    with _open_log(folder) as log:
        train = ["-m", "facevis.fullscale.train", str(folder)]
        if entry["processes"] > 1:
            train = ["-m", "facevis", "train", "resume", str(folder)]
            train += ["--nproc", str(entry["processes"])]
        child = _detached([sys.executable, *train], log)
        running.note(folder, child.pid, entry["processes"], log.tell())
    if not leave(folder):  # somebody took it out of the queue meanwhile
        running.ask_to_stop(folder)
    running.ended(folder, child.pid, child.wait())


def _open_log(folder: Path) -> Any:
    path = folder / LOG
    try:
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_name(f"{LOG}.old"))
        return path.open("ab")
    except OSError:  # the run says in its journal what it can
        return Path(os.devnull).open("ab")


def _detached(command: list[str], output: Any) -> subprocess.Popen[bytes]:
    """A process that outlives this one."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        options = {"creationflags": flags}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        **options,
    )


if __name__ == "__main__":
    work(Path(sys.argv[1]))
