"""One browser on one run: frames go out with acknowledgements as back-pressure, commands come in.

A slow viewer gets the newest snapshot, never a queue of stale ones; snapshots of the recording are
never left out. A command that changes a run which others share makes a run of the viewer's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Protocol

from facevis.live import payloads
from facevis.live.commands import answer_of, message_of, parse_command
from facevis.live.frames import encode_snapshot
from facevis.live.projection import Projector, default_projection, parse_projection
from facevis.live.rates import Budget
from facevis.live.recording import Snapshot
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun
from facevis.live.trainer import LiveRun

IN_FLIGHT = 3
"""Frames under way without an acknowledgement."""
STATUS_SECONDS = 0.5
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 60.0, 240
"""What a viewer may send beside acknowledgements of frames: a slider sends 33 a second."""


class Socket(Protocol):
    """What a viewer needs of a WebSocket."""

    async def receive(self) -> Any:
        """The next message."""

    async def send_text(self, data: str) -> None:
        """Send words."""

    async def send_bytes(self, data: bytes) -> None:
        """Send a frame."""


class TooFast(Exception):
    """A viewer sends more than any browser of ours would."""


class Viewer:
    """What one browser has seen of its run, and what is on its way to it."""

    def __init__(
        self,
        socket: Socket,
        token: str,
        run: ShownRun,
        thumbnails: Callable[[str], str],
        *,
        steers: bool = True,
    ) -> None:
        self._socket, self._token, self._run = socket, token, run
        self._thumbnails, self._steers = thumbnails, steers
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._budget = Budget(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        self._in_flight = 0
        self._generation = -1
        self._sent_kept = 0
        self._sent_frame = -1
        self._already_sent: Snapshot | None = None
        self._status: str | None = None
        self._asked: dict[str, Any] | None = None
        self._answer: str | None = None
        self._projector: Projector | None = None
        self._leave = run.listen(self._wake_from_thread)

    def leave(self) -> None:
        """The browser is gone."""
        self._leave()

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
            self._answer = message_of("error", message=str(error))
        self._projector = Projector(projection)

    def _wake_from_thread(self) -> None:
        """The trainer's thread says that there is something new."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(self._changed.set)

    # -- what comes in ------------------------------------------------------------------------

    async def receive(self) -> None:
        """Take messages until the socket closes; ``TooFast`` for a flood."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text") or ""
            try:
                command = parse_command(text)
                if command["type"] == "ack" and self._in_flight:
                    self._in_flight -= 1
                    self._changed.set()
                    continue
                self._spend()
                await self._obey(command)
            except ValueError as error:
                self._spend()
                await self._socket.send_text(message_of("error", message=str(error)))

    def _spend(self) -> None:
        if not self._budget.spend():
            raise TooFast

    async def _obey(self, command: dict[str, Any]) -> None:
        kind = command["type"]
        if kind == "ack":
            return
        if not self._steers:
            raise ValueError(
                "this run can be watched only; begin one of your own in the Playground."
            )
        if kind == "anatomy":
            self._ask(command)
            return
        count = len(self._run.members)
        if kind == "set" and command["member"] >= count:
            raise ValueError(f"member is {command['member']}; choose one below {count}.")
        await self._take()
        run = self._run
        if kind == "set":
            fields = {k: command[k] for k in ("margin", "scale") if command[k] is not None}
            run.steer(command["member"], fields, command["id"])
        elif kind == "step":
            run.single_step(command["count"])
        elif kind == "speed":
            run.set_speed(command["steps_per_second"])
        else:
            {"play": run.play, "pause": run.pause, "rewind": run.rewind}[kind]()

    async def _take(self) -> None:
        """Make the run this viewer's own before it is changed."""
        token, run = rooms.take(self._token, self._run)
        if run is self._run:
            return
        self._leave()
        if isinstance(self._run, LiveRun) and not self._run.watched:
            self._run.doze()
        self._token, self._run = token, run
        self._leave = run.listen(self._wake_from_thread)
        await self._socket.send_text(message_of("forked", token=token))

    def _ask(self, message: dict[str, Any]) -> None:
        """Have a sample taken apart; a newer question takes the place of one still waiting."""

        def tell(result: dict[str, Any]) -> None:
            answer = answer_of(message["id"], result)
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.call_soon_threadsafe(self._keep_answer, answer)

        self._asked = message
        self._run.examine(message["sample"], tell, wanted=lambda: self._asked is message)

    def _keep_answer(self, answer: str) -> None:
        self._answer = answer
        self._changed.set()

    # -- what goes out ------------------------------------------------------------------------

    async def send(self) -> None:
        """Description first, then the newest frame, the recording so far, and what comes."""
        # How far apart so many classes can lie takes a second to find out, once.
        described = await asyncio.to_thread(self._describe)
        await self._socket.send_text(json.dumps(described))
        while True:
            await self._send_status()
            if self._generation != self._run.generation:
                if self._generation >= 0:
                    await self._socket.send_text(message_of("reset"))
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

        def make() -> bytes:
            return encode_snapshot(
                snapshot,
                kept=kept,
                time_ms=time_ms,
                applied=applied,
                aligned=run.aligned,
                projector=self._projector,
                labels=material.dataset.labels[material.shown],
            )

        # A projector goes on from what this viewer saw last: no two viewers share its frames.
        if self._projector or run.viewers <= 1:
            return make()
        made = payloads.kept if kept else payloads.live
        return made.get(snapshot, (kept, time_ms, applied, run.aligned), make)

    def _describe(self) -> dict[str, Any]:
        projection = self._projector.projection if self._projector else None
        described = self._run.describe(self._thumbnails(self._token), projection)
        return {**described, **self._state()}

    def _state(self) -> dict[str, Any]:
        run = self._run
        return {
            "state": run.state,
            "step": run.step,
            "steps": run.last_step,
            "steps_per_second": round(run.steps_per_second, 1),
            "speed": run.speed,
            "queue": run.queue - 1 if run.queue else None,
            "message": run.error,
        }

    async def _send_status(self) -> None:
        state = self._state()
        # The step itself travels with every frame; only a real change is worth a message.
        told = ("state", "steps", "steps_per_second", "speed", "queue", "message")
        key = json.dumps([state[name] for name in told])
        if key != self._status:
            self._status = key
            await self._socket.send_text(message_of("status", **state))
