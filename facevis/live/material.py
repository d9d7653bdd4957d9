"""The pictures of a run: which of them train, which are held out, which are shown.

Knows datasets and configurations; knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facevis.datasets import Dataset, load
from facevis.live.config import RunConfig

SHOWN_LIMIT = 2000
"""Points on screen: what the live view still draws fluently."""
SHOWN_OF_A_SWEEP = 900
"""The same in each model of a sweep: every snapshot holds them for all models."""


@dataclass(frozen=True)
class Material:
    """A dataset with the roles of its samples; indices into ``dataset.images``."""

    dataset: Dataset
    num_classes: int
    """Identities in training; those after them are unseen."""
    train: np.ndarray
    shown: np.ndarray
    held_out: np.ndarray
    """Booleans beside ``shown``: not trained on, of an identity that was."""
    unseen: np.ndarray
    """Booleans beside ``shown``: of an identity that is never in training."""


def material_for(config: RunConfig) -> Material:
    """Load a configuration's data and deal it out; the same configuration, the same deal."""
    limit = SHOWN_OF_A_SWEEP if config.swept else SHOWN_LIMIT
    return _material(
        *(config.dataset, config.identities, config.unseen, config.images_per_class, config.seed),
        limit,
    )


@lru_cache(maxsize=8)
def _material(
    name: str, identities: int | None, unseen: int, per_class: int | None, seed: int, limit: int
) -> Material:
    dataset = _load(name, identities, unseen)
    num_classes = dataset.num_classes - unseen
    rng = np.random.default_rng(seed)
    count = len(dataset.labels)
    train = np.flatnonzero(dataset.labels < num_classes)
    if per_class is not None:
        taken = _take_per_class(dataset.labels, per_class, rng)
        train = np.sort(taken[dataset.labels[taken] < num_classes])
    shown = np.arange(count)
    if count > limit:
        order = rng.permutation(count)
        if per_class is not None:
            # What trains comes first, and still leaves room for what does not.
            first, others = order[np.isin(order, train)], order[~np.isin(order, train)]
            half = limit // 2
            order = np.concatenate([first[:half], others, first[half:]])
        shown = np.sort(order[:limit])
    known = dataset.labels[shown] < num_classes
    held_out = known & ~np.isin(shown, train)
    return Material(dataset, num_classes, train, shown, held_out, ~known)


def _load(name: str, identities: int | None, unseen: int) -> Dataset:
    if name == "faces":
        return load("faces", identities=(identities or 24) + unseen, seed=0)
    dataset = load(name)
    if identities is None and not unseen:
        return dataset
    wanted = dataset.num_classes if identities is None else identities + unseen
    if wanted > dataset.num_classes:
        more = f" and {unseen} unseen ones" if unseen else ""
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes, not {identities}{more}; "
            "ask for fewer."
        )
    if wanted - unseen < 2:
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes; with {unseen} unseen ones fewer "
            "than two are left to train on."
        )
    return dataset.select(range(wanted))


def _take_per_class(labels: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(labels))
    chosen = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return np.concatenate(chosen)
