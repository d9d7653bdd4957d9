"""Margins that adapt: to the length of an embedding (AdaFace, MagFace) or to the training
(CurricularFace). Each says what the loss sees for the true class and for the others.

They use the one formula of ``facevis.margins``. They know cosines, angles and lengths; they know
neither prototypes nor processes: what is a mean over the batch is summed by a function they are
given.

Sources: Kim et al., AdaFace, CVPR 2022; Meng et al., MagFace, CVPR 2021; Huang et al.,
CurricularFace, CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from facevis.margins import Margin, StackedMargin, margin_target
from facevis.validation import positive, within

Sum = Callable[[Tensor], Tensor]
"""The sum over all processes, in place."""


class FixedMargin(nn.Module):
    """The margin family: the same margin for every sample.

    >>> rule = FixedMargin(Margin.cosface(0.25))
    >>> angle = torch.tensor([0.5])
    >>> rule.target(torch.cos(angle), angle, torch.ones(1), lambda x: x).round(decimals=4)
    tensor([0.6276])
    """

    def __init__(
        self, margin: Margin | None = None, tail: str = "monotone", gradient: str = "exact"
    ) -> None:
        super().__init__()
        self.margin = Margin() if margin is None else margin
        self.tail, self.gradient = tail, gradient

    def target(self, cosine: Tensor, angle: Tensor, lengths: Tensor, total: Sum) -> Tensor:
        """The target cosines (B,) of cosines, angles and lengths of embeddings (B,)."""
        return margin_target(cosine, angle, self.margin, self.tail, self.gradient)

    def hardness(self) -> Tensor | None:
        """What ``others`` are weighed with; None leaves the cosines of other classes alone."""
        return None

    def extra(self, lengths: Tensor) -> Tensor | float:
        """What is added to the loss."""
        return 0.0


class AdaFace(FixedMargin):
    """AdaFace: long embeddings, which are those of good pictures, get a margin in the angle, short
    ones in the cosine.

    target = cos(θ − m·k) − (m + m·k), k = (‖x‖ − μ)/(σ + 10⁻³) · h cut to [−1, 1], ‖x‖ cut to
    [10⁻³, 100]; μ and σ follow the batches as running means with weight ``t_alpha``. k passes no
    gradient. Angles below 0 count as 0.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, m: float = 0.4, h: float = 0.333, t_alpha: float = 0.01, gradient: str = "exact"
    ) -> None:
        super().__init__(gradient=gradient)
        self.m, self.h = within("m", m, 0.0, 1.0), positive("h", h)
        self.t_alpha = within("t_alpha", t_alpha, 0.0, 1.0)
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("deviation", torch.tensor(100.0))

    def target(self, cosine: Tensor, angle: Tensor, lengths: Tensor, total: Sum) -> Tensor:
        """The target cosines (B,)."""
        with torch.no_grad():
            safe = lengths.clamp(1e-3, 100.0)
            if self.training:
                self._follow(safe, total)
            quality = ((safe - self.mean) / (self.deviation + 1e-3) * self.h).clamp(-1.0, 1.0)
            turn = -self.m * quality
            one = torch.ones_like(turn)
        margin = StackedMargin(one, turn, self.m - turn)
        angle = torch.maximum(angle, -turn)
        return margin_target(cosine, angle, margin, self.tail, self.gradient)

    def _follow(self, lengths: Tensor, total: Sum) -> None:
        sums = total(torch.stack([torch.ones_like(lengths), lengths]).sum(1).double())
        mean = sums[1] / sums[0]
        square = total((lengths - mean).square().sum().double())
        deviation = (square / (sums[0] - 1).clamp_min(1.0)).sqrt()
        for own, new in ((self.mean, mean), (self.deviation, deviation)):
            own.lerp_(new.to(own), self.t_alpha)


class MagFace(FixedMargin):
    """MagFace: the margin grows with the length a of the embedding, and length is rewarded.

    target = cos(θ + m(a)), m(a) linear from ``lower`` at a = ``shortest`` to ``upper`` at
    ``longest``, a cut to that range; λ·mean(1/a + a/longest²) is added to the loss. m(a) and the
    addition carry gradients into the length.
    """

    def __init__(
        self,
        lower: float = 0.45,
        upper: float = 0.8,
        shortest: float = 10.0,
        longest: float = 110.0,
        weight: float = 35.0,
        gradient: str = "exact",
    ) -> None:
        super().__init__(gradient=gradient)
        self.lower, self.upper = within("lower", lower, 0.0, 3.0), within("upper", upper, 0.0, 3.0)
        self.shortest, self.longest = positive("shortest", shortest), positive("longest", longest)
        self.weight = within("weight", weight, 0.0, 1e6)
        if not shortest < longest:
            raise ValueError(
                f"shortest is {shortest:g} and longest {longest:g}; give two lengths, the "
                "smaller one first."
            )

    def target(self, cosine: Tensor, angle: Tensor, lengths: Tensor, total: Sum) -> Tensor:
        """The target cosines (B,)."""
        share = (self._cut(lengths) - self.shortest) / (self.longest - self.shortest)
        m2 = self.lower + (self.upper - self.lower) * share
        margin = StackedMargin(torch.ones_like(m2), m2, torch.zeros_like(m2))
        return margin_target(cosine, angle, margin, self.tail, self.gradient)

    def extra(self, lengths: Tensor) -> Tensor | float:
        """λ·mean(1/a + a/longest²)."""
        a = self._cut(lengths)
        return self.weight * (1.0 / a + a / self.longest**2).mean()

    def _cut(self, lengths: Tensor) -> Tensor:
        return lengths.clamp(self.shortest, self.longest)


class CurricularFace(FixedMargin):
    """CurricularFace: other classes that are nearer than the target weigh more as training goes on.

    target = cos(θ_y + m2); another class with cos θ_j above it counts as cos θ_j·(t + cos θ_j).
    t follows the mean of cos θ_y over the batches, with weight 0.01, from 0 on.
    """

    t: Tensor

    def __init__(self, m2: float = 0.5, gradient: str = "exact", weight: float = 0.01) -> None:
        super().__init__(Margin.arcface(m2), gradient=gradient)
        self.weight = within("weight", weight, 0.0, 1.0)
        self.register_buffer("t", torch.tensor(0.0))

    def target(self, cosine: Tensor, angle: Tensor, lengths: Tensor, total: Sum) -> Tensor:
        """The target cosines (B,); the running mean moves first, as published."""
        if self.training:
            with torch.no_grad():
                sums = total(torch.stack([torch.ones_like(cosine), cosine]).sum(1).double())
                self.t.lerp_((sums[1] / sums[0]).to(self.t), self.weight)
        return super().target(cosine, angle, lengths, total)

    def hardness(self) -> Tensor | None:
        """t, a scalar."""
        return self.t


__all__ = ["AdaFace", "CurricularFace", "FixedMargin", "MagFace"]
