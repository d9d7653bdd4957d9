"""The journal's numbers as files of events that TensorBoard reads.

They are written where they arise. tensorboardX's own writer would hand them to a thread; where that
dies of a full disk, training waits for it for ever. It knows no run.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog

_HISTOGRAMS = ("own", "nearest_other")
"""Counts of angles by the degree."""


class Board:
    """A file of events, of steps after ``resumed_at``; ``OSError`` where it cannot be written."""

    def __init__(self, folder: Path, resumed_at: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # No second file has the name of the first.
        self._events = EventsWriter(str(folder / "events"), f".{resumed_at:08d}")
        self._add(resumed_at + 1, session_log=SessionLog(status=SessionLog.START))

    def show(self, kind: str, step: int, values: dict[str, Any]) -> None:
        """An entry of the journal: its numbers, histograms and sentences."""
        group = f"evaluation/{values.get('set')}" if kind == "evaluation" else kind
        for name, value in values.items():
            tag = f"{group}/{name}"
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._add(step, summary=summary.scalar(tag, value))
            elif isinstance(value, str) and kind == "event" and name == "sentence" and value:
                self._add(step, summary=summary.text("events", value))
            elif name in _HISTOGRAMS and sum(value):
                self._add(step, summary=_histogram(tag, value))
        self._events.flush()

    def close(self) -> None:
        """Close the file; what it holds back for want of room is lost."""
        with contextlib.suppress(OSError):
            self._events.close()

    def _add(self, step: int, **what: Any) -> None:
        self._events.write_event(Event(wall_time=time.time(), step=step, **what))


def _histogram(tag: str, counts: list[int]) -> Any:
    moments = [sum(c * (k + 0.5) ** p for k, c in enumerate(counts)) for p in (1, 2)]
    ends = [float(k + 1) for k in range(len(counts))]
    return summary.histogram_raw(
        tag, 0.0, float(len(counts)), sum(counts), moments[0], moments[1], ends, counts
    )
