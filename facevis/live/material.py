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


@dataclass(frozen=True)
class Material:
    """A dataset with the roles of its samples; indices into ``dataset.images``."""

    dataset: Dataset
    train: np.ndarray
    shown: np.ndarray
    held_out: np.ndarray
    """Booleans beside ``shown``: this sample was not trained on."""


def material_for(config: RunConfig) -> Material:
    """Load a configuration's data and deal it out; the same configuration, the same deal."""
    return _material(config.dataset, config.identities, config.images_per_class, config.seed)


@lru_cache(maxsize=8)
def _material(name: str, identities: int | None, per_class: int | None, seed: int) -> Material:
    dataset = _load(name, identities)
    rng = np.random.default_rng(seed)
    count = len(dataset.labels)
    train = np.arange(count)
    if per_class is not None:
        train = np.sort(_take_per_class(dataset.labels, per_class, rng))
    shown = np.arange(count)
    if count > SHOWN_LIMIT:
        share = np.sort(rng.permutation(count)[:SHOWN_LIMIT])
        kept = train[:SHOWN_LIMIT] if per_class is not None else share[:0]
        shown = np.union1d(kept, share)[:SHOWN_LIMIT] if len(kept) < SHOWN_LIMIT else kept
    return Material(dataset, train, shown, ~np.isin(shown, train))


def _load(name: str, identities: int | None) -> Dataset:
    if name == "faces":
        return load("faces", identities=identities or 24, seed=0)
    dataset = load(name)
    if identities is None:
        return dataset
    if identities > dataset.num_classes:
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes, not {identities}; ask for fewer."
        )
    return dataset.select(range(identities))


def _take_per_class(labels: np.ndarray, per_class: int, rng: np.random.Generator) -> np.ndarray:
    order = rng.permutation(len(labels))
    chosen = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    return np.concatenate(chosen)
