"""Small full-scale runs for tests, in this process, in one of their own, or in several."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from facevis.fullscale import runs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import (
    BackboneConfig,
    DataConfig,
    FollowConfig,
    HeadConfig,
    OptimizerConfig,
    ScheduleConfig,
)


def small(steps=12, **changes):
    """A run of seconds: drawn faces of 16 pixels, the smallest network, everything that is kept."""
    config = FullScaleConfig(
        recipe="small",
        data=DataConfig(train="faces:identities=13,images=6,size=16", size=16, workers=0),
        backbone=BackboneConfig(name="mobilefacenet", embedding_dim=16),
        head=HeadConfig(scale=16.0, m2=0.3),
        optimizer=OptimizerConfig(learning_rate=0.05),
        schedule=ScheduleConfig(steps=steps, kind="cosine"),
        follow=FollowConfig(every=1, evaluate_every=0, angle_identities=0, checkpoint_every=3),
        batch_size=8,
        sync_batch_norm=True,
        device="cpu",
    )
    for name, value in changes.items():
        part, _, field = name.partition("__")
        value = replace(getattr(config, part), **{field: value}) if field else value
        config = replace(config, **{part: value})
    return config


def prepared(folder, **changes):
    """The folder of a small run."""
    runs.prepare(folder, small(**changes))
    return folder


def command(*arguments):
    """``facevis`` with these arguments, as a list for subprocess."""
    return [sys.executable, "-m", "facevis", *map(str, arguments)]


def facevis(*arguments, **options):
    """Run ``facevis`` and return what it did."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=240, **options
    )


def entries(folder, kind="train"):
    """The journal's entries of one kind."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [entry for entry in map(json.loads, lines) if entry["kind"] == kind]


def curve(folder):
    """Loss by step."""
    return {entry["step"]: entry["loss"] for entry in entries(folder)}


def refused(work, *arguments):
    """What is said where the work cannot be done, in one line."""
    with pytest.raises(ValueError) as error:
        work(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def weights(folder):
    """All tensors of the last checkpoint."""
    from facevis.fullscale import checkpoint

    there = folder / "checkpoints"
    return checkpoint.read_whole(there, checkpoint.steps(there)[-1], lambda name: True)
