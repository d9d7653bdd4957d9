"""What a viewer can look at: a recording, and the pictures it is about.

A ``ShownRun`` never trains: it shows models that were trained elsewhere. ``trainer.LiveRun`` is one
that does. Sockets and pages are unknown here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from facevis.live.config import Member
from facevis.live.frames import describe_run, titled
from facevis.live.look import Look, strangers_of
from facevis.live.material import Material
from facevis.live.projection import Projection
from facevis.live.recording import Recording, Snapshot

Tell = Callable[[dict[str, Any]], None]

_FIXED = "this model was trained elsewhere; here it can be looked at only."


@dataclass(frozen=True)
class Frame:
    """A published snapshot with what the view wants to know about it."""

    snapshot: Snapshot
    kept: bool
    time_ms: float
    applied: int | None
    number: int


class ShownRun:
    """Snapshots of finished models, to be watched like a run; each shows all its pictures.

    ``titles`` are (name, detail) of each member, instead of the names of their losses; ``compared``
    are the pictures that the open-set report is about, left out: those of unseen identities.
    """

    def __init__(
        self,
        recording: Recording,
        material: Material,
        *,
        titles: Sequence[tuple[str, str]] = (),
        compared: Material | None = None,
        aligned: bool = False,
    ) -> None:
        self.config, self.material, self.recording = recording.config, material, recording
        self.compared = compared or material
        self.titles, self.aligned = tuple(titles), aligned
        self.members: list[Member] = list(self.config.members)
        self.state = "recorded"
        """Of what trains also training, paused, finished or failed."""
        self.error: str | None = None
        self.step = recording.snapshots[-1].step if recording.snapshots else 0
        self.steps_per_second = 0.0
        self.speed: float | None = None
        """To how many steps a second it is held, if it is."""
        self.generation = 0
        """Grows with every rewind: frames of an older one are void."""
        self.viewers = 0
        self.askers = 0
        """How many wait for an answer about it."""
        self.queue = 0
        """How many runs get a place to train before this one; 0 if it needs none."""
        self.published: Frame | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def trains(self) -> bool:
        """Whether it can be steered and trained on."""
        return False

    # -- watching -----------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Bytes that it takes beside its pictures."""
        return self.recording.size

    @property
    def watched(self) -> bool:
        """Whether somebody looks at it."""
        return self.viewers > 0

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` (from any thread) at every change; returns the way out."""
        self._listeners.append(listener)
        self.viewers += 1

        def leave() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)
                self.viewers -= 1
                self.left()

        return leave

    def left(self) -> None:
        """Somebody looked until now."""

    def ask(self) -> None:
        """Somebody without a socket looks now and then: the run is not alone."""

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Somebody without a socket waits for an answer, however long it takes."""
        self.askers += 1
        self.ask()
        try:
            yield
        finally:
            self.ask()
            self.askers -= 1

    def newest_frame(self) -> Frame | None:
        """What to show first."""
        if self.published is None and self.recording.snapshots:
            return Frame(self.recording.snapshots[-1], True, time.time() * 1000, None, 0)
        return self.published

    @property
    def last_step(self) -> int:
        """Where training stops by itself."""
        return self.step

    def describe(
        self,
        thumbnails_url: str,
        projection: Projection | None = None,
        material: Material | None = None,
    ) -> dict[str, Any]:
        """What a view must know before the first frame, of all pictures or of a part of them."""
        found = describe_run(
            self.config, self.members, material or self.material, thumbnails_url, projection
        )
        members = zip_longest(found["members"], self.titles)
        return {
            **found,
            "trains": self.trains,
            "members": [titled(member, title) for member, title in members],
        }

    def look(self, tell: Tell) -> None:
        """``tell`` gets the ``"look"`` at strangers, or the ``"error"``, and ``"generation"``."""
        snapshot = self.recording.snapshots[-1]
        points = snapshot.embeddings[:, strangers_of(self.compared)]
        unknown = np.full(points.shape[:2], np.nan)
        nobody = np.zeros(points.shape[:2], np.int64)
        look = Look(snapshot.step, points, unknown, nobody, unknown)
        tell({"look": look, "generation": self.generation})

    # -- commands -----------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop after the step under way."""

    def set_speed(self, steps_per_second: float | None) -> None:
        """Limit the speed, or None for as fast as it goes."""

    def play(self) -> None:
        """Train; a finished run trains on for as many steps again."""
        raise ValueError(_FIXED)

    def single_step(self, count: int = 1) -> None:
        """Take a few steps and stay paused."""
        raise ValueError(_FIXED)

    def rewind(self) -> None:
        """Back to step 0 with the same weights and batches, bit by bit."""
        raise ValueError(_FIXED)

    def steer(self, member: int, fields: dict[str, Any], command: int | None = None) -> None:
        """Change a member's margin or scale; the next step is trained with it."""
        raise ValueError(_FIXED)

    def examine(self, sample: int, tell: Tell, wanted: Callable[[], bool] = lambda: True) -> None:
        """Take a shown sample apart."""
        raise ValueError(_FIXED)
