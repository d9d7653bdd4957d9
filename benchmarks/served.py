"""The app as ``make app`` serves it, and a real browser: for benchmarks and for the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
APP = ("-m", "facevis", "app", "--no-browser", "--port")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]


def app(runs: Path) -> tuple[str, ...]:
    """The command of the app for a folder of runs."""
    return (*APP[:-1], "--runs", str(runs), APP[-1])


class Served(NamedTuple):
    url: str
    port: int
    log: Path


def chromium() -> str | None:
    """The path of a Chromium or Chrome, if the machine has one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def needed_chromium() -> str:
    """The same for a benchmark, which ends without one: not measured here, and not broken."""
    found = chromium()
    if found is None:
        print("Chromium is not installed; install it to measure this", file=sys.stderr)
        sys.exit(77)
    return found


@contextlib.contextmanager
def serve(
    *command: str, log: Path, cwd: Path = ROOT, environment: dict[str, str] | None = None
) -> Iterator[Served]:
    """Start a server as ``python *command PORT``, wait until it is healthy, stop it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *command, str(port)],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_healthy(server, port, log)
        yield Served(f"http://127.0.0.1:{port}", port, log)
    finally:
        _stop(server)


def _wait_until_healthy(server: subprocess.Popen, port: int, log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the app did not start within 60 s:\n{log.read_text()}")


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
