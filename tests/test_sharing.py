"""The same configuration is one run; who changes it gets one of their own; a full room says so."""

import time
from dataclasses import replace

import numpy as np
import pytest

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.material import material_for
from facevis.live.rooms import RoomFull, Rooms
from facevis.live.shown import ShownRun
from facevis.live.trainer import LiveRun
from facevis.margins import Margin

CONFIG = RunConfig(members=(Member(objective="arcface", scale=16.0),), identities=4, steps=300)


def until(true, seconds=60):
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.005)


def nothing():
    """A viewer that only counts."""


def same(first, second):
    return [s.step for s in first] == [s.step for s in second] and all(
        np.array_equal(a.embeddings, b.embeddings)
        and np.array_equal(a.prototypes, b.prototypes)
        and np.array_equal(a.losses, b.losses, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def reference(config=CONFIG):
    return Ensemble(config, material_for(config)).record()


def finished(run):
    until(lambda: run.state == "finished")
    return run.recording.snapshots


def slow_start(room, config, step=20):
    """A shared run that stands still early on."""
    token = room.share(config)
    run = room.find(token)
    run.set_speed(200.0)
    until(lambda: run.step >= step)
    return token, run


@pytest.fixture
def room():
    made = Rooms()
    yield made
    for token, run in made.training():
        made.forget(token)
        until(lambda run=run: not run.busy)


def test_the_same_configuration_is_one_run_and_trains_by_itself(room):
    first, second = room.share(CONFIG), room.share(replace(CONFIG))
    assert first == second
    assert room.share(replace(CONFIG, seed=1)) != first
    assert room.share(CONFIG, aligned=True) != first
    run = room.find(first)
    leave = run.listen(nothing)
    assert same(finished(run), reference().snapshots)
    assert room.share(CONFIG) == first
    assert finished(run)[-1].step == CONFIG.steps, "asked for again, it does not train on"
    leave()


def test_a_recorded_run_is_shared_and_stays_as_it_is(room):
    recording = reference()
    token = room.share(CONFIG, recording)
    assert room.share(CONFIG, recording) == token
    time.sleep(0.05)
    assert room.find(token).state == "recorded"


def test_pictures_of_ones_own_are_not_shared(room, tmp_path):
    from PIL import Image

    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(3):
            grey = Image.new("L", (8, 8), 40 * number + ord(name))
            grey.save(tmp_path / name / f"{number}.png")
    own = RunConfig(dataset=str(tmp_path), steps=1, batch_size=2)
    assert room.share(own) != room.share(own)


def test_who_changes_a_shared_run_gets_one_of_their_own(room):
    token, run = slow_start(room, CONFIG)
    leave = run.listen(nothing)
    assert room.share(CONFIG) == token
    mine, fork = room.take(token, run)
    assert mine != token
    assert room.find(mine) is fork
    stay = fork.listen(nothing)
    fork.steer(0, {"margin": Margin.arcface(0.1)})
    fork.set_speed(None)
    run.set_speed(None)
    assert same(finished(run), reference().snapshots), "the others' run goes on as if nothing was"
    snapshots = finished(fork)
    assert snapshots[-1].margins[0, 1] == np.float32(0.1)
    assert not np.array_equal(snapshots[-1].embeddings, run.recording.snapshots[-1].embeddings)
    assert room.share(CONFIG) == token, "the fork is nobody else's"
    leave()
    stay()


def test_a_fork_that_nobody_changes_ends_as_the_run_does_bit_by_bit(room):
    token, run = slow_start(room, CONFIG)
    room.share(CONFIG)
    leave = run.listen(nothing)
    _, fork = room.take(token, run)
    stay = fork.listen(nothing)
    fork.set_speed(None)
    assert same(finished(fork), reference().snapshots)
    stay()
    leave()


def test_a_paused_fork_shows_the_step_it_stands_at(room):
    token, run = slow_start(room, CONFIG)
    room.share(CONFIG)
    leave = run.listen(nothing)
    _, fork = room.take(token, run)
    stay = fork.listen(nothing)
    fork.pause()
    until(lambda: fork.state == "paused")
    assert fork.published.snapshot.step == fork.step
    assert np.isfinite(fork.published.snapshot.losses).all()
    assert fork.error is None
    assert run.state == "training"
    stay()
    leave()


def test_a_finished_run_is_forked_and_trained_on(room):
    token = room.share(CONFIG)
    run = room.find(token)
    leave = run.listen(nothing)
    finished(run)
    room.share(CONFIG)
    _, fork = room.take(token, run)
    stay = fork.listen(nothing)
    fork.steer(0, {"scale": 8.0})
    until(lambda: fork.state == "finished" and fork.step == 2 * CONFIG.steps)
    assert run.step == CONFIG.steps
    stay()
    leave()


def test_a_change_that_finds_no_room_changes_nothing(room):
    token, run = slow_start(room, CONFIG)
    room.share(CONFIG)
    leave = run.listen(nothing)
    room.limit(1, 2**30)
    for _ in range(3):
        with pytest.raises(RoomFull):
            room.take(token, run)
    assert room.share(CONFIG) == token
    leave()


def test_guests_leave_places_to_others():
    room = Rooms(capacity=4)
    leave = []
    for seed in range(2):
        run = room.find(room.share(replace(CONFIG, seed=seed), guest=True))
        leave.append(run.listen(nothing))
    with pytest.raises(RoomFull):
        room.share(replace(CONFIG, seed=2), guest=True)
    host = room.find(room.share(replace(CONFIG, seed=2)))
    assert not host.guest
    assert room.find(room.share(replace(CONFIG, seed=0))).guest is False, "one that both want"
    for stop in leave:
        stop()
    for token, _ in room.training():
        room.forget(token)


def test_a_run_whose_user_went_on_alone_wakes_for_who_comes_back(room):
    _, run = slow_start(room, CONFIG)
    room.share(CONFIG)
    leave = run.listen(nothing)
    leave()
    run.doze()
    until(lambda: run.state == "paused")
    again = run.listen(nothing)
    run.set_speed(None)
    assert same(finished(run), reference().snapshots)
    again()


def test_who_is_alone_with_a_run_keeps_it_and_later_askers_get_another(room):
    token, run = slow_start(room, CONFIG)
    assert room.take(token, run) == (token, run)
    assert room.share(CONFIG) != token


def test_only_its_last_user_pauses_a_shared_run_by_leaving(room):
    token, run = slow_start(room, CONFIG)
    room.share(CONFIG)
    room.leave(token)
    time.sleep(0.05)
    assert run.state == "training"
    room.leave(token)
    until(lambda: run.state == "paused")
    assert room.share(CONFIG) == token
    until(lambda: run.state == "training")


def test_a_run_without_viewers_rests_and_goes_on_where_it_was(room, monkeypatch):
    monkeypatch.setattr("facevis.live.training.ALONE_SECONDS", 0.15)
    token = room.share(CONFIG)
    run = room.find(token)
    run.set_speed(100.0)
    until(lambda: run.step > 0 and run.state == "paused")
    assert run.step < CONFIG.steps
    assert run._ensemble is None
    leave = run.listen(nothing)
    run.set_speed(None)
    assert same(finished(run), reference().snapshots)
    leave()
    until(lambda: run._ensemble is None)


def test_a_room_lets_go_of_what_nobody_watches_and_refuses_when_all_is_watched():
    room = Rooms(capacity=3)
    tokens = [room.open(replace(CONFIG, seed=seed)) for seed in range(3)]
    leave = [room.find(token).listen(nothing) for token in tokens]
    with pytest.raises(RoomFull, match="the room is full: it holds 3 runs"):
        room.open(replace(CONFIG, seed=3))
    assert all(room.find(token) for token in tokens)
    leave[2]()
    newcomer = room.open(replace(CONFIG, seed=3))
    assert room.find(newcomer)
    assert room.find(tokens[2]) is None
    assert room.find(tokens[1])


def test_a_room_counts_the_bytes_of_what_it_keeps():
    recording = reference(replace(CONFIG, steps=40))
    run = ShownRun(recording, material_for(CONFIG))
    held = sum(s.embeddings.nbytes + s.prototypes.nbytes for s in recording.snapshots)
    assert recording.size == held
    pictures = run.material.dataset.images.nbytes
    room = Rooms(memory=int(2.5 * held) + pictures)
    tokens = [room.show(ShownRun(recording, run.material)) for _ in range(4)]
    assert [room.watch(token) is not None for token in tokens] == [False, False, True, True]


def test_who_leaves_the_line_has_no_place_in_it(room, monkeypatch):
    from facevis.live.scheduler import scheduler

    monkeypatch.setattr(scheduler, "limit", 1)
    first, second = (room.find(room.share(replace(CONFIG, steps=10**6, seed=s))) for s in (0, 1))
    stops = [run.listen(nothing) for run in (first, second)]
    until(lambda: second.queue == 1)
    second.pause()
    until(lambda: second.state == "paused" and second.queue == 0)
    second.single_step(500)
    until(lambda: second.queue == 1)
    second.pause()
    until(lambda: second.queue == 0 and not second.training)
    for stop in stops:
        stop()


def test_a_run_in_the_line_says_so_and_shows_its_first_picture(room, monkeypatch):
    from facevis.live.scheduler import scheduler

    monkeypatch.setattr(scheduler, "limit", 1)
    first = room.find(room.share(replace(CONFIG, steps=10**6)))
    stop = first.listen(nothing)
    until(lambda: first.step > 0)
    second = room.find(room.share(replace(CONFIG, seed=1)))
    leave = second.listen(nothing)
    until(lambda: second.queue == 1 and second.published is not None)
    step = second.step
    until(lambda: first.step > 200)
    assert second.step == step <= 50
    first.pause()
    assert finished(second)[-1].step == CONFIG.steps
    assert second.queue == 0
    leave()
    stop()


def test_a_live_run_that_is_shown_only_cannot_be_forked(room):
    run = ShownRun(reference(replace(CONFIG, steps=5)), material_for(CONFIG))
    token = room.show(run)
    assert room.take(token, run) == (token, run)
    assert not isinstance(run, LiveRun)
