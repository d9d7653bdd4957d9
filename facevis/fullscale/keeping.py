"""What a run must remember to go on, to and from a checkpoint. It knows the parts of a training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from facevis.fullscale import checkpoint, ranks
from facevis.fullscale.networks import NETWORK
from facevis.fullscale.runs import CHECKPOINTS

if TYPE_CHECKING:
    from facevis.fullscale.training import Training


class Keeping:
    """Saves and restores a training."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.folder = training.folder / CHECKPOINTS

    def save(self, step: int) -> None:
        """Write the checkpoint after ``step`` steps; all processes call it."""
        training = self.training
        progress: dict[str, Any] = {
            "pictures": len(training.corpus),
            "identities": training.corpus.num_classes,
            "loss_scale": [training.loss_scale.value, training.loss_scale.good],
            "damaged": {str(index): said for index, said in training.damaged.items()},
        }
        checkpoint.save(self.folder, step, self._tensors(), progress, training.device.type)
        if ranks.rank() == 0:
            checkpoint.tidy(self.folder, training.config.follow.keep)

    def restore(self) -> int:
        """Take up the last checkpoint; the number of steps that are done, 0 without one."""
        there = checkpoint.steps(self.folder)
        if not there:
            return 0
        step, training = there[-1], self.training
        if step > training.config.schedule.steps:
            raise ValueError(
                f"{training.folder} has a checkpoint of step {step}, and schedule.steps is "
                f"{training.config.schedule.steps}; set it to {step} or more in config.json, or "
                "choose another --out."
            )
        progress = checkpoint.progress_of(self.folder, step)
        shapes = checkpoint.shapes(self.folder, step)
        self._refuse_others(step, progress, shapes)
        states = {name: what for name, what in shapes.items() if name.startswith("optimizer.")}
        self._make_room(states)
        tensors = self._tensors()
        checkpoint.load(self.folder, step, tensors, training.device.type)
        training.loss_scale.value, training.loss_scale.good = progress["loss_scale"]
        training.damaged = {int(k): said for k, said in progress["damaged"].items()}
        return step

    def _refuse_others(
        self, step: int, progress: dict[str, Any], shapes: dict[str, tuple[tuple[int, ...], Any]]
    ) -> None:
        """Name each thing in which the checkpoint is not of this configuration."""
        training = self.training
        wrong = [
            f"{name} {progress.get(name)}, here {value}"
            for name, value in (
                ("pictures", len(training.corpus)),
                ("identities", training.corpus.num_classes),
            )
            if progress.get(name) != value
        ]
        wanted = {name: shape for name, shape in self._shapes() if not name.startswith("optimizer")}
        for name, shape in wanted.items():
            if name not in shapes:
                wrong.append(f"{name} is missing")
            elif shapes[name][0] != shape:
                wrong.append(f"{name} has shape {shapes[name][0]}, here {shape}")
        known = {name for name in shapes if not name.startswith("optimizer.")}
        wrong += [f"{name} is unknown here" for name in sorted(known - set(wanted))]
        remembered = {name.rpartition(":")[2] for name in shapes if name.startswith("optimizer.")}
        expected = training.optimizers.remembers()
        if remembered and remembered != expected:
            both = (remembered, expected)
            there, here = (", ".join(sorted(kinds)) or "nothing" for kinds in both)
            wrong.append(f"its optimizer remembers {there}, the one here {here}")
        if wrong:
            more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
            raise ValueError(
                f"the checkpoint of step {step} in {self.folder} is not of this configuration: "
                f"{'; '.join(wrong[:8])}{more}. Restore the data and {training.folder.name}/"
                "config.json that it was trained with, or choose another --out."
            )

    # -- names ------------------------------------------------------------------------------------

    def _rows(self, table: Tensor) -> Tensor:
        """A table of prototypes (or of what the optimizer knows of them) by classes first."""
        head = self.training.head
        assert head is not None
        if table.ndim == 1:
            return table
        return table.view(len(head.rows), head.sub_centers, head.embedding_dim)

    def _entries(self) -> Iterator[tuple[str, Tensor, bool]]:
        """(name, tensor, whether each process has its own rows of it) of all that is kept."""
        training, head = self.training, self.training.head
        for name, value in training.network.state_dict().items():
            yield NETWORK + name, value, False
        if head is not None:
            yield "head.weight", head.weight.detach(), True
            if head.bias is not None:
                yield "head.bias", head.bias.detach(), True
            if head.rule is not None:
                for name, value in head.rule.state_dict().items():
                    yield f"head.rule.{name}", value, False
        yield from training.optimizers.states()

    def _tensors(self) -> checkpoint.Tensors:
        found = checkpoint.Tensors()
        for name, value, own in self._entries():
            if own:
                assert self.training.head is not None
                found.rows[name] = (self._rows(value), self.training.head.num_classes)
            else:
                found.shared[name] = value
        return found

    def _shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Shapes over all processes."""
        head = self.training.head
        for name, value, own in self._entries():
            if not own:
                yield name, tuple(value.shape)
            else:
                assert head is not None
                yield name, (head.num_classes, *self._rows(value).shape[1:])

    def _make_room(self, states: dict[str, tuple[tuple[int, ...], torch.dtype]]) -> None:
        """Tensors for what the optimizers will remember: they make theirs with their first step."""
        training, head = self.training, self.training.head
        room = {}
        for name, (shape, dtype) in states.items():
            if name.startswith("optimizer.head.") and shape:
                assert head is not None
                flat = (
                    (len(head.rows) * head.sub_centers, *shape[2:])
                    if len(shape) > 1
                    else (len(head.rows),)
                )
                shape = flat
            single = not shape  # a count of steps, which stays on the CPU
            where = torch.device("cpu") if single else training.device
            room[name] = torch.zeros(shape, dtype=dtype, device=where)
        training.optimizers.restore(room)
