"""Two windows on one configuration: one run, until one of them steers; then two."""

import pytest

TOKEN = "document.querySelector('.fv-root').parentElement.__facevisView.token"
METRICS = "window.__facevis.at(-1)"
RUN = "loss=arcface&seed=61&steps=200000"


@pytest.fixture
def windows(browser, app_url):
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    pages = []
    for context in contexts:
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error, page=page: page.faults.append(str(error)))
        page.goto(f"{app_url}/?{RUN}")
        page.wait_for_function(f"window.__facevis?.length && {METRICS}.snapshots > 10")
        page.wait_for_function(f"{METRICS}.plotlyNewPlots === 1")
        pages.append(page)
    yield pages
    assert [page.faults for page in pages] == [[], []]
    for context in contexts:
        context.close()


def press(page, key):
    slider = page.get_by_label("ArcFace").and_(page.locator("input[type=range]"))
    slider.focus()
    page.keyboard.press(key)


def sliders(page):
    slider = page.get_by_label("ArcFace").and_(page.locator("input[type=range]"))
    return float(slider.input_value())


def test_a_slider_parts_the_hand_from_the_others_without_a_flash(windows):
    hand, other = windows
    shared = hand.evaluate(TOKEN)
    assert other.evaluate(TOKEN) == shared
    press(hand, "ArrowRight")
    hand.wait_for_function(f"{TOKEN} !== {shared!r}")
    hand.wait_for_url("**m2=0.51*")
    own = hand.evaluate(TOKEN)
    seen = hand.evaluate(f"{METRICS}.snapshots")
    hand.wait_for_function(f"{METRICS}.snapshots > {seen} + 10")
    assert hand.evaluate(f"[{METRICS}.mounts, {METRICS}.plotlyNewPlots]") == [1, 1]
    assert other.evaluate(TOKEN) == shared
    assert sliders(other) == 0.5
    # The page knows the run by its new name: what is on the screen stays when the page runs again.
    press(hand, "ArrowRight")
    hand.wait_for_url("**m2=0.52*")
    assert hand.evaluate(TOKEN) == own
    assert hand.evaluate(f"[{METRICS}.mounts, {METRICS}.plotlyNewPlots]") == [1, 1]


def test_pausing_is_a_change_too(windows):
    hand, other = windows
    shared = other.evaluate(TOKEN)
    hand.get_by_role("button", name="Pause").click()
    hand.wait_for_function(f"{TOKEN} !== {shared!r}")
    hand.get_by_role("button", name="Train", exact=True).wait_for()
    seen = other.evaluate(f"{METRICS}.snapshots")
    other.wait_for_function(f"{METRICS}.snapshots > {seen} + 10")
    assert other.evaluate(TOKEN) == shared
