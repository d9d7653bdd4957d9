"""A real browser and a real server for the tests that need them."""

import os
import shutil
import signal

# Two test processes on two cores: threads of PyTorch that wait for each other made some tests of
# small networks six times as long. Set before anything imports it, and for what tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import served
from hypothesis import Phase, settings

# A shell that starts the tests in its background has them ignore Ctrl+C, and what they start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# ``mutmut run`` only asks whether a test fails: it need not find the smallest example.
settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], database=None)


def _absent(what: str) -> None:
    """Without a tool a user's tests are skipped with the reason; on CI that is a failure."""
    message = f"{what} is not installed; install it to run the browser tests"
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)


@pytest.fixture(scope="session")
def absent():
    """What to call where a tool is missing."""
    return _absent


@pytest.fixture(scope="session")
def browser():
    program = served.chromium()
    if program is None:
        _absent("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=program, args=served.FLAGS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def node():
    program = shutil.which("node")
    if program is None:
        _absent("node")
    return program


@pytest.fixture(scope="session")
def app_url(serve, tmp_path_factory):
    """The app as ``make app`` serves it, one for all tests, with no runs."""
    runs = tmp_path_factory.mktemp("no-runs")
    with serve(*served.app(runs)) as app:
        yield app.url


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """``served.serve`` with a log of its own."""

    def running(*command, **options):
        return served.serve(*command, log=tmp_path_factory.mktemp("server") / "log", **options)

    return running
