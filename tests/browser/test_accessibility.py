"""Every page, in both languages and both themes: axe-core finds nothing serious and nothing
critical, the console has no errors, and nobody but this machine is asked for anything.

Contrast is the theme's, words and labels are the language's: each is looked at once, together.
"""

import contextlib
import shutil
import subprocess

import pytest
from heard import Heard

from facevis.i18n import LANGUAGES, strings
from facevis.lessons.programme import LESSONS
from facevis.ui.strangers_state import PARTS

AXE = "axe-core@4.14.1"
LIVE = ["?loss=arcface", "compare?losses=five", "scrub?sweep=m2&from=0&to=1&n=7&models=5"]
OF_RUNS = ["fullscale", "dimensions", "runs", "yourself"]
LOOKS = [("light", LANGUAGES[0]), ("dark", LANGUAGES[1])]
RUN = """async (within) => {
  const options = { resultTypes: ["violations"], preload: false };
  const found = await axe.run(within ?? document, options);
  return found.violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
      `${id}: ${html.slice(0, 160)}: ${(failureSummary ?? "").slice(0, 200)}`));
}"""
DRAWN = """() => {
  const view = document.querySelector(".fv-root")?.parentElement.__facevisView;
  return view?.status?.state === "finished" && view.stage?.player.reached;
}"""
RESTING = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(scope="session")
def axe(tmp_path_factory, absent):
    """The script of axe-core, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        absent("npm")
    folder = tmp_path_factory.mktemp("axe")
    options = ["--no-save", "--no-audit", "--no-fund", "--silent"]
    subprocess.run([npm, "install", *options, AXE], cwd=folder, check=True, timeout=120)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@contextlib.contextmanager
def visiting(browser, axe, theme):
    """A page in a window of its own; it carries axe-core to wherever it goes."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    heard = Heard(context)
    page = context.new_page()
    page.add_init_script(axe)
    page.set_default_timeout(60_000)
    page.heard = heard
    yield page
    context.close()


@pytest.fixture(scope="module", params=LOOKS, ids="-".join)
def look(request, browser, app_url, axe):
    """One window for each look: what it has loaded serves all pages."""
    theme, language = request.param
    with visiting(browser, axe, theme) as page:
        page.language = language

        def at(path, until="[data-testid=stMain] [data-testid=stCaptionContainer]"):
            page.goto(f"{app_url}/{path}{'&' if '?' in path else '?'}lang={language}")
            page.wait_for_selector(until)
            page.wait_for_selector(RESTING)
            return page

        yield at


def faults(page, within=None):
    """What is wrong with a page as it is; what it asked for and complained of until now."""
    heard = page.heard
    return [
        *page.evaluate(RUN, within),
        *heard.faults,
        *map("asked: {}".format, heard.foreign(page)),
    ]


@pytest.mark.parametrize("path", LIVE)
def test_a_page_with_a_run_serves_everybody_and_asks_nobody_else(look, path):
    page = look(f"{path}&steps=30")
    page.wait_for_function(DRAWN)
    assert faults(page) == []


@pytest.mark.parametrize("path", OF_RUNS)
def test_a_page_of_large_runs_serves_everybody_and_asks_nobody_else(look, path):
    assert faults(look(path)) == []


def test_every_part_of_the_open_set_page_serves_everybody_and_asks_nobody_else(look):
    run = "data=digits&n=7&unseen=3&dim=8&steps=30&members=softmax,triplet,arcface"
    page = look(f"strangers?{run}")
    words = strings(page.language)
    for part in PARTS:
        page.get_by_role("radio", name=words[f"open_part_{part}"]).click()
        page.wait_for_url(f"**part={part}*")
        page.wait_for_selector(RESTING)
        if part == "landing":
            page.wait_for_function(DRAWN)
        else:
            page.wait_for_selector(".fv-open[data-state='finished']")
        assert faults(page) == [], part


def test_every_lesson_serves_everybody_and_asks_nobody_else(look):
    page = look("lecture", ".fv-lesson h1")
    assert faults(page) == []
    for one in LESSONS:
        page.wait_for_selector(f".fv-lesson h1:has-text('{one.number} ')")
        assert faults(page, ".fv-lesson") == [], f"lesson {one.number}, before the answer"
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".fv-lesson[data-phase=open]")
        assert faults(page, ".fv-lesson") == [], f"lesson {one.number}, after the answer"
        page.keyboard.press("ArrowRight")


def test_the_notes_and_the_presenter_view_serve_everybody_and_ask_nobody_else(look, app_url):
    page = look("lecture?lesson=8&view=present", ".fv-lesson h1")
    assert faults(page) == []
    page.goto(f"{app_url}/facevis/notes/{page.language}")
    assert faults(page) == []


def test_the_checks_can_fail(browser, axe):
    html = """<html lang="en"><title>A page with faults</title><button></button>
      <link rel="preconnect" href="https://elsewhere.invalid">
      <img alt="" src="http://pictures.invalid/a.png">
      <script>
        new WebSocket("ws://sockets.invalid/");
        fetch("/missing");
        console.warn("a warning");
        setTimeout(() => { throw new Error("thrown"); });
      </script>"""
    with visiting(browser, axe, "light") as page:
        page.route("**/*", lambda route: route.fulfill(status=404))
        page.route(
            "http://localhost/", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        page.goto("http://localhost/", wait_until="networkidle")
        found = "\n".join(faults(page))
    for fault in (
        *("button-name", "elsewhere.invalid", "pictures.invalid/a.png", "sockets.invalid"),
        *("status 404: http://localhost/missing", "warning: a warning", "thrown: "),
    ):
        assert fault in found
