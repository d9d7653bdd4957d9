"""What app.py and the command line need to serve the app: the page's path and our own routes."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import streamlit as st

from facevis.classroom import desk, serving
from facevis.classroom.guard import HERE_ONLY
from facevis.classroom.limits import limits
from facevis.fullscale import routes as fullscale
from facevis.lessons import routes as lecture
from facevis.live import openset_routes, stream
from facevis.live.rooms import rooms
from facevis.live.scheduler import scheduler
from facevis.ui import front

MAIN = str(Path(__file__).with_name("main.py"))


def routes() -> list[Any]:
    """The pages' addresses and the live view's routes, mounted beside Streamlit's.

    Streamlit collects garbage after every script run; with torch loaded that would stop the
    trainer for 0.2 s each time. What is loaded by now never becomes garbage: it is frozen.
    """
    gc.collect()
    gc.freeze()
    live = [*stream.routes(), *openset_routes.routes(), *lecture.routes()]
    return [*front.routes(), *live, *fullscale.routes(stream.BASE), *desk.routes()]


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Keep to the limits; the students' server, if there is one, runs as long as the app."""
    most = limits()
    rooms.limit(most.kept_runs, most.memory_mib * 2**20)
    scheduler.limit = most.training
    answer_at_once()
    with serving.running():
        yield


def middleware() -> tuple[Any, ...]:
    """An app on loopback answers to the names of this machine alone: a page elsewhere could give a
    name of its own the address 127.0.0.1."""
    address = str(st.get_option("server.address") or "")
    local = address == "localhost" or address.startswith("127.") or address == "::1"
    return HERE_ONLY if local else ()


def answer_at_once() -> None:
    """Hold no small message back for more: else each answer waits 40 ms for the browser to say
    that it has the first part. Connections inherit it from the socket that listens."""
    with contextlib.suppress(psutil.Error, OSError):
        for listening in psutil.Process().net_connections("tcp"):
            if listening.status == psutil.CONN_LISTEN and listening.fd >= 0:
                with socket.socket(fileno=os.dup(listening.fd)) as line:
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
