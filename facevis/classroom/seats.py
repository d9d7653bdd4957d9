"""Who has a seat: unguessable tokens, so many seats, and a line of those who wait for one.

A seat belongs to a token while any of its sockets is open, and for a while after the last has
closed. Safe for many threads; it starts none: what has run out is found when somebody asks.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

GRACE_SECONDS = 30.0
"""A seat is kept for a page that is loaded again, or a phone that slept."""
SOCKETS = 8
"""WebSockets that one browser may have open: of its seat and of the runs that it watches."""
_TOKENS_EACH = 16
"""Tokens remembered for every place; those that were longest away are forgotten first."""


class Seats:
    """So many seats, so many places in the line.

    >>> seats = Seats(seats=1, line=1)
    >>> first, second, third = seats.admit(), seats.admit(), seats.admit()
    >>> [seats.enter(token) for token in (first, second, third)]
    [True, True, True]
    >>> seats.place(first), seats.place(second), seats.place(third)
    (0, 1, None)
    """

    def __init__(self, seats: int, line: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self._line_limit, self._clock = seats, line, clock
        self._known: OrderedDict[str, int] = OrderedDict()
        """Open sockets of every token."""
        self._seated: dict[str, float | None] = {}
        """Until when a seat is kept; None while a socket is open."""
        self._line: dict[str, None] = {}
        self._lock = threading.Lock()

    def admit(self) -> str:
        """A new token for a browser that may come in."""
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._known[token] = 0
            excess = len(self._known) - _TOKENS_EACH * (self.limit + self._line_limit)
            if excess > 0:
                away = (t for t, sockets in self._known.items() if not sockets and t != token)
                for gone in [t for t in away if t not in self._seated][:excess]:
                    del self._known[gone]
        return token

    def knows(self, token: str) -> bool:
        """Whether a token was given here."""
        with self._lock:
            return token in self._known

    def enter(self, token: str) -> bool:
        """A socket of a token opens; False if the token is unknown or has too many."""
        with self._lock:
            if self._known.get(token, SOCKETS) >= SOCKETS:
                return False
            self._known[token] += 1
            self._known.move_to_end(token)
            if token in self._seated:
                self._seated[token] = None
            return True

    def leave(self, token: str) -> None:
        """One of its sockets has closed."""
        with self._lock:
            self._known[token] -= 1
            if self._known[token]:
                return
            self._line.pop(token, None)
            if token in self._seated:
                self._seated[token] = self._clock() + GRACE_SECONDS

    def place(self, token: str) -> int | None:
        """0 with a seat, else the place in the line; None where the line is full too.

        Who enters is seated or set in the line here, and those who wait move up.
        """
        with self._lock:
            self._move_up()
            if token in self._seated:
                return 0
            if not self._known.get(token):
                return None
            if token not in self._line:
                if len(self._seated) >= self.limit and len(self._line) >= self._line_limit:
                    return None
                self._line[token] = None
                self._move_up()
            return 0 if token in self._seated else list(self._line).index(token) + 1

    def seated(self, token: str) -> bool:
        """Whether a token has a seat now."""
        with self._lock:
            self._move_up()
            return token in self._seated

    def numbers(self) -> tuple[int, int]:
        """How many have a seat, and how many wait."""
        with self._lock:
            self._move_up()
            return len(self._seated), len(self._line)

    def _move_up(self) -> None:
        now = self._clock()
        for token in [t for t, until in self._seated.items() if until is not None and until <= now]:
            del self._seated[token]
        while self._line and len(self._seated) < self.limit:
            token = next(iter(self._line))
            del self._line[token]
            self._seated[token] = None
