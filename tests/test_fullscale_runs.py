"""Runs of full-scale training: the same curve whatever happens on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from runs import curve, entries, facevis, prepared, weights

from facevis.fullscale import checkpoint
from facevis.fullscale.networks import load_trained

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


def same_weights(first, second):
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert different == []


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted."""
    folder = prepared(tmp_path_factory.mktemp("whole") / "run")
    done = facevis("train", "resume", folder, env=ONE_THREAD)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_leaves_what_it_was_and_what_it_saw(whole):
    assert {"config.json", "environment.json", "metrics.jsonl", "checkpoints"} <= {
        path.name for path in whole.iterdir()
    }
    assert sorted(curve(whole)) == list(range(1, 13))
    assert [entry["event"] for entry in entries(whole, "event")] == [
        *("started", "checkpoint", "checkpoint", "checkpoint", "checkpoint", "finished")
    ]
    assert checkpoint.steps(whole / "checkpoints") == [9, 12]
    seen = entries(whole)[0]
    assert {"loss", "learning_rate", "gradient_norm", "angle_deg", "epoch", "images_per_second"} < {
        *seen
    }


def test_the_trained_network_embeds(whole):
    network = load_trained(whole)
    assert not network.training
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 16)


def test_the_same_configuration_is_the_same_run(whole, tmp_path):
    again = prepared(tmp_path / "run")
    assert facevis("train", "resume", again, env=ONE_THREAD).returncode == 0
    same_weights(weights(whole), weights(again))
    assert curve(whole) == curve(again)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_killed_at_20_random_moments_it_ends_with_the_same_weights(tmp_path):
    """SIGKILL while opening, training and writing; resumed each time."""
    whole, killed = (prepared(tmp_path / name, steps=120) for name in ("whole", "killed"))
    assert facevis("train", "resume", whole, env=ONE_THREAD).returncode == 0
    program = [sys.executable, Path(__file__).with_name("killing.py"), killed, "0", "20"]
    died = subprocess.run(program, env=ONE_THREAD, capture_output=True, text=True)
    assert died.returncode == 0, died.stderr
    reached = [int(step) for step in died.stdout.split()]
    assert len(reached) == 20
    assert len(set(reached)) > 5  # it was killed in the midst of training, not before
    done = facevis("train", "resume", killed, env=ONE_THREAD)
    assert done.returncode == 0, done.stderr
    same_weights(weights(whole), weights(killed))
    assert curve(whole) == curve(killed)
