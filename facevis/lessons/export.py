"""A lesson as one HTML file, the course as a folder: what the app shows, from disk, with no server.

The modules of ``assets/web`` are put into the page as they are: each becomes a ``data:`` address in
an import map, and relative imports become names of that map. Tapes travel as base64.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from facevis.assets import asset_path, plotly_path
from facevis.i18n import LANGUAGES, translator
from facevis.lessons.bundle import bundle
from facevis.lessons.notes import notes_page
from facevis.lessons.programme import LESSONS, lesson
from facevis.lessons.tapes import tape
from facevis.validation import choice
from facevis.writing import in_words, write_whole

PLOTLY = "plotly.min.js"
ENTRY = "lesson/standalone.js"
_IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*)"(\.{1,2}/[^"]+)\"""")


def lesson_html(number: int, language: str, *, alone: bool = True) -> str:
    """One lesson as a page. ``alone`` puts Plotly inside; otherwise it lies beside the file.

    Unknown numbers and languages are ``ValueError``.
    """
    choice("lang", language, LANGUAGES)
    one = lesson(number)
    told = bundle(number, language, {})
    told["course"] = None if alone else _course()
    if alone:
        plotly = f"<script>{_escaped(_plotly())}</script>"
    else:
        plotly = f'<script src="{PLOTLY}" defer></script>'
    return _page(
        title=f"{number}. {told['title']} · facevis",
        language=language,
        data=told,
        tapes={name: tape(name).bytes for name in one.tapes},
        plotly=plotly,
    )


def write_lesson(number: int, language: str, path: Path) -> None:
    """Write one lesson; a file that was there stays until the new one is whole."""
    _write(path, lesson_html(number, language))


def write_course(
    language: str, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> None:
    """Write all lessons, an index, the notes and Plotly into a folder that any host can serve."""
    choice("lang", language, LANGUAGES)
    with in_words(folder, "name another folder"):
        folder.mkdir(parents=True, exist_ok=True)
    for place, one in enumerate(LESSONS):
        progress(place, len(LESSONS))
        _write(folder / file_name(one.number), lesson_html(one.number, language, alone=False))
    _write(folder / PLOTLY, _plotly())
    _write(folder / "notes.html", notes_page(language))
    _write(folder / "index.html", index_html(language))
    progress(len(LESSONS), len(LESSONS))


def file_name(number: int) -> str:
    """What a lesson of the course is called.

    >>> file_name(8)
    'lesson-08.html'
    """
    return f"lesson-{number:02}.html"


def index_html(language: str) -> str:
    """The course's first page."""
    t = translator(language)
    titles = bundle(1, language, {})["titles"]
    rows = "".join(
        f'<li><a href="{file_name(place + 1)}">{html.escape(title)}</a></li>'
        for place, title in enumerate(titles)
    )
    style = asset_path("web", "lesson", "notes.css").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(t("course_title"))}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{html.escape(t("course_title"))}</h1>
<p>{html.escape(t("lecture_lead"))}</p>
<ol class="course">{rows}</ol>
<p><a href="notes.html">{html.escape(t("notes_title"))}</a></p>
</main>
</body>
</html>
"""


def _course() -> dict[str, Any]:
    return {"files": [file_name(one.number) for one in LESSONS], "notes": "notes.html"}


def _page(
    *, title: str, language: str, data: dict[str, Any], tapes: dict[str, bytes], plotly: str
) -> str:
    modules = _modules()
    addresses = {f"facevis/{name}": _address(source) for name, source in modules.items()}
    packed = {name: base64.b64encode(content).decode() for name, content in tapes.items()}
    style = "\n".join(
        asset_path("web", *name.split("/")).read_text(encoding="utf-8")
        for name in (
            "live.css",
            "lesson/lesson.css",
            "lesson/diagrams.css",
            "lesson/standalone.css",
        )
    )
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<script type="importmap">{_json({"imports": addresses})}</script>
</head>
<body>
<main id="lesson"></main>
<script type="application/json" id="data">{_json(data)}</script>
<script type="application/json" id="tapes">{_json(packed)}</script>
{plotly}
<script type="module">import {{ begin }} from "facevis/{ENTRY}"; begin();</script>
</body>
</html>
"""


def _modules() -> dict[str, str]:
    """The entry and every module it needs, by path below ``assets/web``."""
    found: dict[str, str] = {}
    waiting = [ENTRY]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        source = asset_path("web", *name.split("/")).read_text(encoding="utf-8")
        found[name], wanted = _renamed(name, source)
        waiting += wanted
    return found


def _renamed(name: str, source: str) -> tuple[str, list[str]]:
    """A module with its imports under the names of the map, and what it imports.

    >>> _renamed("lesson/a.js", 'import { h } from "../dom.js";')
    ('import { h } from "facevis/dom.js";', ['dom.js'])
    """
    wanted: list[str] = []

    def rename(match: re.Match[str]) -> str:
        path = _resolved(PurePosixPath(name).parent, match[2])
        wanted.append(path)
        return f'{match[1]}"facevis/{path}"'

    return _IMPORT.sub(rename, source), wanted


def _resolved(folder: PurePosixPath, path: str) -> str:
    parts: list[str] = list(folder.parts)
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _address(source: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()


def _json(value: Any) -> str:
    """JSON inside a script: nothing in it can end the script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _escaped(source: str) -> str:
    return re.sub(r"</(script)", r"<\\/\1", source, flags=re.IGNORECASE)


@lru_cache(maxsize=1)
def _plotly() -> str:
    return plotly_path().read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """Write a whole file or none: what was there stays until the new one is complete."""
    with in_words(Path(str(path)[:200]), "name another file"):
        if not path.name or (path.exists() and not path.is_file()):
            raise OSError(0, "it is no file")
        write_whole(path, text)
