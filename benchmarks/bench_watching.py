"""A full-scale run under the eyes of its page: how long from the press on Start to the first live
metric, and what watching costs the trainer.

The cost is measured within one run of the demo recipe without measurements of its own, in windows
that alternate: nobody looks; the page's question is asked every other second without a browser; the
page is open in a browser on the same machine. Each round's windows are compared with one another,
and the median over rounds counts. ``python benchmarks/bench_watching.py ROUNDS SECONDS``.
"""

import dataclasses
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright
from served import APP, FLAGS, needed_chromium, serve

from facevis.fullscale import jobs
from facevis.fullscale.journal import tail
from facevis.fullscale.recipes import demo
from facevis.live.stream import BASE

VIEW = "document.querySelector('.fv-training').parentElement.__facevisView"
SETTLING = 2.0
KINDS = ("alone", "polled", "watched")


def first_metric(page, url, runs):
    """Seconds from the press on Start to the first loss on screen, then the run is stopped."""
    page.goto(f"{url}/fullscale")
    button = page.locator(".st-key-full-start button")
    button.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)  # what the page counts by itself is done
    began = time.monotonic()
    button.click()
    page.wait_for_function(
        f"document.querySelector('.fv-training') && {VIEW}.history?.last('loss') > 0"
        " && document.querySelectorAll('.fv-training dd b')[3].textContent !== '–'",
        timeout=120_000,
    )
    seconds = time.monotonic() - began
    for job in jobs.find(runs):
        stop(job.folder)
    return seconds


def stop(folder):
    """End a run and wait for its end."""
    jobs.stop(folder)
    while jobs.look(folder).alive:
        time.sleep(0.2)


def endless(runs):
    """A run of the demo recipe that only trains."""
    config = demo()
    follow = dataclasses.replace(
        config.follow, evaluate_every=0, sets=(), angle_identities=0, checkpoint_every=10**6
    )
    schedule = dataclasses.replace(config.schedule, steps=10**6)
    optimizer = dataclasses.replace(config.optimizer, learning_rate=0.01)  # that goes on for ever
    config = dataclasses.replace(config, follow=follow, schedule=schedule, optimizer=optimizer)
    folder = jobs.submit(runs, "endless", config)
    while jobs.look(folder).step < 20:
        time.sleep(0.5)
    return folder, config.batch_size


def speed(folder, began, ended, batch):
    """Pictures a second between two moments, from the journal's own times."""
    times = [e["time"] for e in tail(folder, 0)[0] if e["kind"] == "train"]
    inside = [moment for moment in times if began <= moment <= ended]
    if len(inside) < 3:
        job = jobs.look(folder)
        raise SystemExit(
            f"{len(inside)} steps in a window: {job.state} at {job.step} {job.sentence}"
        )
    return (len(inside) - 1) * batch / (inside[-1] - inside[0])


def window(kind, page, url, token, seconds):
    """Let time go by while nobody looks, the question is asked, or the page is open."""
    if kind == "watched":
        page.goto(f"{url}/fullscale?run=endless")
        page.wait_for_function(
            f"document.querySelector('.fv-training') && {VIEW}.history?.last('loss') > 0",
            timeout=60_000,
        )
    else:
        page.goto("about:blank")
    time.sleep(SETTLING)
    began, place = time.time(), ""
    while time.time() - began < seconds:
        if kind == "polled":
            with urllib.request.urlopen(
                f"{url}{BASE}/training/{token}.json?from={place}"
            ) as answer:
                place = json.load(answer)["at"]
        time.sleep(2.0)
    return began, time.time()


def costs(page, url, runs, rounds, seconds):
    """What each way of looking takes of the trainer's speed, in percent, and its speed alone."""
    folder, batch = endless(runs)
    try:
        page.goto(f"{url}/fullscale?run=endless")
        page.wait_for_selector(".fv-training", timeout=60_000)
        token = page.evaluate(f"{VIEW}.data.token")
        found = {kind: [] for kind in KINDS}
        for round_ in range(rounds):
            for kind in KINDS if round_ % 2 else KINDS[::-1]:
                moments = window(kind, page, url, token, seconds)
                found[kind].append(speed(folder, *moments, batch))
    finally:
        stop(folder)
    lost = {
        kind: [100 * (1 - a / b) for a, b in zip(found[kind], found["alone"], strict=True)]
        for kind in KINDS[1:]
    }
    return statistics.median(found["alone"]), lost


def main():
    program = needed_chromium()
    rounds, seconds = map(int, sys.argv[1:]) if len(sys.argv) > 2 else (10, 15)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        runs = Path(folder) / "runs"
        command = (*APP[:-1], "--runs", str(runs), APP[-1])
        with serve(*command, log=Path(folder) / "log") as app, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=program, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            start = first_metric(page, app.url, runs)
            alone, lost = costs(page, app.url, runs, rounds, seconds)
            browser.close()
    result = {
        "start to first live metric, s": round(start, 1),
        "trainer alone, pictures/s": round(alone),
        **{
            f"{kind}: cost, %": round(statistics.median(values), 2) for kind, values in lost.items()
        },
        **{
            f"{kind}: cost, standard error, %": round(
                statistics.stdev(values) / len(values) ** 0.5, 2
            )
            for kind, values in lost.items()
            if len(values) > 1
        },
        "bounds": {"start to first live metric, s": "<= 10", "watched: cost, %": "< 2"},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
