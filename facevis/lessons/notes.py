"""The speaker's notes of the whole lecture: one page for a second window or for paper."""

from __future__ import annotations

import html
from collections.abc import Callable

from facevis.assets import asset_path
from facevis.i18n import translator
from facevis.lessons.programme import LESSONS
from facevis.lessons.texts import NOTES, LessonText, lesson_text

Translate = Callable[..., str]


def notes_page(language: str) -> str:
    """The page, complete in itself; lesson 8 is at ``#lesson-8``."""
    t = translator(language)
    texts = [lesson_text(one.name, language) for one in LESSONS]
    total = sum(text.minutes for text in texts)
    sections = "\n".join(
        _section(t, one.number, text) for one, text in zip(LESSONS, texts, strict=True)
    )
    contents = "".join(
        f"<li><a href='#lesson-{one.number}'>{html.escape(text.title)}</a> "
        f"<small>{_minutes(t, text.minutes)}</small></li>"
        for one, text in zip(LESSONS, texts, strict=True)
    )
    style = asset_path("web", "lesson", "notes.css").read_text(encoding="utf-8")
    script = asset_path("web", "lesson", "notes.js").read_text(encoding="utf-8")
    title = html.escape(t("notes_title"))
    clock = html.escape(t("notes_clock_title"))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p class="clock"><button type="button" id="clock" title="{clock}">0:00</button></p>
<h1>{title}</h1>
<p>{html.escape(t("notes_lead", minutes=total))}</p>
<ol>{contents}</ol>
</header>
<main>
{sections}
</main>
<script>{script}</script>
</body>
</html>
"""


def _section(t: Translate, number: int, text: LessonText) -> str:
    letters = "".join(
        f"<li{' class=right' if option.right else ''}>{option.text}</li>" for option in text.options
    )
    notes = "".join(
        f"<h3>{html.escape(t('notes_' + name.lower()))}</h3>\n{text.notes[name]}" for name in NOTES
    )
    return f"""<section id="lesson-{number}">
<h2><span>{number}</span> {html.escape(text.title)} <small>{_minutes(t, text.minutes)}</small></h2>
<p class="question">{text.question}</p>
<ol class="options">{letters}</ol>
{notes}
<p class="takeaway"><b>{html.escape(t("live_lesson_takeaway"))}</b> {text.takeaway}</p>
</section>"""


def _minutes(t: Translate, minutes: int) -> str:
    return html.escape(t("notes_minutes", minutes=minutes))
