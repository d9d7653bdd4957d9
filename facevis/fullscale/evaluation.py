"""How well a network in training tells strangers apart, and where its own people lie.

Embedding is shared among the processes of a run; each ends with all embeddings. ``strangers``
says what those are worth, ``facevis.statistics`` the angles. It knows networks as functions.

Source: Deng et al., ArcFace, CVPR 2019 (the angle table, Table 3).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from facevis.corpora import Corpus, DamagedPicture
from facevis.fullscale import ranks
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.precision import autocast, of_weights
from facevis.fullscale.strangers import EvaluationSet
from facevis.statistics import AngleTable, angle_table

_BATCH = 64
_READERS = 2

Picture = Callable[[int], np.ndarray]


def evaluate(
    network: nn.Module, sets: Sequence[EvaluationSet], size: int, **options: Any
) -> Iterator[dict[str, Any]]:
    """For each set its name, what its embeddings are worth, and seconds; ``options`` of ``embed``.

    Embeddings that cannot be judged (all alike, not finite) have an ``error`` in words instead.
    """
    for asked in sets:
        began = time.monotonic()

        def picture(index: int, asked: EvaluationSet = asked) -> np.ndarray:
            return asked.picture(index, size)

        asked.prepare(ranks.rows_of(len(asked), ranks.rank(), ranks.world()))
        embeddings, whole = embed(network, picture, len(asked), size, **options)
        found: dict[str, Any] = {"set": asked.name}
        try:
            found |= asked.score(embeddings, whole)
        except ValueError as error:
            found["error"] = str(error)
        if not whole.all():
            found["damaged"] = int((~whole).sum())
        yield found | {"seconds": time.monotonic() - began}


@torch.no_grad()
def embed(
    network: nn.Module,
    picture: Picture,
    count: int,
    size: int,
    *,
    device: torch.device | str = "cpu",
    precision: str = "float32",
    mirror: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (count, D) float32 of pictures, and which could be read, (count,) booleans.

    With ``mirror`` the embedding of the mirror image is added, as LFW-style protocols do. Over
    several processes each embeds a part and has all in the end. The network's mode is kept.
    """
    training, weights = network.training, of_weights(precision)
    network.eval()
    rows = ranks.rows_of(count, ranks.rank(), ranks.world())
    parts, whole = [], []
    try:
        for pictures, read in _read_ahead(picture, rows, size):
            pixels = as_tensor(torch.from_numpy(pictures), device, weights)
            with autocast(pixels.device.type, precision):
                points = network(pixels).float()
                if mirror:
                    points = points + network(pixels.flip(3)).float()
            parts.append(points)
            whole.append(torch.from_numpy(read))
    finally:
        network.train(training)
    each = -(-count // ranks.world())
    dim = int(network.embedding_dim)  # type: ignore[arg-type]
    mine = torch.zeros(each, dim + 1, device=device)
    if parts:
        mine[: len(rows), :dim] = torch.cat(parts)
        mine[: len(rows), dim] = torch.cat(whole).to(mine)
    found = ranks.gather(mine)[:count].cpu().numpy()
    return found[:, :dim], found[:, dim] > 0


def _read_ahead(
    picture: Picture, rows: range, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of pictures and whether each could be read; the next is read meanwhile."""

    def read(index: int) -> np.ndarray | None:
        try:
            return picture(index)
        except DamagedPicture:
            return None

    blank = np.zeros((size, size, 3), np.uint8)
    with ThreadPoolExecutor(_READERS) as readers:
        batches = [rows[first : first + _BATCH] for first in range(0, len(rows), _BATCH)]
        coming = [readers.map(read, batch) for batch in batches[:1]]
        for number in range(len(batches)):
            if number + 1 < len(batches):
                coming.append(readers.map(read, batches[number + 1]))
            found = list(coming.pop(0))
            there = np.array([one is not None for one in found])
            yield np.stack([blank if one is None else one for one in found]), there


@dataclass(frozen=True)
class Angles:
    """Where training identities lie, in degrees: the paper's Table 3 and two histograms.

    W-Inter and the nearest other prototype are among the chosen identities.
    """

    table: AngleTable
    identities: int
    own: list[int]
    """Angles of embeddings to their own prototypes, counted by the degree, (180,)."""
    nearest_other: list[int]
    """Angles to the nearest other prototype."""

    def to_dict(self) -> dict[str, Any]:
        """For the journal."""
        return asdict(self.table) | {
            "identities": self.identities,
            "own": self.own,
            "nearest_other": self.nearest_other,
        }


def measure_angles(
    network: nn.Module,
    prototypes_of: Callable[[np.ndarray], np.ndarray] | None,
    corpus: Corpus,
    size: int,
    *,
    identities: int = 200,
    images_each: int = 10,
    **options: Any,
) -> Angles:
    """The angle table of so many training identities, the same ones each time.

    ``prototypes_of`` gives the prototypes (K, D) of classes (K,); losses without prototypes have
    None, and then no number needs one. ``options`` of ``embed``.
    """
    classes, rows = _chosen(corpus.labels, identities, images_each)

    def picture(index: int) -> np.ndarray:
        return corpus.picture(int(rows[index]), size)

    mine = ranks.rows_of(len(rows), ranks.rank(), ranks.world())
    corpus.prepare(rows[mine.start : mine.stop])
    points, whole = embed(network, picture, len(rows), size, mirror=False, **options)
    prototypes = None if prototypes_of is None else prototypes_of(classes)
    labels = np.searchsorted(classes, corpus.labels[rows[whole]])
    points = points[whole]
    own: list[int] = []
    other: list[int] = []
    if prototypes is not None:
        length = np.linalg.norm(points, axis=1, keepdims=True)
        cosines = points @ prototypes.T / np.where(length > 0, length, 1.0)
        places = np.arange(len(points))
        own = _by_degree(cosines[places, labels])
        cosines[places, labels] = -np.inf
        other = _by_degree(cosines.max(axis=1)) if len(classes) > 1 else []
    return Angles(angle_table(points, labels, prototypes), len(classes), own, other)


def _chosen(labels: np.ndarray, identities: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes spread evenly over all, and the first rows of each."""
    count = int(labels.max()) + 1
    classes = np.unique(np.linspace(0, count - 1, min(identities, count)).round().astype(np.int64))
    order = np.argsort(labels, kind="stable")
    start = np.searchsorted(labels[order], classes)
    end = np.searchsorted(labels[order], classes, side="right")
    picked = [order[s : min(e, s + each)] for s, e in zip(start, end, strict=True)]
    return classes, np.concatenate(picked)


def _by_degree(cosines: np.ndarray) -> list[int]:
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    counts = np.histogram(angles, bins=180, range=(0.0, 180.0))[0]
    return [int(count) for count in counts]
