"""The students' web server as a Starlette app: a page, lessons, small runs to watch, and a seat.

There is nothing else: no upload, no file but those of a fixed table, no command to a run.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from facevis.classroom import handouts, seat
from facevis.classroom.guard import Guard
from facevis.classroom.handouts import Handout, Handouts
from facevis.classroom.messages import LARGEST, parse_code, parse_try
from facevis.classroom.room import Classroom
from facevis.classroom.trying import small_run
from facevis.i18n import LANGUAGES, told, translator
from facevis.lessons.programme import LESSONS, WITH_RUN
from facevis.lessons.taping import tape_of_run
from facevis.live import stream
from facevis.live.frames import describe_member, thumbnail_sheet
from facevis.live.rates import Budget
from facevis.live.rooms import RoomFull, rooms
from facevis.live.shown import ShownRun

BASE = stream.BASE
BODY_SECONDS = 5.0
TRIES_A_SECOND, TRIES_AT_ONCE = 0.5, 4
RUNS_AT_ONCE = 2
"""Runs whose pictures are being made; lessons are not to wait for them."""
DAY, ASK = "private, max-age=86400", "private, no-cache"
Answer = Callable[[Request], Awaitable[Response]]


def students_app(room: Classroom) -> ASGIApp:
    """The whole server of a room."""
    students = Students(room)
    return Guard(
        Starlette(
            routes=[
                Route("/", students.page),
                Route(f"{BASE}/join", students.join, methods=["POST"]),
                Route(f"{BASE}/joined", students.joined),
                Route(f"{BASE}/lesson/{{number:int}}.json", students.seated(students.lesson)),
                Route(f"{BASE}/try", students.seated(students.attempt), methods=["POST"]),
                Route(f"{BASE}/runs/{{token}}/thumbnails.png", students.seated(students.sheet)),
                Route(f"{BASE}/runs/{{token}}/lesson.tape", students.seated(students.tape)),
                WebSocketRoute(f"{BASE}/stream/{{token}}", students.stream),
                WebSocketRoute(f"{BASE}/seat", students.seat),
                *(
                    Route(f"{BASE}/{name}/{{path:path}}", students.file)
                    for name in ("web", "tapes", "plotly")
                ),
            ]
        )
    )


class Students:
    """What the routes of a room answer."""

    def __init__(self, room: Classroom) -> None:
        self._room = room
        self._handouts = Handouts()
        self._files = handouts.files()
        self._tries: dict[str, Budget] = {}
        self._sharing = asyncio.Semaphore(RUNS_AT_ONCE)

    # -- coming in ------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """The page itself; what it shows, it asks for."""
        made = await self._handouts.get("page", handouts.shell)
        return _respond(request, made, ASK)

    async def join(self, request: Request) -> Response:
        """Who knows the code gets a cookie; who has one keeps it."""
        try:
            code = parse_code(await _body(request))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        if self._knows(request):
            return Response(status_code=204)
        address = request.client.host if request.client else ""
        found = self._room.door.try_code(code, address)
        if found != "in":
            return _json({"error": found}, 429 if found == "slow" else 403)
        answer = Response(status_code=204)
        token = self._room.seats.admit()
        answer.set_cookie(seat.COOKIE, token, httponly=True, samesite="strict", path="/")
        return answer

    async def joined(self, request: Request) -> Response:
        """Whether the cookie is known; a page asks at its first visit, when no is no fault."""
        return Response(status_code=204) if self._knows(request) else _json({"joined": False}, 200)

    async def seat(self, socket: WebSocket) -> None:
        """The seat's socket."""
        await seat.serve(socket, self._room)

    # -- with a seat ----------------------------------------------------------------------------

    def seated(self, answer: Answer) -> Answer:
        """For those who have a seat."""

        async def asked(request: Request) -> Response:
            if not self._knows(request):
                return _json({"error": "join first"}, 401)
            if not self._room.seats.seated(_token(request)):
                return _json({"error": "the room is full; wait for a seat."}, 503)
            return await answer(request)

        return asked

    async def lesson(self, request: Request) -> Response:
        """A lesson; of the one that is being asked about, not the answer."""
        number, language = request.path_params["number"], request.query_params.get("lang", "")
        if not 1 <= number <= len(LESSONS):
            return _json({"error": f"lesson is {number}; there are {len(LESSONS)}."}, 404)
        language = language if language in LANGUAGES else LANGUAGES[0]
        run = self._stand_in(number)
        withheld = self._room.withheld(number)
        step = run[2].step if run else None
        made = await self._handouts.get(
            ("lesson", number, language, withheld, run and run[:2], step),
            lambda: handouts.lesson_handout(number, language, run, withheld),
        )
        return _respond(request, made, "no-store")

    def _stand_in(self, number: int) -> tuple[str, str, ShownRun] | None:
        """What the lecturer shows instead of the lesson's recording."""
        scene = self._room.scene
        shown = scene.get("run") if number == WITH_RUN == scene.get("number") else None
        run = rooms.watch(shown["token"]) if shown else None
        return (shown["token"], shown["title"], run) if shown and run else None

    async def attempt(self, request: Request) -> Response:
        """A small run of a student's own settings, trained once for all who ask for it."""
        if not self._budget(_token(request)).spend():
            return _json({"error": "that was quick; try again in a few seconds."}, 429)
        t = translator(request.query_params.get("lang", ""))
        try:
            config, ignored = small_run(parse_try(await _body(request)))
            async with self._sharing:
                token = await asyncio.to_thread(partial(rooms.share, config, guest=True))
        except RoomFull as error:
            return _json({"error": str(error)}, 503)
        except ValueError as error:
            return _json({"error": told(t, error)}, 400)
        member = describe_member(config.members[0])
        said = [told(t, each) for each in ignored]
        return _json({"token": token, "mode": "single", "ignored": said, "member": member}, 200)

    def _budget(self, token: str) -> Budget:
        while len(self._tries) > 4 * self._room.limits.students:
            self._tries.pop(next(iter(self._tries)))
        return self._tries.setdefault(token, Budget(TRIES_A_SECOND, TRIES_AT_ONCE))

    async def stream(self, socket: WebSocket) -> None:
        """A run, to look at only; so many at once as a browser has windows."""
        token = _token(socket)
        if not self._room.seats.seated(token):
            await socket.close(code=seat.UNKNOWN, reason="no seat")
            return
        if not self._room.seats.enter(token):
            await socket.close(code=seat.TOO_MANY, reason="too many windows")
            return
        try:
            await stream.watch(socket, steers=False)
        finally:
            self._room.seats.leave(token)

    async def sheet(self, request: Request) -> Response:
        """The pictures of a run, small, on one sheet."""
        return await self._of_run(
            request, "sheet", lambda run: Handout(thumbnail_sheet(run.material), "image/png")
        )

    async def tape(self, request: Request) -> Response:
        """A run as a lesson plays it."""
        media = "application/octet-stream"
        return await self._of_run(request, "tape", lambda run: Handout(tape_of_run(run), media))

    async def _of_run(
        self, request: Request, name: str, make: Callable[[ShownRun], Handout]
    ) -> Response:
        token = request.path_params["token"]
        run = rooms.watch(token)
        if run is None or (name == "tape" and not run.recording.snapshots):
            return PlainTextResponse("no such run", status_code=404)
        step = run.step if name == "tape" else 0
        made = await self._handouts.get((name, token, step), lambda: make(run))
        return _respond(request, made, ASK)

    async def file(self, request: Request) -> Response:
        """A file of the table."""
        name = request.url.path.removeprefix(f"{BASE}/")
        path = self._files.get(name)
        if path is None:
            return PlainTextResponse("no such file", status_code=404)
        made = await self._handouts.get(
            (path, path.stat().st_mtime_ns), lambda: handouts.file_handout(path)
        )
        return _respond(request, made, ASK if name.startswith("web/") else DAY)

    def _knows(self, request: HTTPConnection) -> bool:
        return self._room.seats.knows(_token(request))


def _token(request: HTTPConnection) -> str:
    return request.cookies.get(seat.COOKIE, "")


async def _body(request: Request) -> bytes:
    """The body of a form; one that is long or does not come is a ``ValueError``."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise ValueError(f"the form is longer than {LARGEST} bytes; send less.")
    except (TimeoutError, ClientDisconnect) as error:
        raise ValueError(
            f"the form did not come within {BODY_SECONDS:g} seconds; send it again."
        ) from error
    return body


def _respond(request: Request, made: Handout, keep: str) -> Response:
    headers = {"ETag": made.tag, "Cache-Control": keep, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == made.tag:
        return Response(status_code=304, headers=headers)
    if made.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(made.packed, headers=headers, media_type=made.media)
    return Response(made.data, headers=headers, media_type=made.media)


def _json(value: dict[str, Any], status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(value), status, headers, media_type="application/json")
