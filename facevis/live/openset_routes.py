"""The open-set report of a run over HTTP, and the pictures of its strangers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import fields
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from facevis.live.frames import THUMBNAIL, thumbnail_sheet
from facevis.live.look import Look, as_shown
from facevis.live.openset import Question, report
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun
from facevis.live.stream import BASE
from facevis.validation import whole

_REMEMBERED = 16
_PATIENCE = 30.0
_FEW = 800
"""So many pictures may be sent twice as large."""
_lock = threading.Lock()
_reports: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()


def routes() -> list[BaseRoute]:
    """Both of them."""
    return [
        Route(f"{BASE}/runs/{{token}}/openset.json", _report),
        Route(f"{BASE}/runs/{{token}}/strangers.png", _strangers),
    ]


def parse_question(query: dict[str, str]) -> Question:
    """The question of an address; ``ValueError`` in words.

    >>> parse_question({"stranger": "3", "full": "0"}).stranger
    3
    """
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(Question)):
        if name not in query:
            continue
        text = query[name]
        if not (text.isascii() and text.isdigit() and len(text) < 8):
            raise ValueError(f"{name} is {text[:40]!r}; give a whole number.")
        values[name] = int(text)
        if name == "full":
            values[name] = bool(whole("full", int(text), 0, 1))
    return Question(**values)


async def _report(request: Request) -> Response:
    run = rooms.watch(request.path_params["token"])
    if run is None:
        return _json({"error": "no such run", "gone": True}, 404)
    if request.query_params.get("only") == "state":
        run.ask()
        return _json({**_state(run, run.generation), "step": run.step}, 200)
    try:
        question = parse_question(dict(request.query_params))
    except ValueError as error:
        return _json({"error": str(error)}, 400)
    try:
        with run.asked():
            look = await asyncio.wait_for(asyncio.wrap_future(_ask(run)), _PATIENCE)
            token = request.path_params["token"]
            body = await asyncio.to_thread(_answer, token, run, look, question)
    except TimeoutError:
        return _json({"error": "the run is busy; it will be asked again."}, 503)
    except ValueError as error:
        return _json({"error": str(error), "state": run.state}, 200)
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _ask(run: ShownRun) -> Future[Any]:
    """A look at the run between two of its steps."""
    future: Future[Any] = Future()

    def tell(answer: dict[str, Any]) -> None:
        if not future.set_running_or_notify_cancel():  # from here on nobody can cancel it
            return
        if "error" in answer:
            future.set_exception(ValueError(answer["error"]))
        else:
            future.set_result((answer["look"], answer["generation"]))

    run.look(tell)
    return future


def _answer(token: str, run: ShownRun, looked: tuple[Look, int], question: Question) -> bytes:
    look, generation = looked
    key = (token, generation, look.step, tuple(run.members), question)
    with _lock:
        known = _reports.get(key)
    if known is None:
        known = json.dumps(report(look, run.compared, question)).encode()
        with _lock:
            _reports[key] = known
            while len(_reports) > _REMEMBERED:
                _reports.popitem(last=False)
    return known[:-1] + b", " + json.dumps(_state(run, generation))[1:].encode()


def _state(run: ShownRun, generation: int) -> dict[str, Any]:
    return {"state": run.state, "steps": run.last_step, "generation": generation}


def _json(value: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(value), status_code=status, media_type="application/json")


async def _strangers(request: Request) -> Response:
    run = rooms.watch(request.path_params["token"])
    if run is None:
        return PlainTextResponse("no such run", status_code=404)
    shown = as_shown(run.compared)
    sharp = len(shown.shown) <= _FEW and shown.dataset.images.shape[1] > THUMBNAIL
    side = 2 * THUMBNAIL if sharp else THUMBNAIL
    sheet = await asyncio.to_thread(thumbnail_sheet, shown, side)
    return Response(sheet, media_type="image/png", headers={"Cache-Control": "max-age=3600"})
