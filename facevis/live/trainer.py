"""Live runs: training under commands, snapshots for whoever watches.

The script thread never trains and the trainer thread never draws: commands go through a queue and
are carried out between steps; a snapshot is published by replacing one reference. Sockets and pages
are unknown here.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from facevis.live.anatomy import anatomy
from facevis.live.config import RunConfig
from facevis.live.ensemble import Ensemble
from facevis.live.look import look_at
from facevis.live.material import Material
from facevis.live.recording import MANY, Recording, keeps
from facevis.live.scheduler import scheduler
from facevis.live.shown import Frame, ShownRun, Tell
from facevis.validation import whole

STATES = ("recorded", "training", "paused", "finished", "failed")
TURN_SECONDS = 0.008
"""A run's turn before the next run's: short enough for 20 runs to look alive."""
FRAME_SECONDS = 0.066
"""At most 15 live snapshots a second and run."""
SNAPSHOT_SHARE, SNAPSHOT_SHARE_OF_MANY = 0.15, 0.07
"""At most this share of the time goes into live snapshots; those of many members are dear."""
ALONE_SECONDS = 10.0
"""A run that nobody watches stops after this time."""

Ask = Callable[[Ensemble], dict[str, Any]]
log = logging.getLogger(__name__)


class LiveRun(ShownRun):
    """One run that trains: its recording so far, its state, and the commands waiting for it.

    All public methods may be called from any thread; only the scheduler calls ``take_turn``.
    """

    def __init__(
        self,
        config: RunConfig,
        material: Material,
        recording: Recording | None = None,
        *,
        aligned: bool = False,
        last_only: bool = False,
    ) -> None:
        super().__init__(recording or Recording(config), material, aligned=aligned)
        self.last_only = last_only
        self.state = "recorded" if recording else "paused"
        self._frames = 0
        self._commands: deque[Callable[[], None]] = deque()
        self._ensemble: Ensemble | None = None
        self._last_step = max(config.steps, self.step)
        self._single_steps = 0
        self._speed: float | None = None
        self._next_step_at = self._next_frame_at = 0.0
        self._snapshot_cost = 0.003
        self._applied: int | None = None
        self._alone_since = time.monotonic()
        self._rate = (time.monotonic(), self.step)

    @property
    def trains(self) -> bool:
        """Whether it can be steered and trained on."""
        return True

    # -- commands -----------------------------------------------------------------------------

    def play(self) -> None:
        """Train; a finished run trains on for as many steps again."""
        self._post(self._play)

    def pause(self) -> None:
        """Stop after the step under way."""
        self._post(self._pause)

    def single_step(self, count: int = 1) -> None:
        """Take a few steps and stay paused."""
        self._post(lambda: self._take_single(count))

    def rewind(self) -> None:
        """Back to step 0 with the same weights and batches, bit by bit."""
        self._post(self._rewind)

    def set_speed(self, steps_per_second: float | None) -> None:
        """Limit the speed, or None for as fast as it goes."""
        self._post(lambda: setattr(self, "_speed", steps_per_second))

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

    def ask(self) -> None:
        """Somebody without a socket looks now and then: the run is not alone."""
        self._alone_since = time.monotonic()

    def look(self, tell: Tell) -> None:
        """``tell`` gets the ``"look"`` at strangers, or the ``"error"``, and ``"generation"``."""
        self.ask()
        self.consult(lambda ensemble: {"look": look_at(ensemble)}, tell)

    # -- the scheduler's side -----------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is something to do now or soon."""
        return bool(self._commands) or self.state == "training" or self._single_steps > 0

    def wait_seconds(self) -> float:
        """How long this run has nothing to do; 0 when it wants a turn."""
        if self._commands or self._single_steps:
            return 0.0
        if self.state != "training":
            return float("inf")
        return max(0.0, self._next_step_at - time.monotonic())

    def take_turn(self, runs: int) -> None:
        """Carry out the commands, then train for one turn; errors end in ``error``, not higher."""
        try:
            while self._commands:
                try:
                    self._commands[0]()  # in the queue until it is done: the run is busy
                finally:
                    self._commands.popleft()
            if self._single_steps or self.state == "training":
                self._train_a_turn(runs)
        except Exception as error:  # a trainer's failure is shown, and harms no other run
            log.exception("a live run failed")
            self.error = str(error) or type(error).__name__
            self._change_state("failed")

    def _train_a_turn(self, runs: int) -> None:
        ensemble = self._ready()
        if self.viewers == 0 and time.monotonic() - self._alone_since > ALONE_SECONDS:
            self._pause()
            return
        turn_ends = time.monotonic() + TURN_SECONDS
        while time.monotonic() < turn_ends and (self._single_steps or self.state == "training"):
            if self._speed and not self._single_steps:
                if time.monotonic() < self._next_step_at:
                    break
                self._next_step_at = max(self._next_step_at, time.monotonic() - 0.1)
                self._next_step_at += 1.0 / self._speed
            ensemble.train()
            self.step = ensemble.step
            self._single_steps = max(0, self._single_steps - 1)
            self._after_step(ensemble, runs)
        self._measure()

    def _after_step(self, ensemble: Ensemble, runs: int) -> None:
        kept = keeps(self.config, self.material, self.step)
        finished = self.step >= self._last_step and self.state == "training"
        resting = finished or (self.state != "training" and not self._single_steps)
        now = time.monotonic()
        if kept or resting or (self.viewers and now >= self._next_frame_at):
            self._publish(ensemble, kept or finished)
            self._snapshot_cost += 0.1 * (time.monotonic() - now - self._snapshot_cost)
            share = SNAPSHOT_SHARE_OF_MANY if len(self.members) >= MANY else SNAPSHOT_SHARE
            self._next_frame_at = now + max(FRAME_SECONDS, runs * self._snapshot_cost / share)
        if finished:
            self.recording.state = ensemble.state()
            self._change_state("finished")

    def _publish(self, ensemble: Ensemble, kept: bool) -> None:
        snapshot = ensemble.snapshot()
        if kept:
            before = [] if self.last_only else self.recording.snapshots
            self.recording.snapshots = [*before, snapshot]
            self.recording.state = {}  # that of an earlier step is no longer where it ends
        self._frames += 1
        self.published = Frame(snapshot, kept, time.time() * 1000, self._applied, self._frames)
        self._tell()
        self._look_for_divergence(ensemble)

    def _look_for_divergence(self, ensemble: Ensemble) -> None:
        """A member whose loss is no number is named; a run of such members ends."""
        lost = [i for i, loss in enumerate(ensemble.losses.tolist()) if not math.isfinite(loss)]
        if not lost or ensemble.step == 0:
            return
        names = ", ".join(self.members[i].objective for i in lost)
        self.error = (
            f"{names}: the loss is no longer a number at step {ensemble.step}; "
            "lower the learning rate or the scale, and rewind."
        )
        if len(lost) == len(self.members):
            self._single_steps = 0
            self._change_state("failed")

    def _ready(self) -> Ensemble:
        """The ensemble, built when first needed; it goes on where the recording ends."""
        if self._ensemble is None:
            ensemble = self._build()
            if self.recording.state:
                ensemble.restore(self.recording.state)
                self.step = ensemble.step
            else:
                self._start_over(ensemble)
            self._ensemble = ensemble
        return self._ensemble

    def _build(self) -> Ensemble:
        return Ensemble(self._present(), self.material)

    def _present(self) -> RunConfig:
        """The configuration as it has been steered: what a saved recording goes on with."""
        return dataclasses.replace(self.config, members=tuple(self.members))

    def _start_over(self, ensemble: Ensemble) -> None:
        if ensemble.step:
            ensemble.rewind()
        self.generation += 1
        self.step, self._last_step = 0, self.config.steps
        self.recording = Recording(self._present())
        self._publish(ensemble, True)

    def _play(self) -> None:
        if self.state == "training":
            return
        self._ready()
        if self.step >= self._last_step:
            self._last_step = self.step + self.config.steps
        self._next_step_at, self._rate = time.monotonic(), (time.monotonic(), self.step)
        self._alone_since = time.monotonic()
        self.error = None
        self._change_state("training")

    def _pause(self) -> None:
        if self.state == "training":
            if self._ensemble and self.published and self.published.snapshot.step != self.step:
                self._publish(self._ensemble, False)
            self._change_state("paused")

    def _take_single(self, count: int) -> None:
        self._pause()
        self._ready()
        self._alone_since = time.monotonic()
        self._single_steps += count
        self._change_state("paused")

    def _rewind(self) -> None:
        self._single_steps = 0
        self.error = None
        self._ensemble = self._ensemble or self._build()
        self._start_over(self._ensemble)
        if self.state != "training":
            self._change_state("paused")
        self._rate = (time.monotonic(), 0)

    def _steer(self, member: int, fields: dict[str, Any], command: int | None) -> None:
        ensemble = self._ready()
        ensemble.set_member(member, **fields)
        self.members = list(ensemble.members)
        self.recording.config = self._present()
        self._applied = command
        if self.state in ("recorded", "finished"):
            self._play()

    def _consult(self, ask: Ask, tell: Tell, wanted: Callable[[], bool]) -> None:
        if not wanted():
            return
        begun = self._ensemble or self.recording.state
        try:
            if self.recording.snapshots and not begun:  # ``_ready`` would start it over
                raise ValueError("the recording has no state to train on from; rewind the run.")
            answer = ask(self._ready() if begun else self._build())
        except ValueError as error:  # the run is none the worse
            answer = {"error": str(error)}
        tell({**answer, "generation": self.generation})

    def _measure(self) -> None:
        now, (since, step) = time.monotonic(), self._rate
        if now > since + 0.5:
            self.steps_per_second = (self.step - step) / (now - since)
            self._rate = (now, self.step)

    def _change_state(self, state: str) -> None:
        self.state = state
        if state != "training":
            self.steps_per_second = 0.0
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()

    def _post(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        scheduler.wake(self)

    @property
    def last_step(self) -> int:
        """Where training stops by itself."""
        return self._last_step
