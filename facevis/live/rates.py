"""How often somebody may send something: a bucket of tokens that fills again with time."""

from __future__ import annotations

import time


class Budget:
    """So many a second, and so many at once after a quiet time; not for several threads.

    >>> budget = Budget(per_second=10.0, burst=2)
    >>> budget.spend(), budget.spend(), budget.spend()
    (True, True, False)

    A quiet time saves up no more than ``burst``.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second, self._burst = per_second, float(burst)
        self._left, self._since = float(burst), time.monotonic()

    def spend(self, count: int = 1) -> bool:
        """Take one, or so many; False if there are not enough left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._since) * self._per_second)
        self._since = now
        if self._left < count:
            return False
        self._left -= count
        return True
