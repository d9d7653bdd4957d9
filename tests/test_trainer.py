"""Live runs: what was steered is saved, what diverged is said, a full room keeps the newcomer."""

import dataclasses
import math
import queue
import time

import numpy as np
import pytest
import torch

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.anatomy import anatomy
from facevis.live.material import material_for
from facevis.live.recording import Recording
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
    last = LiveRun(dataclasses.replace(config, steps=1), material_for(config))
    last._play()
    last.take_turn(1)
    assert (last.step, last.state) == (1, "failed")  # with its last step, and is not "finished"


OUT_OF_MEMORY = [
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["Python", "CPU", "GPU"])
def test_a_run_that_finds_no_memory_says_so_gives_way_and_can_begin_anew(error, monkeypatch):
    """With one place for all, the run that waits gets it, and nothing of the other is kept."""
    train, greedy = Ensemble.train, live()

    def greedily(ensemble):
        if ensemble is greedy._ensemble and ensemble.step == 5:
            raise error
        train(ensemble)

    monkeypatch.setattr(Ensemble, "train", greedily)
    monkeypatch.setattr("facevis.live.scheduler.scheduler.limit", 1)
    other = live()
    leave = [run.listen(lambda: None) for run in (greedy, other)]  # none rests for want of viewers
    greedy.single_step(20)
    other.play()
    until(greedy, "failed")
    assert greedy.error.startswith("memory ran out after step 5 (")
    assert greedy.error.endswith("and rewind.")
    assert greedy._ensemble is None
    until(other, "finished")
    assert not greedy.busy
    monkeypatch.setattr(Ensemble, "train", train)
    greedy.rewind()
    greedy.play()
    until(greedy, "finished")
    assert greedy.error is None
    for one in leave:
        one()


def examined(run, sample):
    """The answer, and whatever viewers were told on the way."""
    answers, told = queue.Queue(), []
    leave = run.listen(lambda: told.append(run.state))
    run.examine(sample, answers.put)
    answer = answers.get(timeout=30)
    leave()
    return answer, told


def test_a_recorded_run_is_examined_where_its_recording_ends_and_nothing_moves():
    recording = Ensemble(CONFIG, device="cpu").record()
    snapshots = list(recording.snapshots)
    run = LiveRun(CONFIG, material_for(CONFIG), recording)
    answer, told = examined(run, 8)
    ensemble = Ensemble(CONFIG, device="cpu")
    ensemble.restore(recording.state)
    expected = anatomy(ensemble, 8).to_json()
    assert answer["step"] == 30
    assert answer["members"][0]["before"]["theta"] == pytest.approx(
        expected["members"][0]["before"]["theta"], abs=1e-3
    )
    assert told == []
    assert (run.state, run.generation, run.step, run.published) == ("recorded", 0, 30, None)
    assert run.recording is recording
    assert recording.snapshots == snapshots


def test_a_recording_without_a_state_is_not_wiped_by_a_question():
    whole = Ensemble(CONFIG, device="cpu").record()
    recording = Recording(CONFIG, list(whole.snapshots))
    run = LiveRun(CONFIG, material_for(CONFIG), recording)
    answer, told = examined(run, 8)
    assert answer == {
        "sample": 8,
        "error": "the recording has no state to train on from; rewind the run.",
        "generation": 0,
    }
    assert told == []
    assert run.state == "recorded"
    assert run.error is None
    assert run.recording.snapshots == whole.snapshots


def test_a_run_that_has_not_begun_is_examined_at_step_0_and_still_has_not():
    run = live()
    answer, told = examined(run, 0)
    assert (answer["step"], answer["generation"]) == (0, 0)
    assert told == []
    assert (run.state, run.generation, run.published) == ("paused", 0, None)
    run.single_step()
    limit = time.monotonic() + 30
    while len(run.recording.snapshots) < 2:
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert [snapshot.step for snapshot in run.recording.snapshots] == [0, 1]


def until_step(run, step):
    limit = time.monotonic() + 30
    while run.step != step or run.busy:
        assert time.monotonic() < limit, run.step
        time.sleep(0.01)


def test_questions_on_the_way_leave_no_trace_in_the_recording():
    run, plain = live(), live()
    leave = run.listen(lambda: None)
    answers = queue.Queue()
    for sample in range(10):
        run.single_step(3)
        run.examine(sample, answers.put)
        plain.single_step(3)
    until_step(run, 30)
    until_step(plain, 30)
    leave()
    steps = [answers.get(timeout=30)["step"] for _ in range(10)]
    assert steps == sorted(steps)
    pairs = zip(run.recording.snapshots, plain.recording.snapshots, strict=True)
    for first, second in pairs:
        np.testing.assert_array_equal(first.embeddings, second.embeddings)
        np.testing.assert_array_equal(first.losses, second.losses)


def test_a_finished_and_a_failed_run_are_examined_as_they_ended():
    run = live()
    run.play()
    until(run, "finished")
    leave = run.listen(lambda: None)  # what is watched is not let go
    answer, told = examined(run, 1)
    assert (answer["step"], answer["generation"]) == (30, 1)
    assert (run.state, told) == ("finished", [])
    with torch.no_grad():
        run._ensemble._weights.fill_(math.nan)
    run.play()
    until(run, "failed")
    leave()
    reason = run.error
    answer, told = examined(run, 1)
    assert answer["members"][0]["before"]["loss"] is None
    assert (run.state, run.error, told) == ("failed", reason, [])


def test_a_sample_that_is_not_shown_is_refused_before_it_reaches_the_run():
    run = live()
    with pytest.raises(ValueError, match="sample is 1797; give a whole number from 0 to 1796"):
        run.examine(1797, lambda answer: None)
    assert not run.busy


def test_a_question_that_nobody_waits_for_any_more_is_left_out():
    run = live()
    answers = queue.Queue()
    run.examine(1, answers.put, wanted=lambda: False)
    run.examine(2, answers.put)
    assert answers.get(timeout=30)["sample"] == 2
    assert answers.empty()


def test_a_run_that_keeps_its_last_snapshot_alone_ends_with_that_one():
    run = LiveRun(CONFIG, material_for(CONFIG), last_only=True)
    run.play()
    limit = time.monotonic() + 60
    while run.state != "finished":
        assert time.monotonic() < limit
        run.ask()
        time.sleep(0.01)
    assert [snapshot.step for snapshot in run.recording.snapshots] == [CONFIG.steps]


def test_a_run_that_rests_since_nobody_asked_wakes_for_who_asks_again(monkeypatch):
    """A page without a socket: its answer may take long, or its tab be hidden for a while."""
    monkeypatch.setattr("facevis.live.training.ALONE_SECONDS", -1.0)
    run = live()
    run.play()
    run.doze()  # and again by itself: who is told to rest twice still wakes
    with run.asked():
        assert run.watched
        until(run, "finished")
    assert not run.askers


def test_a_viewer_who_comes_while_a_run_lies_down_finds_it_training(monkeypatch):
    monkeypatch.setattr("facevis.live.training.ALONE_SECONDS", -1.0)
    run, leave, pause = live(), [], LiveRun._pause

    def somebody_comes(self):
        if not leave:
            leave.append(run.listen(lambda: None))
        pause(self)

    monkeypatch.setattr(LiveRun, "_pause", somebody_comes)
    run.play()
    until(run, "finished")
    leave[0]()


def test_a_run_that_trained_on_can_still_be_saved_and_opened():
    run = live()
    run.play()
    until(run, "finished")
    assert Recording.from_bytes(run.recording.to_bytes()).state
    run.single_step(5)
    limit = time.monotonic() + 30
    while run.step < 35:
        assert time.monotonic() < limit
        time.sleep(0.01)
    again = Recording.from_bytes(run.recording.to_bytes())
    assert again.snapshots[-1].step > 30
