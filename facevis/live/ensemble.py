"""Several objectives trained at once: M members as one stacked model, one batched step.

All members see the same batches and, unless a member has a seed of its own, start from the same
weights, so what differs between them is the objective alone. No threads, no I/O, no screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from facevis.live.config import RunConfig
from facevis.live.groups import Group, group_losses, group_members
from facevis.live.material import Material, material_for
from facevis.live.measuring import Roles, statistics_rows
from facevis.live.recording import STATISTICS, Recording, Snapshot, keeps
from facevis.margins import Margin
from facevis.models import centre_and_whiten, stacked_network

_FIRST_LOOK = 512
"""Training images that the initialisation looks at."""


class Ensemble:
    """M members in training; everything is decided by its configuration and its data.

    >>> from facevis.live import Member
    >>> members = (Member(objective="arcface"), Member(objective="cosface"))
    >>> ensemble = Ensemble(RunConfig(members=members))
    >>> losses = ensemble.train(steps=3)
    >>> losses.shape, ensemble.step
    (torch.Size([2]), 3)
    """

    def __init__(
        self, config: RunConfig, material: Material | None = None, device: str = "auto"
    ) -> None:
        self.config = config
        self.material = material or material_for(config)
        self.device = choose_device(device)
        dataset = self.material.dataset
        self.num_classes = self.material.num_classes
        self.members = list(config.members)
        inputs = torch.from_numpy(dataset.inputs())
        labels = torch.tensor(dataset.labels)
        train = torch.from_numpy(self.material.train)
        shown = torch.from_numpy(self.material.shown)
        self._inputs, self._labels = inputs[train].to(self.device), labels[train].to(self.device)
        self.shown, self.shown_labels = (
            inputs[shown].to(self.device),
            labels[shown].to(self.device),
        )
        held_out, unseen = self.material.held_out, self.material.unseen
        self.roles = Roles(
            *(
                torch.from_numpy(np.flatnonzero(role)).to(self.device)
                for role in (~held_out & ~unseen, held_out, unseen)
            )
        )
        self.rewind()

    def rewind(self) -> None:
        """Back to step 0 with the same weights and batches; margins and scales stay as set."""
        dim, shape = self.config.embedding_dim, self.material.dataset.image_shape
        seeds = [self.config.seed if m.seed is None else m.seed for m in self.members]
        self.groups: list[Group] = group_members(
            self.members, self.num_classes, dim, seeds, self.device
        )
        # Inside, members stand group by group, so that each group's share is one slice.
        inner = [i for group in self.groups for i in group.index]
        self._places = torch.tensor(inner).argsort().to(self.device)
        self._sizes = [len(group.index) for group in self.groups]
        self.network = stacked_network(self.config.network, shape, dim, [seeds[i] for i in inner])
        self.network.to(self.device)
        centre_and_whiten(self.network, self._inputs[:_FIRST_LOOK])
        trained = [*self.network.parameters(), *(p for g in self.groups for p in g.parameters())]
        self._weights, self._gradient = join(trained)
        self._optimizer = torch.optim.Adam([self._weights], self.config.learning_rate, fused=True)
        self.step = 0
        self.losses = torch.full((len(self.members),), float("nan"))
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def set_member(
        self, index: int, *, margin: Margin | None = None, scale: float | None = None
    ) -> None:
        """Change a member's margin or scale from its next step on."""
        if not 0 <= index < len(self.members):
            raise ValueError(f"member is {index}; this run has {len(self.members)}, from 0.")
        old = self.members[index]
        self.members[index] = replace(
            old,
            margin=old.margin if margin is None else margin,
            scale=old.scale if scale is None else scale,
        )
        for group in self.groups:
            group.update(self.members)

    def train(self, steps: int = 1) -> Tensor:
        """Take steps; the losses (M,) of the last batch."""
        for _ in range(steps):
            self.train_on(*self.next_batch())
        return self.losses

    def train_on(self, images: Tensor, labels: Tensor) -> None:
        """Take one step on a batch of images (B, pixels) with labels (B,)."""
        losses = group_losses(self.groups, self.shares(images), labels, self.step)
        self._gradient.zero_()
        # The derivative of a sum is one for each term: a member that became NaN harms nobody.
        losses.sum().backward()
        self._optimizer.step()
        self.losses = losses.detach()[self._places]
        self.step += 1

    def shares(self, images: Tensor) -> tuple[Tensor, ...]:
        """The raw embeddings (G, B, D) of each group, images (B, pixels)."""
        shares: tuple[Tensor, ...] = self.network(images).split(self._sizes)
        return shares

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """Images (B, pixels) and labels (B,) of the next step."""
        batch = self._batch(self.step)
        return self._inputs[batch], self._labels[batch]

    def next_batch_with(self, sample: int) -> tuple[Tensor, Tensor, int]:
        """The next batch with a shown sample in it, and the sample's place there.

        A sample that is not in that batch takes the first place.
        """
        images, labels = self.next_batch()
        pictures = self.material.train[self._batch(self.step).cpu().numpy()]
        found = np.flatnonzero(pictures == self.material.shown[sample])
        if len(found):
            return images, labels, int(found[0])
        images[0], labels[0] = self.shown[sample], self.shown_labels[sample]
        return images, labels, 0

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Undo at the end, to the bit, whatever is trained inside."""
        state, losses, groups = self.state(), self.losses, self.groups
        # A group remembers its last batch; a copy has a memory of its own, and the same prototypes.
        self.groups = [copy(group) for group in groups]
        try:
            yield
        finally:
            self.restore(state)
            self.losses, self.groups = losses, groups

    def _batch(self, step: int) -> Tensor:
        """Indices of batch ``step``: addressed by (seed, epoch, position), never by history."""
        count = len(self._labels)
        size = min(self.config.batch_size, count)
        epoch, position = divmod(step, count // size)
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.config.seed, epoch))
            self._order = (epoch, torch.from_numpy(rng.permutation(count)).to(self.device))
        return self._order[1][position * size : (position + 1) * size]

    @torch.no_grad()
    def snapshot(self) -> Snapshot:
        """Freeze the moment: embeddings and statistics of the shown samples."""
        raw = self.network(self.shown)
        embeddings = torch.empty_like(raw)
        prototypes = raw.new_zeros(len(self.members), self.num_classes, raw.shape[-1])
        statistics = np.empty((len(self.members), len(STATISTICS)), np.float32)
        for group, share in zip(self.groups, raw.split(self._sizes), strict=True):
            own = group.display(share)
            trained = self.roles.trained
            centres = group.shown_prototypes(
                own[:, trained], self.shown_labels[trained], self.num_classes
            )
            embeddings[group.index], prototypes[group.index] = own, centres
            statistics[group.index] = statistics_rows(
                group, own, centres, self.shown_labels, self.roles
            )
        margins = [m.margin_at(self.step).as_tuple() for m in self.members]
        return Snapshot(
            step=self.step,
            embeddings=embeddings.cpu().numpy(),
            prototypes=prototypes.cpu().numpy(),
            losses=self.losses.cpu().numpy().copy(),
            statistics=statistics,
            margins=np.array(margins, np.float32),
            scales=np.array([m.scale for m in self.members], np.float32),
        )

    def record(self, steps: int | None = None) -> Recording:
        """Train from here for ``steps`` (default: the configuration's) and keep the snapshots."""
        recording = Recording(self.config)
        last = self.step + (self.config.steps if steps is None else steps)
        while True:
            if keeps(self.config, self.material, self.step) or self.step == last:
                recording.snapshots.append(self.snapshot())
            if self.step == last:
                recording.state = self.state()
                return recording
            self.train()

    @property
    def size(self) -> int:
        """Bytes of its pictures, parameters, gradients and moments."""
        return self._inputs.nbytes + self.shown.nbytes + 4 * self._weights.nbytes

    def state(self) -> dict[str, np.ndarray]:
        """Parameters and optimizer as arrays: what ``restore`` needs to go on bit-exactly."""
        moments = self._optimizer.state[self._weights] or self._no_moments()
        arrays = {"weights": self._weights.detach(), **moments}
        return {"taken": np.array(self.step)} | {
            name: array.cpu().numpy().copy() for name, array in arrays.items()
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take a state of the same configuration; a state that does not fit is refused whole."""
        expected = {"weights": self._weights.detach(), **self._no_moments()}
        fits = set(arrays) == {"taken", *expected} and all(
            arrays[name].shape == tuple(like.shape) and arrays[name].dtype == np.float32
            for name, like in expected.items()
        )
        taken = arrays.get("taken", np.array(-1))
        if not fits or taken.shape != () or taken.dtype.kind not in "iu" or taken < 0:
            raise ValueError(
                "the saved state does not fit this configuration; record the run again."
            )
        with torch.no_grad():
            self._weights.copy_(torch.from_numpy(arrays["weights"]))
        self._optimizer.state[self._weights] = {
            name: torch.from_numpy(arrays[name].copy()).to(self.device)
            for name in self._no_moments()
        }
        self.step = int(taken)

    def _no_moments(self) -> dict[str, Tensor]:
        """What Adam knows before its first step."""
        blank = torch.zeros_like(self._weights, requires_grad=False)
        return {"step": blank.new_zeros(()), "exp_avg": blank, "exp_avg_sq": blank}


def join(parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Make parameters views of one vector and their gradients of another: one update for all.

    >>> first, second = torch.ones(2, 2, requires_grad=True), torch.ones(3, requires_grad=True)
    >>> joined, gradient = join([first, second])
    >>> (2.0 * second).sum().backward()
    >>> gradient
    tensor([0., 0., 0., 0., 2., 2., 2.])
    """
    joined = torch.cat([p.detach().flatten() for p in parameters])
    gradient = torch.zeros_like(joined)
    pieces = [p.numel() for p in parameters]
    parts = zip(parameters, joined.split(pieces), gradient.split(pieces), strict=True)
    for parameter, value, slope in parts:
        parameter.data = value.view_as(parameter)
        parameter.grad = slope.view_as(parameter)
    joined.requires_grad_().grad = gradient
    return joined, gradient


def choose_device(name: str) -> torch.device:
    """``"auto"`` is CUDA where there is one, else the CPU; a missing device is said in words."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name!r} is not there; use 'auto' or 'cpu'.") from error
    return device
