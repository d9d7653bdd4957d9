"""The losses of the lecture: softmax, the margin family, contrastive and triplet.

Each loss is one function over tensors that may carry leading member dimensions, so that the
ensemble trains many at once, and one thin module around it: ``objective(embeddings, labels)`` is
a scalar. Nothing here knows where embeddings come from or what is drawn.

Sources: Deng et al., ArcFace, CVPR 2019 (eq. 4); Wang et al., CosFace, CVPR 2018; Liu et al.,
SphereFace, CVPR 2017; Hadsell et al., CVPR 2006 (contrastive); Schroff et al., FaceNet, CVPR 2015
(triplet).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facevis.margins import (
    Margin,
    StackedMargin,
    angle_between,
    apply_margin,
    check_gradient,
    check_tail,
    unit,
)
from facevis.mining import MINING, TripletTerms, triplet_losses
from facevis.validation import choice, positive

OBJECTIVES = (
    "softmax",
    "normalized_softmax",
    "contrastive",
    "triplet",
    "sphereface",
    "cosface",
    "arcface",
    "combined",
)
"""The names of the lecture, in its order."""
MARGIN_FAMILY = ("normalized_softmax", "sphereface", "cosface", "arcface", "combined")
"""Those that are one formula at different margins."""


def softmax_logits(embeddings: Tensor, prototypes: Tensor, bias: Tensor) -> Tensor:
    """z_j = W_jᵀx + b_j. Shapes: (..., B, D), (..., C, D), (..., C) → (..., B, C)."""
    return (prototypes @ embeddings.mT + bias.unsqueeze(-1)).mT


def margin_logits(
    embeddings: Tensor,
    prototypes: Tensor,
    labels: Tensor,
    margin: Margin | StackedMargin,
    scale: float | Tensor,
    tail: str = "monotone",
    gradient: str = "exact",
) -> Tensor:
    """s·cos θ_j, with s·(ψ(m1·θ_y + m2) − m3) for the true class.

    Shapes: (..., B, D), (..., C, D), (B,) → (..., B, C). Vectors need no unit length. ``scale`` may
    be (..., 1, 1). The angle to the true prototype comes from ``angle_between``, B·D work.
    """
    embeddings, prototypes = unit(embeddings), unit(prototypes)
    cosines = (prototypes @ embeddings.mT).mT
    own = prototypes.index_select(-2, labels)
    angle = angle_between(embeddings, own)
    return scale * apply_margin(cosines, labels, margin, angle=angle, tail=tail, gradient=gradient)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """−mean log softmax of the true class. Shapes: (..., B, C), (B,) → (...)."""
    # Classes before samples: few classes in the last dimension are several times as slow on a CPU.
    row = labels.expand(logits.shape[:-1]).unsqueeze(-2)
    return -torch.log_softmax(logits.mT, -2).gather(-2, row).squeeze(-2).mean(-1)


def contrastive_loss(embeddings: Tensor, labels: Tensor, margin: float | Tensor) -> Tensor:
    """Mean over all pairs of d² (same class) or max(0, margin − d)² (different), d = ‖x_i − x_j‖.

    Shapes: (..., B, D), (B,) → (...). A batch of one has no pairs: 0.
    """
    distances = pairwise_distances(embeddings)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    terms = torch.where(same, distances, (margin - distances).clamp_min(0.0)) ** 2
    count = labels.shape[0] * (labels.shape[0] - 1)
    # The diagonal is a "same" pair at distance 0 and adds nothing to the sum.
    return terms.sum((-1, -2)) / max(count, 1)


def triplet_loss(
    embeddings: Tensor,
    labels: Tensor,
    margin: float | Tensor,
    mining: str = "semi-hard",
    squared: bool = False,
) -> TripletTerms:
    """max(0, d(a, p) + margin − d(a, n)) over the mined triplets; see ``mining.triplet_losses``.

    Shapes: (..., B, D), (B,) → terms of shape (...). ``squared`` uses squared distances (FaceNet).
    """
    distances = pairwise_distances(embeddings)
    return triplet_losses(distances**2 if squared else distances, labels, margin, mining)


def pairwise_distances(embeddings: Tensor) -> Tensor:
    """‖x_i − x_j‖, (..., B, D) → (..., B, B), by differences: exactly 0 for equal rows."""
    return torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")


class Objective(nn.Module):
    """What every loss keeps: ``objective(embeddings, labels)`` → scalar, in float32 at least.

    Embeddings (B, D) in half precision are taken to float32 and autocast is switched off inside:
    a softmax over a large scale does not survive 10 bits.
    """

    num_classes = 0
    """How many classes it has prototypes for; 0 for losses that need none."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Loss of embeddings (B, D) with labels (B,) in [0, C)."""
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
            raise ValueError(
                f"embeddings have shape {tuple(embeddings.shape)} and labels "
                f"{tuple(labels.shape)}; give (B, D) and (B,)."
            )
        if not len(labels):
            raise ValueError("the batch is empty; give one embedding or more.")
        if self.num_classes and labels.device.type == "cpu":  # asking a GPU would make it wait
            low, high = (int(end) for end in labels.aminmax())
            if low < 0 or high >= self.num_classes:
                last = self.num_classes - 1
                raise ValueError(f"labels go from {low} to {high}; give classes from 0 to {last}.")
        with torch.autocast(embeddings.device.type, enabled=False):
            wide = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            return self.loss(wide, labels)

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The formula itself; each objective writes its own."""
        raise AssertionError("Objective is a base class; use one of its objectives.")


class SoftmaxObjective(Objective):
    """The plain classifier, z_j = W_jᵀx + b_j with cross-entropy; nothing is normalised.

    ``prototypes`` (C, D) are the rows W_j, of any length; embeddings keep their length too.

    >>> _ = torch.manual_seed(0)
    >>> objective = SoftmaxObjective(num_classes=3, embedding_dim=2)
    >>> objective(torch.randn(4, 2), torch.tensor([0, 1, 2, 0])).shape
    torch.Size([])
    """

    def __init__(self, num_classes: int, embedding_dim: int) -> None:
        super().__init__()
        _check_sizes(num_classes, embedding_dim)
        self.num_classes = num_classes
        self.prototypes = nn.Parameter(initial_prototypes(num_classes, embedding_dim))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the logits."""
        logits = softmax_logits(
            embeddings, self.prototypes.to(embeddings.dtype), self.bias.to(embeddings.dtype)
        )
        return cross_entropy(logits, labels)


class MarginObjective(Objective):
    """The margin family: cross-entropy of s·cos θ_j, the true class at s·(ψ(m1·θ_y + m2) − m3).

    SphereFace, CosFace, ArcFace, their combination and the normalised softmax are this one class
    at different ``Margin``. ``scale`` is the radius s > 0 of the hypersphere, ``tail`` and
    ``gradient`` as in ``margins``. ``prototypes`` (C, D) are unit vectors.

    >>> _ = torch.manual_seed(0)
    >>> objective = MarginObjective(10, 2, margin=Margin.arcface(0.5), scale=16.0)
    >>> loss = objective(torch.randn(4, 2), torch.tensor([0, 1, 2, 0]))
    >>> loss.backward()
    >>> bool(torch.isfinite(loss))
    True
    """

    def __init__(
        self,
        num_classes: int,
        embedding_dim: int,
        margin: Margin | None = None,
        scale: float = 64.0,
        tail: str = "monotone",
        gradient: str = "exact",
    ) -> None:
        super().__init__()
        _check_sizes(num_classes, embedding_dim)
        self.num_classes = num_classes
        self.margin = Margin.arcface(0.5) if margin is None else margin
        self.scale = positive("scale", scale)
        self.tail, self.gradient = check_tail(tail), check_gradient(gradient)
        self.directions = nn.Parameter(initial_prototypes(num_classes, embedding_dim))

    @property
    def prototypes(self) -> Tensor:
        """One unit vector per class, (C, D)."""
        return unit(self.directions)

    def logits(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The logits after margin and scale, (B, D), (B,) → (B, C)."""
        return margin_logits(
            embeddings,
            self.directions.to(embeddings.dtype),
            labels,
            self.margin,
            self.scale,
            self.tail,
            self.gradient,
        )

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the logits."""
        return cross_entropy(self.logits(embeddings, labels), labels)


class ContrastiveObjective(Objective):
    """The siamese loss: d² for a pair of one class, max(0, margin − d)² otherwise, mean over pairs.

    ``margin`` is a distance. With ``normalized`` (the default) embeddings are compared on the unit
    hypersphere, where distances go from 0 to 2 (Hadsell et al. 2006, without its factor ½).

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> round(ContrastiveObjective(margin=2.0)(x, torch.tensor([0, 0, 1])).item(), 4)
    0.2288
    """

    def __init__(self, margin: float = 1.0, normalized: bool = True) -> None:
        super().__init__()
        self.margin, self.normalized = positive("margin", margin), normalized

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean over the pairs of the batch."""
        return contrastive_loss(
            unit(embeddings) if self.normalized else embeddings, labels, self.margin
        )


class TripletObjective(Objective):
    """The triplet loss max(0, d(a, p) + margin − d(a, n)) over mined triplets of the batch.

    ``mining``: "all", "semi-hard" or "batch-hard". The lecture writes plain distances; ``squared``
    gives FaceNet's squared ones.

    >>> _ = torch.manual_seed(0)
    >>> loss = TripletObjective(0.2)(torch.randn(8, 2), torch.arange(8) % 2)
    >>> bool(loss >= 0)
    True
    """

    def __init__(
        self,
        margin: float = 0.2,
        mining: str = "semi-hard",
        squared: bool = False,
        normalized: bool = True,
    ) -> None:
        super().__init__()
        self.margin, self.mining = positive("margin", margin), choice("mining", mining, MINING)
        self.squared, self.normalized = squared, normalized

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean over the mined triplets that still violate the margin."""
        embeddings = unit(embeddings) if self.normalized else embeddings
        return triplet_loss(embeddings, labels, self.margin, self.mining, self.squared).loss


def initial_prototypes(
    num_classes: int, embedding_dim: int, generator: torch.Generator | None = None
) -> Tensor:
    """Random unit vectors, (C, D): every direction is equally likely."""
    return unit(torch.randn(num_classes, embedding_dim, generator=generator))


def _check_sizes(num_classes: int, embedding_dim: int) -> None:
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}; a loss needs at least 2 classes.")
    if embedding_dim < 2:
        raise ValueError(f"embedding_dim is {embedding_dim}; an angle needs at least 2 dimensions.")


__all__ = [
    "MARGIN_FAMILY",
    "OBJECTIVES",
    "ContrastiveObjective",
    "MarginObjective",
    "Objective",
    "SoftmaxObjective",
    "TripletObjective",
    "contrastive_loss",
    "cross_entropy",
    "margin_logits",
    "softmax_logits",
    "triplet_loss",
]
