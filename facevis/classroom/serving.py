"""The students' server: uvicorn on a thread and an event loop of its own, beside the app."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from facevis.classroom.addresses import reachable
from facevis.classroom.connections import Connections, protocols
from facevis.classroom.room import Classroom
from facevis.classroom.routes import students_app

LARGEST_MESSAGE = 4096
PING_SECONDS, SILENT_SECONDS = 10.0, 15.0
"""A phone that does not answer for so long is gone."""
REQUESTS_EACH, SPARE = 8, 256
"""A browser opens so many connections, and keeps them for a few seconds."""
FILES_ELSEWHERE = 400
"""What the app itself may have open meanwhile."""
STOP_SECONDS = 3


class StudentsServer:
    """Listens from the moment it is made, answers from ``start`` until ``stop``."""

    def __init__(self, room: Classroom, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family, backlog=512)
        # Connections inherit it; asyncio sees to it only for sockets that it made itself.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # what is sent to a phone that is gone, is dropped
            silent = int(1000 * SILENT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, silent)
        self.port: int = self._socket.getsockname()[1]
        room.addresses = reachable(address, self.port)
        self._room = room
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Begin to answer."""
        places = self._room.limits.students + self._room.limits.waiting
        wanted = REQUESTS_EACH * places + SPARE
        most = min(wanted, max(16, _files(wanted + FILES_ELSEWHERE) - FILES_ELSEWHERE))
        http, websocket = protocols(Connections(most))
        config = uvicorn.Config(
            students_app(self._room),
            log_config=None,  # the log is Streamlit's
            access_log=False,
            server_header=False,
            http=http,
            ws=websocket,
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=SILENT_SECONDS,
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
        self._room.close()


def _files(count: int) -> int:
    """How many files may be open, with every connection one; some systems allow few until they are
    asked."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such bound
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < count:
            most = count if hard == resource.RLIM_INFINITY else min(count, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return count


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
