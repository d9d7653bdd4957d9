"""Settings that show something, by name; each has a title and a note in ``assets/strings``.

The settings were chosen by looking: what a note promises is what these seeds do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facevis.assets import asset_path
from facevis.live.config import Member, RunConfig
from facevis.live.ensemble import Ensemble
from facevis.live.recording import Recording
from facevis.margins import Margin
from facevis.objectives import MARGIN_FAMILY

CLASSIC_SCALE = {2: 16.0, 3: 8.0}
"""Scales at which ten classes fill the circle and the sphere evenly (measured, see README)."""


def _single(dim: int = 2, objective: str = "arcface", **fields: Any) -> RunConfig:
    run = {name: fields.pop(name) for name in _RUN_FIELDS & fields.keys()}
    member = Member(**{"objective": objective, "scale": CLASSIC_SCALE[dim], **fields})
    return RunConfig(members=(member,), embedding_dim=dim, **run)


_RUN_FIELDS = {
    "dataset",
    "identities",
    "images_per_class",
    "learning_rate",
    "seed",
    "steps",
    "network",
}

PRESETS: dict[str, RunConfig] = {
    "arcface": _single(),
    "arcface_sphere": _single(3),
    "softmax": _single(objective="softmax"),
    "softmax_sphere": _single(3, "softmax"),
    "normalized_softmax": _single(objective="normalized_softmax"),
    "contrastive": _single(objective="contrastive"),
    "triplet": _single(objective="triplet"),
    "sphereface": _single(objective="sphereface"),
    "cosface_fits": _single(objective="cosface", margin=Margin.cosface(0.15)),
    "cosface_infeasible": _single(objective="cosface"),
    "combined": _single(objective="combined", margin=Margin(1.1, 0.15, 0.05)),
    "large_margin": _single(margin=Margin.arcface(0.6), scale=64.0),
    "faces": _single(3, dataset="faces"),
    "overfit": _single(images_per_class=5),
    "collapse": _single(objective="triplet", mining="batch-hard", distance_margin=1.0),
}

COMPARISON_SCALE = {2: 24.0, 3: 8.0}
"""One scale for all compared, by dimension: margins are compared at equal scale or not at all."""
COMPARISON_SEED = {2: 0, 3: 1}
"""On the sphere seed 0 leaves ArcFace's classes in one cone, as one seed of ten does."""


def _comparison(*objectives: str) -> RunConfig:
    """Seven digits, because CosFace's classic 0.35 fits at most seven classes on a circle."""
    members = tuple(Member(objective=name, scale=COMPARISON_SCALE[2]) for name in objectives)
    return RunConfig(members=members, identities=7, unseen=3, steps=1000)


COMPARISONS: dict[str, RunConfig] = {
    "five": _comparison("softmax", "triplet", "sphereface", "cosface", "arcface"),
    "softmax_arcface": _comparison("normalized_softmax", "arcface"),
    "family": _comparison(*MARGIN_FAMILY),
}
"""Losses side by side, by name. The normalised softmax stands for the plain one where scales must
be equal: the plain one has none."""


OPEN_SET = RunConfig(
    members=tuple(
        Member(objective=name, scale=16.0)
        for name in (
            *("softmax", "normalized_softmax", "triplet"),
            *("sphereface", "cosface", "arcface"),
        )
    ),
    dataset="faces",
    identities=24,
    unseen=24,
    embedding_dim=16,
    steps=300,
)
"""Half of the drawn people train, the other half are strangers."""
OPEN_SET_SCALE = {2: 24.0, 3: 8.0}
"""Scales that differ from 16 in few dimensions."""
OPEN_SET_CLASSES = {
    **{"digits": (7, 3), "mnist": (7, 3), "mnist-full": (7, 3)},
    **{"faces": (24, 24), "olivetti": (20, 20), "lfw": (31, 31)},
}
"""How many identities of a dataset train and how many stay unseen."""


def recording_path(config: RunConfig) -> Path | None:
    """The shipped recording of exactly this configuration, if there is one."""
    for name, preset in PRESETS.items():
        if preset == config:
            path = asset_path("recordings", f"{name}.npz")
            return path if path.exists() else None
    return None


def shipped_recording(config: RunConfig) -> Recording | None:
    """Load the shipped recording of a configuration, if there is one."""
    path = recording_path(config)
    return Recording.load(path) if path else None


SHIPPED = ("arcface", "arcface_sphere", "softmax", "triplet")
"""Presets whose recordings lie in ``assets/recordings``: a first picture needs no training."""


def record_shipped() -> None:
    """Write the shipped recordings anew: ``python -m facevis.live.presets``."""
    for name in SHIPPED:
        Ensemble(PRESETS[name], device="cpu").record().save(asset_path("recordings", f"{name}.npz"))


if __name__ == "__main__":
    record_shipped()
