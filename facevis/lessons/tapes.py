"""Tapes: recordings as the browser plays them, so that a lesson's first picture needs no training.

A tape is a gzip of: uint32 length of the header | JSON header | frames as ``live.frames`` writes
them | one sheet of small pictures (WebP). The header holds the run's description, its
configuration, the lengths of the parts, and numbers that only the trained model knows.
``assets/web/tape.js`` reads it. ``python -m facevis.lessons.tapes`` records all of them anew.
"""

from __future__ import annotations

import gzip
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from facevis.assets import asset_path
from facevis.lessons.taping import as_cosines, encode_tape, evenly
from facevis.live import Ensemble, Member, RunConfig, Snapshot
from facevis.live.frames import describe_run
from facevis.live.material import Material
from facevis.live.presets import CLASSIC_SCALE, COMPARISON_SCALE, OPEN_SET
from facevis.live.sweep import sweep_config
from facevis.margins import Margin
from facevis.objectives import MARGIN_FAMILY
from facevis.writing import write_whole

Extra = Callable[[Ensemble, np.ndarray], dict[str, Any]]
Turn = Callable[[Snapshot], Snapshot]


@dataclass(frozen=True)
class Order:
    """What a tape is made from: a run, how much of it is kept, and what else is told."""

    config: RunConfig
    points: int = 500
    """Samples kept of those shown, evenly."""
    growth: float = 1.25
    """Each kept step is so much later than the one before."""
    unseen_only: bool = False
    extra: Extra | None = None
    turn: Turn | None = None
    """What becomes of a snapshot before it is kept."""
    quality: int | None = None
    """Of the small pictures; None keeps every pixel."""


@dataclass(frozen=True)
class Tape:
    """The header of a tape; ``bytes`` is the file as it lies in the assets."""

    name: str
    header: dict[str, Any]
    bytes: bytes

    @property
    def config(self) -> RunConfig:
        """What was run."""
        return RunConfig.from_json(self.header["config"])

    def at(self, step: int) -> dict[str, Any]:
        """The header of the last kept frame at or before a step: losses and statistics."""
        earlier: list[dict[str, Any]] = [f for f in self.header["frames"] if f["step"] <= step]
        return earlier[-1]


def _named_strangers(ensemble: Ensemble, shown: np.ndarray) -> dict[str, Any]:
    """How sure the classifier is of each sample, and as whom it knows it."""
    import torch

    (group,) = ensemble.groups
    with torch.no_grad():
        (share,) = ensemble.shares(ensemble.shown)
        logits = group.plain_logits(share)
        assert logits is not None
        chances = torch.softmax(logits[0], -1)[torch.from_numpy(shown)]
    sure, named = chances.max(-1)
    return {"sure": [round(v, 5) for v in sure.tolist()], "named": named.tolist()}


def _digits(*members: Member, **fields: Any) -> RunConfig:
    return RunConfig(members=members, **{"steps": 800, **fields})


def _sweep(seed: int) -> RunConfig:
    base = Member(objective="normalized_softmax", scale=COMPARISON_SCALE[2])
    fields = {"identities": 7, "unseen": 3, "images_per_class": 100, "steps": 1000}
    return sweep_config(_digits(base, seed=seed, **fields), "m2", 0.0, 1.0)


_SOFTMAX = Member(objective="softmax")
STRANGER_LOSSES = tuple(member.objective for member in OPEN_SET.members)
TRIPLET_MARGINS = (0.2, 0.5)
SEEDS = (0, 1, 2)
SOFTMAX_CLASSES = (3, 5, 10)


def _at_scale(names: tuple[str, ...], scale: float) -> tuple[Member, ...]:
    return tuple(Member(objective=name, scale=scale) for name in names)


ORDERS: dict[str, Order] = {
    **{
        f"softmax-{classes}-{seed}": Order(
            _digits(_SOFTMAX, identities=classes, seed=seed), points=450
        )
        for classes in SOFTMAX_CLASSES
        for seed in SEEDS
    },
    "stranger": Order(
        _digits(_SOFTMAX, identities=7, unseen=3), points=600, extra=_named_strangers
    ),
    "contrastive": Order(_digits(Member(objective="contrastive"))),
    "triplet": Order(
        _digits(
            *(
                Member(objective="triplet", mining=mining, distance_margin=margin)
                for margin in TRIPLET_MARGINS
                for mining in ("all", "semi-hard", "batch-hard")
            )
        ),
        points=450,
    ),
    **{f"margin-{seed}": Order(_sweep(seed), points=300, growth=1.7) for seed in SEEDS},
    "family": Order(
        _digits(*_at_scale(MARGIN_FAMILY, COMPARISON_SCALE[2]), identities=7, steps=1000),
        growth=1.4,
    ),
    "cosface": Order(
        _digits(
            *(
                Member(objective="cosface", margin=Margin.cosface(m3), scale=CLASSIC_SCALE[2])
                for m3 in (0.15, 0.35)
            ),
            steps=1500,
        )
    ),
    "strangers": Order(
        _digits(
            *_at_scale(STRANGER_LOSSES, 16.0),
            dataset="faces",
            identities=48,
            unseen=24,
            embedding_dim=16,
            steps=1000,
        ),
        points=1000,
        growth=1e9,
        unseen_only=True,
        quality=82,
    ),
    "fullscale": Order(
        _digits(
            *_at_scale(("normalized_softmax", "cosface", "arcface"), 32.0),
            dataset="faces",
            identities=96,
            unseen=24,
            embedding_dim=512,
        ),
        points=480,
        growth=1e9,
        turn=as_cosines,
        quality=82,
    ),
}


def tape_path(name: str) -> Path:
    """Where a tape lies."""
    return asset_path("recordings", "tapes", f"{name}.tape")


@lru_cache(maxsize=32)
def tape(name: str) -> Tape:
    """Read a shipped tape; a missing or damaged one is a ``ValueError`` in words."""
    if name not in ORDERS:
        raise ValueError(f"there is no tape {name!r}; choose one of {', '.join(ORDERS)}.")
    try:
        data = tape_path(name).read_bytes()
        return Tape(name, _header(gzip.decompress(data)), data)
    except (OSError, EOFError, ValueError, struct.error) as error:
        raise ValueError(
            f"the recording of a lesson, {name}.tape, cannot be read ({error}); "
            "record it anew: python -m facevis.lessons.tapes"
        ) from error


def moment(name: str, member: int, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a tape shows of a member at the last kept step up to ``step``: embeddings (N, D),
    prototypes (C, D) and the labels (N,) of the embeddings."""
    found = tape(name)
    data = gzip.decompress(found.bytes)
    (length,) = struct.unpack_from("<I", data)
    lengths, frames = found.header["lengths"], found.header["frames"]
    index = max(i for i, frame in enumerate(frames) if frame["step"] <= step)
    start = 4 + length + sum(lengths[:index])
    labels = np.array(found.header["run"]["labels"])
    members, classes = len(frames[index]["extent"]), len(found.header["run"]["class_names"])
    (inner,) = struct.unpack_from("<I", data, start)
    values = lengths[index] - 4 - inner
    dim = values // (members * (4 * classes + 2 * len(labels)))
    prototypes = np.frombuffer(data, "<f4", members * classes * dim, start + 4 + inner)
    points = np.frombuffer(
        data, "<i2", members * len(labels) * dim, start + 4 + inner + prototypes.nbytes
    )
    points = points.reshape(members, len(labels), dim)[member] / 32767.0
    return (
        points * frames[index]["extent"][member],
        prototypes.reshape(members, classes, dim)[member],
        labels,
    )


def last_points(name: str, member: int) -> tuple[np.ndarray, np.ndarray]:
    """What a tape shows last of a member: embeddings (N, D) and their labels (N,)."""
    points, _, labels = moment(name, member, ORDERS[name].config.steps)
    return points, labels


def record(name: str) -> Tape:
    """Train what a tape shows and write it down."""
    order = ORDERS[name]
    ensemble = Ensemble(order.config, device="cpu")
    snapshots = [ensemble.snapshot()]
    last = order.config.steps
    while ensemble.step < last:
        before = ensemble.step
        ensemble.train()
        if _is_kept(before, ensemble.step, order.growth) or ensemble.step == last:
            snapshots.append(ensemble.snapshot())
    kept = _kept_samples(ensemble.material, order)
    extra = order.extra(ensemble, kept) if order.extra else {}
    snapshots = [order.turn(s) for s in snapshots] if order.turn else snapshots
    data = encode_tape(
        order.config,
        lambda part: describe_run(order.config, ensemble.members, part, ""),
        ensemble.material,
        snapshots,
        kept,
        quality=order.quality,
        extra=extra,
    )
    return Tape(name, _header(data), gzip.compress(data, 9, mtime=0))


def _is_kept(before: int, step: int, growth: float) -> bool:
    if step < 2:
        return True
    return math.floor(math.log(step, growth)) > math.floor(math.log(max(before, 1), growth))


def _kept_samples(material: Material, order: Order) -> np.ndarray:
    """Which of the shown samples go onto the tape: every so many-th."""
    candidates = np.flatnonzero(material.unseen) if order.unseen_only else None
    candidates = np.arange(len(material.shown)) if candidates is None else candidates
    return evenly(candidates, order.points)


def _header(data: bytes) -> dict[str, Any]:
    """The JSON header, and with it the headers of all frames."""
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    at, frames = 4 + length, []
    for size in header["lengths"]:
        (inner,) = struct.unpack_from("<I", data, at)
        frames.append(json.loads(data[at + 4 : at + 4 + inner]))
        at += size
    return {**header, "frames": frames}


def record_all() -> None:
    """Write all tapes anew."""
    for name in ORDERS:
        made = record(name)
        path = tape_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, made.bytes)
        print(f"{name}: {len(made.bytes) / 1e3:.0f} kB, {len(made.header['lengths'])} frames")


if __name__ == "__main__":
    record_all()
