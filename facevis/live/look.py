"""A moment of a run, seen by pictures of people it was never trained on.

Read off the ensemble between two of its steps, which stays as it is; what is measured on it is in
``openset``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch

from facevis.datasets.dataset import as_inputs
from facevis.live.ensemble import Ensemble
from facevis.live.material import Material

MOST_STRANGERS = 3000
"""Pictures of unseen identities that are compared; of more, as many drawn at random."""
MOST_KNOWN = 600


@dataclass(frozen=True, eq=False)
class Look:
    """A moment of all members, seen by pictures of strangers and by some of those that trained."""

    step: int
    embeddings: np.ndarray
    """(M, N, D), pictures of strangers."""
    sure: np.ndarray
    """(M, K + N) the largest softmax probability of a trained class; NaN without a classifier."""
    nearest: np.ndarray
    """(M, K + N) the trained class with the nearest prototype."""
    angle_deg: np.ndarray
    """(M, K + N) the angle to it. The K pictures of trained identities come first."""


def strangers_of(material: Material) -> np.ndarray:
    """Rows of the dataset that are compared: pictures of unseen identities, in order."""
    rows = np.flatnonzero(material.dataset.labels >= material.num_classes)
    if len(rows) > MOST_STRANGERS:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_STRANGERS])
    return rows


def as_shown(material: Material) -> Material:
    """The material with the compared pictures as the shown ones: for their thumbnails."""
    return dataclasses.replace(material, shown=strangers_of(material))


@torch.no_grad()
def look_at(ensemble: Ensemble) -> Look:
    """Embed strangers and known people with every member; the ensemble stays as it is."""
    material = ensemble.material
    rows = strangers_of(material)
    if not len(rows):
        raise ValueError(
            "no identity is left out of training, so there are no strangers; "
            "set the number of unseen identities to 2 or more."
        )
    known = np.random.default_rng(0).permutation(material.train)[:MOST_KNOWN]
    pictures = material.dataset.images[np.r_[known, rows]]
    inputs = torch.from_numpy(as_inputs(pictures)).to(ensemble.device)
    shares = ensemble.shares(inputs)
    members, count = len(ensemble.members), len(inputs)
    embeddings = np.empty((members, len(rows), shares[0].shape[-1]), np.float32)
    sure, angle = np.full((2, members, count), np.nan)
    nearest = np.zeros((members, count), np.int64)
    labels = torch.tensor(material.dataset.labels[known], device=ensemble.device)
    for group, raw in zip(ensemble.groups, shares, strict=True):
        shown = group.display(raw)
        embeddings[group.index] = shown[:, len(known) :].cpu().numpy()
        centres = group.shown_prototypes(shown[:, : len(known)], labels, ensemble.num_classes)
        directions = torch.nn.functional.normalize(shown.double(), dim=-1)
        cosine = directions @ torch.nn.functional.normalize(centres.double(), dim=-1).mT
        best = cosine.max(dim=-1)
        angle[group.index] = best.values.clamp(-1.0, 1.0).arccos().rad2deg().cpu().numpy()
        nearest[group.index] = best.indices.cpu().numpy()
        logits = group.plain_logits(raw)
        if logits is not None:
            sure[group.index] = logits.double().softmax(-1).amax(-1).cpu().numpy()
    return Look(ensemble.step, embeddings, sure, nearest, angle)
