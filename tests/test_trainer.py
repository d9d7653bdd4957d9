"""Live runs: what was steered is saved, what diverged is said, a full room keeps the newcomer."""

import dataclasses
import math
import time

import numpy as np
import pytest
import torch

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.material import material_for
from facevis.live.rooms import Rooms
from facevis.live.trainer import LiveRun
from facevis.margins import Margin

CONFIG = RunConfig(steps=30)


def live(config=CONFIG):
    return LiveRun(config, material_for(config))


def until(run, state, seconds=30.0):
    limit = time.monotonic() + seconds
    while run.state != state:
        assert time.monotonic() < limit, run.state
        time.sleep(0.01)


def test_a_run_steered_before_it_starts_is_saved_as_it_was_trained():
    run = live()
    run.steer(0, {"margin": Margin.arcface(0.31), "scale": 33.0})
    run.rewind()
    run.play()
    until(run, "finished")
    assert run.recording.config.members[0].scale == 33.0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the trainer's thread has it: sums differ in their last bit else
    again = Ensemble(run.recording.config, device="cpu").record()
    torch.set_num_threads(threads)
    np.testing.assert_array_equal(
        again.snapshots[-1].embeddings, run.recording.snapshots[-1].embeddings
    )


def test_a_run_steered_on_its_way_goes_on_with_what_it_was_steered_to():
    run = live()
    run.single_step(5)
    run.steer(0, {"scale": 21.0})
    run.play()
    until(run, "finished")
    assert run.recording.config.members[0].scale == 21.0


def test_a_member_that_does_not_exist_is_refused_before_it_reaches_the_run():
    run = live()
    with pytest.raises(ValueError, match="member is 7"):
        run.steer(7, {"scale": 2.0})
    with pytest.raises(ValueError, match="scale"):
        run.steer(0, {"scale": math.nan})
    assert run.error is None


def test_a_run_that_diverges_ends_and_says_so(monkeypatch):
    def lost(self, *args):
        return torch.full((len(self.index),), math.nan, requires_grad=True)

    config = dataclasses.replace(CONFIG, members=(Member(objective="triplet"),))
    monkeypatch.setattr("facevis.live.groups.PairGroup.losses", lost)
    run = live(config)
    run.play()
    until(run, "failed")
    assert "triplet: the loss is no longer a number" in run.error


def test_a_full_room_keeps_the_newcomer_and_lets_the_idle_go_first():
    room = Rooms(capacity=3)
    tokens = [room.open(CONFIG) for _ in range(3)]
    leave = [room.find(token).listen(lambda: None) for token in tokens]
    newcomer = room.open(CONFIG)
    assert room.find(newcomer) is not None
    assert room.find(tokens[0]) is None
    leave[2]()
    last = room.open(CONFIG)
    assert room.find(last) is not None
    assert room.find(tokens[1]) is not None
