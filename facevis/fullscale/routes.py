"""The route by which a page watches a full-scale run: JSON, by the token of a page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from facevis.fullscale.watching import watches


def routes(base: str) -> list[BaseRoute]:
    """``BASE/training/TOKEN.json?from=PLACE&log=1``."""
    return [Route(f"{base}/training/{{token}}.json", _training)]


async def _training(request: Request) -> Response:
    watch = watches.find(request.path_params["token"])
    if watch is None:
        return _json({"gone": True}, 404)
    asked = request.query_params
    try:
        told = await asyncio.to_thread(watch.poll, asked.get("from", ""), asked.get("log") == "1")
    except ValueError as error:
        return _json({"gone": True, "sentence": str(error)}, 404)
    return _json(told, 200)


def _json(value: dict[str, Any], status: int) -> Response:
    # A text that was edited by hand may hold halves of letters.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    body = text.encode("utf-8", "replace")
    headers = {"Cache-Control": "no-store"}
    return Response(body, status, headers, media_type="application/json")
