"""Which pictures a step trains on, and reading them ahead.

A batch follows from (seed, step) alone: pictures are numbered through epochs, picture p of the run
is the (p mod N)-th of the permutation that (seed, epoch) give. So a run that is taken up again,
also by another number of processes, goes on with exactly the pictures that it would have had.
Damaged pictures are replaced by the next whole one and named. It knows no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from facevis.corpora import Corpus, DamagedPicture
from facevis.validation import whole

_TRIES = 1000
"""Damaged pictures in a row before a set counts as unreadable."""


class Batch(NamedTuple):
    """What one process sees in one part of a step."""

    pictures: Tensor
    """uint8 (B, size, size, 3)."""
    labels: Tensor
    """int64 (B,)."""
    indices: Tensor
    """int64 (B,), of the corpus."""
    damaged: dict[int, str]
    """Sentences about damaged pictures, by their index."""


class Order:
    """Pictures as they come: all once in an epoch, in an order of its own.

    >>> order = Order(count=5, batch_size=2, seed=0)
    >>> seen = np.concatenate([order.indices(step) for step in range(5)])
    >>> sorted(seen[:5].tolist()), sorted(seen[5:].tolist())
    ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = whole("count", count, 1, 2**40), batch_size, seed
        self._epochs: dict[int, np.ndarray] = {}
        self.remarks: tuple[str, ...] = ()

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every picture is seen once, on average."""
        return self.count / self.batch_size

    def indices(self, step: int) -> np.ndarray:
        """The pictures of a step, (batch_size,)."""
        position = step * self.batch_size + np.arange(self.batch_size)
        epochs = position // self.count
        first, last = int(epochs[0]), int(epochs[-1])
        self._epochs = {
            e: self._epochs.get(e, _permutation(self.count, self.seed, e))
            for e in range(first, last + 1)
        }
        found = np.empty(self.batch_size, np.int64)
        for epoch, order in self._epochs.items():
            there = epochs == epoch
            found[there] = order[position[there] % self.count]
        return found


class BalancedOrder:
    """P×K batches: P identities, K pictures of each; an epoch goes once through the identities,
    up to a rest smaller than P.

    Identities with one picture teach no pair and are left out, as ``remarks`` say; of those with
    fewer than K pictures all come, some more than once.

    >>> order = BalancedOrder(np.repeat([0, 1, 2], 5), identities=2, images=3, seed=0)
    >>> len(set(order.indices(0).tolist()))
    6
    """

    def __init__(self, labels: np.ndarray, identities: int, images: int, seed: int) -> None:
        by_label = np.argsort(labels, kind="stable")
        counts = np.bincount(labels)
        self._groups = np.split(by_label, np.cumsum(counts)[:-1])
        self._classes = np.flatnonzero(counts >= 2)
        lonely = int((counts == 1).sum())
        said = (
            f"{lonely:,} identities have one picture each and come into no batch: a pair takes two "
            "pictures of somebody."
        )
        self.remarks = (said,) if lonely else ()
        if len(self._classes) < identities:
            raise ValueError(
                f"{len(self._classes)} identities have two pictures or more, and each batch needs "
                f"{identities}; choose fewer data.identities_per_batch, or data with more "
                "pictures of each identity."
            )
        self._identities, self._images, self.seed = identities, images, seed
        self._epoch, self._people = -1, self._classes

    @property
    def steps_per_epoch(self) -> float:
        """Steps in which every identity is seen once, on average."""
        return len(self._classes) // self._identities

    def indices(self, step: int) -> np.ndarray:
        """The pictures of a step, (P·K,), those of an identity side by side."""
        chance = np.random.default_rng((self.seed, step, 2))
        found = []
        for identity in self._chosen(step):
            group = chance.permutation(self._groups[identity])
            found.append(np.resize(group, self._images))  # from its beginning again where it ends
        return np.concatenate(found)

    def _chosen(self, step: int) -> np.ndarray:
        """The identities of a step, all different: no batch reaches over the end of an epoch."""
        epoch, place = divmod(step, len(self._classes) // self._identities)
        if epoch != self._epoch:
            order = _permutation(len(self._classes), self.seed, epoch)
            self._epoch, self._people = epoch, self._classes[order]
        return self._people[place * self._identities : (place + 1) * self._identities]


def _permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch, 0)).permutation(count)


@dataclass(frozen=True)
class Plan:
    """Who reads what: the steps from ``first`` to ``last``, this process' part of each."""

    order: Order | BalancedOrder
    mirror: bool
    seed: int
    first: int
    last: int
    rank: int = 0
    world: int = 1
    accumulate: int = 1

    def __iter__(self) -> Iterator[list[tuple[int, bool]]]:
        """Part after part of step after step, (index, mirrored) of each picture."""
        for step in range(self.first, self.last):
            indices = self.order.indices(step)
            lots = np.random.default_rng((self.seed, step, 1)).random(len(indices)) < 0.5
            mirrored = lots & self.mirror
            rows = np.split(np.arange(len(indices)), self.world * self.accumulate)
            for part in rows[self.rank * self.accumulate : (self.rank + 1) * self.accumulate]:
                yield [(int(indices[row]), bool(mirrored[row])) for row in part]

    def __len__(self) -> int:
        """How many parts there are."""
        return (self.last - self.first) * self.accumulate


Row = tuple[np.ndarray, int, int, dict[int, str]]
"""A picture, its label, its place, and what was damaged before it."""


class _Pictures(Dataset[Row]):
    def __init__(self, corpus: Corpus, size: int) -> None:
        self.corpus, self.size = corpus, size

    def __getitems__(self, asked: list[tuple[int, bool]]) -> list[Row]:
        self.corpus.prepare([index for index, _ in asked])
        return [self[one] for one in asked]

    def __getitem__(self, asked: tuple[int, bool]) -> Row:
        index, mirrored = asked
        damaged: dict[int, str] = {}
        while True:
            try:
                picture = self.corpus.picture(index, self.size)
                break
            except DamagedPicture as error:
                damaged[index] = str(error)
                if len(damaged) >= min(_TRIES, len(self.corpus)):
                    raise
                index = (index + 1) % len(self.corpus)
        if mirrored:
            picture = picture[:, ::-1]
        return picture, int(self.corpus.labels[index]), index, damaged


def _together(rows: list[Row]) -> Batch:
    damaged: dict[int, str] = {}
    for row in rows:
        damaged |= row[3]
    return Batch(
        torch.from_numpy(np.stack([row[0] for row in rows])),
        torch.tensor([row[1] for row in rows]),
        torch.tensor([row[2] for row in rows]),
        damaged,
    )


def read_ahead(corpus: Corpus, size: int, plan: Plan, workers: int, pin: bool) -> Iterator[Batch]:
    """The batches of a plan, read by ``workers`` processes ahead of time; 0 reads here."""
    loader = DataLoader(
        _Pictures(corpus, size),
        batch_sampler=plan,
        num_workers=workers,
        collate_fn=_together,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
    )
    try:
        yield from loader
    except DamagedPicture as error:
        raise ValueError(
            f"{min(_TRIES, len(corpus))} pictures in a row of {corpus.name} cannot be read; look "
            "into the set with facevis data inspect."
        ) from error
