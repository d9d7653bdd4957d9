"""What stands before every route of the students' server: who asks, whom, and what browsers may do.

A page elsewhere could give a name of its own the address of this machine (DNS rebinding): only
addresses and names of this machine are answered, and no page of another origin.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facevis.live.stream import same_origin

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LONGEST_PATH = 200
"""Letters; no place has a longer one, and a number of thousands of digits is none."""


class Guard:
    """The app behind it sees what is meant for this machine only; all answers carry ``HEADERS``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = own_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the app answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        if len(scope["path"]) > _LONGEST_PATH:
            await _refuse(scope, receive, marked, 404, "no such place here")
        elif not meant(headers.get("host", ""), self._names):
            await _refuse(scope, receive, marked, 421, "no such place here")
        elif not same_origin(headers):
            await _refuse(scope, receive, marked, 403, "wrong origin")
        else:
            await self._app(scope, receive, marked)


class Named:
    """Before an app on this machine alone: who asks for it by another machine's name is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = own_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the app answer."""
        asks = scope["type"] in ("http", "websocket")
        if asks and not meant(Headers(scope=scope).get("host", ""), self._names):
            await _refuse(scope, receive, send, 421, "no such place here")
        else:
            await self._app(scope, receive, send)


HERE_ONLY = (Middleware(Named),)
"""What an app on this machine alone puts before itself."""


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "http":
        await PlainTextResponse(reason, status_code=status)(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": 4000 + status, "reason": reason})


def own_names() -> frozenset[str]:
    """What this machine is called, also on the local network."""
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    return frozenset({"localhost", name, short, f"{short}.local"} - {"", ".local"})


def meant(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header is an address, or a name of this machine.

    >>> [meant(host, frozenset({"lab"})) for host in ("192.168.1.5:8600", "[::1]", "LAB:1", "x.y")]
    [True, True, True, False]
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name.rstrip(".") in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
