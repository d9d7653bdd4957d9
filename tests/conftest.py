"""A real browser and a real server for the tests that need them."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]


def _absent(what: str) -> None:
    """Without a tool a user's tests are skipped with the reason; on CI that is a failure."""
    message = f"{what} is not installed; install it to run the browser tests"
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


@pytest.fixture(scope="session")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        _absent("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def node():
    program = shutil.which("node")
    if program is None:
        _absent("node")
    return program


@pytest.fixture(scope="session")
def app_url(serve):
    """The app as ``make app`` serves it, one for all tests."""
    with serve("-m", "facevis", "app", "--no-browser", "--port") as app:
        yield app.url


class Served(NamedTuple):
    url: str
    port: int
    log: Path


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """Start a server as ``python *command PORT``, wait until it is healthy, stop it at the end."""

    @contextlib.contextmanager
    def running(*command, cwd=ROOT, environment=None):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = tmp_path_factory.mktemp("server") / "log"
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

    return running


def _wait_until_healthy(server, port, log):
    limit = time.monotonic() + 60
    while time.monotonic() < limit and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the app did not start within 60 s:\n{log.read_text()}")


def _stop(server):
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
