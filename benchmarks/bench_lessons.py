"""Every lesson's first picture in the app, and scrubbing an exported lesson from disk.

A first picture is there when the figure of the lesson has been drawn, counted from the navigation.
Three visits to each lesson; medians.
Scrubbing is counted from the slider's event to the end of the frame of the screen that shows it.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

import served
from playwright.sync_api import Page, sync_playwright

from facevis.assets import asset_path
from facevis.lessons.export import lesson_html
from facevis.lessons.programme import LESSONS

ROUNDS = 3
SCRUBBED = 8
MOVES = 200
_FIRST = """
(() => {
  const drawn = () => {
    const figure = document.querySelector(".fv-lesson-figure");
    if (!figure) return false;
    const view = window.__facevis?.at(-1);
    const shapes = figure.querySelectorAll("svg :is(path, circle, line)").length;
    return figure.querySelector("canvas") ? view?.drawCost?.length > 0 : shapes > 3;
  };
  const look = () => {
    if (drawn()) window.__first = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
_SCRUB = """
async (moves) => {
  const slider = document.querySelector(".fv-controls input[type=range]");
  const times = [];
  for (let i = 0; i < moves; i += 1) {
    const began = performance.now();
    slider.value = String((0.5 * (1 + Math.sin(i / 9))).toFixed(2));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done();
      channel.port2.postMessage(0);
    }));
    times.push(performance.now() - began);
  }
  return times;
}
"""


def first_picture(page: Page, url: str) -> float:
    """Seconds from the navigation to the lesson's figure."""
    page.goto(url)
    page.wait_for_function("() => window.__first > 0", timeout=60_000)
    return page.evaluate("window.__first") / 1000


def main() -> None:
    """Measure and print one JSON object."""
    program = served.needed_chromium()
    seconds: dict[int, list[float]] = {one.number: [] for one in LESSONS}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=served.FLAGS)
        with served.serve(*served.APP, log=Path(folder) / "log") as app:
            for _ in range(ROUNDS):
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                page = context.new_page()
                page.add_init_script(_FIRST)
                first_picture(page, f"{app.url}/lecture")  # Streamlit's own files come once
                for one in LESSONS:
                    seconds[one.number].append(
                        first_picture(page, f"{app.url}/lecture?lesson={one.number}")
                    )
                context.close()
        path = Path(folder) / "lesson.html"
        path.write_text(lesson_html(SCRUBBED, "en"), encoding="utf-8")
        page = browser.new_context(offline=True).new_page()
        page.goto(path.as_uri())
        page.wait_for_selector(".fv-question")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(5000)
        times = sorted(page.evaluate(_SCRUB, MOVES))
        browser.close()
    medians = {number: round(statistics.median(found), 2) for number, found in seconds.items()}
    exported = [len(lesson_html(one.number, "en").encode()) / 1e6 for one in LESSONS]
    recordings = [
        path.stat().st_size for path in asset_path("recordings").rglob("*") if path.is_file()
    ]
    result = {
        "first picture of lesson, s": medians,
        "slowest first picture, s": max(medians.values()),
        "exported, scrub p50, ms": round(statistics.median(times), 1),
        "exported, scrub p95, ms": round(times[int(0.95 * len(times))], 1),
        "exported, smallest, MB": round(min(exported), 1),
        "exported, largest, MB": round(max(exported), 1),
        "all recordings, MB": round(sum(recordings) / 1e6, 1),
        "bounds": {
            "slowest first picture, s": "<= 2",
            "exported, scrub p95, ms": "<= 50",
            "exported, largest, MB": "< 8",
            "all recordings, MB": "< 15",
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
