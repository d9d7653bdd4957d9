"""What a live run does on the trainer's thread: steps, snapshots, and coming to rest.

Only the scheduler calls in here, and the commands that ``trainer.LiveRun`` puts into the queue.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from facevis.live.config import RunConfig
from facevis.live.ensemble import Ensemble
from facevis.live.material import Material
from facevis.live.pace import Pace, turn_seconds
from facevis.live.recording import MANY, Recording, keeps
from facevis.live.shown import Frame, ShownRun, Tell
from facevis.memory import in_short, ran_out

ALONE_SECONDS = 8.0
"""A run that nobody watches stops after this time."""
WATCHED_SECONDS = 5.0
"""A run that somebody without a socket asked after so lately is watched."""


Ask = Callable[[Ensemble], dict[str, Any]]
log = logging.getLogger(__name__)


class Rest(NamedTuple):
    """What an ensemble that was let go needs to go on."""

    state: dict[str, np.ndarray]
    losses: Tensor


class Training(ShownRun):
    """A run as the trainer's thread knows it."""

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
        self._resting: Rest | None = None
        """Where it goes on from when its ensemble was let go."""
        self.guest = False
        """Whether it gives way to others where not all can train."""
        self._dozing = False
        """Whether it stopped because nobody watched."""
        self._last_step = max(config.steps, self.step)
        self._single_steps = 0
        self._pace = Pace(self.step)
        self._applied: int | None = None
        self._alone_since, self._asked_at = time.monotonic(), -math.inf

    @property
    def last_step(self) -> int:
        """Where training stops by itself."""
        return self._last_step

    # -- the scheduler's side -----------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether there is something to do now or soon."""
        return bool(self._commands) or self.training

    @property
    def training(self) -> bool:
        """Whether it needs a place among those that train."""
        return self.state == "training" or self._single_steps > 0

    def wait_seconds(self) -> float:
        """How long this run has nothing to do; 0 when it wants a turn."""
        if self._commands or (self.training and self._alone):
            return 0.0
        if self.queue:
            return float("inf")
        if self._single_steps:
            return 0.0
        if self.state != "training":
            return float("inf")
        return self._pace.wait_seconds()

    def take_turn(self, runs: int) -> None:
        """Carry out the commands, then train for one turn; errors end in ``error``, not higher."""
        try:
            while self._commands:
                try:
                    self._commands[0]()  # in the queue until it is done: the run is busy
                finally:
                    self._commands.popleft()
            if self.training:
                self._train_a_turn(runs)
        except Exception as error:  # a trainer's failure is shown, and harms no other run
            log.exception("a live run failed")
            self.error, self._single_steps = str(error) or type(error).__name__, 0
            if ran_out(error):  # half a step may be done: it goes on from what is recorded
                self._ensemble = self._resting = None
                self.error = (
                    f"memory ran out after step {self.step} ({in_short(error)}); end other runs, "
                    "or take fewer members or pictures, and rewind."
                )
            self._change_state("failed")

    def _train_a_turn(self, runs: int) -> None:
        if self._alone:
            self._doze()
            return
        ensemble = self._ready()
        if self.queue:
            return
        turn_ends = time.monotonic() + turn_seconds(runs)
        while time.monotonic() < turn_ends and (self._single_steps or self.state == "training"):
            if not (self._single_steps or self._pace.step_due(self.speed)):
                break
            ensemble.train()
            self.step = ensemble.step
            self._single_steps = max(0, self._single_steps - 1)
            self._after_step(ensemble, runs)
        rate = self._pace.steps_per_second(self.step)
        self.steps_per_second = self.steps_per_second if rate is None else rate

    def _after_step(self, ensemble: Ensemble, runs: int) -> None:
        kept = keeps(self.config, self.material, self.step)
        finished = self.step >= self._last_step and self.state == "training"
        resting = finished or (self.state != "training" and not self._single_steps)
        now = time.monotonic()
        if kept or resting or (self.viewers and self._pace.frame_due()):
            self._publish(ensemble, kept or finished)
            self._pace.snapshot_taken(now, runs, self.viewers, len(self.members) >= MANY)
        if finished and self.state == "training":  # and did not fail with its last step
            self.recording.state = ensemble.state()
            self._change_state("finished")
            self._rest()

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
            if self._resting is not None:
                ensemble.restore(self._resting.state)
                ensemble.losses, self._resting = self._resting.losses, None
            elif self.recording.state:
                ensemble.restore(self.recording.state)
            else:
                self._start_over(ensemble)
            self._ensemble, self.step = ensemble, ensemble.step
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

    @property
    def _alone(self) -> bool:
        looked_at = self.viewers > 0 or self.askers > 0
        return not looked_at and time.monotonic() - self._alone_since > ALONE_SECONDS

    def _doze(self) -> None:
        """Stop until somebody looks again."""
        self._dozing = self._dozing or self.training
        self._stop()
        self._rest()

    def _rest(self) -> None:
        """Let the ensemble go; what it needs to go on is kept."""
        if self._ensemble is not None and not (self.viewers or self.training):
            self._resting, self._ensemble = self._at_rest(), None

    def _at_rest(self) -> Rest | None:
        ensemble = self._ensemble
        return self._resting if ensemble is None else Rest(ensemble.state(), ensemble.losses)

    def _begin(self) -> None:
        if self.state == "paused" and self.step < self._last_step:
            self._play()
        self._dozing = False

    def _wake(self) -> None:
        if self._dozing:
            self._begin()

    def _recorded(self) -> Recording:
        """The recording so far, to go on from without this run noticing."""
        own = self.recording
        return Recording(own.config, list(own.snapshots), own.state)

    def _show_as(self, other: Training) -> None:
        """Be seen as another run is."""
        self.members, self.error = list(other.members), other.error
        self.step, self._last_step = other.step, other.last_step
        self.generation, self.published = other.generation, other.published
        self._frames, self.speed = other._frames, other.speed
        self.steps_per_second, self.state = other.steps_per_second, other.state

    def _take_over(self, other: Training) -> None:
        """Go on from another run, between two of its steps."""
        self.recording = other._recorded()
        self._show_as(other)
        self._resting = other._at_rest()
        self._pace.begin(self.step)
        self._tell()

    def _play(self) -> None:
        if self.state == "training":
            return
        self._ready()
        if self.step >= self._last_step:
            self._last_step = self.step + self.config.steps
        self._pace.begin(self.step)
        self._alone_since = time.monotonic()
        self.error, self._dozing = None, False
        self._change_state("training")

    def _stop(self) -> None:
        self._single_steps = 0
        self._pause()

    def _pause(self) -> None:
        if self.state == "training":
            if self.published and self.published.snapshot.step != self.step:
                self._publish(self._ready(), False)
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
        self._ensemble, self._resting = self._ensemble or self._build(), None
        self._start_over(self._ensemble)
        if self.state != "training":
            self._change_state("paused")
        self._pace.measure_from(0)

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
        begun = self._ensemble or self._resting or self.recording.state
        try:
            if self.recording.snapshots and not begun:  # ``_ready`` would start it over
                raise ValueError("the recording has no state to train on from; rewind the run.")
            answer = ask(self._ready() if begun else self._build())
        except ValueError as error:  # the run is none the worse
            answer = {"error": str(error)}
        tell({**answer, "generation": self.generation})

    def _change_state(self, state: str) -> None:
        self.state = state
        if state != "training":
            self.steps_per_second = 0.0
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()
