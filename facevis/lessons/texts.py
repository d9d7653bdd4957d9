"""What the lecture says: one Markdown file per lesson and language, read, checked and made HTML.

A file is TOML between ``+++`` lines, then sections by their English headings. ``[[name]]`` is a
number of ``claims``; ``$…$`` is a formula, made MathML. HTML in the text stays text.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from facevis.assets import asset_path
from facevis.lessons.claims import claim_text

SECTIONS = ("Lead", "Question", "Answer", "Text", "Take-away", "Sources", "Notes")
NOTES = ("Say", "Votes", "Misconceptions")
_OPTION = re.compile(r"- \[( |x)\] (.+)")


@dataclass(frozen=True)
class Option:
    """One answer to choose, as HTML."""

    text: str
    right: bool


@dataclass(frozen=True)
class LessonText:
    """A lesson's words in one language; all but title and minutes are HTML."""

    title: str
    minutes: int
    lead: str
    question: str
    options: tuple[Option, ...]
    answer: str
    text: str
    takeaway: str
    sources: str
    notes: dict[str, str]


def text_path(name: str, language: str) -> Path:
    """Where the words of a lesson lie: ``name`` is its number and slug."""
    return asset_path("lessons", language, f"{name}.md")


@lru_cache(maxsize=64)
def lesson_text(name: str, language: str) -> LessonText:
    """The words of a lesson; a file that breaks the form is a ``ValueError`` naming the part."""
    path = text_path(name, language)
    try:
        return parse(path.read_text(encoding="utf-8"), language)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} ({language}): {error}") from error


def parse(source: str, language: str) -> LessonText:
    """Read the text of a lesson's file."""
    _, front, body = _split(source)
    head = tomllib.loads(front)
    parts = _sections(body, "## ", SECTIONS)
    notes = _sections(parts["Notes"], "### ", NOTES)
    question, options = _question(parts["Question"], language)
    return LessonText(
        title=str(head["title"]),
        minutes=int(head["minutes"]),
        lead=_line(parts["Lead"], language),
        question=question,
        options=options,
        answer=_line(parts["Answer"], language),
        text=_html(parts["Text"], language),
        takeaway=_line(parts["Take-away"], language),
        sources=_html(parts["Sources"], language),
        notes={name: _html(text, language) for name, text in notes.items()},
    )


def _split(source: str) -> list[str]:
    pieces = source.split("+++\n", 2)
    if len(pieces) != 3 or pieces[0].strip():
        raise ValueError("it does not begin with TOML between two lines of +++.")
    return pieces


def _sections(body: str, mark: str, wanted: tuple[str, ...]) -> dict[str, str]:
    found = re.split(rf"^{re.escape(mark)}(.+)$", body, flags=re.MULTILINE)
    names = tuple(name.strip() for name in found[1::2])
    if names != wanted:
        raise ValueError(f"its sections are {', '.join(names)}; they must be {', '.join(wanted)}.")
    return dict(zip(names, (text.strip() for text in found[2::2]), strict=True))


def _question(text: str, language: str) -> tuple[str, tuple[Option, ...]]:
    lines = text.splitlines()
    found = [_OPTION.fullmatch(line) for line in lines]
    options = tuple(
        Option(_line(match[2], language), match[1] == "x") for match in found if match is not None
    )
    if len(options) < 2 or sum(option.right for option in options) != 1:
        raise ValueError("its question needs two or more options, one of them right.")
    asked = "\n".join(
        line for line, match in zip(lines, found, strict=True) if match is None
    ).strip()
    return _line(asked, language), options


def _html(text: str, language: str) -> str:
    # A formula on a line of its own is a paragraph of its own.
    text = re.sub(r"^(\$\$.+\$\$)$", r"\n\1\n", text, flags=re.MULTILINE)
    return str(_markdown().render(_fill(text, language))).strip()


def _line(text: str, language: str) -> str:
    """Without a paragraph around it."""
    return str(_markdown().renderInline(_fill(" ".join(text.split()), language))).strip()


def _fill(text: str, language: str) -> str:
    """Put the numbers in; between dollars a decimal comma must not become a list's."""

    def one(match: re.Match[str]) -> str:
        return claim_text(match[1], language)

    def formula(match: re.Match[str]) -> str:
        return re.sub(r"\[\[(\w+)\]\]", lambda m: one(m).replace(",", "{,}"), match[0])

    # A number and its sign of percent stay on one line.
    text = re.sub(r"(\]\]|\d) %", "\\1\u00a0%", text)
    text = re.sub(r"\$\$.+?\$\$|\$.+?\$", formula, text, flags=re.DOTALL)
    return re.sub(r"\[\[(\w+)\]\]", one, text)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": False})
    markdown.use(dollarmath_plugin, allow_space=False, renderer=_formula)
    return markdown


def _formula(content: str, options: dict[str, Any]) -> str:
    display = "block" if options.get("display_mode") else "inline"
    # A comma in braces is a decimal comma: one number, not a list of two.
    made = convert(content, display=display)
    return re.sub(
        r"<mn>(\d+)</mn><mrow><mo>(?:&#x0002C;|,)</mo></mrow><mn>(\d+)</mn>",
        r"<mn>\1,\2</mn>",
        made,
    )
