"""Anatomy of a step: what the loss asks of one sample, and what the next step does with it.

It asks the ensemble's own functions and leaves the ensemble as it was, to the bit. It knows no
thread and no screen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facevis.jsonable import jsonable
from facevis.live.ensemble import Ensemble
from facevis.live.groups import Group, PairGroup, group_losses
from facevis.margins import angle_between, unit
from facevis.validation import whole


@dataclass(frozen=True)
class Rival:
    """The strongest class beside the true one, and its logit."""

    label: int
    logit: float


@dataclass(frozen=True, eq=False)
class Moment:
    """One sample in one member before or after the step; None is what it does not have.

    Pairs and triplets have no logits; an identity that is never in training has no target.
    """

    embedding: np.ndarray
    """(D,), as drawn."""
    theta: float | None = None
    """Angle to the prototype of its class, degrees."""
    logits: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    """(C,), with the margin on the true class and the scale; (0,) for pairs and triplets."""
    target: float | None = None
    """Logit of the true class."""
    plain: float | None = None
    """The same without the margin."""
    rival: Rival | None = None
    probability: float | None = None
    """What the training loss gives the true class, 0 … 1."""
    loss: float | None = None
    """The sample's cross-entropy; for pairs and triplets the loss of the batch it is in."""
    prototype: np.ndarray | None = None
    """(D,), of its class, as drawn."""


@dataclass(frozen=True, eq=False)
class MemberAnatomy:
    """One member's sample around one step."""

    before: Moment
    after: Moment
    gradients: dict[str, np.ndarray]
    """−∂loss/∂x̂ by gradient mode, (D,): loss per radian, at right angles to the embedding.

    The plain softmax has −∂loss/∂x. Pairs and triplets: the batch loss times the batch size.
    """


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One sample in every member, before and after a step that has not been taken."""

    sample: int
    """Index among the shown samples."""
    step: int
    """The steps taken so far."""
    label: int
    trains: bool
    """Whether the sample is in the batch of the step; else it only watches."""
    unseen: bool
    """Whether its identity is never in training."""
    members: tuple[MemberAnatomy, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain types only, None for what is not there or no finite number.

        ::

            {"sample": i, "step": s, "label": y, "trains": bool, "unseen": bool, "members": [
                {"before": {"embedding": [x, ...], "theta": degrees | null,
                            "logits": [z, ...] | [], "target": z_y | null, "plain": z | null,
                            "rival": {"label": c, "logit": z} | null, "probability": p | null,
                            "loss": v | null, "prototype": [w, ...] | null},
                 "after": {the same fields},
                 "gradients": {"exact": [g, ...], "detached": [g, ...]}}, ...]}

        ``detached`` is there for the margin family only; ``gradients`` is {} for an unseen
        identity. The numbers of a member that diverged are null, also those in its lists.
        """
        plain: dict[str, Any] = jsonable(dataclasses.asdict(self), digits=7)
        return plain


@dataclass(frozen=True, eq=False)
class _Case:
    """A sample and the batch in which it is looked at."""

    sample: int
    label: int
    known: bool
    """Whether its class has a prototype."""
    images: Tensor
    labels: Tensor
    place: int

    def rows(self, group: Group) -> slice:
        """What of the batch the sample's loss is taken of: itself, or all for pairs."""
        pairs = isinstance(group, PairGroup)
        return slice(None) if pairs else slice(self.place, self.place + 1)


def anatomy(ensemble: Ensemble, sample: int) -> Anatomy:
    """Take one sample apart: its logits and its gradient now, and where the next step moves it.

    ``sample`` is an index among the shown samples; another raises ``ValueError``. The step is the
    ensemble's next; a training sample that is not in its batch takes the first place there.
    Held-out and unseen samples are not put in: what moves them is what the others teach. Margins
    are those in force at either moment. The ensemble is the same afterwards, to the bit.

    >>> from facevis.live.config import RunConfig
    >>> ensemble = Ensemble(RunConfig(), device="cpu")
    >>> member = anatomy(ensemble, sample=0).members[0]
    >>> sorted(member.gradients), member.before.logits.shape, ensemble.step
    (['detached', 'exact'], (10,), 0)
    >>> member.after.loss < member.before.loss
    True
    """
    material = ensemble.material
    whole("sample", sample, 0, len(material.shown) - 1)
    unseen, held_out = bool(material.unseen[sample]), bool(material.held_out[sample])
    trains, step = not (unseen or held_out), ensemble.step
    images, labels, place = ensemble.next_batch_with(sample)
    case = _Case(sample, int(labels[place]), not unseen, images, labels, place)
    with ensemble.aside():
        before = _moments(ensemble, case)
        gradients = _gradients(ensemble, case)
        ensemble.train_on(*((images, labels) if trains else ensemble.next_batch()))
        after = _moments(ensemble, case)
    members = tuple(map(MemberAnatomy, before, after, gradients))
    return Anatomy(sample, step, case.label, trains, unseen, members)


@torch.no_grad()
def _moments(ensemble: Ensemble, case: _Case) -> list[Moment]:
    """Every member's sample as it is now."""
    # Of its class, those that train: their mean is the prototype where the loss has none.
    trained = ensemble.roles.trained
    kin = trained[ensemble.shown_labels[trained] == case.label]
    shares = ensemble.shares(case.images), ensemble.shares(ensemble.shown[kin])
    moments: dict[int, Moment] = {}
    for group, share, relatives in zip(ensemble.groups, *shares, strict=True):
        prototypes = None
        if case.known:
            classes = ensemble.num_classes
            drawn = group.display(relatives)
            prototypes = group.shown_prototypes(drawn, ensemble.shown_labels[kin], classes)
            prototypes = prototypes[:, case.label]
        found = _group_moments(group, share, prototypes, case, ensemble.step)
        moments |= zip(group.index, found, strict=True)
    return [moments[member] for member in range(len(moments))]


def _group_moments(
    group: Group, share: Tensor, prototypes: Tensor | None, case: _Case, step: int
) -> Iterator[Moment]:
    """From raw embeddings (G, B, D) of the batch and the prototypes (G, D) of the true class."""
    rows = case.rows(group)
    seen, labels, embeddings = share[:, rows], case.labels[rows], group.display(share)
    found = {"embedding": embeddings[:, case.place]}
    if prototypes is not None:
        angles = angle_between(unit(found["embedding"]), unit(prototypes))
        found |= {"prototype": prototypes, "theta": torch.rad2deg(angles)}
    if case.known:
        found["loss"] = group_losses([group], [seen], labels, step)
    plain = group.plain_logits(seen)
    if plain is not None:
        found["logits"] = plain[:, 0]
    if plain is not None and case.known:
        logits = group.logits(seen, labels, step)
        assert logits is not None
        found |= {
            "logits": logits[:, 0],
            "target": logits[:, 0, case.label],
            "plain": plain[:, 0, case.label],
            "probability": torch.exp(-found["loss"]),
        }
    # Copies: some of these are the very weights that the step is about to move.
    arrays = {name: tensor.cpu().numpy().copy() for name, tensor in found.items()}
    for member in range(len(group.index)):
        own = {n: a[member] if a.ndim > 1 else a[member].item() for n, a in arrays.items()}
        yield Moment(**own, rival=_rival(own["logits"], case.label) if "logits" in own else None)


def _rival(logits: np.ndarray, label: int) -> Rival | None:
    """The strongest of the other classes; of NaN none is the strongest."""
    if not np.isfinite(logits).all():
        return None
    others = np.flatnonzero(np.arange(len(logits)) != label)
    strongest = int(others[logits[others].argmax()])
    return Rival(strongest, logits[strongest].item())


def _gradients(ensemble: Ensemble, case: _Case) -> list[dict[str, np.ndarray]]:
    """Every member's −∂loss/∂embedding by gradient mode."""
    gradients: list[dict[str, np.ndarray]] = [{} for _ in ensemble.members]
    if not case.known:
        return gradients  # nothing in training knows this identity
    with torch.no_grad():
        shares = ensemble.shares(case.images)
    for group, share in zip(ensemble.groups, shares, strict=True):
        rows = case.rows(group)
        place, labels = case.place - (rows.start or 0), case.labels[rows]
        # Losses take the length away themselves, so the gradient at length one is tangent.
        drawn = group.display(share[:, rows]).requires_grad_()
        for mode in group.gradients:
            losses = group_losses([group], [drawn], labels, ensemble.step, mode)
            (slope,) = torch.autograd.grad(losses.sum(), drawn)
            pull = -len(labels) * slope[:, place]
            for member, vector in zip(group.index, pull, strict=True):
                gradients[member][mode] = vector.cpu().numpy()
    return gradients
