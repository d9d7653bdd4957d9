"""The students' server: uvicorn on a thread and an event loop of its own, beside the app."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from facevis.classroom.addresses import reachable
from facevis.classroom.limits import Limits
from facevis.classroom.room import Classroom
from facevis.classroom.routes import students_app

LARGEST_MESSAGE = 4096
PING_SECONDS, SILENT_SECONDS = 10.0, 15.0
"""A phone that does not answer for so long is gone."""
CONNECTIONS_EACH = 8
"""A browser opens so many, and keeps some of them for a few seconds."""
STOP_SECONDS = 3


class StudentsServer:
    """Listens from the moment it is made, answers from ``start`` until ``stop``."""

    def __init__(self, room: Classroom, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family, backlog=512)
        self.port: int = self._socket.getsockname()[1]
        room.addresses = reachable(address, self.port)
        self._room = room
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Begin to answer."""
        config = uvicorn.Config(
            students_app(self._room),
            log_config=None,  # the log is Streamlit's
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=SILENT_SECONDS,
            limit_concurrency=_connections(self._room.limits),
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        self._server = uvicorn.Server(config)
        run, sockets = self._server.run, [self._socket]
        self._thread = threading.Thread(target=run, args=(sockets,), name="students", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close all sockets and wait for the thread."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=3 * STOP_SECONDS)
        self._socket.close()


def _connections(limits: Limits) -> int:
    """So many at once; with each of them a file is open, of which systems allow few."""
    wanted = CONNECTIONS_EACH * (limits.students + limits.waiting) + 64
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        need = wanted + 512
        most = need if hard == resource.RLIM_INFINITY else min(need, hard)
        if soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return wanted


_appointed: StudentsServer | None = None


def appoint(server: StudentsServer) -> None:
    """The server that runs with the app of this process."""
    global _appointed
    _appointed = server


@contextlib.contextmanager
def running() -> Iterator[None]:
    """The appointed server, if there is one, while the app runs."""
    server = _appointed
    if server is None:
        yield
        return
    server.start()
    try:
        yield
    finally:
        server.stop()
