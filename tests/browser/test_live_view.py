"""The live view in a real browser: it draws, it learns, it keeps the camera, it obeys."""

import json
import time

import pytest

METRICS = "() => JSON.parse(JSON.stringify(window.__facevis?.at(-1) ?? null))"


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.faults = []
    page.hosts = set()
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: page.faults.append(m.text) if m.type == "error" else None)
    page.on("request", lambda r: page.hosts.add(r.url.split("/")[2].split(":")[0]))
    yield page
    context.close()


def until(page, condition, seconds=40):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        metrics = page.evaluate(METRICS)
        if metrics and condition(metrics):
            return metrics
        page.wait_for_timeout(100)
    raise AssertionError(json.dumps(page.evaluate(METRICS))[:1500])


@pytest.mark.parametrize("dim", [2, 3])
def test_live_training_is_drawn_without_a_remount(page, app_url, dim):
    page.goto(f"{app_url}/?loss=arcface&dim={dim}&seed={40 + dim}&steps=200000")
    before = until(page, lambda m: m["snapshots"] > 10 and m["plotlyNewPlots"] == 1)
    after = until(page, lambda m: m["snapshots"] > before["snapshots"] + 30)
    assert after["plotlyNewPlots"] == before["plotlyNewPlots"] == 1
    assert max(shown["bytes"] for shown in after["painted"]) <= 15_000
    assert page.faults == []
    assert page.hosts <= {"localhost", "127.0.0.1", ""}


def test_a_slider_moves_the_running_training_and_the_link(page, app_url):
    page.goto(f"{app_url}/?loss=arcface&seed=50&steps=200000")
    until(page, lambda m: m["snapshots"] > 5)
    slider = page.get_by_label("ArcFace").and_(page.locator("input[type=range]"))
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    until(page, lambda m: len(m["sliderToTrained"]) > 0)
    page.wait_for_url("**m2=0.55*", timeout=15_000)
    assert "seed=50" in page.url
    assert page.faults == []


def test_a_shipped_recording_is_the_first_picture(page, app_url):
    page.goto(f"{app_url}/?preset=softmax")
    until(page, lambda m: m["snapshots"] > 0 and m["frames"] > 5)
    assert page.faults == []
