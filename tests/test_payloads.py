"""Snapshots as bytes: made once while they are wanted, never more than there is room for."""

import numpy as np

from facevis.live import payloads
from facevis.live.payloads import Payloads
from facevis.live.recording import STATISTICS, Snapshot


def snapshot(step):
    points = np.zeros((1, 3, 2), np.float32)
    return Snapshot(
        *(step, points, points.copy(), np.zeros(1), np.zeros((1, len(STATISTICS)))),
        *(np.zeros((1, 3)), np.zeros(1)),
    )


def test_bytes_are_made_once_until_newer_ones_take_their_room():
    made, cache = [], Payloads(room=1000)

    def bytes_of(one, how=None):
        return cache.get(one, how, lambda: made.append(one.step) or bytes(100))

    all_of_them = [snapshot(step) for step in range(20)]
    for one in [*all_of_them, *all_of_them[10:]]:
        bytes_of(one)
    assert made == list(range(20)), "the newest ten are there"
    bytes_of(all_of_them[19], "turned")
    assert made[-1] == 19, "in another way it is another payload"
    bytes_of(all_of_them[0])
    assert made[-1] == 0


def test_what_is_larger_than_the_room_is_still_made():
    assert Payloads(room=10).get(snapshot(0), None, lambda: bytes(50)) == bytes(50)


def test_live_snapshots_are_let_go_after_a_moment():
    # Small blocks held for long between large ones that come and go let the process grow.
    assert payloads.LIVE_ROOM <= 2**20
