"""A lesson as the browser is told of it: words, controls, numbers for its figure, one JSON object.

The app's page and the exported file hand the same bundle to the same modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from facevis.datasets import load
from facevis.geometry import packing_angle
from facevis.i18n import Said, browser_strings
from facevis.lessons.angles import COUNTS, packing_table
from facevis.lessons.programme import (
    LESSONS,
    WITH_RUN,
    controls_of_run,
    lesson,
    values_from_query,
)
from facevis.lessons.tapes import TRIPLET_MARGINS, tape
from facevis.lessons.texts import lesson_text
from facevis.link_parts import ignored_part
from facevis.links import start_from_query
from facevis.live.material import material_for
from facevis.live.shown import ShownRun
from facevis.live.sweep import POSTERIOR, sweep_bound, swept_values
from facevis.mining import MINING

HIDEABLE = ("question", "controls", "text", "bar", "readouts", "lead")
BROAD = ("costs", "effect", "strangers")
"""Figures that are wider than high."""
VIEWS = ("normal", "present")


def bundle(
    number: int,
    language: str,
    values: Mapping[str, float | str],
    run: tuple[str, str, ShownRun] | None = None,
) -> dict[str, Any]:
    """What the view is told of a lesson; ``values`` are those of its controls.

    ``run`` (token, name, run) stands in for the recording of the lesson that can take one.

    >>> told = bundle(10, "en", {})
    >>> told["number"], told["figure"], [control["name"] for control in told["controls"]]
    (10, 'circle', ['scene', 'count', 'm1', 'm2', 'm3'])
    """
    one = lesson(number)
    text = lesson_text(one.name, language)
    controls, own = one.controls, {}
    if run is not None and number == WITH_RUN:
        token, name, shown = run
        dim, people = shown.config.embedding_dim, shown.material.num_classes
        controls = controls_of_run(len(shown.members), people, dim)
        told = {"token": token, "name": name, "step": shown.step, "people": people}
        values, own = {}, {"run": told}
    return {
        **own,
        "number": number,
        "count": len(LESSONS),
        "titles": [lesson_text(other.name, language).title for other in LESSONS],
        "lang": language,
        "title": text.title,
        "lead": text.lead,
        "question": {
            "text": text.question,
            "options": [{"text": o.text, "right": o.right} for o in text.options],
        },
        "answer": text.answer,
        "text": text.text,
        "takeaway": text.takeaway,
        "sources": text.sources,
        "figure": one.figure,
        "shape": "broad" if one.figure in BROAD else "square",
        "controls": [control.to_json() for control in controls],
        "values": {**{c.name: c.value for c in controls}, **values},
        "facts": FACTS.get(one.figure, dict)(),
        "tapes": list(one.tapes),
        "try": {"page": one.page, "query": dict(one.query)},
        "strings": browser_strings(language),
    }


def opening(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The lecture's state in a link: which lesson, how it is shown, its controls; and a sentence
    for each part that was ignored.

    >>> state, ignored = opening({"lesson": "8", "m2": "0.4", "hide": "seed,everything"})
    >>> state["number"], state["values"]["m2"], state["hidden"]
    (8, 0.4, ['seed'])
    >>> ignored
    ['hide=everything was ignored: choose one of question, ..., lead, or a control.']
    """
    ignored: list[str] = []
    number = _number(query.get("lesson", "1"), ignored)
    one = lesson(number)
    values, wrong = values_from_query(one, query)
    # What another lesson has may stand in the link: one goes on to it.
    known = {*HIDEABLE, *(control.name for other in LESSONS for control in other.controls)}
    hidden = list(dict.fromkeys(name for name in query.get("hide", "").split(",") if name))[:20]
    ignored += wrong
    for name in hidden:
        if name not in known:
            hideable = Said("link_hideable", choices=", ".join(HIDEABLE))
            ignored.append(ignored_part("hide", name, hideable))
    state = {
        "number": number,
        "values": values,
        "hidden": [name for name in hidden if name in known],
        "view": _one_of("view", query, VIEWS, ignored),
        "revealed": _one_of("answer", query, ("0", "1"), ignored) == "1",
        "start": start_from_query(query, ignored),
    }
    return state, ignored


def _number(text: str, ignored: list[str]) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if 1 <= number <= len(LESSONS):
        return number
    ignored.append(ignored_part("lesson", text, Said("link_choose_lesson", count=len(LESSONS))))
    return 1


def _one_of(
    name: str, query: Mapping[str, str], choices: tuple[str, ...], ignored: list[str]
) -> str:
    text = query.get(name, choices[0])
    if text in choices:
        return text
    ignored.append(ignored_part(name, text, Said("link_choose", choices=", ".join(choices))))
    return choices[0]


def _triplet_facts() -> dict[str, Any]:
    config = tape("triplet").config
    batches = len(material_for(config).train) // config.batch_size
    return {
        "margins": [str(margin) for margin in TRIPLET_MARGINS],
        "mining": list(MINING),
        "epoch20": 20 * batches,
    }


def _effect_facts() -> dict[str, Any]:
    config = tape("margin-0").config
    bound = sweep_bound(config, "m2", config.identities or 0)
    return {"values": swept_values(config, "m2"), "bound": bound}


def _circle_facts() -> dict[str, Any]:
    return {
        "angles": [math.degrees(packing_angle(count, 2)) for count in COUNTS],
        "scale": tape("cosface").config.members[0].scale,
    }


FACTS: dict[str, Callable[[], dict[str, Any]]] = {
    "siamese": lambda: {"images": len(load("digits").labels)},
    "triplet": _triplet_facts,
    "dimension": lambda: {"angles": packing_table()},
    "sphere": lambda: {"posterior": POSTERIOR},
    "effect": _effect_facts,
    "formula": lambda: {"losses": [m.objective for m in tape("family").config.members]},
    "circle": _circle_facts,
}
"""Numbers that a figure needs, by its name."""
