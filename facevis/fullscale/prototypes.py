"""The head of a full-scale network: prototypes spread over processes, the exact softmax in pieces.

The cross-entropy needs two numbers of each sample: the logit t of its own class and
r = log Σ_{j≠y} e^{z_j} of all others; the loss is log(1 + e^{r − t}). t costs B·D work and goes
through autograd, with the one formula of ``facevis.margins``. r is summed over pieces of the
prototypes and over processes, its gradient is computed piece by piece anew, and no matrix of B·C
logits ever exists. Gradients of the prototypes are written straight into ``.grad``: besides
prototypes, their gradients and two pieces nothing of size C·D or B·C is held.

It knows embeddings and labels; it does not know the network they come from.

Sources: Deng et al., ArcFace, CVPR 2019 (prototypes over devices, section 2.3); Deng et al.,
Sub-center ArcFace, ECCV 2020; An et al., Partial FC, CVPR 2022 (sampled classes); Milakov and
Gimelshein, Online normalizer calculation for softmax, 2018.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facevis.adaptive import FixedMargin
from facevis.fullscale import ranks
from facevis.margins import angle_between, unit
from facevis.validation import positive, whole, within

_PIECE = 2**20
"""Logits of a piece on a CPU: 4 MiB, which stays in the processor's cache."""
_PIECE_GPU = 2**25
_NEVER = -1e30
"""The logit of a class that takes no part: its exponential is 0, and 0 times it is 0."""


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
        k = torch.arange(self.sub_centers, device=labels.device)
        taken = (self.chosen.unsqueeze(1) * self.sub_centers + k).flatten()
        self.active = nn.Parameter(self.weight.detach()[taken])

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
        rest = _Rest.apply(points, self, place, threshold, hardness)
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
            into = _gradient(self.active).view_as(table)
            into.index_add_(0, index[here], all_of_it[here])

        own.register_hook(back)
        if self.bias is None:
            return own, 0.0
        biases = torch.where(here, self.bias.detach()[index], 0.0)
        bias = ranks.own_part(ranks.add(biases)).clone().requires_grad_()

        def back_bias(gradient: Tensor) -> None:
            assert self.bias is not None
            all_of_it = ranks.gather(gradient) / ranks.world()
            _gradient(self.bias).index_add_(0, index[here], all_of_it[here])

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


class _Rest(torch.autograd.Function):
    """r = log Σ_{j≠y} e^{z_j} over all processes' classes, for this process' samples.

    The gradient by the embeddings is returned, that by the prototypes added to their ``.grad``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        head: ShardedObjective,
        place: Tensor,
        threshold: Tensor | None,
        hardness: Tensor | None,
    ) -> Tensor:
        every = ranks.gather(points)
        if threshold is not None:
            threshold = ranks.gather(threshold) if hardness is not None else None
        pieces = _Pieces(head, every, place, threshold, hardness)
        largest = every.new_full((len(every),), _NEVER)
        total = torch.zeros_like(largest)
        for k in range(len(pieces)):
            pieces.measure(k)
            logits = pieces.logits(k).seen
            higher = torch.maximum(largest, logits.amax(0))
            total.mul_(torch.exp(largest - higher)).add_(logits.sub_(higher).exp_().sum(0))
            largest = higher
        rest = largest + total.log()
        if ranks.world() > 1:  # log of the sum of the processes' sums
            rest = torch.logsumexp(ranks.gather(rest.unsqueeze(0)), 0)
        ctx.pieces, ctx.rest = pieces, rest
        return ranks.own_part(rest).clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        pieces, rest = ctx.pieces, ctx.rest
        weight = ranks.gather(gradient)
        by_points = torch.zeros_like(pieces.points)
        for k in range(len(pieces)):
            pieces.backward(k, rest, weight, by_points)
        return ranks.add_and_cut(by_points), None, None, None, None


class _Pieces:
    """The active prototypes of this process, a piece at a time, against all samples.

    Logits of a piece are laid out (classes, samples): prototypes in rows are read once.
    """

    def __init__(
        self,
        head: ShardedObjective,
        points: Tensor,
        place: Tensor,
        threshold: Tensor | None,
        hardness: Tensor | None,
    ) -> None:
        self.head, self.points, self.turned = head, points, points.T.contiguous()
        self.table = head.active.detach()
        self.k, self.normalized = head.sub_centers, head.rule is not None
        self.threshold = threshold
        self.hardness = None if hardness is None else hardness.to(points)
        self.count = len(self.table) // self.k
        room = _PIECE if points.device.type == "cpu" else _PIECE_GPU
        self.each = head.piece or max(1, room // (len(points) * self.k))
        self.shape = min(self.each, self.count) * self.k, len(points)
        self.inverse = points.new_empty(len(self.table) if self.normalized else 0)
        self.buffer = points.new_empty(min(self.each, self.count) * self.k, len(points))
        self.spare = torch.empty_like(self.buffer)
        # Which samples have their own class in which piece; sorted once.
        order = torch.argsort(place)
        self.order, self.sorted = order, place[order]
        edges = torch.arange(len(self) + 1, device=place.device) * self.each
        self.cuts = torch.searchsorted(self.sorted, edges).tolist()

    def __len__(self) -> int:
        return -(-self.count // self.each)

    def _rows(self, number: int) -> slice:
        last = min((number + 1) * self.each, self.count)
        return slice(number * self.each * self.k, last * self.k)

    def measure(self, number: int) -> None:
        """One over the lengths of a piece's prototypes; 0 for a zero vector, as in ``unit``."""
        if self.normalized:
            rows = self._rows(number)
            length = torch.linalg.vector_norm(self.table[rows], dim=1)
            self.inverse[rows] = torch.where(length > 1e-12, 1.0 / length, 0.0)

    def logits(self, number: int) -> _Logits:
        """What the samples' loss sees of a piece; their own classes have no part in it."""
        rows = self._rows(number)
        part = self.table[rows]
        plain = torch.mm(part, self.turned, out=self.buffer[: len(part)])
        if self.normalized:
            plain.mul_((self.inverse[rows] * self.head.scale).unsqueeze(1))
        elif self.head.bias is not None:
            plain.add_(self.head.bias.detach()[rows].unsqueeze(1))
        nearest = slope = None
        if self.k > 1:
            plain, nearest = plain.view(-1, self.k, len(self.points)).max(1, keepdim=True)
            plain = plain.squeeze(1)
        seen = plain
        if self.hardness is not None:
            assert self.threshold is not None
            cosine = plain / self.head.scale
            hard = cosine > self.threshold
            seen = torch.where(hard, plain * (self.hardness + cosine), plain)
            slope = torch.where(hard, self.hardness + 2.0 * cosine, 1.0)
        first, last = self.cuts[number], self.cuts[number + 1]
        seen[self.sorted[first:last] - number * self.each, self.order[first:last]] = _NEVER
        return _Logits(seen, plain, slope, nearest)

    def backward(self, number: int, rest: Tensor, weight: Tensor, by_points: Tensor) -> None:
        """Add a piece's share of the gradient; ``weight`` (B,) is the gradient by ``rest``.

        With n = 1/‖W‖ and z = s·n·W·x: ∂z/∂x = s·n·W and ∂z/∂W = s·n·x − n²·z·W.
        """
        rows, world = self._rows(number), ranks.world()
        seen, plain, slope, nearest = self.logits(number)
        slopes = torch.sub(seen, rest, out=self.spare[: len(seen)]).exp_().mul_(weight)
        if slope is not None:
            slopes.mul_(slope)
        inner = plain.mul_(slopes)
        if nearest is not None:
            wide = slopes.new_zeros(len(slopes), self.k, len(self.points))
            inner = wide.scatter(1, nearest, inner.unsqueeze(1)).flatten(0, 1)
            slopes = wide.scatter_(1, nearest, slopes.unsqueeze(1)).flatten(0, 1)
        part, into = self.table[rows], _gradient(self.head.active)[rows]
        if self.normalized:
            inverse = self.inverse[rows].unsqueeze(1)
            into.addcmul_(part, inner.sum(1, keepdim=True) * inverse.square(), value=-1.0 / world)
            slopes.mul_(inverse * self.head.scale)
        elif self.head.bias is not None:
            _gradient(self.head.bias)[rows].add_(slopes.sum(1), alpha=1.0 / world)
        by_points.addmm_(slopes.T, part)
        into.addmm_(slopes, self.points, alpha=1.0 / world)


class _Logits(NamedTuple):
    """A piece of the logits, (classes, B) each."""

    seen: Tensor
    """What the loss sees."""
    plain: Tensor
    """Before hard classes are weighed; the same tensor where none are."""
    slope: Tensor | None
    """The derivative of the first by the second; None is 1."""
    nearest: Tensor | None
    """Which sub-centre counts, (classes, 1, B)."""


def _gradient(parameter: nn.Parameter) -> Tensor:
    """The gradient to add to, zeros at first."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
