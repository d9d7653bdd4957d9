"""What a whole room asks for at once, made once: bytes with their compressed form and a tag.

A handout is made on a thread and kept while there is room; who asks meanwhile waits for the same
one. Files are those of a table that is written at the start: no address can name another.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import importlib.util
import json
import mimetypes
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from facevis.assets import asset_path
from facevis.i18n import LANGUAGES, browser_strings
from facevis.lessons.bundle import bundle
from facevis.live.shown import ShownRun

KEPT_BYTES = 2**26
_PACKED = ("text/", "application/json", "image/svg")
"""What becomes smaller; tapes and pictures are small already."""
_BEFORE_THE_ANSWER = ("answer", "text", "takeaway")


@dataclass(frozen=True)
class Handout:
    """Bytes of one kind."""

    data: bytes
    media: str

    @cached_property
    def packed(self) -> bytes | None:
        """Compressed, where that helps."""
        return gzip.compress(self.data, 6) if self.media.startswith(_PACKED) else None

    @cached_property
    def tag(self) -> str:
        """What changes with the bytes."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:20]}"'

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.data) + len(self.packed or b"")


class Handouts:
    """Handouts by key; for one event loop."""

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._made: OrderedDict[Hashable, asyncio.Task[Handout]] = OrderedDict()
        self._room = room

    async def get(self, key: Hashable, make: Callable[[], Handout]) -> Handout:
        """The handout of a key, made if need be; what ``make`` raises is raised to all who wait."""
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = asyncio.create_task(asyncio.to_thread(_whole, make))
            task.add_done_callback(lambda done: self._settle(key, done))
        self._made.move_to_end(key)
        return await asyncio.shield(task)

    def _settle(self, key: Hashable, done: asyncio.Task[Handout]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._made.pop(key, None)
        sizes = {k: _size(task) for k, task in self._made.items()}
        while len(sizes) > 1 and sum(sizes.values()) > self._room:
            oldest = next(iter(sizes))
            del sizes[oldest], self._made[oldest]


def _whole(make: Callable[[], Handout]) -> Handout:
    """With its compressed form and its tag, which take their time too."""
    made = make()
    _ = made.packed, made.tag
    return made


def _size(task: asyncio.Task[Handout]) -> int:
    return task.result().size if task.done() and not task.exception() else 0


# -- what there is ------------------------------------------------------------------------------


def files() -> dict[str, Path]:
    """All files that the students' server has, by their address below its base."""
    found = {"plotly/plotly.min.js": _plotly()}
    for name, folder in (("web", asset_path("web")), ("tapes", asset_path("recordings", "tapes"))):
        inside = (path for path in sorted(folder.rglob("*")) if path.is_file())
        found |= {f"{name}/{path.relative_to(folder).as_posix()}": path for path in inside}
    return found


def file_handout(path: Path) -> Handout:
    """A file of that table."""
    media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kinds = {".js": "text/javascript", ".css": "text/css"}  # Windows may say otherwise
    return Handout(path.read_bytes(), kinds.get(path.suffix, media))


def shell() -> Handout:
    """The students' page, with the words of all languages in it."""
    words = {language: browser_strings(language) for language in LANGUAGES}
    page = asset_path("web", "classroom", "student.html").read_text(encoding="utf-8")
    return Handout(page.replace("{{words}}", _in_script(words)).encode(), "text/html")


def lesson_handout(
    number: int, language: str, run: tuple[str, str, ShownRun] | None, withheld: bool
) -> Handout:
    """A lesson; ``withheld`` without what tells the answer."""
    told = bundle(number, language, {}, run)
    if withheld:
        question = told["question"]
        options = [{**option, "right": None} for option in question["options"]]
        hidden = dict.fromkeys(_BEFORE_THE_ANSWER, "")
        told = {**told, **hidden, "question": {**question, "options": options}, "withheld": True}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return Handout(text.encode(), "application/json")


def _in_script(value: Any) -> str:
    """JSON inside a script: nothing in it can end the script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plotly() -> Path:
    spec = importlib.util.find_spec("plotly")  # found, not imported: it would take half a second
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
