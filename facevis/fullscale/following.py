"""What is written, shown, measured and kept around the steps of a run.

One process writes and shows; measuring is the work of all. It knows journal, screen, evaluation and
checkpoints; it does not know how a step is taken.
"""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from facevis.fullscale import ranks, running
from facevis.fullscale.evaluation import evaluate, measure_angles
from facevis.fullscale.journal import Journal
from facevis.fullscale.keeping import Keeping
from facevis.fullscale.screen import Screen
from facevis.fullscale.strangers import open_sets

if TYPE_CHECKING:
    from facevis.fullscale.training import Training


class Following:
    """Around one training."""

    def __init__(self, training: Training) -> None:
        self.training, self.config = training, training.config
        self.sets = open_sets(self.config.follow.sets)
        self.first = ranks.rank() == 0
        self._stack = contextlib.ExitStack()
        self._said: set[int] = set(training.damaged)
        self._done = self._kept = training.first

    def __enter__(self) -> Following:
        """Open journal and screen."""
        start, schedule = self.training.first, self.config.schedule
        self.journal = (
            Journal(self.training.folder, self.config.follow.tensorboard, start)
            if self.first
            else None
        )
        if self.journal is not None:
            self._stack.callback(self.journal.close)
        screen = Screen(schedule.steps, self.config.batch_size, start, silent=not self.first)
        self.screen = self._stack.enter_context(screen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close them; what ended the run stands in the journal."""
        if isinstance(error, ValueError) and self.journal is not None:
            with contextlib.suppress(ValueError):  # the journal may be what failed
                self.journal.write("event", self._done, event="failed", sentence=str(error))
        self._stack.close()

    # -- moments ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Say what begins; measure the untrained network, so that a wrong set shows at once."""
        training = self.training
        corpus, start = training.corpus, training.first
        for remark in (*corpus.remarks, *training.order.remarks):
            self._event("remark", remark, start)
        text = (
            f"{corpus.name}: {len(corpus):,} pictures of {corpus.num_classes:,} identities; "
            f"{self.config.backbone.name}, {ranks.world()} process"
            f"{'es' if ranks.world() > 1 else ''} on {training.device.type}."
        )
        who = running.leader(ranks.world())
        self._event("resumed" if start else "started", text, start, pid=who)
        if not start and self.sets:
            self.screen.say("The untrained network is measured first.")
        # What was measured after the last checkpoint may have been cut off.
        if not start or self._due_evaluation(start):
            self.evaluate(start)

    def after(self, step: int, seen: dict[str, float]) -> None:
        """A step is done."""
        self._done = done = step + 1
        self.screen.update(done, seen["loss"], seen["learning_rate"], seen["angle_deg"])
        for index, sentence in self.training.damaged.items():
            if index not in self._said:
                self._said.add(index)
                self._event("damaged_picture", sentence, done)
        due = done % self.config.follow.every == 0 or done == self.config.schedule.steps
        if self.journal is not None and due:
            rate = self.screen.images_per_second
            self.journal.write("train", done, **seen, images_per_second=rate)

    def due_checkpoint(self, done: int) -> bool:
        """Whether a checkpoint is to be written after so many steps."""
        return done % self.config.follow.checkpoint_every == 0

    def checkpoint(self, keeping: Keeping, done: int) -> bool:
        """Write one; a fault is said and the training goes on with the older ones."""
        try:
            keeping.save(done)
        except ValueError as error:
            self._event("checkpoint_failed", str(error), done)
            return False
        self._event("checkpoint", "", done)
        self._kept = done
        return True

    def stopped(self, done: int) -> None:
        """The run was told to stop."""
        again = f"facevis train resume {self.training.folder}"
        self._event("stopped", f"Stopped after step {done}; go on with: {again}", done)

    def finish(self, keeping: Keeping) -> None:
        """The last step is done; without its checkpoint the run is not finished."""
        steps = self.config.schedule.steps
        if self._kept != steps:
            keeping.save(steps)
            self._event("checkpoint", "", steps)
        self._event("finished", f"Finished: {steps} steps.", steps)

    # -- measuring --------------------------------------------------------------------------------

    def evaluate_if_due(self, done: int) -> None:
        """Measure after so many steps if it is time."""
        if self._due_evaluation(done):
            self.evaluate(done)

    def _due_evaluation(self, done: int) -> bool:
        every, last = self.config.follow.evaluate_every, self.config.schedule.steps
        return done == last or (every > 0 and done % every == 0)

    def evaluate(self, done: int) -> None:
        """All sets of strangers and the angle table; all processes take part."""
        self._measure(done)
        self.screen.pause()

    def _measure(self, done: int) -> None:
        training, config = self.training, self.config
        options: dict[str, Any] = {"device": training.device, "precision": config.precision}
        for found in evaluate(training.network, self.sets, config.data.size, **options):
            if self.journal is not None:
                self.journal.write("evaluation", done, **found)
            self.screen.say(_in_words(done, found))
        if config.follow.angle_identities:
            head = training.head
            angles = measure_angles(
                training.network,
                None if head is None else self._prototypes_of,
                training.corpus,
                config.data.size,
                identities=config.follow.angle_identities,
                **options,
            )
            if self.journal is not None:
                self.journal.write("angles", done, **angles.to_dict())

    def _prototypes_of(self, classes: np.ndarray) -> np.ndarray:
        assert self.training.head is not None
        return self.training.head.prototypes_of(classes).cpu().numpy()

    def _event(self, event: str, sentence: str, done: int, **more: int) -> None:
        if self.journal is not None:
            self.journal.write("event", done, event=event, sentence=sentence, **more)
        if sentence:
            self.screen.say(sentence)


def _in_words(done: int, found: dict[str, Any]) -> str:
    if "error" in found:
        return f"step {done}, {found['set']}: {found['error']}"
    shown = {k: v for k, v in found.items() if isinstance(v, float) and k != "seconds"}
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in shown.items())
    return f"step {done}, {found['set']}: {numbers}"
