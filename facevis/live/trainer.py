"""Live runs: training under commands, snapshots for whoever watches.

The script thread never trains and the trainer thread never draws: commands go through a queue and
are carried out between steps; a snapshot is published by replacing one reference. Sockets and pages
are unknown here.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from facevis.live.anatomy import anatomy
from facevis.live.look import look_at
from facevis.live.scheduler import scheduler
from facevis.live.shown import Tell
from facevis.live.training import WATCHED_SECONDS, Ask, Training
from facevis.validation import whole


class LiveRun(Training):
    """One run that trains: its recording so far, its state, and the commands waiting for it.

    All public methods may be called from any thread.
    """

    @property
    def trains(self) -> bool:
        """Whether it can be steered and trained on."""
        return True

    @property
    def size(self) -> int:
        """Bytes that it takes beside its pictures."""
        ensemble = self._ensemble
        return super().size + (ensemble.size if ensemble is not None else 0)

    @property
    def watched(self) -> bool:
        """Whether somebody looks at it, by a socket or by asking now and then."""
        lately = time.monotonic() - self._asked_at < WATCHED_SECONDS
        return self.viewers > 0 or self.askers > 0 or lately

    # -- commands -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Train, unless that is done already or was stopped."""
        self._post(self._begin)

    def fork(self) -> LiveRun:
        """A run that goes on from where this one is, and of whose changes this one knows nothing.

        It shows at once what this one shows; where it trains on from it takes at its first turn.
        """
        fork = LiveRun(self.config, self.material, self._recorded(), aligned=self.aligned)
        fork._show_as(self)
        fork._post(lambda: fork._take_over(self))
        return fork

    def play(self) -> None:
        """Train; a finished run trains on for as many steps again."""
        self._post(self._play)

    def pause(self) -> None:
        """Stop after the step under way."""
        self._post(self._stop)

    def doze(self) -> None:
        """The same, until somebody looks again."""
        self._post(self._doze)

    def single_step(self, count: int = 1) -> None:
        """Take a few steps and stay paused."""
        self._post(lambda: self._take_single(count))

    def rewind(self) -> None:
        """Back to step 0 with the same weights and batches, bit by bit."""
        self._post(self._rewind)

    def set_speed(self, steps_per_second: float | None) -> None:
        """Limit the speed, or None for as fast as it goes."""
        self._post(lambda: setattr(self, "speed", steps_per_second))

    def steer(self, member: int, fields: dict[str, Any], command: int | None = None) -> None:
        """Change a member's margin or scale; the next step is trained with it."""
        if not 0 <= member < len(self.members):
            raise ValueError(f"member is {member}; this run has {len(self.members)}, from 0.")
        dataclasses.replace(self.members[member], **fields)
        self._post(lambda: self._steer(member, fields, command))

    def examine(self, sample: int, tell: Tell, wanted: Callable[[], bool] = lambda: True) -> None:
        """Take a shown sample apart: ``consult`` with ``Anatomy.to_json``."""
        whole("sample", sample, 0, len(self.material.shown) - 1)
        ask: Ask = lambda ensemble: anatomy(ensemble, sample).to_json()  # noqa: E731
        self.consult(ask, lambda answer: tell({"sample": sample, **answer}), wanted)

    def consult(self, ask: Ask, tell: Tell, wanted: Callable[[], bool] = lambda: True) -> None:
        """Ask the ensemble between two steps; the run itself stays as it is. ``tell`` gets, on the
        trainer's thread, the answer and the ``"generation"``, or the ``"error"`` in a sentence;
        what is no longer ``wanted`` by then is left out."""
        self._post(lambda: self._consult(ask, tell, wanted))

    # -- watching -----------------------------------------------------------------------------

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` at every change; a run that stopped for want of viewers goes on."""
        leave = super().listen(listener)
        self._post(self._wake)

        def leave_and_rest() -> None:
            leave()
            if self.viewers == 0 and self.state != "training" and self._ensemble is not None:
                self._post(self._rest)

        return leave_and_rest

    def ask(self) -> None:
        """Somebody without a socket looks now and then: the run is not alone and wakes."""
        self._alone_since = self._asked_at = time.monotonic()
        self._post(self._wake)

    def left(self) -> None:
        """Somebody looked until now."""
        self._alone_since = time.monotonic()

    def look(self, tell: Tell) -> None:
        """``tell`` gets the ``"look"`` at strangers, or the ``"error"``, and ``"generation"``."""
        self.ask()
        self.consult(lambda ensemble: {"look": look_at(ensemble)}, tell)

    def _post(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        scheduler.wake(self)
