"""What a run shows on the terminal: a bar with speed and time left, and sentences above it.

Where the output is no terminal (a file, a cluster's log) a plain line comes now and then instead.
It knows numbers; it does not know what trains.
"""

from __future__ import annotations

import datetime
import math
import time
from collections import deque

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

_WINDOW = 20.0
"""Seconds over which speed is measured."""


class Screen:
    """The screen of a run of ``total`` steps with ``batch_size`` pictures each."""

    def __init__(
        self,
        total: int,
        batch_size: int,
        start: int = 0,
        *,
        console: Console | None = None,
        silent: bool = False,
        every: float = 10.0,
    ) -> None:
        self.total, self.batch_size, self.silent, self.every = total, batch_size, silent, every
        self.console = console or Console(stderr=True)
        self._times: deque[tuple[float, int]] = deque([(time.monotonic(), start)])
        self._start, self._said = start, time.monotonic()
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Screen:
        """Show the bar."""
        if not self.silent and self.console.is_terminal:
            self._progress = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[seen]}"),
                TimeRemainingColumn(),
                console=self.console,
            )
            self._progress.start()
            self._task = self._progress.add_task(
                "", total=self.total, completed=self._start, seen=""
            )
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the bar where it stands."""
        if self._progress is not None:
            self._progress.stop()

    @property
    def images_per_second(self) -> float:
        """Pictures per second over the last 20 s of training, over all processes."""
        (began, first), (ended, last) = self._times[0], self._times[-1]
        return (last - first) * self.batch_size / (ended - began) if ended > began else math.nan

    def pause(self) -> None:
        """Time that goes by from the last step until now was not training."""
        self._times = deque([(time.monotonic(), self._times[-1][1])])

    def update(self, step: int, loss: float, learning_rate: float, angle_deg: float) -> None:
        """So many steps are done."""
        now = time.monotonic()
        self._times.append((now, step))
        while len(self._times) > 2 and now - self._times[0][0] > _WINDOW:
            self._times.popleft()
        if self.silent:
            return
        angle = "" if math.isnan(angle_deg) else f"  θ {angle_deg:.1f}°"
        seen = f"loss {loss:.4g}  lr {learning_rate:.3g}{angle}  {self.images_per_second:,.0f}/s"
        if self._progress is not None:
            self._progress.update(self._task, completed=step, seen=seen)
        elif now - self._said >= self.every or step == self.total:
            self._said = now
            self.say(f"step {step}/{self.total}  {seen}{self._left(step)}")

    def _left(self, step: int) -> str:
        speed = self.images_per_second
        if step == self.total or math.isnan(speed):
            return ""
        seconds = (self.total - step) * self.batch_size / speed
        return f"  {datetime.timedelta(seconds=round(seconds))} left"

    def say(self, text: str) -> None:
        """A line above the bar."""
        if not self.silent:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)
