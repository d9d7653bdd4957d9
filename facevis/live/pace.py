"""How fast a live run goes: when its next step and snapshot are due, how many it took.

It knows the clock and what a snapshot costs; it trains nothing.
"""

from __future__ import annotations

import time

TURN_SECONDS, ROUND_SECONDS = 0.008, 0.03
"""A run's turn before the next run's, and what all turns together should not exceed."""
FRAME_SECONDS, FRAME_SECONDS_A_VIEWER = 0.066, 0.0017
"""At most 15 live snapshots a second and run; fewer where many browsers want each."""
SNAPSHOT_SHARE, SNAPSHOT_SHARE_OF_MANY = 0.15, 0.07
"""At most this share of the time goes into live snapshots; those of many members are dear."""
CROWDED_SECONDS, CROWDED_SHARE = 0.12, 0.6
"""Where many runs train, a larger share keeps each of them alive, at eight snapshots a second."""
_BEHIND = 0.1
"""Seconds that a run held to a speed may catch up."""
_MEASURED = 0.5
"""Seconds over which steps are counted."""


def turn_seconds(runs: int) -> float:
    """How long a turn lasts where so many runs take turns.

    >>> turn_seconds(1), turn_seconds(30)
    (0.008, 0.001)
    """
    return min(TURN_SECONDS, ROUND_SECONDS / runs)


class Pace:
    """The clock of one run."""

    def __init__(self, step: int) -> None:
        self._next_step_at = self._next_frame_at = 0.0
        self._snapshot_cost = 0.003
        self._since = time.monotonic(), step

    def begin(self, step: int) -> None:
        """Training begins, or goes on, at a step: the next is due at once."""
        self._next_step_at = time.monotonic()
        self.measure_from(step)

    def measure_from(self, step: int) -> None:
        """Count steps from this one."""
        self._since = time.monotonic(), step

    def wait_seconds(self) -> float:
        """Until the next step is due."""
        return max(0.0, self._next_step_at - time.monotonic())

    def step_due(self, speed: float | None) -> bool:
        """Whether to take a step now, held to so many a second; the one after it is due later."""
        if speed:
            now = time.monotonic()
            if now < self._next_step_at:
                return False
            self._next_step_at = max(self._next_step_at, now - _BEHIND) + 1.0 / speed
        return True

    def frame_due(self) -> bool:
        """Whether a viewer may have another live snapshot."""
        return time.monotonic() >= self._next_frame_at

    def snapshot_taken(self, since: float, runs: int, viewers: int, many: bool) -> None:
        """A snapshot was begun at ``since`` beside so many runs; ``many`` members make it dear."""
        self._snapshot_cost += 0.1 * (time.monotonic() - since - self._snapshot_cost)
        costs = runs * self._snapshot_cost
        seconds = costs / (SNAPSHOT_SHARE_OF_MANY if many else SNAPSHOT_SHARE)
        if runs > 1:
            seconds = min(seconds, max(CROWDED_SECONDS, costs / CROWDED_SHARE))
        self._next_frame_at = since + max(FRAME_SECONDS, viewers * FRAME_SECONDS_A_VIEWER, seconds)

    def steps_per_second(self, step: int) -> float | None:
        """Measured every half second; None in between."""
        now, (since, first) = time.monotonic(), self._since
        if now <= since + _MEASURED:
            return None
        self._since = now, step
        return (step - first) / (now - since)
