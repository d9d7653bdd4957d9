"""What is measured on the shown samples of an ensemble: the columns of ``recording.STATISTICS``.

Embeddings and prototypes as they are drawn, all members of a group at once. It trains nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facevis.live.groups import Group
from facevis.live.recording import STATISTICS
from facevis.margins import unit
from facevis.statistics import angle_tables, packing_share


class Roles(NamedTuple):
    """Where among the shown samples those of each role stand."""

    trained: Tensor
    held_out: Tensor
    unseen: Tensor


def statistics_rows(
    group: Group, embeddings: Tensor, prototypes: Tensor, labels: Tensor, roles: Roles
) -> np.ndarray:
    """The statistics (G, len(STATISTICS)) of drawn embeddings (G, N, D)."""
    seen, held_out, unseen = roles
    known = _hits(group.scores(embeddings, prototypes), labels)
    tables = angle_tables(_array(embeddings[:, seen]), _array(labels[seen]), _array(prototypes))
    columns = dict(zip(("w_ec", "w_inter", "intra", "inter"), tables.T, strict=True))
    # A member that is not finite any more has no accuracy, rather than one of 0.
    whole = embeddings.isfinite().all(-1).all(-1)
    known = torch.where(whole.unsqueeze(-1), known, torch.nan)
    columns["accuracy"] = _array(known[:, seen].mean(-1))
    columns["held_out_accuracy"] = _array(known[:, held_out].mean(-1))
    columns["packing_share"] = np.array([packing_share(own) for own in prototypes])
    if not group.own_prototypes:
        columns["w_ec"] = np.full(len(embeddings), np.nan)  # 0 by construction, and no achievement
    columns["teaching_share"] = np.array(group.teaching())
    if len(unseen):
        found = unseen_columns(embeddings[:, unseen], labels[unseen] - prototypes.shape[1])
        found["unseen_accuracy"][~_array(whole)] = np.nan
        columns |= found
    blank = np.full(len(embeddings), np.nan)
    return np.stack([columns.get(name, blank) for name in STATISTICS], -1).astype(np.float32)


def _hits(scores: Tensor, labels: Tensor) -> Tensor:
    """1 where a sample's class has the highest score (G, N, C), else 0.

    What is not finite is nobody's, as in ``statistics.accuracy``.
    """
    return ((scores.argmax(-1) == labels) & scores.isfinite().all(-1)).float()


def unseen_columns(embeddings: Tensor, labels: Tensor) -> dict[str, np.ndarray]:
    """What identities look like that have no prototype: their class means stand in.

    A sample is judged by class means without itself: one alone in its class has nobody to be like.
    """
    directions = unit(embeddings)
    sums = directions.new_zeros(len(directions), int(labels.max()) + 1, directions.shape[-1])
    sums = sums.index_add(1, labels, directions)
    scores = directions @ unit(sums).mT
    own = (directions * unit(sums[:, labels] - directions)).sum(-1)
    scores = scores.scatter(-1, labels.expand(own.shape).unsqueeze(-1), own.unsqueeze(-1))
    tables = angle_tables(_array(embeddings), _array(labels))
    return {
        "unseen_accuracy": _array(_hits(scores, labels).mean(-1)),
        "unseen_intra": tables[:, 2],
        "unseen_inter": tables[:, 3],
    }


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().numpy()
