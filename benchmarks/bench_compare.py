"""The comparison and the margin scrub in the real app, in a real browser.

Five losses from the click to all of them trained and shown; a sweep of 21 margins from the press to
the first scrub and to its end, against 21 ordinary loops of as many steps timed in the same run;
the slider from the pointer to the painted clusters, with every request and message counted; and the
lecture's claim over ten seeds.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from bench_ensemble import arcface, ordinary_loop
from bench_live import METRICS, VIEW, quantile
from playwright.sync_api import sync_playwright
from served import APP, FLAGS, needed_chromium, serve

from facevis.datasets import load
from facevis.live import Ensemble
from facevis.live.presets import COMPARISONS
from facevis.live.study import claim, study_config, summarise
from facevis.ui.sweep_state import DEFAULT

ROUNDS, MODELS, STEPS, SEEDS = 3, 21, 1000, 10
STEP_SHOWN = f"({VIEW}.stage?.player.frame?.step ?? -1)"


def wait_for_step(page, step):
    """Seconds until a snapshot of this step or a later one is painted."""
    began = time.monotonic()
    page.wait_for_function(f"{STEP_SHOWN} >= {step} && {VIEW}.stage.player.reached", timeout=90_000)
    return time.monotonic() - began


def press(page, seed):
    """Ask for another seed, which opens a run of its own and trains it."""
    page.wait_for_function(f"{VIEW}.status.state === 'finished'", timeout=90_000)
    token = page.evaluate(f"{VIEW}.token")
    page.get_by_role("button", name="New seed").click()
    began = time.monotonic()
    page.wait_for_function(f"{VIEW}.token !== {json.dumps(token)}", timeout=30_000)
    return began


def compare_five(browser, url):
    """From opening the page, and from the press of New seed, to five trained losses on screen."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    began = time.monotonic()
    page.goto(f"{url}/compare")
    page.wait_for_function(f"window.__facevis && {VIEW}.run", timeout=60_000)
    wait_for_step(page, STEPS)
    opened, pressed = time.monotonic() - began, []
    for round_ in range(ROUNDS):
        began = press(page, round_)
        wait_for_step(page, STEPS)
        pressed.append(time.monotonic() - began)
    page.close()
    return opened, statistics.median(pressed)


def sweep(browser, url):
    """From the press to the first scrub, and to the end."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/scrub")
    page.wait_for_function(f"window.__facevis && {VIEW}.run", timeout=60_000)
    wait_for_step(page, STEPS)
    first, complete = [], []
    for round_ in range(ROUNDS):
        began = press(page, round_)
        wait_for_step(page, 10)
        first.append(time.monotonic() - began)
        wait_for_step(page, STEPS)
        complete.append(time.monotonic() - began)
    return page, statistics.median(first), statistics.median(complete)


def scrub(page):
    """Drag the slider through the trained models, and count what leaves the page."""
    page.wait_for_function(f"{VIEW}.status.state === 'finished'")
    page.wait_for_timeout(1500)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url))
    page.evaluate(
        "(() => { const send = WebSocket.prototype.send; window.__sent = 0;"
        " WebSocket.prototype.send = function (...a) { window.__sent += 1; send.apply(this, a); };"
        f" {METRICS}.sliderToPaint.length = 0; }})()"
    )
    box = page.locator(".fv-scrub-range").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.05 * box["width"], y)
    page.mouse.down()
    for turn in range(400):
        share = 0.05 + 0.9 * abs((turn % 160) / 80 - 1)
        page.mouse.move(box["x"] + share * box["width"], y)
        page.wait_for_timeout(30)
    page.mouse.up()
    page.wait_for_timeout(500)
    painted = page.evaluate(f"{METRICS}.sliderToPaint")
    sent = page.evaluate("window.__sent")
    return painted, len(requests) + sent


def ordinary_seconds():
    """What 21 ordinary loops of 1,000 steps take, from 200 steps of each of three margins."""
    data = load("digits")
    inputs, labels = torch.from_numpy(data.inputs()), torch.tensor(data.labels)
    took = []
    for margin in (0.0, 0.3, 0.6):
        train = ordinary_loop(arcface(margin), inputs, labels)
        train(10)
        start = time.perf_counter()
        train(200)
        took.append((time.perf_counter() - start) / 200)
    return statistics.median(took) * MODELS * STEPS


def recorded_seconds(threads):
    """The same sweep trained and recorded with no page and nothing else running."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    began = time.perf_counter()
    Ensemble(DEFAULT, device="cpu").record()
    torch.set_num_threads(before)
    return time.perf_counter() - began


def lecture_claim():
    """In how many of ten seeds ArcFace is tighter and its prototypes no nearer, at equal scale."""
    config = COMPARISONS["softmax_arcface"]
    ensemble = Ensemble(study_config(config, SEEDS), device="cpu")
    ensemble.train(config.steps)
    return claim(summarise(ensemble.snapshot(), SEEDS), 0, 1)


def main():
    path = needed_chromium()
    log = Path(tempfile.mkdtemp()) / "app.log"
    with serve(*APP, log=log) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        opened, five = compare_five(browser, app.url)
        before = ordinary_seconds()
        page, first, complete = sweep(browser, app.url)
        painted, messages = scrub(page)
        browser.close()
    alone = {threads: recorded_seconds(threads) for threads in (1, 2)}
    ordinary = statistics.mean((before, ordinary_seconds()))
    found = lecture_claim()
    print(
        json.dumps(
            {
                "five losses, page opened to shown, s": round(opened, 1),
                "five losses, pressed to shown, s": round(five, 1),
                "sweep, pressed to first scrub, s": round(first, 2),
                "sweep, pressed to complete, s": round(complete, 1),
                "sweep, 21 ordinary loops, s": round(ordinary, 1),
                "sweep, speed-up": round(ordinary / complete, 2),
                "sweep without a page, one thread, speed-up": round(ordinary / alone[1], 2),
                "sweep without a page, two threads, speed-up": round(ordinary / alone[2], 2),
                "scrub, movements": len(painted),
                "scrub p50, ms": round(quantile(painted, 0.5), 1),
                "scrub p95, ms": round(quantile(painted, 0.95), 1),
                "scrub, requests and messages": messages,
                "claim, Intra lower, of 10 seeds": found.tighter,
                "claim, W-Inter not lower, of 10 seeds": found.not_nearer,
                "claim, both, of 10 seeds": found.both,
                "bounds": {
                    "five losses, pressed to shown, s": "<= 10",
                    "sweep, pressed to first scrub, s": "<= 2",
                    "sweep, speed-up": ">= 5",
                    "scrub p95, ms": "<= 50",
                    "scrub, requests and messages": "<= 0",
                    "claim, both, of 10 seeds": ">= 9",
                },
            }
        )
    )


if __name__ == "__main__":
    main()
