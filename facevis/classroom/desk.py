"""The lecturer's WebSocket, beside Streamlit's routes: who is there and what was voted; acts."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import time

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from facevis.classroom.messages import parse_act
from facevis.classroom.room import Classroom, current
from facevis.classroom.seat import HERE, HERE_SECONDS, Bell
from facevis.live.stream import BASE, same_origin

EVERY = 0.2
LOOK_SECONDS = 1.0
"""How often it is looked who has come and gone."""


def routes() -> list[BaseRoute]:
    """The route of the desk."""
    return [WebSocketRoute(f"{BASE}/desk/{{token}}", _desk)]


async def _desk(socket: WebSocket) -> None:
    """Serve one of the lecturer's pages until either side leaves."""
    room, token = current(), socket.path_params["token"].encode("utf-8", "replace")
    known = room is not None and hmac.compare_digest(token, room.desk.encode())
    if room is None or not known or not same_origin(socket.headers):
        await socket.close(code=4403, reason="not your desk")
        return
    await socket.accept()
    bell = Bell()
    stop = room.listen(bell.ring)
    sender = asyncio.create_task(_send(socket, room, bell))
    try:
        await _receive(socket, room)
    except (WebSocketDisconnect, RuntimeError):
        pass  # a closed tab needs no farewell
    finally:
        stop()
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _send(socket: WebSocket, room: Classroom, bell: Bell) -> None:
    sent, since = "", 0.0
    while True:
        told = json.dumps(room.overview())
        if told != sent:
            sent, since = told, time.monotonic()
            await socket.send_text(told)
            await asyncio.sleep(EVERY)
        elif time.monotonic() - since > HERE_SECONDS:
            since = time.monotonic()
            await socket.send_text(HERE)
        await bell.wait(LOOK_SECONDS)


async def _receive(socket: WebSocket, room: Classroom) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            lesson, act = parse_act(message.get("text"))
        except ValueError as error:
            await socket.send_text(json.dumps({"type": "error", "message": str(error)}))
            continue
        await asyncio.to_thread(room.act, lesson, act)  # it may write a file
