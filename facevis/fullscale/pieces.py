"""The softmax over all classes but the own ones, in pieces: no matrix of logits ever exists.

r = log Σ_{j≠y} e^{z_j} is summed over pieces of the prototypes and over processes, and its gradient
is computed piece by piece anew. Gradients of the prototypes are written straight into ``.grad``:
besides prototypes, their gradients and two pieces nothing of size C·D or B·C is held.

It knows prototypes and cosines; it does not know margins.

Source: Milakov and Gimelshein, Online normalizer calculation for softmax, 2018.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from facevis.fullscale import ranks

if TYPE_CHECKING:
    from facevis.fullscale.prototypes import ShardedObjective

_PIECE = 2**20
"""Logits of a piece on a CPU: 4 MiB, which stays in the processor's cache."""
_PIECE_GPU = 2**25
_NEVER = -1e30
"""The logit of a class that takes no part: its exponential is 0, and 0 times it is 0."""


class Rest(torch.autograd.Function):
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
        """Give r of this process' samples, (B,)."""
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
        """The gradient by ``points``; the prototypes' lies in their ``.grad`` afterwards."""
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
        part, into = self.table[rows], gradient_of(self.head.active)[rows]
        if self.normalized:
            inverse = self.inverse[rows].unsqueeze(1)
            into.addcmul_(part, inner.sum(1, keepdim=True) * inverse.square(), value=-1.0 / world)
            slopes.mul_(inverse * self.head.scale)
        elif self.head.bias is not None:
            gradient_of(self.head.bias)[rows].add_(slopes.sum(1), alpha=1.0 / world)
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


def gradient_of(parameter: nn.Parameter) -> Tensor:
    """The gradient to add to, zeros at first."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
