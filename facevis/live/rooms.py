"""Who watches which run: runs by unguessable token, in a bounded room.

The page opens a run and hands its token to the view; the stream looks the token up. The same
configuration is one run, whoever asks for it: all is seeded, so the result is the same. Who changes
a shared run gets one of their own. Streamlit and sockets are unknown here.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable

from facevis.datasets import DATASETS
from facevis.live.config import RunConfig
from facevis.live.material import Material, material_for
from facevis.live.recording import Recording
from facevis.live.shown import ShownRun
from facevis.live.trainer import LiveRun

RUNS = 64
"""Runs kept; past it the run that was longest without a viewer goes first."""
MEMORY = 2**30
"""Bytes that all runs may take."""

GUESTS_LEAVE = 16
"""Places that guests leave to those who run the app."""

Key = tuple[RunConfig, bool]


class RoomFull(ValueError):
    """As many runs are being watched as there is room for."""


class Rooms:
    """The runs of this process, by token."""

    def __init__(self, capacity: int = RUNS, memory: int = MEMORY) -> None:
        self._runs: OrderedDict[str, ShownRun] = OrderedDict()
        self._shared: dict[Key, str] = {}
        self._handed: dict[str, int] = {}
        """How often a shared run was handed out, by token."""
        self._lock = threading.Lock()
        self._capacity, self._memory = capacity, memory

    def limit(self, capacity: int, memory: int) -> None:
        """Keep at most so many runs, and so many bytes of them."""
        self._capacity, self._memory = capacity, memory

    def share(
        self,
        config: RunConfig,
        recording: Recording | None = None,
        *,
        aligned: bool = False,
        guest: bool = False,
    ) -> str:
        """The token of the run of a configuration: the one that is there, or a new one.

        Without a recording it trains, unless it has done so. Pictures of one's own are not shared.
        A ``guest`` leaves room to others, also among those that train. ``RoomFull`` if there is no
        room for another.
        """
        key = (config, aligned)
        token = self._hand_out(key)
        if token is None:
            token = self.open(config, recording, aligned=aligned, guest=guest)
            if config.dataset in DATASETS:
                token = self._first(key, token)
        run = self.find(token)
        if run is not None:
            run.guest = run.guest and guest
            if recording is None:
                run.begin()
        return token

    def _hand_out(self, key: Key) -> str | None:
        with self._lock:
            token = self._shared.get(key)
            if token is not None:
                self._handed[token] += 1
                self._runs.move_to_end(token)
            return token

    def _first(self, key: Key, token: str) -> str:
        """Share a new run, unless another was quicker."""
        with self._lock:
            if key not in self._shared and token in self._runs:
                self._shared[key], self._handed[token] = token, 1
                return token
        other = self._hand_out(key)
        if other is None:
            return token
        self.forget(token)
        return other

    def take(self, token: str, run: ShownRun) -> tuple[str, ShownRun]:
        """A watched run for somebody who is about to change it, and its token.

        It is the run itself, which is shared no longer, unless it was handed to others too: then
        it is one of their own that goes on from there.
        """
        with self._lock:
            others = self._handed.get(token, 1) - 1
            if others <= 0 or not isinstance(run, LiveRun):
                self._unshare(token)
                return token, run
        fork = run.fork()
        own = self.show(fork)
        with self._lock:
            if token in self._handed:
                self._handed[token] -= 1
        return own, fork

    def leave(self, token: str) -> None:
        """Somebody whom a run was handed to looks at another now; it pauses if it was theirs."""
        run = self.watch(token)
        with self._lock:
            others = self._handed.get(token, 1) - 1
            if others > 0:
                self._handed[token] = others
        if isinstance(run, LiveRun) and others <= 0 and run.viewers <= 1:
            run.doze()

    def open(
        self,
        config: RunConfig,
        recording: Recording | None = None,
        *,
        aligned: bool = False,
        last_only: bool = False,
        guest: bool = False,
    ) -> str:
        """Make a run, from a recording if there is one, and return its token.

        ``aligned``: viewers get each member turned onto the one before it. ``last_only``: the run
        keeps its last snapshot alone. ``RoomFull`` if there is no room for another.
        """
        material = material_for(config)
        if recording is not None:
            check_fit(recording, material)
        run = LiveRun(config, material, recording, aligned=aligned, last_only=last_only)
        run.guest = guest
        return self.show(run, spare=min(GUESTS_LEAVE, self._capacity // 2) if guest else 0)

    def show(self, run: ShownRun, *, spare: int = 0) -> str:
        """Take a run in, and return its token; ``RoomFull`` if there is no room for another beside
        so many ``spare`` places."""
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._runs[token] = run
            gone = self._make_room(token, self._capacity - spare)
        for other in gone:
            other.pause()
        if run in gone:
            raise RoomFull(
                f"the room is full: it holds {self._capacity} runs and "
                f"{self._memory >> 20} MiB, and all are being watched; close one and try again."
            )
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
            run = self._let_go(token)
        if run is not None:
            run.pause()

    def _make_room(self, newcomer: str, capacity: int) -> list[ShownRun]:
        """Let go of what nobody watches, the longest unused first; in need, of the newcomer."""
        idle = [t for t, run in self._runs.items() if not run.watched and t != newcomer]
        # What can be made again goes first, what is at work last.
        idle.sort(key=lambda t: (self._runs[t].state == "training", self._runs[t].trains))
        gone = []
        for token in [*idle, newcomer]:
            if len(self._runs) <= capacity and _size(self._runs.values()) <= self._memory:
                break
            run = self._let_go(token)
            if run is not None:
                gone.append(run)
        return gone

    def _let_go(self, token: str) -> ShownRun | None:
        self._unshare(token)
        return self._runs.pop(token, None)

    def _unshare(self, token: str) -> None:
        self._handed.pop(token, None)
        for key in [key for key, shared in self._shared.items() if shared == token]:
            del self._shared[key]


def _size(runs: Iterable[ShownRun]) -> int:
    """Bytes of all runs; pictures that several have count once."""
    runs = list(runs)
    pictures = {id(run.material.dataset): run.material.dataset.images.nbytes for run in runs}
    return sum(run.size for run in runs) + sum(pictures.values())


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
