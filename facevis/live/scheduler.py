"""The one thread that trains every live run, turn by turn.

Threads of their own would fight for the interpreter lock. Only so many runs train at a time; the
others wait in a line, and after a while a run gives its place to the first of them. What a run is
stays unknown here.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Sequence
from typing import Protocol

import torch

LIMIT = 32
"""Runs that train at a time: so many still look alive on two cores."""
PLACE_SECONDS = 20.0
"""How long a run keeps its place while others wait."""


class Turns(Protocol):
    """What the scheduler asks of a run."""

    guest: bool
    """Whether it gives way to those that are none."""
    queue: int
    """The scheduler says here how many runs wait before this one, from 1; 0 if it has a place."""

    @property
    def busy(self) -> bool:
        """Whether there is something to do now or soon."""

    @property
    def training(self) -> bool:
        """Whether it needs a place among those that train."""

    def wait_seconds(self) -> float:
        """How long the run has nothing to do; 0 when it wants a turn."""

    def take_turn(self, runs: int) -> None:
        """Work for one turn beside ``runs`` runs in all; errors stay inside."""


class Scheduler:
    """The one training thread: it sleeps when no run wants a turn, and is joined at exit."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        """Runs that train at a time."""
        # In the order in which they came; when each got its place, or None.
        self._runs: dict[Turns, float | None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def wake(self, run: Turns) -> None:
        """Let a run have its turns until it is idle again."""
        with self._changed:
            self._runs.setdefault(run)
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
                for run in [run for run in self._runs if not run.busy]:
                    del self._runs[run]
                    run.queue = 0
                self._give_places()
                runs = list(self._runs)
                pause = min((run.wait_seconds() for run in runs), default=float("inf"))
                if not self._stopping and pause > 0:
                    self._changed.wait(timeout=None if pause == float("inf") else pause)
                if self._stopping:
                    return
            at_work = sum(run.training and not run.queue for run in runs)
            for run in runs:
                if run.wait_seconds() == 0:
                    run.take_turn(max(1, at_work))

    def _give_places(self) -> None:
        """Seat those that train, as long as there are places; number those that wait."""
        now = time.monotonic()
        for run in [run for run in self._runs if not run.training]:
            self._runs[run], run.queue = None, 0
        seated = [run for run, since in self._runs.items() if since is not None]
        waiting = [run for run in self._runs if run.training and run not in seated]
        for run in self._giving_way(seated, waiting, now):
            # To the end of the line: it goes on when all who wait now have had their turn.
            del self._runs[run]
            self._runs[run] = None
            seated.remove(run)
            waiting.append(run)
        waiting.sort(key=lambda run: run.guest)
        free = max(0, self.limit - len(seated))
        for run in waiting[:free]:
            self._runs[run], run.queue = now, 0
        for place, run in enumerate(waiting[free:], 1):
            run.queue = place

    def _giving_way(self, seated: list[Turns], waiting: list[Turns], now: float) -> Sequence[Turns]:
        """Whose place others get: after a while anybody's, but a guest's at once for one that is
        none, and never the other way round."""
        free = self.limit - len(seated)
        hosts = sum(not run.guest for run in waiting)
        late = [run for run in seated if now - self._since(run) > PLACE_SECONDS]
        late = [run for run in late if run.guest or hosts]
        late = sorted(late, key=lambda run: not run.guest)[: max(0, len(waiting) - free)]
        guests = [run for run in seated if run.guest and run not in late]
        return [*late, *guests[: max(0, hosts - free - len(late))]]

    def _since(self, run: Turns) -> float:
        since = self._runs[run]
        assert since is not None
        return since


scheduler = Scheduler()
atexit.register(scheduler.stop)
