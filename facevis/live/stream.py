"""The WebSocket route of a run, and the static routes the live view needs.

A socket whose Origin is not our own Host is refused; a viewer that sends without end is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from facevis.assets import asset_path, plotly_path
from facevis.live.commands import message_of
from facevis.live.frames import thumbnail_sheet
from facevis.live.rooms import rooms
from facevis.live.viewer import TooFast, Viewer

BASE = "/facevis"


def routes() -> list[BaseRoute]:
    """All routes of the live view, mounted beside Streamlit's on the same port."""
    return [WebSocketRoute(f"{BASE}/stream/{{token}}", stream), *pictures(), *static()]


def pictures() -> list[BaseRoute]:
    """What a run looks like besides its frames."""
    return [Route(f"{BASE}/runs/{{token}}/thumbnails.png", _thumbnails)]


def static() -> list[BaseRoute]:
    """Files that are the same for everybody."""
    return [
        Route(f"{BASE}/plotly/plotly.min.js", _plotly),
        Mount(f"{BASE}/web", StaticFiles(directory=asset_path("web"))),
        Mount(f"{BASE}/tapes", StaticFiles(directory=asset_path("recordings", "tapes"))),
    ]


async def stream(socket: WebSocket) -> None:
    """Serve one viewer of one run until either side leaves."""
    await watch(socket, steers=True)


async def watch(socket: WebSocket, *, steers: bool) -> None:
    """The same; one that does not steer gets everything and changes nothing."""
    if not same_origin(socket.headers):
        await socket.close(code=4403, reason="wrong origin")
        return
    token = socket.path_params["token"]
    run = rooms.watch(token)
    await socket.accept()
    if run is None:
        await socket.send_text(message_of("gone"))
        await socket.close(code=4404, reason="no such run")
        return
    viewer = Viewer(socket, token, run, thumbnails_of, steers=steers)
    viewer.choose_projection(socket.query_params.get("project"))
    sender = asyncio.create_task(viewer.send())
    try:
        await viewer.receive()
    except TooFast:
        with contextlib.suppress(RuntimeError):
            await socket.close(code=4429, reason="too many messages")
    except (WebSocketDisconnect, RuntimeError):
        pass  # a closed tab needs no farewell
    finally:
        viewer.leave()
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await sender


def thumbnails_of(token: str) -> str:
    """Where the pictures of a run are."""
    return f"{BASE}/runs/{token}/thumbnails.png"


def same_origin(headers: Headers) -> bool:
    """Whether a page of ours asks, or no page at all."""
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # no address at all
        return False


async def _thumbnails(request: Request) -> Response:
    run = rooms.watch(request.path_params["token"])
    if run is None:
        return PlainTextResponse("no such run", status_code=404)
    sheet = await asyncio.to_thread(thumbnail_sheet, run.material)
    return Response(sheet, media_type="image/png", headers={"Cache-Control": "max-age=3600"})


async def _plotly(request: Request) -> Response:
    return FileResponse(plotly_path(), headers={"Cache-Control": "max-age=86400"})
