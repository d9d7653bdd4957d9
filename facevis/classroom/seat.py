"""The WebSocket of a student's seat: what the lecturer shows comes in, a vote goes out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from facevis.classroom.messages import parse_vote
from facevis.classroom.room import Classroom
from facevis.live.rates import Budget

COOKIE = "facevis_seat"
EVERY = 0.25
"""Seconds between two states, unless something else than the number of votes has changed."""
HERE_SECONDS = 10.0
"""After so long without news a page is told that the room is still there: a phone whose network is
gone does not notice by itself."""
HERE = json.dumps({"type": "here"})
LINE_SECONDS = 1.0
"""How often somebody in the line is looked after."""
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 5.0, 20
UNKNOWN, TOO_FAST, TOO_MANY, FULL = 4401, 4429, 4430, 4503
"""Why a socket is closed."""


class Bell:
    """Wakes a task of an event loop from any thread; many rings before it wakes are one."""

    def __init__(self) -> None:
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()
        self._rung = False

    def ring(self) -> None:
        """Something has changed."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> bool:
        """Until it rings, or for so long; whether it rang."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        rung = self._event.is_set()
        self._event.clear()
        self._rung = False
        return rung


async def serve(socket: WebSocket, room: Classroom) -> None:
    """Serve one window of a student until either side leaves."""
    token = socket.cookies.get(COOKIE, "")
    await socket.accept()
    if not room.seats.knows(token):
        await socket.close(code=UNKNOWN, reason="join first")
        return
    if not room.seats.enter(token):
        await socket.close(code=TOO_MANY, reason="too many windows")
        return
    bell = Bell()
    stop = room.listen(bell.ring)
    bell.ring()
    sender = asyncio.create_task(_send(socket, room, token, bell))
    try:
        await _receive(socket, room, token, bell.ring)
    except (WebSocketDisconnect, RuntimeError):
        pass  # a closed tab needs no farewell
    finally:
        stop()
        room.seats.leave(token)
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


async def _send(socket: WebSocket, room: Classroom, token: str, bell: Bell) -> None:
    """The place in the line until there is a seat, then every state."""
    if not await _stand(socket, room, token, bell):
        return
    sent: dict[str, Any] = {}
    since = 0.0
    while True:
        state = room.state(token)
        wait = HERE_SECONDS
        if state != sent:
            wait = since + EVERY - time.monotonic()
            if wait <= 0 or _but_votes(state) != _but_votes(sent):
                since, sent = time.monotonic(), state
                await socket.send_text(json.dumps(state))
                continue
        if not await bell.wait(wait) and state == sent:
            await socket.send_text(HERE)


async def _stand(socket: WebSocket, room: Classroom, token: str, bell: Bell) -> bool:
    """Wait in the line; False if that is full too."""
    told: int | None = 0
    since = 0.0
    while (place := room.seats.place(token)) != 0:
        if place is None or place != told or time.monotonic() - since > HERE_SECONDS:
            told, since = place, time.monotonic()
            full = {"type": "full", "position": place, "limit": room.limits.students}
            await socket.send_text(json.dumps(full))
        if place is None:
            await socket.close(code=FULL, reason="the room is full")
            return False
        await bell.wait(LINE_SECONDS)
    return True


def _but_votes(state: dict[str, Any]) -> tuple[Any, Any]:
    poll = state.get("poll")
    return state.get("scene"), poll and {**poll, "total": 0}


async def _receive(
    socket: WebSocket, room: Classroom, token: str, changed: Callable[[], None]
) -> None:
    budget = Budget(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if not budget.spend():
            await socket.close(code=TOO_FAST, reason="too many messages")
            return
        try:
            lesson, choice = parse_vote(message.get("text"))
            if not room.seats.seated(token):
                raise ValueError("the room is full; wait for a seat.")
        except ValueError as error:
            await socket.send_text(json.dumps({"type": "error", "message": str(error)}))
            continue
        result = room.vote(token, lesson, choice)
        voted = {"type": "voted", "lesson": lesson, "choice": choice, "result": result}
        await socket.send_text(json.dumps(voted))
        changed()
