"""Connections of the students' server, bounded before anything is asked on them.

uvicorn counts requests: a connection on which nobody ever asks would be counted by nobody, and with
enough of them the whole process could open no file any more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from facevis.live.rates import Budget

ASK_SECONDS = 10.0
"""Who connects asks something within this time."""
BYTES_A_SECOND, BYTES_AT_ONCE = 16_000.0, 64_000
"""What a browser may send on a WebSocket, pings and empty frames included."""


class Connections:
    """So many in all, half of them from one address; for one event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: dict[asyncio.Transport, str] = {}

    def admit(self, transport: asyncio.Transport) -> bool:
        """Whether there is room for another."""
        self._open = {there: at for there, at in self._open.items() if not there.is_closing()}
        address = str((transport.get_extra_info("peername") or ("",))[0])
        of_one = Counter(self._open.values())[address]
        if len(self._open) >= self.most or of_one >= max(1, self.most // 2):
            return False
        self._open[transport] = address
        return True


def protocols(connections: Connections) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """HTTP and WebSocket as uvicorn speaks them, within these bounds."""

    class Http(H11Protocol):
        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if connections.admit(transport):
                self.late = self.loop.call_later(ASK_SECONDS, self.end_if_silent)
            else:
                transport.abort()

        def end_if_silent(self) -> None:
            if self.cycle is None:
                self.transport.abort()

        def handle_websocket_upgrade(self, event: Any) -> None:
            self.asked()
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            self.asked()
            super().connection_lost(exc)

        def asked(self) -> None:
            if self.late is not None:
                self.late.cancel()

    class Socket(WebSocketsSansIOProtocol):
        def connection_made(self, transport: Any) -> None:
            self.budget = Budget(BYTES_A_SECOND, BYTES_AT_ONCE)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if self.budget.spend(len(data)):
                super().data_received(data)
            else:
                self.transport.abort()

    return Http, Socket
