"""Who trains when: so many at a time, each in turn, guests after those who run the app."""

import time

from facevis.live.scheduler import Scheduler


def until(true, seconds=60):
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.005)


class Fake:
    """Something that always wants to train, and says when it was let."""

    def __init__(self, turns, guest=False):
        self.turns, self.queue, self.busy, self.training = turns, 0, True, True
        self.guest = guest

    def wait_seconds(self):
        return float("inf") if self.queue else 0.0

    def take_turn(self, runs):
        self.turns.append((self, runs))
        time.sleep(0.001)


def started(limit, count, guest=False):
    turns, scheduler = [], Scheduler(limit)
    fakes = [Fake(turns, guest) for _ in range(count)]
    for fake in fakes:
        scheduler.wake(fake)
    return scheduler, fakes, turns


def test_only_so_many_runs_train_and_the_others_know_their_place():
    scheduler, fakes, turns = started(limit=2, count=5)
    until(lambda: [fake.queue for fake in fakes] == [0, 0, 1, 2, 3] and len(turns) > 20)
    assert {fakes.index(fake) for fake, _ in turns[5:]} == {0, 1}
    fakes[0].training = fakes[0].busy = False
    until(lambda: [fake.queue for fake in fakes[1:]] == [0, 0, 1, 2])
    scheduler.stop()


def test_no_run_waits_for_ever(monkeypatch):
    monkeypatch.setattr("facevis.live.scheduler.PLACE_SECONDS", 0.03)
    scheduler, fakes, turns = started(limit=2, count=5)
    until(lambda: len(turns) > 400)
    scheduler.stop()
    counts = [sum(fake is other for other, _ in turns) for fake in fakes]
    assert min(counts) > 0.5 * max(counts), "each has its share"
    assert max(runs for _, runs in turns) <= 2


def test_guests_give_their_place_to_the_lecturer_at_once_and_do_not_take_it_back(monkeypatch):
    scheduler, fakes, turns = started(limit=2, count=4, guest=True)
    until(lambda: sorted(fake.queue for fake in fakes) == [0, 0, 1, 2])
    host = Fake(turns)
    scheduler.wake(host)
    until(lambda: sum(fake is host for fake, _ in turns[-20:]) > 5)
    assert host.queue == 0
    assert sorted(fake.queue for fake in fakes) == [0, 1, 2, 3]
    monkeypatch.setattr("facevis.live.scheduler.PLACE_SECONDS", 0.02)
    seen = len(turns)
    until(lambda: len(turns) > seen + 300)
    assert host.queue == 0
    assert {id(fake) for fake, _ in turns[seen:]} == {id(fake) for fake in [*fakes, host]}
    scheduler.stop()
