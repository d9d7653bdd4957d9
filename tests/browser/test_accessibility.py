"""axe-core on every page, in both languages and both themes: nothing serious, nothing critical.

Contrast is the theme's, words and labels are the language's: each is looked at once, together.
"""

import shutil
import subprocess

import pytest

from facevis.i18n import LANGUAGES
from facevis.lessons.programme import LESSONS
from facevis.ui.strangers_state import PARTS

AXE = "axe-core@4.14.1"
PAGES = ["", "compare", "scrub"]
OF_RUNS = ["fullscale", "dimensions", "runs", "yourself"]
LOOKS = [("light", LANGUAGES[0]), ("dark", LANGUAGES[1])]
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
      `${id}: ${html.slice(0, 160)}: ${(failureSummary ?? "").slice(0, 200)}`));
}"""


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


@pytest.fixture
def look(browser, app_url, axe):
    contexts = []

    def at(theme, path, until=".fv-root"):
        context = browser.new_context(
            viewport={"width": 1280, "height": 900},
            color_scheme=theme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{app_url}/{path}")
        page.wait_for_selector(until, timeout=30_000)
        page.wait_for_timeout(1200)
        page.evaluate(axe)
        return page

    yield at
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_every_part_of_the_open_set_page_can_be_used_by_everybody(look, theme, language):
    run = f"data=digits&n=7&unseen=3&dim=8&steps=30&members=softmax,triplet,arcface&lang={language}"
    for part in PARTS:
        page = look(theme, f"strangers?{run}&part={part}")
        if part != "landing":
            page.wait_for_selector(".fv-open[data-state='finished']", timeout=30_000)
        page.wait_for_timeout(1500)
        assert page.evaluate(RUN) == [], part


@pytest.mark.parametrize(("theme", "language"), LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_can_be_used_by_everybody(look, theme, language, path):
    assert look(theme, f"{path}?lang={language}").evaluate(RUN) == []


@pytest.mark.parametrize(("theme", "language"), LOOKS)
@pytest.mark.parametrize("path", OF_RUNS)
def test_a_page_of_large_runs_can_be_used_by_everybody(look, theme, language, path):
    page = look(
        theme, f"{path}?lang={language}", "[data-testid=stMain] [data-testid=stCaptionContainer]"
    )
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    assert page.evaluate(RUN) == []


@pytest.mark.parametrize(("theme", "language"), LOOKS)
def test_every_lesson_can_be_used_by_everybody(look, theme, language):
    page = look(theme, f"lecture?lang={language}")
    for one in LESSONS:
        page.wait_for_selector(f".fv-lesson h1:has-text('{one.number} ')", timeout=30_000)
        page.wait_for_timeout(500)
        assert page.evaluate(RUN) == [], f"lesson {one.number}, before the answer"
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".fv-lesson[data-phase=open]")
        page.wait_for_timeout(500)
        assert page.evaluate(RUN) == [], f"lesson {one.number}, after the answer"
        page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_notes_and_the_presenter_view_can_be_used_by_everybody(look, axe, theme):
    page = look(theme, "lecture?lesson=8&view=present")
    assert page.evaluate(RUN) == []
    page.goto(page.url.split("/lecture")[0] + "/facevis/notes/en")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


def test_the_check_can_fail(look):
    page = look("light", "?lang=en")
    page.evaluate("document.querySelector('.fv-button').innerHTML = ''")
    page.evaluate("document.querySelector('.fv-button').title = ''")
    assert any("button-name" in fault for fault in page.evaluate(RUN))
