"""One question put to a room: one vote a browser, the first counts, and none can be changed.

It knows neither browsers nor lessons: a ballot is any text that stands for a browser.
"""

from __future__ import annotations

import threading

PHASES = ("closed", "open", "locked", "revealed")
ACTS = ("open", "lock", "reveal", "again")


class Poll:
    """Votes for one of so many options; safe for many threads.

    >>> poll = Poll(options=3)
    >>> poll.vote("a", 1), poll.open(), poll.vote("a", 1), poll.vote("a", 2), poll.vote("b", 7)
    ('closed', True, 'counted', 'twice', 'invalid')
    >>> poll.lock(), poll.vote("b", 0), poll.counts()
    (True, 'locked', [0, 1, 0])
    """

    def __init__(self, options: int) -> None:
        self.options = options
        self._phase = PHASES[0]
        self._ballots: dict[str, int] = {}
        self._counts = [0] * options
        self._lock = threading.Lock()

    @property
    def phase(self) -> str:
        """One of ``PHASES``."""
        return self._phase

    @property
    def total(self) -> int:
        """How many votes were counted."""
        return len(self._ballots)

    def counts(self) -> list[int]:
        """Votes by option."""
        return list(self._counts)

    def choice(self, ballot: str) -> int | None:
        """What was counted of a ballot."""
        return self._ballots.get(ballot)

    def vote(self, ballot: str, choice: int) -> str:
        """ "counted", or why not: "closed", "locked", "twice" or "invalid"."""
        with self._lock:
            if self._phase != "open":
                return "closed" if self._phase == "closed" else "locked"
            if ballot in self._ballots:
                return "twice"
            if not 0 <= choice < self.options:
                return "invalid"
            self._ballots[ballot] = choice
            self._counts[choice] += 1
            return "counted"

    def open(self) -> bool:
        """Let them vote; False if that has been."""
        return self._pass(("closed",), "open")

    def lock(self) -> bool:
        """Take no more votes; False if none are being taken."""
        return self._pass(("open",), "locked")

    def reveal(self) -> bool:
        """Show the votes and the answer, also where nobody was asked; False if that has been."""
        return self._pass(("closed", "open", "locked"), "revealed")

    def again(self) -> bool:
        """Forget all votes and begin anew."""
        with self._lock:
            self._phase, self._ballots, self._counts = PHASES[0], {}, [0] * self.options
            return True

    def _pass(self, before: tuple[str, ...], phase: str) -> bool:
        with self._lock:
            if self._phase not in before:
                return False
            self._phase = phase
            return True
