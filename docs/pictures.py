"""The README's pictures, made anew from the real app in a real browser.

``.venv/bin/python docs/pictures.py`` trains two small runs, opens every page, and writes
``docs/pictures``: the pictures, and the words and places that a test compares with the pages
(``tests/onscreen.py``). Names behind it make only those, ``docs/pictures.py scrub film``, and the
words of all. It wants Chromium and takes five minutes on two cores. Faces are drawn, of nobody.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Locator, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "benchmarks"), str(ROOT / "tests")]

import onscreen  # noqa: E402
import served  # noqa: E402
from classroom import classroom  # noqa: E402
from faces_drawn import drawn  # noqa: E402

from facevis.photographs import Detector  # noqa: E402

FOLDER = onscreen.WORDS.parent
PATIENCE = 600_000
"""Milliseconds until a page has trained and measured what it shows, on a busy machine."""
DRAWN_SECONDS = 2.0
"""Charts beside a picture follow it at their own pace."""
TRAINED = {
    "arcface": ("--head.m2", "0.3"),
    "cosface": ("--head.m2", "0", "--head.m3", "0.2"),
}
"""Two full-scale runs, by name, and what tells them apart."""
DEMO = (
    *("--data.train", "faces:identities=60,images=20,size=32", "--batch-size", "64"),
    *("--follow.sets", "faces:identities=30,images=8,size=32,seed=1"),
    *("--backbone.embedding-dim", "512", "--follow.angle-identities", "60"),
    *("--follow.evaluate-every", "20", "--follow.checkpoint-every", "20", "--follow.keep", "9"),
)
FILM_MS, LAST_MS = 70, 1400
ROUND = 12
"""Pixels of the page left around the film."""
QUALITY = 80


# -- what the pages show --------------------------------------------------------------------------


def train(home: Path) -> None:
    """Full-scale runs of a few minutes, on one thread: on two they wait for a busy machine."""
    for name, head in TRAINED.items():
        command = [sys.executable, "-m", "facevis", "train", "demo", *DEMO, *head]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        subprocess.run([*command, "--out", f"runs/{name}"], cwd=home, env=environment, check=True)


def draw_people(home: Path) -> None:
    """Photographs of people who do not exist: two of the first in ``you``, of others ``people``."""
    detector, kept = Detector(), Counter[int]()
    for person, picture in drawn(9, each=5):
        if not detector.faces(picture) or (person == 0 and kept[0] == 2):
            continue
        kept[person] += 1
        folder = home / ("you" if person == 0 else f"people/person {person}")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{kept[person]}.png")


# -- one picture a page ---------------------------------------------------------------------------


class Shown(NamedTuple):
    """A page of the app as its picture has it."""

    address: str
    there: str
    """What is so once all is drawn."""
    height: int
    """Of the window."""
    end: int
    """Where the picture ends at the latest."""


LESSON_DRAWN = "document.querySelector('.fv-lesson-figure canvas')"
PAGES = {
    "playground": Shown("?preset=arcface", onscreen.ENDED, 960, 960),
    "lecture": Shown("lecture?lesson=8", LESSON_DRAWN, 960, 960),
    "compare": Shown("compare?losses=softmax_arcface", onscreen.ENDED, 850, 810),
    "scrub": Shown("scrub", onscreen.ENDED, 800, 753),
    "strangers": Shown("strangers", onscreen.MEASURED, 860, 660),
    "fullscale": Shown("fullscale?run=arcface", onscreen.SHORT["fullscale"].there, 1180, 1100),
    "dimensions": Shown("dimensions?run=arcface", onscreen.SHORT["dimensions"].there, 860, 860),
    "runs": Shown("runs?runs=arcface,cosface", onscreen.SHORT["runs"].there, 1180, 1150),
    "yourself": Shown("yourself", onscreen.SHORT["yourself"].there, 1000, 910),
}
ENDS_WITHIN = 40
"""So much earlier it may end, where that cuts through nothing."""

# As far down as can be without cutting through a line, a figure or a frame.
_GAP = """([least, most]) => {
  const whole = "svg,canvas,img,input,button,label,summary,p,h1,h2,h3,h4,td,th,li,dd,dt,small";
  const framed = (el) => parseFloat(getComputedStyle(el).borderTopWidth) > 0
    || getComputedStyle(el).backgroundColor !== "rgba(0, 0, 0, 0)";
  const frames = [...document.querySelectorAll("div")].filter(framed);
  const boxes = [...document.querySelectorAll(whole), ...frames]
    .map((el) => el.getBoundingClientRect())
    .filter(({ width, height, top, bottom }) =>
      width > 1 && height > 1 && height < innerHeight / 2 && bottom > least && top < most);
  for (const room of [12, 8, 4, 1])
    for (let y = most; y > least; y -= 1)
      if (boxes.every(({ top, bottom }) => bottom + room <= y || top - room >= y)) return y;
  return most;
}"""
# The folder has another name on each machine, and nobody needs to know this one's.
_HIDE = """(home) => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    walk.currentNode.data = walk.currentNode.data.replaceAll(home, "~/facevis");
}"""


def page_of(browser: Browser, url: str, home: Path, name: str) -> None:
    """The picture of a page: light, English, at rest."""
    shown = PAGES[name]
    page = onscreen.window(browser, {**onscreen.WINDOW, "height": shown.height})
    onscreen.opened(page, url, shown.address, shown.there, PATIENCE)
    prepare = {"lecture": _answer, "yourself": _bring_pictures}.get(name)
    if prepare:
        prepare(page, home)
    time.sleep(DRAWN_SECONDS)
    page.evaluate(_HIDE, str(home))
    seen = Image.open(io.BytesIO(page.screenshot()))
    write(name, seen.crop((0, 0, seen.width, _end(page, shown.end))))
    page.context.close()


def _end(page: Page, latest: int) -> int:
    """Where a picture ends so that nothing is cut through, if that can be."""
    end: int = page.evaluate(_GAP, [latest - ENDS_WITHIN, latest])
    return end


def _answer(page: Page, _home: Path) -> None:
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".fv-lesson[data-phase=open]")


def _bring_pictures(page: Page, home: Path) -> None:
    page.get_by_role("textbox", name="Folder with other people").fill("people")
    page.keyboard.press("Enter")
    page.get_by_text("Faces from the folder").wait_for(timeout=PATIENCE)
    files = page.locator("[data-testid=stFileUploader] input[type=file]")
    files.set_input_files(sorted((home / "you").iterdir()))
    page.get_by_text("Nearest to you is").wait_for(timeout=PATIENCE)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=PATIENCE)


def write(name: str, picture: Image.Image) -> None:
    """As it was on screen, to the pixel."""
    path = FOLDER / f"{name}.webp"
    picture.convert("RGB").save(path, lossless=True, quality=100, method=6)
    print(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size / 1e3:.0f} kB")


# -- the phones -----------------------------------------------------------------------------------

VOTES = (1, 1, 0, 1, 2)
"""What the others in the hall vote, over and over."""
BETWEEN = 36


def students(browser: Browser, home: Path) -> None:
    """A student's phone three times: the vote, the answer with the hall's votes, an own run."""
    with classroom(home) as (room, url):
        look = {"device_scale_factor": 1.5, "is_mobile": True, "has_touch": True}
        page = onscreen.asked(onscreen.window(browser, onscreen.PHONE, **look), url, room)
        for number in range(26):
            room.vote(f"student {number}", onscreen.LESSON, VOTES[number % len(VOTES)])
        page.locator(".fv-option").nth(1).click()
        page.get_by_role("button", name="Vote").click()
        page.get_by_text("Your vote is counted").wait_for()
        shots = [_phone(page)]
        room.act(onscreen.LESSON, "reveal")
        page.wait_for_selector(".fv-lesson[data-phase=open]")
        page.evaluate("scrollTo(0, 0)")
        shots.append(_phone(page))
        page.get_by_role("button", name="Look around").click()
        page.locator(".fv-room-bar .fv-menu").select_option("try")
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_function(onscreen.ENDED, timeout=PATIENCE)
        page.locator(".fv-try-run").evaluate("(el) => el.scrollIntoView()")
        shots.append(_phone(page))
        page.context.close()
    width, height = shots[0].size
    sheet = Image.new("RGB", (3 * width + 2 * BETWEEN, height), "white")
    for place, one in enumerate(shots):
        sheet.paste(one, (place * (width + BETWEEN), 0))
    write("students", sheet)


def _phone(page: Page) -> Image.Image:
    """What is on the phone, in a thin frame."""
    time.sleep(DRAWN_SECONDS)
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return ImageOps.expand(seen, 2, "#c9ccd6")


# -- the film -------------------------------------------------------------------------------------


def film(browser: Browser, url: str) -> None:
    """Twenty-one ArcFace models on the circle: first they train, then the margin is turned."""
    page = onscreen.window(browser, onscreen.WINDOW)
    onscreen.opened(page, url, "scrub?at=0", onscreen.ENDED, PATIENCE)
    time.sleep(DRAWN_SECONDS)
    box = page.locator(".fv-root").bounding_box()
    assert box is not None
    left, right = int(box["x"]) - ROUND, int(box["x"] + box["width"]) + ROUND
    edges = (left, int(box["y"]), right, _end(page, PAGES["scrub"].end))
    frames = [
        Image.open(io.BytesIO(page.screenshot())).crop(edges).convert("RGB") for _ in _moments(page)
    ]
    times = [FILM_MS] * (len(frames) - 1) + [LAST_MS]
    frames[0].save(
        FOLDER / "film.webp",
        save_all=True,
        append_images=frames[1:],
        duration=times,
        loop=0,
        quality=QUALITY,
        method=4,
    )
    size = (FOLDER / "film.webp").stat().st_size
    print(f"film.webp: {len(frames)} frames, {sum(times) / 1e3:.1f} s, {size / 1e6:.2f} MB")


def _moments(page: Page) -> Iterator[None]:
    """Each moment of the film, when it is on screen."""
    moment = page.locator(".fv-scrub")
    last = int(moment.get_attribute("max") or 0)
    for share in np.linspace(0, 1, 36):
        _put(page, moment, round(last * share**1.5))
        yield
    margin = page.locator(".fv-panel input[type=range]").first
    most = float(margin.get_attribute("max") or 0)
    for share in np.linspace(0, 0.75, 43)[1:]:  # beyond, the margin does not fit
        _put(page, margin, round(most * share, 2))
        yield


def _put(page: Page, slider: Locator, value: float) -> None:
    slider.fill(str(value))
    slider.blur()
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    page.wait_for_timeout(60)


# -- all of them ----------------------------------------------------------------------------------

NAMES = (*PAGES, "students", "film")


def main(names: list[str]) -> None:
    """Make the pictures of these names, or all, and read the words of all pages."""
    if unknown := set(names) - set(NAMES):
        sys.exit(f"no picture is called {', '.join(unknown)}; choose among {', '.join(NAMES)}.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facevis-") as folder, sync_playwright() as play:
        home = Path(folder)
        browser = play.chromium.launch(executable_path=served.chromium(), args=served.FLAGS)
        draw_people(home)
        if {"fullscale", "dimensions", "runs"} & set(names):
            train(home)
        with app(home, "runs") as one:
            for name in names:
                make(name, browser, one.url, home)
        onscreen.short_run(home / "short" / "short")
        with app(home, "short") as one:
            found = onscreen.everything(browser, one.url, home)
        onscreen.WORDS.write_text(
            json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        browser.close()


def make(name: str, browser: Browser, url: str, home: Path) -> None:
    """One picture."""
    if name == "film":
        film(browser, url)
    elif name == "students":
        students(browser, home)
    else:
        page_of(browser, url, home, name)


def app(home: Path, runs: str) -> contextlib.AbstractContextManager[served.Served]:
    """The app in that folder, with no name of a folder of this machine in its addresses."""
    return served.serve(
        *served.app(Path(runs)),
        log=home / f"{runs}.log",
        cwd=home,
        environment={"PYTHONPATH": str(ROOT)},
    )


if __name__ == "__main__":
    main(sys.argv[1:] or list(NAMES))
