"""The head of a full-scale network: prototypes spread over processes, the exact softmax in pieces.

The cross-entropy needs two numbers of each sample: the logit t of its own class and
r = log Σ_{j≠y} e^{z_j} of all others; the loss is log(1 + e^{r − t}). t costs B·D work and goes
through autograd, with the one formula of ``facevis.margins``; r is ``pieces.Rest``.

It knows embeddings and labels; it does not know the network they come from.

Sources: Deng et al., ArcFace, CVPR 2019 (prototypes over devices, section 2.3); Deng et al.,
Sub-center ArcFace, ECCV 2020; An et al., Partial FC, CVPR 2022 (sampled classes).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facevis.adaptive import FixedMargin
from facevis.fullscale import ranks
from facevis.fullscale.pieces import Rest, gradient_of
from facevis.margins import angle_between, unit
from facevis.validation import positive, whole, within


class Reading(NamedTuple):
    """What the head saw of a batch, besides the loss: (B,) each, without gradient."""

    angle: Tensor
    """Angle to the own prototype, radians."""
    length: Tensor
    """Length of the embeddings."""


class ShardedObjective(nn.Module):
    """``objective(embeddings, labels)`` → mean loss of this process' samples (B, D), (B,).

    Every process holds C/world of the prototypes and must call it at the same time; the mean over
    the processes is the loss of the whole batch, and DistributedDataParallel's mean of the
    gradients is its gradient. The prototypes' own gradients are already those of the whole batch.

    ``rule`` says what the loss sees (``facevis.adaptive``); None is the plain softmax with a bias,
    nothing normalised. ``sub_centers`` prototypes stand for each class, of which the nearest
    counts. ``sample_rate`` below 1 takes a random part of the classes into each step, those of the
    batch always (call ``choose`` before each step). One process needs no process group.

    >>> _ = torch.manual_seed(0)
    >>> objective = ShardedObjective(1000, 16, FixedMargin(), scale=16.0)
    >>> loss = objective(torch.randn(4, 16), torch.tensor([0, 1, 2, 999]))
    >>> loss.backward()
    >>> objective.weight.grad.shape
    torch.Size([1000, 16])
    """

    def __init__(
        self,
        num_classes: int,
        embedding_dim: int,
        rule: FixedMargin | None = None,
        scale: float = 64.0,
        *,
        sub_centers: int = 1,
        sample_rate: float = 1.0,
        piece: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.num_classes = whole("num_classes", num_classes, 2, 2**40)
        self.embedding_dim = whole("embedding_dim", embedding_dim, 2, 2**16)
        self.rule, self.scale = rule, positive("scale", scale)
        self.sub_centers = whole("sub_centers", sub_centers, 1, 64)
        self.sample_rate = within("sample_rate", sample_rate, 0.0, 1.0)
        self.piece, self.seed = piece, seed
        self.rows = ranks.rows_of(num_classes, ranks.rank(), ranks.world())
        self.weight = nn.Parameter(self._begin(rule is not None))
        self.bias = nn.Parameter(torch.zeros(len(self.rows))) if rule is None else None
        self.active: nn.Parameter = self.weight
        """The prototypes that take part in this step: all, or those that ``choose`` took."""
        self.chosen: Tensor | None = None
        self.reading: Reading | None = None
        if rule is None and (sub_centers > 1 or sample_rate < 1):
            raise ValueError(
                "the plain softmax has one prototype for each class and all classes in each step; "
                "leave sub_centers and sample_rate at 1."
            )

    def _begin(self, normalized: bool) -> Tensor:
        """Random directions, the same for a class on any number of processes; softmax begins small.

        A run of classes has a generator of its own, so that no process draws all of them.
        """
        table = torch.empty(len(self.rows) * self.sub_centers, self.embedding_dim)
        run, k = 4096, self.sub_centers
        for first in range(self.rows.start // run * run, self.rows.stop, run):
            draw = torch.Generator().manual_seed(self.seed * 1_000_003 + first // run)
            block = unit(torch.randn(run * k, self.embedding_dim, generator=draw))
            low, high = max(first, self.rows.start), min(first + run, self.rows.stop)
            into = slice((low - self.rows.start) * k, (high - self.rows.start) * k)
            table[into] = block[(low - first) * k : (high - first) * k]
        return table if normalized else table * self.embedding_dim**-0.5

    def choose(self, labels: Tensor, step: int) -> None:
        """Take the classes of this step: those of ``labels`` (this process' whole step), others
        at random up to the rate. Nothing happens at rate 1."""
        if self.sample_rate >= 1:
            return
        local = ranks.gather(labels) - self.rows.start
        own = torch.unique(local[(local >= 0) & (local < len(self.rows))])
        draw = torch.Generator().manual_seed((self.seed + 1) * 1_000_003 + step)
        priority = torch.rand(len(self.rows), generator=draw).to(labels.device)
        priority[own] = 2.0  # above every draw
        wanted = max(len(own), int(self.sample_rate * len(self.rows)), 1)
        self.chosen = priority.topk(min(wanted, len(self.rows))).indices.sort().values
        self.active = nn.Parameter(self.weight.detach()[self.taken_rows()])

    def taken_rows(self) -> Tensor | None:
        """The rows of ``weight`` that ``active`` was copied from; None where it is ``weight``."""
        if self.chosen is None:
            return None
        k = torch.arange(self.sub_centers, device=self.chosen.device)
        return (self.chosen.unsqueeze(1) * self.sub_centers + k).flatten()

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss; float32 at least, whatever autocast says."""
        with torch.autocast(embeddings.device.type, enabled=False):
            wide = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            return self._loss(wide, labels)

    def _loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        lengths = torch.linalg.vector_norm(embeddings, dim=1)
        place = self._place(ranks.gather(labels))
        own, own_bias = self._own(place)
        threshold = hardness = None
        if self.rule is None:
            points = embeddings
            target = (points * own[:, 0]).sum(1) + own_bias
            angle = angle_between(unit(points), unit(own[:, 0]))
        else:
            points = unit(embeddings)
            nearest = unit(own)
            if self.sub_centers > 1:
                best = (nearest.detach() @ points.detach().unsqueeze(2)).argmax(1, keepdim=True)
                nearest = nearest.gather(1, best.expand(-1, 1, self.embedding_dim))
            nearest = nearest[:, 0]
            cosine, angle = (points * nearest).sum(1), angle_between(points, nearest)
            target = self.rule.target(cosine, angle, lengths, ranks.add)
            threshold, hardness = target.detach(), self.rule.hardness()
            target = self.scale * target
        self.reading = Reading(angle.detach(), lengths.detach())
        rest = Rest.apply(points, self, place, threshold, hardness)  # type: ignore[no-untyped-call]
        loss = -nn.functional.logsigmoid(target - rest).mean()
        return loss if self.rule is None else loss + self.rule.extra(lengths)

    def _place(self, labels: Tensor) -> Tensor:
        """Where the classes of all samples lie among the active ones here, −1 for elsewhere."""
        local = labels - self.rows.start
        here = (local >= 0) & (local < len(self.rows))
        if self.chosen is not None:
            local = torch.searchsorted(self.chosen, local)
        return torch.where(here, local, -1)

    def _own(self, place: Tensor) -> tuple[Tensor, Tensor | float]:
        """The prototypes of this process' own samples, (B, K, D), and their biases.

        Each comes from the process that has it. Their gradients go the same way back.
        """
        here = place >= 0
        index = place.clamp_min(0)
        table = self.active.detach().view(-1, self.sub_centers, self.embedding_dim)
        found = torch.where(here.view(-1, 1, 1), table[index], 0.0)
        own = ranks.own_part(ranks.add(found)).clone().requires_grad_()

        def back(gradient: Tensor) -> None:
            all_of_it = ranks.gather(gradient) / ranks.world()
            into = gradient_of(self.active).view_as(table)
            into.index_add_(0, index[here], all_of_it[here])

        own.register_hook(back)
        if self.bias is None:
            return own, 0.0
        biases = torch.where(here, self.bias.detach()[index], 0.0)
        bias = ranks.own_part(ranks.add(biases)).clone().requires_grad_()

        def back_bias(gradient: Tensor) -> None:
            assert self.bias is not None
            all_of_it = ranks.gather(gradient) / ranks.world()
            gradient_of(self.bias).index_add_(0, index[here], all_of_it[here])

        bias.register_hook(back_bias)
        return own, bias

    @torch.no_grad()
    def prototypes_of(self, classes: np.ndarray | Tensor) -> Tensor:
        """The prototypes of classes, unit vectors (len(classes), D); all processes call it.

        Of sub-centres the first is taken.
        """
        asked = torch.as_tensor(classes, device=self.weight.device) - self.rows.start
        here = (asked >= 0) & (asked < len(self.rows))
        table = self.weight.detach().view(-1, self.sub_centers, self.embedding_dim)[:, 0]
        found = torch.where(here.unsqueeze(1), table[asked.clamp(0, len(table) - 1)], 0.0)
        return unit(ranks.add(found))

    @property
    def prototypes(self) -> Tensor:
        """All prototypes, unit vectors (C, D); all processes call it. For few classes."""
        return self.prototypes_of(np.arange(self.num_classes))
