"""A full classroom on one machine: the app with ``--classroom``, its students on loopback.

Four parts: a hundred viewers of the lecturer's live run, real browsers among them, by turns with
the trainer alone; thirty viewers with a configuration each; a hundred votes at once; a thousand
students who join and vanish. The students' programs and browsers run on the same cores as the
server and count against it. ``python benchmarks/bench_classroom.py ROUNDS SECONDS``.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright
from served import FLAGS, ROOT, app, needed_chromium, serve
from websockets.sync.client import connect

VIEWERS, PHONES, OWN, CYCLES, VOTES = 100, 2, 30, 1000, 100
SOCKETS = VIEWERS - PHONES - 1
"""Viewers without a browser: the others are students' phones and the lecturer's window."""
METRICS = "window.__facevis.at(-1)"
VIEW = "document.querySelector('.fv-root').parentElement.__facevisView"
SETTLE = 8
GRACE = 35.0
"""Longer than a seat is kept for somebody who vanished."""


class Room:
    """The app in classroom mode, and where it is."""

    def __init__(self, served, students, code):
        self.url, self.students, self.code = served.url, students, code
        self.process = psutil.Process(
            next(
                c.pid
                for c in psutil.net_connections("tcp")
                if c.status == "LISTEN" and c.laddr.port == served.port
            )
        )

    def memory(self):
        """MiB in use."""
        return self.process.memory_info().rss / 2**20

    def crowd(self, what, *numbers):
        """Students without browsers, as a process to read from and write to."""
        command = [sys.executable, "benchmarks/crowd.py", what, self.students, self.code]
        return subprocess.Popen(
            [*command, *map(str, numbers)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )


def line_of(crowd):
    line = crowd.stdout.readline()
    assert line, f"the crowd ended with {crowd.wait()}"
    return json.loads(line)


def speak(crowd):
    crowd.stdin.write("\n")
    crowd.stdin.flush()


@contextlib.contextmanager
def classroom(folder, seats):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = app(folder / "runs")
    options = ["--classroom", "--students-address", "127.0.0.1", "--students-port", str(port)]
    options += ["--votes", str(folder / "votes.csv"), "--limits.students", str(seats)]
    with serve(*command[:-1], *options, command[-1], log=folder / "log") as served:
        code = re.search(r"join code (\w+)", (folder / "log").read_text())[1]
        yield Room(served, f"http://127.0.0.1:{port}", code)


def lecturer(browser, room, path):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{room.url}/{path}")
    return page


def student(browser, room):
    """A phone that has joined by the link of the QR code and sees the lecturer's run."""
    page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    page.goto(f"{room.students}/#{room.code}")
    page.wait_for_function(f"window.__facevis?.length && {METRICS}.snapshots > 0", timeout=60_000)
    return page


def step_of(room, token):
    address = room.url.replace("http", "ws", 1)
    with connect(f"{address}/facevis/stream/{token}", origin=room.url) as line:
        return json.loads(line.recv())["step"], time.monotonic()


def one_run(browser, room, rounds, seconds):
    """The trainer alone, then with the whole class, by turns."""
    shares, crowds, peaks, shown = [], [], [], []
    page = lecturer(browser, room, "?loss=arcface&steps=1000000&seed=5")
    page.wait_for_function(f"window.__facevis?.length && {METRICS}.snapshots > 10")
    token = page.evaluate(f"{VIEW}.token")
    for _ in range(rounds):
        page.goto("about:blank")
        time.sleep(0.5)
        start = step_of(room, token)
        time.sleep(6.0)  # a run goes on for a while without a viewer
        end = step_of(room, token)
        alone = (end[0] - start[0]) / (end[1] - start[1])
        page.goto(f"{room.url}/?loss=arcface&steps=1000000&seed=5")
        page.wait_for_function(f"window.__facevis?.length && {METRICS}.snapshots > 10")
        phones = [student(browser, room) for _ in range(PHONES)]
        crowd = room.crowd("watch", SOCKETS, SETTLE, seconds)
        assert line_of(crowd) == {"event": "begin"}
        before = [
            phone.evaluate(f"{METRICS}.painted.length = 0, {METRICS}.snapshots") for phone in phones
        ]
        began = time.monotonic()
        peak = 0.0
        while time.monotonic() < began + seconds - 1:
            peak = max(peak, room.memory())
            page.wait_for_timeout(500)
        elapsed = time.monotonic() - began
        for phone, first in zip(phones, before, strict=True):
            snapshots, ages = phone.evaluate(
                f"[{METRICS}.snapshots, {METRICS}.painted.map((shown) => shown.age_ms)]"
            )
            shown.append(((snapshots - first) / elapsed, ages))
        found = line_of(crowd)
        crowd.wait()
        shares.append(found.pop("steps/s") / alone)
        crowds.append(found)
        peaks.append(peak)
        for phone in phones:
            phone.context.close()
        print(shares[-1], found, peak, file=sys.stderr, flush=True)
        time.sleep(GRACE)
    page.close()
    ages = sorted(age for _, of_one in shown for age in of_one)
    return {
        **{name: statistics.median(found[name] for found in crowds) for name in crowds[0]},
        "trainer's share of its alone speed": round(statistics.median(shares), 2),
        "shares of the rounds": [round(share, 2) for share in shares],
        "server's memory, MiB": round(max(peaks)),
        "slowest browser received, snapshots/s": round(min(rate for rate, _ in shown), 2),
        "browsers, age when painted p95, ms": round(ages[int(0.95 * len(ages))]) if ages else None,
    }


def own_runs(room, seconds):
    crowd = room.crowd("own", OWN, SETTLE, seconds)
    found = line_of(crowd)
    crowd.wait()
    return found


def used(room):
    """Threads, open files (sockets are files) and memory of the server."""
    process = room.process
    return {
        "threads": process.num_threads(),
        "sockets": process.num_fds(),
        "memory": process.memory_info().rss / 2**20,
    }


def coming_and_going(browser, room):
    """A thousand students who vanish; first two hundred, so that what is made once is there."""
    page = lecturer(browser, room, "?loss=arcface&steps=1000000&seed=5")
    page.wait_for_function(f"window.__facevis?.length && {METRICS}.snapshots > 10")

    def some(times):
        crowd = room.crowd("cycle", times, 20)
        assert line_of(crowd) == {"event": "done"}
        crowd.wait()
        time.sleep(GRACE)
        return used(room)

    before = some(200)
    after = some(CYCLES)
    page.close()
    return {f"{name}, after over before": round(after[name] / before[name], 3) for name in before}


def votes(browser, room):
    page = lecturer(browser, room, "lecture?lesson=8")
    opened = page.get_by_role("button", name="Open the vote")
    opened.wait_for(timeout=60_000)
    crowd = room.crowd("vote", VOTES)
    before = line_of(crowd)["before"]
    opened.click()
    locked = page.get_by_role("button", name="Lock the vote")
    locked.wait_for()
    speak(crowd)
    counted = line_of(crowd)
    again = line_of(crowd)["again"]
    page.get_by_text(f"{VOTES} of {VOTES} have voted").wait_for(timeout=10_000)
    locked.click()
    page.get_by_role("button", name="Show the answer").wait_for()
    speak(crowd)
    after, late = line_of(crowd)["after"], line_of(crowd)["late"]
    speak(crowd)
    crowd.wait()
    page.close()
    wrong = VOTES * 3 - before.get("closed", 0) - again.get("twice", 0) - after.get("locked", 0)
    return {
        "counted": counted["open"].get("counted", 0),
        "total that a late joiner is told": late["total"],
        "seconds": counted["seconds"],
        "counted that should not be": wrong,
    }


BOUNDS = {
    "one run.slowest, snapshots/s": ">= 5",
    "one run.age p95, ms": "<= 400",
    "one run.trainer's share of its alone speed": ">= 0.5",
    "one run.server's memory, MiB": "<= 1536",
    "own runs.slowest, snapshots/s": ">= 4",
    "own runs.longest wait for a first picture, s": "<= 5",
    "coming and going.threads, after over before": "<= 1.05",
    "coming and going.sockets, after over before": "<= 1.05",
    "coming and going.memory, after over before": "<= 1.05",
    "votes.counted": f">= {VOTES}",
    "votes.total that a late joiner is told": f"<= {VOTES}",
    "votes.seconds": "<= 1",
    "votes.counted that should not be": "<= 0",
}


def main(rounds=3, seconds=15):
    program = needed_chromium()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        parts = {
            "one run": lambda room: one_run(browser, room, rounds, seconds),
            "own runs": lambda room: own_runs(room, seconds),
            "votes": lambda room: votes(browser, room),
            "coming and going": lambda room: coming_and_going(browser, room),
        }
        result = {}
        for name, measure in parts.items():
            # Who vanished keeps a seat for half a minute: a thousand need more of them.
            with classroom(Path(folder), 1000 if name == "coming and going" else 120) as room:
                result[name] = measure(room)
                print(name, result[name], file=sys.stderr, flush=True)
        browser.close()
    result["bounds"] = BOUNDS
    print(json.dumps(result))


if __name__ == "__main__":
    main(*(int(number) for number in sys.argv[1:]))
