"""The door of the room: a code that is easy to read out, and slow to guess."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without I, L and O, which look like digits."""
LENGTH = 6
WRONG, WITHIN_SECONDS = 10, 60.0
"""So many wrong codes from one address within this time; then it waits."""
_ADDRESSES = 4096


class Door:
    """Lets in who knows the code.

    >>> door = Door()
    >>> door.try_code(door.code.lower(), "192.168.1.7"), door.try_code("", "192.168.1.7")
    ('in', 'code')
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def try_code(self, text: str, address: str) -> str:
        """ "in", "code" if it is wrong, "slow" after too many wrong ones."""
        now, address = self._clock(), _network(address)
        with self._lock:
            wrong = [at for at in self._wrong.get(address, ()) if at > now - WITHIN_SECONDS]
            if len(wrong) >= WRONG:
                return "slow"
            given = "".join(text.split()).upper().encode("utf-8", "replace")
            if hmac.compare_digest(given, self.code.encode()):
                return "in"
            self._wrong[address] = [*wrong, now]
            self._wrong.move_to_end(address)
            while len(self._wrong) > _ADDRESSES:
                self._wrong.popitem(last=False)
            return "code"


def _network(address: str) -> str:
    """One household of IPv6 has more addresses than could be counted."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
