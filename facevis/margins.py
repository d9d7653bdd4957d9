"""The one formula: ψ(m1·θ + m2) − m3, and how it enters a matrix of cosines.

Everything that shows or trains a margin calls this module: the small models, the sharded head,
the curve of the target logit, the decision boundaries and the admissible caps. It knows angles,
cosines and labels; it knows neither networks nor losses nor pictures.

Sources: Liu et al., SphereFace, CVPR 2017 (m1 and the monotone extension ψ); Wang et al., CosFace,
CVPR 2018 (m3); Deng et al., ArcFace, CVPR 2019, eq. 4 (all three in one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from facevis.i18n import Said
from facevis.validation import choice, shown

TAILS = ("monotone", "raw", "linear", "easy")
"""What happens where m1·θ + m2 passes π; ``target_cosine`` says what each does."""
GRADIENTS = ("exact", "detached")
"""How the target's gradient reaches the cosine; ``apply_margin`` says what each does."""

_LIMITS = {"m1": (0.0, 10.0), "m2": (0.0, math.pi), "m3": (0.0, 2.0)}


@dataclass(frozen=True)
class Margin:
    """The three margins of the family: target cosine = ψ(m1·θ + m2) − m3, θ in radians.

    ``m1`` multiplies the angle (SphereFace, 0 < m1 ≤ 10), ``m2`` is added to it (ArcFace,
    0 ≤ m2 ≤ π radians), ``m3`` is taken off the cosine (CosFace, 0 ≤ m3 ≤ 2). (1, 0, 0) is the
    normalised softmax. Any other value raises ``ValueError``.

    >>> Margin.arcface(0.5)
    Margin(m1=1.0, m2=0.5, m3=0.0)
    >>> Margin(m2=-0.1)
    Traceback (most recent call last):
    ...
    ValueError: margin m2 is -0.1; give a number from 0 to 3.14159 (radians).
    """

    m1: float = 1.0
    m2: float = 0.0
    m3: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is not a finite number inside the limits."""
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(Said("wrong_margin", name=name, value=shown(value)))
            if not low <= value <= high or (name == "m1" and value == 0):
                limits = {"low": f"{low:g}", "high": f"{high:.6g}"}
                raise ValueError(Said(f"wrong_{name}", value=str(value)[:60], **limits))
            object.__setattr__(self, name, float(value))

    @classmethod
    def arcface(cls, m2: float = 0.5) -> Margin:
        """The additive angular margin, cos(θ + m2), m2 in radians (Deng et al. 2019)."""
        return cls(m2=m2)

    @classmethod
    def cosface(cls, m3: float = 0.35) -> Margin:
        """The additive cosine margin, cos θ − m3 (Wang et al. 2018)."""
        return cls(m3=m3)

    @classmethod
    def sphereface(cls, m1: float = 1.35) -> Margin:
        """The multiplicative angular margin, ψ(m1·θ) (Liu et al. 2017)."""
        return cls(m1=m1)

    def scaled(self, share: float) -> Margin:
        """The margin at ``share`` (0 … 1) of the way from none to all of it, for warm-up.

        >>> Margin(1.4, 0.5, 0.2).scaled(0.5)
        Margin(m1=1.2, m2=0.25, m3=0.1)
        """
        return Margin(1.0 + (self.m1 - 1.0) * share, self.m2 * share, self.m3 * share)

    def as_tuple(self) -> tuple[float, float, float]:
        """(m1, m2, m3)."""
        return (self.m1, self.m2, self.m3)


class StackedMargin(NamedTuple):
    """The margins of M members side by side, each field of shape (M, 1): one step trains them all.

    It may stand wherever a ``Margin`` may, with a leading member dimension on the angles.
    """

    m1: Tensor
    m2: Tensor
    m3: Tensor

    @classmethod
    def of(cls, margins: Sequence[Margin], like: Tensor | None = None) -> StackedMargin:
        """Stack margins; ``like`` gives the device and the dtype."""
        table = torch.tensor(
            [margin.as_tuple() for margin in margins],
            dtype=None if like is None else like.dtype,
            device=None if like is None else like.device,
        )
        return cls(*table.T.unsqueeze(-1).contiguous())


def check_tail(tail: str) -> str:
    """Return ``tail`` if it is one of ``TAILS``, else raise ``ValueError``."""
    return choice("tail", tail, TAILS)


def check_gradient(gradient: str) -> str:
    """Return ``gradient`` if it is one of ``GRADIENTS``, else raise ``ValueError``."""
    return choice("gradient", gradient, GRADIENTS)


def psi(phi: Tensor | float) -> Tensor:
    """The monotone extension of the cosine: ψ(φ) = (−1)^k cos φ − 2k, k = ⌊φ/π⌋, φ ≥ 0 in radians.

    Shapes: any → the same. It equals cos φ up to π and keeps falling after it, so that the worst
    points are never rewarded (Liu et al. 2017, eq. 7).

    >>> [round(psi(math.pi * m1).item(), 3) for m1 in (1.0, 1.35, 1.5, 1.7, 2.0)]
    [-1.0, -1.546, -2.0, -2.588, -3.0]
    """
    phi = _as_tensor(phi)
    turns = torch.floor(phi.detach() / math.pi)
    sign = 1.0 - 2.0 * torch.remainder(turns, 2.0)
    return sign * torch.cos(phi) - 2.0 * turns


def target_cosine(
    angle: Tensor | float, margin: Margin | StackedMargin, tail: str = "monotone"
) -> Tensor:
    """The cosine that the loss sees for the true class: ψ(m1·θ + m2) − m3.

    ``angle`` θ in radians, any shape → the same shape. ``tail`` says what happens where
    φ = m1·θ + m2 passes π: ``"monotone"`` (ψ, the default), ``"raw"`` (cos φ, which rises again),
    ``"linear"`` (cos θ − m2·sin m2 there, as the classic ArcFace code), ``"easy"`` (the margin
    only where cos θ > 0). Floats are computed in float64.

    >>> round(target_cosine(0.5, Margin(1.0, 0.5, 0.1)).item(), 4)
    0.4403
    """
    angle = _as_tensor(angle)
    phi = margin.m1 * angle + margin.m2
    if check_tail(tail) == "monotone":
        return psi(phi) - margin.m3
    cosine = torch.cos(phi) - margin.m3
    if tail == "linear":
        m2 = _as_tensor(margin.m2)
        beyond = torch.cos(angle) - m2 * torch.sin(m2) - margin.m3
        return torch.where(phi > math.pi, beyond.to(cosine.dtype), cosine)
    if tail == "easy":
        plain = torch.cos(angle)
        return torch.where(plain > 0, cosine, plain)
    return cosine


def unit(vectors: Tensor) -> Tensor:
    """Vectors of length one along the last dimension; a zero vector stays zero, with gradient zero.

    So does one shorter than 1e-12; one whose length overflows has its direction all the same.

    >>> unit(torch.tensor([[3.0, 4.0], [3e30, 4e30]]))
    tensor([[0.6000, 0.8000],
            [0.6000, 0.8000]])
    """
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    overflows = length == torch.inf
    if overflows.any():
        largest = vectors.detach().abs().amax(dim=-1, keepdim=True)
        return unit(vectors / torch.where(overflows, largest, 1.0))
    # What has no direction passes no gradient: one divided by a tiny length overflows in float16.
    return vectors / torch.where(length > 1e-12, length, torch.inf)


def angle_between(first: Tensor, second: Tensor) -> Tensor:
    """The angle between unit vectors, θ = 2·atan2(‖a − b‖, ‖a + b‖), in radians.

    Shapes: (..., D), (..., D) → (...). Unlike arccos of a clamped cosine it is exact near 0 and π
    and its gradient is finite everywhere (W. Kahan, "How futile are mindless assessments of
    roundoff", 2006).

    >>> a, b = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1e-4])
    >>> f"{angle_between(a, unit(b)).item():.1e}"
    '1.0e-04'
    """
    apart = torch.linalg.vector_norm(first - second, dim=-1)
    together = torch.linalg.vector_norm(first + second, dim=-1)
    return 2.0 * torch.atan2(apart, together)


def apply_margin(
    cosines: Tensor,
    labels: Tensor,
    margin: Margin | StackedMargin,
    *,
    angle: Tensor | None = None,
    tail: str = "monotone",
    gradient: str = "exact",
) -> Tensor:
    """Put the margin on the true class of every row and leave all other cosines alone.

    Shapes: cosines (..., B, C), labels (B,) → (..., B, C). A label of −1 means "this class lives on
    another shard": its row is returned as it came. ``angle`` (..., B) is the angle to the true
    prototype when the caller has it exactly (``angle_between``); otherwise it is taken from the
    cosine. ``gradient="exact"`` is the derivative of the formula; ``"detached"`` passes
    the gradient straight through (∂ target/∂ cos θ = 1), as common trainers do.

    >>> cosines = torch.tensor([[0.6, 0.1], [0.6, 0.1]], dtype=torch.float64)
    >>> apply_margin(cosines, torch.tensor([0, -1]), Margin.cosface(0.25))
    tensor([[0.3500, 0.1000],
            [0.6000, 0.1000]], dtype=torch.float64)
    """
    check_gradient(gradient)
    here = labels >= 0
    column = labels.clamp_min(0).expand(cosines.shape[:-1]).unsqueeze(-1)
    plain = cosines.gather(-1, column).squeeze(-1)
    if angle is None:
        angle = _angle_of(plain)
    target = margin_target(plain, angle, margin, tail, gradient)
    target = torch.where(here, target, plain).to(cosines.dtype)
    return cosines.scatter(-1, column, target.unsqueeze(-1))


def margin_target(
    cosine: Tensor,
    angle: Tensor,
    margin: Margin | StackedMargin,
    tail: str = "monotone",
    gradient: str = "exact",
) -> Tensor:
    """``target_cosine`` of the angle, with the gradient that is wanted.

    Shapes: the cosine of the true class and its angle, any → the same. ``gradient`` as in
    ``apply_margin``.

    >>> angle = torch.tensor([0.5])
    >>> margin_target(torch.cos(angle), angle, Margin.cosface(0.25)).round(decimals=4)
    tensor([0.6276])
    """
    target = target_cosine(angle, margin, tail)
    if gradient == "detached":
        target = cosine + (target - cosine).detach()
    return target


def _angle_of(cosine: Tensor) -> Tensor:
    """Arccos with a finite gradient at ±1: the sine is kept off zero by the float's own step."""
    cosine = cosine.clamp(-1.0, 1.0)
    square = (1.0 - cosine) * (1.0 + cosine)
    sine = torch.sqrt(square.clamp_min(torch.finfo(cosine.dtype).eps ** 2))
    return torch.atan2(sine, cosine)


def _as_tensor(value: Tensor | float) -> Tensor:
    return value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=torch.float64)
