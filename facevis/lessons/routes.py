"""Routes of the lecture beside the live view's: the speaker's notes, a link as a QR code, and a
run as a lesson plays it."""

from __future__ import annotations

import asyncio
import io

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from facevis.i18n import LANGUAGES
from facevis.lessons.notes import notes_page
from facevis.lessons.taping import tape_of_run
from facevis.live.rooms import rooms
from facevis.live.stream import BASE

LONGEST_LINK = 2000


def routes() -> list[BaseRoute]:
    """All of them."""
    return [
        Route(f"{BASE}/notes/{{lang}}", _notes),
        Route(f"{BASE}/qr.svg", _qr),
        Route(f"{BASE}/runs/{{token}}/lesson.tape", _tape),
    ]


def qr_svg(text: str) -> bytes:
    """A text as a QR code, black on white so that any phone reads it from a dark page too.

    >>> qr_svg("https://example.org")[:14]
    b'<?xml version='
    """
    if not 0 < len(text) <= LONGEST_LINK:
        raise ValueError(
            f"the link has {len(text)} characters; a QR code holds 1 to {LONGEST_LINK}."
        )
    buffer = io.BytesIO()
    segno.make(text, micro=False).save(buffer, kind="svg", scale=8, border=3, light="#ffffff")
    return buffer.getvalue()


async def _notes(request: Request) -> Response:
    language = request.path_params["lang"]
    return HTMLResponse(notes_page(language if language in LANGUAGES else LANGUAGES[0]))


async def _tape(request: Request) -> Response:
    run = rooms.watch(request.path_params["token"])
    if run is None or not run.recording.snapshots:
        return PlainTextResponse("no such run", status_code=404)
    data = await asyncio.to_thread(tape_of_run, run)
    return Response(data, media_type="application/octet-stream")


async def _qr(request: Request) -> Response:
    try:
        return Response(qr_svg(request.query_params.get("text", "")), media_type="image/svg+xml")
    except ValueError as error:
        return PlainTextResponse(str(error), status_code=400)
