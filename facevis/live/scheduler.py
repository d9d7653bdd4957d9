"""The one thread that trains every live run, turn by turn.

Threads of their own would fight for the interpreter lock. What a run is stays unknown here.
"""

from __future__ import annotations

import atexit
import threading
from typing import Protocol

import torch


class Turns(Protocol):
    """What the scheduler asks of a run."""

    @property
    def busy(self) -> bool:
        """Whether there is something to do now or soon."""

    def wait_seconds(self) -> float:
        """How long the run has nothing to do; 0 when it wants a turn."""

    def take_turn(self, runs: int) -> None:
        """Work for one turn beside ``runs`` runs in all; errors stay inside."""


class Scheduler:
    """The one training thread: it sleeps when no run wants a turn, and is joined at exit."""

    def __init__(self) -> None:
        self._runs: set[Turns] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def wake(self, run: Turns) -> None:
        """Let a run have its turns until it is idle again."""
        with self._changed:
            self._runs.add(run)
            if self._thread is None or not self._thread.is_alive():
                self._stopping = False
                self._thread = threading.Thread(target=self._work, name="trainer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """End the thread and wait for it: a thread inside torch at exit would abort the process."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(timeout=30)

    def _work(self) -> None:
        torch.set_num_threads(1)
        while True:
            with self._changed:
                self._runs = {run for run in self._runs if run.busy}
                runs = list(self._runs)
                pause = min((run.wait_seconds() for run in runs), default=float("inf"))
                if not self._stopping and pause > 0:
                    self._changed.wait(timeout=None if pause == float("inf") else pause)
                if self._stopping:
                    return
            for run in runs:
                if run.wait_seconds() == 0:
                    run.take_turn(len(runs))


scheduler = Scheduler()
atexit.register(scheduler.stop)
