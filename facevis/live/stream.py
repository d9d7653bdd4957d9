"""The WebSocket route of a run, and the static routes the live view needs.

Frames go out as bytes with acknowledgements as back-pressure: a slow viewer gets the newest
snapshot, never a queue of stale ones; snapshots of the recording are never left out. Commands come
in as JSON, each validated; a bad one is answered in words and has no effect. A socket whose Origin
is not our own Host is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from facevis.assets import asset_path
from facevis.live.frames import encode_snapshot, thumbnail_sheet
from facevis.live.projection import Projector, default_projection, parse_projection
from facevis.live.recording import Snapshot
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun
from facevis.margins import Margin
from facevis.validation import whole, within

BASE = "/facevis"
IN_FLIGHT = 3
"""Frames under way without an acknowledgement."""
LARGEST_MESSAGE = 4096
STATUS_SECONDS = 0.5


def routes() -> list[BaseRoute]:
    """All routes of the live view, mounted beside Streamlit's on the same port."""
    return [
        WebSocketRoute(f"{BASE}/stream/{{token}}", stream),
        Route(f"{BASE}/runs/{{token}}/thumbnails.png", _thumbnails),
        Route(f"{BASE}/plotly/plotly.min.js", _plotly),
        Mount(f"{BASE}/web", StaticFiles(directory=asset_path("web"))),
        Mount(f"{BASE}/tapes", StaticFiles(directory=asset_path("recordings", "tapes"))),
    ]


async def stream(socket: WebSocket) -> None:
    """Serve one viewer of one run until either side leaves."""
    if not _same_origin(socket):
        await socket.close(code=4403, reason="wrong origin")
        return
    run = rooms.watch(socket.path_params["token"])
    await socket.accept()
    if run is None:
        await socket.send_text(_message("gone"))
        await socket.close(code=4404, reason="no such run")
        return
    viewer = Viewer(socket, run)
    viewer.choose_projection(socket.query_params.get("project"))
    leave = run.listen(viewer.wake_from_thread)
    sender = asyncio.create_task(viewer.send())
    try:
        await viewer.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass  # a closed tab needs no farewell
    finally:
        leave()
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


class Viewer:
    """One browser on one run: what it has seen and what is on its way to it."""

    def __init__(self, socket: WebSocket, run: ShownRun) -> None:
        self._socket, self._run = socket, run
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._in_flight = 0
        self._generation = -1
        self._sent_kept = 0
        self._sent_frame = -1
        self._already_sent: Snapshot | None = None
        self._status: str | None = None
        self._asked: dict[str, Any] | None = None
        self._answer: str | None = None
        self._projector: Projector | None = None

    def choose_projection(self, text: str | None) -> None:
        """How more than three dimensions are shown: as asked, else by the first classes.

        What cannot be shown is said after the description, which clears what a view says.
        """
        if self._run.config.embedding_dim <= 3:
            return
        classes = self._run.material.num_classes
        projection = default_projection(classes)
        try:
            projection = parse_projection(text, classes) if text else projection
        except ValueError as error:
            self._answer = _message("error", message=str(error))
        self._projector = Projector(projection)

    def wake_from_thread(self) -> None:
        """The trainer's thread says that there is something new."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(self._changed.set)

    async def receive(self) -> None:
        """Take messages until the socket closes."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text") or ""
            try:
                self._obey(text)
            except ValueError as error:
                await self._socket.send_text(_message("error", message=str(error)))

    def _obey(self, text: str) -> None:
        message = parse_command(text)
        kind = message["type"]
        if kind == "ack":
            self._in_flight = max(0, self._in_flight - 1)
            self._changed.set()
        elif kind == "set":
            if message["member"] >= len(self._run.members):
                raise ValueError(f"member is {message['member']}; this run has fewer.")
            fields = {k: message[k] for k in ("margin", "scale") if message[k] is not None}
            self._run.steer(message["member"], fields, message["id"])
        elif kind == "step":
            self._run.single_step(message["count"])
        elif kind == "speed":
            self._run.set_speed(message["steps_per_second"])
        elif kind == "anatomy":
            self._ask(message)
        else:
            {"play": self._run.play, "pause": self._run.pause, "rewind": self._run.rewind}[kind]()

    def _ask(self, message: dict[str, Any]) -> None:
        """Have a sample taken apart; a newer question takes the place of one still waiting."""

        def tell(result: dict[str, Any]) -> None:
            answer = _answer(message["id"], result)
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.call_soon_threadsafe(self._take, answer)

        self._asked = message
        self._run.examine(message["sample"], tell, wanted=lambda: self._asked is message)

    def _take(self, answer: str) -> None:
        self._answer = answer
        self._changed.set()

    async def send(self) -> None:
        """Description first, then the newest frame, the recording so far, and what comes."""
        await self._socket.send_text(json.dumps(self._describe()))
        while True:
            await self._send_status()
            if self._generation != self._run.generation:
                if self._generation >= 0:
                    await self._socket.send_text(_message("reset"))
                self._generation, self._sent_kept, self._sent_frame = self._run.generation, 0, -1
            answer, self._answer = self._answer, None
            if answer is not None:
                await self._socket.send_text(answer)
                continue
            # A projection takes its time: others are served meanwhile.
            made = asyncio.to_thread(self._next_payload) if self._projector else None
            payload = await made if made else self._next_payload()
            if payload is not None:
                self._in_flight += 1
                await self._socket.send_bytes(payload)
                continue
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), STATUS_SECONDS)

    def _next_payload(self) -> bytes | None:
        """The next frame to send: the newest first, then what the recording still owes."""
        if self._in_flight >= IN_FLIGHT:
            return None
        frame = self._run.newest_frame()
        if frame is not None and frame.number != self._sent_frame:
            self._sent_frame = frame.number
            if frame.kept:
                self._already_sent = frame.snapshot
            return self._encode(frame.snapshot, frame.kept, frame.time_ms, frame.applied)
        snapshots = self._run.recording.snapshots
        while self._sent_kept < len(snapshots):
            self._sent_kept += 1
            snapshot = snapshots[self._sent_kept - 1]
            if snapshot is not self._already_sent:
                return self._encode(snapshot, True, 0.0, None)
        return None

    def _encode(self, snapshot: Snapshot, kept: bool, time_ms: float, applied: int | None) -> bytes:
        run, material = self._run, self._run.material
        return encode_snapshot(
            snapshot,
            kept=kept,
            time_ms=time_ms,
            applied=applied,
            aligned=run.aligned,
            projector=self._projector,
            labels=material.dataset.labels[material.shown],
        )

    def _describe(self) -> dict[str, Any]:
        run, token = self._run, self._socket.path_params["token"]
        thumbnails = f"{BASE}/runs/{token}/thumbnails.png"
        projection = self._projector.projection if self._projector else None
        return {**run.describe(thumbnails, projection), **self._state()}

    def _state(self) -> dict[str, Any]:
        run = self._run
        return {
            "state": run.state,
            "step": run.step,
            "steps": run.last_step,
            "steps_per_second": round(run.steps_per_second, 1),
            "message": run.error,
        }

    async def _send_status(self) -> None:
        state = self._state()
        # The step itself travels with every frame; only a real change is worth a message.
        key = json.dumps([state[k] for k in ("state", "steps", "steps_per_second", "message")])
        if key != self._status:
            self._status = key
            await self._socket.send_text(_message("status", **state))


def parse_command(text: str) -> dict[str, Any]:
    """Validate a viewer's message; whatever is wrong raises ``ValueError`` in one sentence.

    >>> parse_command('{"type": "step", "count": 2}')
    {'type': 'step', 'count': 2}
    """
    if len(text) > LARGEST_MESSAGE:
        raise ValueError(f"the message is longer than {LARGEST_MESSAGE} characters.")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("the message is not JSON.") from error
    kind = message.get("type") if isinstance(message, dict) else None
    if kind in ("ack", "play", "pause", "rewind"):
        return {"type": kind}
    if kind == "step":
        return {"type": kind, "count": whole("count", message.get("count", 1), 1, 1000)}
    if kind == "speed":
        speed = message.get("steps_per_second")
        value = None if speed is None else within("steps_per_second", speed, 0.1, 1e6)
        return {"type": kind, "steps_per_second": value}
    if kind == "set":
        return _parse_set(message)
    if kind == "anatomy":
        sample = whole("sample", message.get("sample"), 0, 2**53)
        return {"type": kind, "sample": sample, "id": whole("id", message.get("id", 0), 0, 2**53)}
    raise ValueError(
        "the message has no known type; send ack, play, pause, step, rewind, speed, set or anatomy."
    )


def _parse_set(message: dict[str, Any]) -> dict[str, Any]:
    margin, scale = message.get("margin"), message.get("scale")
    if margin is not None:
        if not isinstance(margin, list) or len(margin) != 3:
            raise ValueError("margin must be a list of three numbers, m1, m2, m3.")
        margin = Margin(*margin)
    return {
        "type": "set",
        "member": whole("member", message.get("member", 0), 0, 255),
        "margin": margin,
        "scale": None if scale is None else within("scale", scale, 1e-3, 1e4),
        "id": whole("id", message.get("id", 0), 0, 2**53),
    }


def _answer(number: int, result: dict[str, Any]) -> str:
    """What a question about a sample is answered with, or why it cannot be."""
    if "error" in result:
        return _message("error", id=number, message=result["error"])
    return _message("anatomy", id=number, **result)


def _message(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def _same_origin(socket: WebSocket) -> bool:
    origin = socket.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == socket.headers.get("host")
    except ValueError:  # no address at all
        return False


async def _thumbnails(request: Request) -> Response:
    run = rooms.watch(request.path_params["token"])
    if run is None:
        return PlainTextResponse("no such run", status_code=404)
    sheet = await asyncio.to_thread(thumbnail_sheet, run.material)
    return Response(sheet, media_type="image/png", headers={"Cache-Control": "max-age=3600"})


async def _plotly(request: Request) -> Response:
    return FileResponse(_plotly_path(), headers={"Cache-Control": "max-age=86400"})


@lru_cache(maxsize=1)
def _plotly_path() -> Path:
    spec = importlib.util.find_spec("plotly")  # found, not imported: it would take half a second
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
