"""What stands on the pages that the README shows: their words, and where their parts are.

``docs/pictures.py`` keeps both beside the pictures, and a test looks again: a picture whose page
has other words or other places is out of date. Pixels are not compared: fonts and machines differ.
The pages are opened with runs of a few steps: nothing that is compared depends on how long a run
was, and numbers are left out of the words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
from classroom import classroom
from network_files import STRANGERS, one_thread
from playwright.sync_api import Browser, Page
from runs import small

from facevis.classroom.room import Classroom
from facevis.fullscale import runs
from facevis.fullscale.training import Training

WINDOW = {"width": 1280, "height": 800}
WORDS = Path(__file__).parents[1] / "docs" / "pictures" / "words.json"
PHONE = {"width": 390, "height": 844}
LESSON = 7
"""The lesson on the phones: where ArcFace's margin moves the border."""
APART = 5.0
"""So many hundredths of the window may lie between two places that are the same: fonts differ."""
WELL_INSIDE = 85.0
PATIENCE = 120_000
"""Milliseconds for a page on a machine that has much else to do."""

_DRAWN = "document.querySelector('.fv-plot canvas, .fv-plot .main-svg')"
ENDED = (
    f"{_DRAWN} && ['finished', 'recorded'].includes("
    "document.querySelector('.fv-state')?.dataset.state)"
)
"""A live view that is drawn and trains no more."""
MEASURED = "document.querySelector('.fv-open[data-state=finished]')"
"""Strangers that are compared."""


class Short(NamedTuple):
    """A page with as little behind it as its words need."""

    address: str
    there: str
    """What is so once the words are on screen."""
    parts: tuple[str, ...]
    """What must keep its place."""


LIVE = (".fv-stage", ".fv-transport", ".fv-panel")
SHORT = {
    "playground": Short("?preset=arcface", ENDED, LIVE),
    "lecture": Short(
        "lecture?lesson=8",
        "document.querySelector('.fv-lesson-figure canvas')",
        (".fv-lesson h1", ".fv-lesson-figure", ".fv-question"),
    ),
    "compare": Short(
        "compare?members=normalized_softmax,arcface&n=7&unseen=3&steps=4", ENDED, LIVE
    ),
    "scrub": Short("scrub?sweep=m2&from=0&to=1&models=3&n=7&unseen=3&steps=4", ENDED, LIVE),
    "strangers": Short(
        "strangers?data=digits&n=7&unseen=3&dim=8&steps=4&members=softmax,triplet,arcface",
        MEASURED,
        (".fv-open", ".fv-open figure"),
    ),
    "fullscale": Short(
        "fullscale?run=short",
        "document.querySelector('.fv-training figure svg path')",
        (".fv-training", ".fv-training-numbers"),
    ),
    "dimensions": Short("dimensions?run=short", _DRAWN, (".fv-stage", ".fv-panel")),
    "runs": Short(
        "runs?runs=short",
        "document.querySelector('[data-testid=stDataFrame] canvas')",
        ("[data-testid=stDataFrame]", "[data-testid=stMultiSelect]"),
    ),
    "yourself": Short(
        "yourself",
        "document.querySelector('[data-testid=stAlert]')"
        " && document.querySelector('[data-testid=stSidebar] [data-testid=stFileUploader]')",
        ("[data-testid=stMain] h2", "[data-testid=stFileUploader]"),
    ),
}

_READ = """(parts) => {
  const hundredths = (value, whole) => Math.round((1000 * value) / whole) / 10;
  const there = (el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && el.getBoundingClientRect().width > 1;
  const said = (el) => {
    const copy = el.cloneNode(true);
    copy.querySelectorAll("[data-testid=stIconMaterial]").forEach((icon) => icon.remove());
    return copy.textContent || el.getAttribute("aria-label") || "";
  };
  const spoken = "h1,h2,h3,h4,summary,label,legend,th,button,[role=tab],header a";
  const words = [...document.querySelectorAll(spoken)].filter(there)
    .map((el) => [said(el), hundredths(el.getBoundingClientRect().top, innerHeight)]);
  const places = Object.fromEntries(parts.map((part) => {
    const box = document.querySelector(part)?.getBoundingClientRect();
    return [part, box ? [hundredths(box.left, innerWidth), hundredths(box.top, innerHeight),
      hundredths(box.width, innerWidth)] : null];
  }));
  return { words, places };
}"""


def short_run(folder: Path) -> None:
    """A full-scale run of a few steps with all that its pages show, in this process."""
    follow = {"evaluate_every": 2, "angle_identities": 8, "checkpoint_every": 2}
    changes = {f"follow__{name}": value for name, value in follow.items()}
    config = small(4, follow__sets=(STRANGERS,), **changes)
    runs.prepare(folder, config)
    with one_thread():
        Training(folder, config, torch.device("cpu")).run()


def window(browser: Browser, size: dict[str, int], **more: Any) -> Page:
    """A page of a browser of its own: light, English, nothing in motion."""
    look = {"color_scheme": "light", "locale": "en-US", "reduced_motion": "reduce"}
    return browser.new_context(viewport=size, **(look | more)).new_page()


def opened(page: Page, url: str, address: str, there: str, patience: int = PATIENCE) -> Page:
    """Go to a page of the app and wait until it is ``there`` and nothing runs behind it."""
    page.goto(f"{url}/{address}{'&' if '?' in address else '?'}lang=en")
    # The menu on top is "9 more" until Streamlit has measured how many names have room.
    still = (
        "document.querySelector('[data-test-script-state=notRunning]')"
        " && document.querySelectorAll('header a').length > 4"
    )
    page.wait_for_function(f"{still} && ({there})", timeout=patience)
    return page


def asked(page: Page, url: str, room: Classroom) -> Page:
    """A student comes in as by the QR code and is asked the question of the lesson."""
    room.show_lesson(LESSON, "en")
    room.act(LESSON, "open")
    page.goto(f"{url}/#{room.door.code}")
    page.locator(".fv-question[data-vote=open]").wait_for(timeout=PATIENCE)
    return page


def read(page: Page, parts: tuple[str, ...]) -> dict[str, Any]:
    """The words of a page, without numbers, and how far down they stand; and the places of parts
    of it: left, top and width. All in hundredths of the window."""
    found = page.evaluate(_READ, list(parts))
    words: dict[str, float] = {}
    for text, top in found["words"]:
        plain = re.sub(r"[\d.,]+", "#", " ".join(text.split()))
        if re.search(r"[^\W\d_]{2}", plain):
            words.setdefault(plain, top)
    return {"words": words, "places": found["places"]}


def at_rest(page: Page, parts: tuple[str, ...]) -> dict[str, Any]:
    """What ``read`` says twice in a row: Streamlit puts a page together piece by piece."""
    before = None
    for _ in range(60):
        now = read(page, parts)
        if now == before:
            break
        before = now
        page.wait_for_timeout(500)
    return now


def everything(browser: Browser, url: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Words and places of all pages, by the names of their pictures.

    ``url`` is an app whose folder of runs has a ``short_run`` of the name short.
    """
    found = {}
    page = window(browser, WINDOW)
    for name, short in SHORT.items():
        parts = "".join(f" && document.querySelector('{part}')" for part in short.parts)
        opened(page, url, short.address, short.there + parts)
        found[name] = at_rest(page, short.parts)
    page.context.close()
    with classroom(folder) as (room, students):
        page = asked(window(browser, PHONE), students, room)
        found["students"] = at_rest(page, (".fv-way", ".fv-lesson h1", ".fv-question"))
        page.context.close()
    return found


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In words what is no longer as it was on one page.

    Words near the lower edge of the window may stand beyond it where fonts are larger: only what is
    well inside must be known to the other.
    """
    said = [f"{word!r} is gone" for word in _inside(then) if word not in now["words"]]
    said += [f"{word!r} is new" for word in _inside(now) if word not in then["words"]]
    for part, before in then["places"].items():
        place = now["places"].get(part)
        if _moved(before, place):
            said.append(f"{part} was at {before}, is at {place}")
    return said


def _inside(page: dict[str, Any]) -> list[str]:
    return [word for word, top in page["words"].items() if 0 <= top < WELL_INSIDE]


def _moved(before: list[float] | None, now: list[float] | None) -> bool:
    if before is None or now is None:
        return before is not now
    return any(abs(a - b) > APART for a, b in zip(before, now, strict=True))
