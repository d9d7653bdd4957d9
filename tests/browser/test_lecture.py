"""The lecture in a real browser: keys, votes, links, presenter view; and a lesson from disk."""

import re
import time

import pytest
from heard import Heard

from facevis.i18n import LANGUAGES, strings
from facevis.lessons.export import lesson_html, write_course
from facevis.lessons.programme import LESSONS

HALLS = [(1280, 720), (1920, 1080)]
REFUSED = """() => {
  const canvas = document.querySelector(".fv-lesson-figure canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  // The rim of hatched sectors: what does not fit is drawn in the colour of warnings.
  const warn = getComputedStyle(document.querySelector(".fv-lesson")).getPropertyValue("--fv-warn");
  const [r, g, b] = warn.trim().match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const near = Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24;
    count += near && data[i + 3] > 120 ? 1 : 0;
  }
  return count;
}"""


@pytest.fixture
def page(browser):
    page = opened(browser, viewport={"width": 1280, "height": 720})
    yield page
    page.context.close()


def opened(browser, **options):
    """A page of a new window, and what it complains of."""
    context = browser.new_context(**options)
    heard = Heard(context)
    page = context.new_page()
    page.heard, page.faults = heard, heard.faults
    return page


def shown(page, number):
    page.wait_for_selector(f".fv-lesson h1:has-text('{number} ')", timeout=30_000)
    page.wait_for_selector(".fv-question")


def phase(page, wanted):
    page.wait_for_selector(f".fv-lesson[data-phase={wanted}]", timeout=10_000)


def drawn(page):
    """A picture, a diagram or a chart is there."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.fv-lesson-figure :is(canvas, svg)')]"
        ".some((one) => one.clientWidth > 100 && one.clientHeight > 60)",
        timeout=20_000,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "height"), HALLS)
def test_the_lecture_goes_from_first_to_last_by_keyboard(page, app_url, language, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{app_url}/lecture?lang={language}&view=present")
    for one in LESSONS:
        shown(page, one.number)
        drawn(page)
        assert page.locator(".fv-controls input:enabled").count() == 0
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        phase(page, "locked")
        page.keyboard.press("PageDown")
        phase(page, "open")
        assert page.locator(".fv-answer").inner_text()
        assert page.locator(".fv-controls input:enabled").count() > 0
        # The page is as high as the hall's screen: nothing is below its edge, nothing beside it.
        page.wait_for_function(
            "() => document.querySelector('.fv-lesson').getBoundingClientRect().bottom"
            " <= innerHeight + 2",
            timeout=10_000,
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("ArrowRight")
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 1600, 1920])
def test_two_pictures_lie_side_by_side_within_the_page(browser, app_url, width):
    page = opened(browser, viewport={"width": width, "height": 900})
    page.goto(f"{app_url}/lecture?lesson=8")
    page.locator(".fv-lesson .fv-cell").nth(1).wait_for(timeout=30_000)
    page.wait_for_timeout(1000)
    words = page.locator(".fv-lesson").bounding_box()
    first, second = (cell.bounding_box() for cell in page.locator(".fv-lesson .fv-cells > *").all())
    side = page.locator(".fv-lesson-side").bounding_box()
    assert first["x"] >= words["x"]
    assert first["x"] + first["width"] <= second["x"]
    assert second["x"] + second["width"] <= side["x"]
    page.context.close()


def test_an_answer_stays_when_one_comes_back(page, app_url):
    page.goto(f"{app_url}/lecture?lesson=6")
    shown(page, 6)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    phase(page, "open")
    page.keyboard.press("ArrowRight")
    shown(page, 7)
    phase(page, "ask")
    page.keyboard.press("ArrowLeft")
    shown(page, 6)
    phase(page, "open")
    assert page.locator(".fv-option[data-chosen=true]").count() == 1
    page.locator("[data-testid=stSidebar] >> text=RU").click()
    page.wait_for_selector(f"text={strings('ru')['live_lesson_takeaway']}")
    phase(page, "open")
    assert page.faults == []


def test_a_link_opens_the_same_state(page, app_url):
    page.goto(f"{app_url}/lecture?lesson=1")
    shown(page, 1)
    page.keyboard.press("ArrowRight")
    phase(page, "open")
    page.locator(".fv-controls label:has-text('5')").click()
    page.wait_for_timeout(700)
    scrub = page.locator(".fv-scrub")
    scrub.focus()
    page.keyboard.press("Home")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    where = page.locator(".fv-where").inner_text()
    page.locator("h1").focus()
    page.keyboard.press("l")
    link = page.locator(".fv-share-text").input_value()
    assert "answer=1" in link
    assert "classes=5" in link
    assert page.locator(".fv-qr").evaluate("(image) => image.decode().then(() => true)")
    page.goto("about:blank")
    page.goto(link)
    shown(page, 1)
    phase(page, "open")
    page.wait_for_function(f"() => document.querySelector('.fv-where')?.innerText === '{where}'")
    assert page.locator(".fv-controls input[value='5']").is_checked()
    assert page.faults == []


def test_a_link_hides_what_it_names_and_says_what_it_ignores(page, app_url):
    page.goto(f"{app_url}/lecture?lesson=8&hide=seed,bar&m2=lots&seed=2")
    shown(page, 8)
    assert not page.locator(".fv-lesson-bar").is_visible()
    assert page.locator("text=m2=lots").count() == 1
    page.keyboard.press("ArrowRight")
    phase(page, "open")
    assert page.locator(".fv-control").filter(has_text="Seed").is_hidden()


def test_the_playgrounds_link_holds_step_and_camera(page, app_url):
    page.goto(f"{app_url}/?preset=arcface_sphere")
    page.wait_for_selector(".fv-where")
    page.wait_for_timeout(2500)
    scrub = page.locator(".fv-scrub")
    scrub.focus()
    page.keyboard.press("Home")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    box = page.locator(".fv-stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2 + 30, steps=6)
    page.mouse.up()
    page.wait_for_timeout(600)
    where = page.locator(".fv-where").inner_text()
    page.locator(".fv-share button").first.click()
    link = page.locator(".fv-share-text").input_value()
    camera = re.search("cam=([^&]+)", link)[1]
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function(f"() => document.querySelector('.fv-where')?.innerText === '{where}'")
    page.wait_for_timeout(1500)
    page.locator(".fv-share button").first.click()
    again = page.locator(".fv-share-text").input_value()
    assert re.search("cam=([^&]+)", again)[1] == camera
    assert page.faults == []


def test_the_notes_open_beside_the_lecture(page, app_url):
    page.goto(f"{app_url}/lecture?lesson=4&lang=ru")
    shown(page, 4)
    with page.expect_popup() as popup:
        page.keyboard.press("n")
    notes = popup.value
    notes.wait_for_selector("#lesson-13")
    assert notes.url.endswith("/facevis/notes/ru#lesson-4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    shown(page, 5)
    notes.wait_for_url("**#lesson-5")


def test_reduced_motion_shows_the_end_at_once(browser, app_url):
    page = opened(browser, reduced_motion="reduce")
    page.goto(f"{app_url}/lecture?lesson=1")
    shown(page, 1)
    page.wait_for_selector(".fv-where", state="attached")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "() => document.querySelector('.fv-where').innerText.includes('800 of 800')", timeout=4000
    )
    assert page.faults == []
    page.context.close()


# -- from disk -----------------------------------------------------------------------------------


@pytest.fixture
def offline(browser):
    page = opened(browser, viewport={"width": 1280, "height": 800}, offline=True)
    yield page
    page.context.close()


@pytest.mark.parametrize("number", [8, 3, 13])
def test_an_exported_lesson_plays_without_a_network(offline, tmp_path, number):
    path = tmp_path / "lesson.html"
    path.write_text(lesson_html(number, "ru"), encoding="utf-8")
    assert path.stat().st_size < 8e6
    offline.goto(path.as_uri())
    shown(offline, number)
    drawn(offline)
    offline.keyboard.press("1")
    offline.keyboard.press("Enter")
    offline.keyboard.press("Enter")
    phase(offline, "open")
    offline.wait_for_timeout(1500)
    assert offline.faults == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in offline.heard.asked)


def test_scrubbing_an_exported_lesson_is_quick(offline, tmp_path):
    path = tmp_path / "lesson.html"
    path.write_text(lesson_html(8, "en"), encoding="utf-8")
    offline.goto(path.as_uri())
    shown(offline, 8)
    offline.keyboard.press("ArrowRight")
    phase(offline, "open")
    offline.wait_for_timeout(4500)
    slider = offline.locator(".fv-controls input[type=range]")
    before = offline.locator(".fv-cell-head span").nth(1).inner_text()
    slider.focus()
    for _ in range(12):
        offline.keyboard.press("ArrowRight")
    offline.wait_for_timeout(200)
    assert offline.locator(".fv-cell-head span").nth(1).inner_text() != before
    assert offline.faults == []


def test_a_course_is_a_folder_that_links_its_lessons(offline, tmp_path):
    write_course("en", tmp_path / "course")
    names = {path.name for path in (tmp_path / "course").iterdir()}
    assert {"index.html", "notes.html", "plotly.min.js", "lesson-13.html"} <= names
    offline.goto((tmp_path / "course" / "index.html").as_uri())
    offline.locator("a", has_text="One more dimension").click()
    shown(offline, 11)
    drawn(offline)
    offline.keyboard.press("ArrowRight")
    phase(offline, "open")
    offline.keyboard.press("ArrowRight")
    shown(offline, 12)
    assert offline.faults == []


def test_every_exported_lesson_is_small():
    for one in LESSONS:
        began = time.monotonic()
        assert len(lesson_html(one.number, "en").encode()) < 8e6, one.slug
        assert time.monotonic() - began < 30


def test_another_theme_keeps_what_the_hand_has_set(offline, tmp_path):
    path = tmp_path / "lesson.html"
    path.write_text(lesson_html(10, "en"), encoding="utf-8")
    offline.goto(path.as_uri())
    shown(offline, 10)
    offline.keyboard.press("ArrowRight")
    phase(offline, "open")
    drawn(offline)
    offline.wait_for_function(f"() => ({REFUSED})() > 100", timeout=8000)
    offline.emulate_media(color_scheme="dark")
    offline.wait_for_selector(".fv-lesson[data-theme=dark]")
    m3 = offline.locator(".fv-controls input[type=range]").nth(3)
    m3.focus()
    offline.keyboard.press("Home")
    offline.wait_for_function("() => !document.querySelector('.fv-gauge[data-fits=false]')")
    offline.wait_for_function(f"() => ({REFUSED})() === 0", timeout=8000)
    assert offline.faults == []
