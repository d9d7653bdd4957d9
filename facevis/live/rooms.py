"""Who watches which run: runs by unguessable token, in a bounded room.

The page opens a run and hands its token to the view; the stream looks the token up. Streamlit and
sockets are unknown here.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from facevis.live.config import RunConfig
from facevis.live.material import Material, material_for
from facevis.live.recording import Recording
from facevis.live.shown import ShownRun
from facevis.live.trainer import LiveRun

CAPACITY = 64
"""Runs kept; past it the run that was longest without a viewer goes first."""


class Rooms:
    """The runs of this process, by token."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._runs: OrderedDict[str, ShownRun] = OrderedDict()
        self._lock = threading.Lock()
        self._capacity = capacity

    def open(
        self,
        config: RunConfig,
        recording: Recording | None = None,
        *,
        aligned: bool = False,
        last_only: bool = False,
    ) -> str:
        """Make a run, from a recording if there is one, and return its token.

        ``aligned``: viewers get each member turned onto the one before it. ``last_only``: the run
        keeps its last snapshot alone.
        """
        material = material_for(config)
        if recording is not None:
            check_fit(recording, material)
        return self.show(LiveRun(config, material, recording, aligned=aligned, last_only=last_only))

    def show(self, run: ShownRun) -> str:
        """Take a run in, and return its token."""
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._runs[token] = run
            self._make_room(token)
        return token

    def find(self, token: str) -> LiveRun | None:
        """The live run of a token, or None if it was never there or has been let go."""
        run = self.watch(token)
        return run if isinstance(run, LiveRun) else None

    def watch(self, token: str) -> ShownRun | None:
        """The run of a token, live or not, or None."""
        with self._lock:
            if token in self._runs:
                self._runs.move_to_end(token)
            return self._runs.get(token)

    def training(self) -> list[tuple[str, LiveRun]]:
        """Token and run of all that can train and keep what they did, the newest use last."""
        with self._lock:
            found = list(self._runs.items())
        return [(t, run) for t, run in found if isinstance(run, LiveRun) and not run.last_only]

    def forget(self, token: str) -> None:
        """Let a run go at once."""
        with self._lock:
            run = self._runs.pop(token, None)
        if run is not None:
            run.pause()

    def _make_room(self, newcomer: str) -> None:
        others = [token for token in self._runs if token != newcomer]
        idle = [
            token
            for token in others
            if self._runs[token].viewers == 0 and self._runs[token].state != "training"
        ]
        idle.sort(key=lambda token: self._runs[token].trains)  # what can be made again goes first
        for token in [*idle, *others]:
            if len(self._runs) <= self._capacity:
                return
            if token in self._runs:
                self._runs.pop(token).pause()


def check_fit(recording: Recording, material: Material) -> None:
    """A recording names its data; what it holds must be of that data."""
    points, classes = len(material.shown), material.num_classes
    last = recording.snapshots[-1]
    found = (last.embeddings.shape[1], last.prototypes.shape[1])
    if found != (points, classes):
        raise ValueError(
            f"the recording shows {found[0]} pictures of {found[1]} classes, but "
            f"{material.dataset.name} has {points} of {classes}; record the run again."
        )


rooms = Rooms()
