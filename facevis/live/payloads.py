"""Snapshots as bytes, made once for all who watch them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from facevis.live.recording import Snapshot

LIVE_ROOM, KEPT_ROOM = 2**20, 16 * 2**20
"""Bytes. Live snapshots are wanted for a moment only; to hold more of them would also split the
memory that training needs, and let it grow by a hundred times what is held."""


class Payloads:
    """The encoded snapshots asked for last, up to so many bytes."""

    def __init__(self, room: int) -> None:
        self._room, self._size = room, 0
        # A snapshot is kept beside its bytes: its identity names it, and stays its own.
        self._made: OrderedDict[tuple[int, Hashable], tuple[Snapshot, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, snapshot: Snapshot, how: Hashable, make: Callable[[], bytes]) -> bytes:
        """The bytes of a snapshot encoded in some way; two who ask at once may both make them."""
        key = (id(snapshot), how)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key][1]
        made = make()
        with self._lock:
            if key not in self._made:
                self._made[key] = (snapshot, made)
                self._size += len(made)
            while self._size > self._room:
                _, (_, oldest) = self._made.popitem(last=False)
                self._size -= len(oldest)
        return made


live, kept = Payloads(LIVE_ROOM), Payloads(KEPT_ROOM)
