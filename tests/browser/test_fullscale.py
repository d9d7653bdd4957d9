"""A full-scale run in a real browser: watched, killed, gone on with, seen to its end, deleted."""

import os

import pytest
import served
from runs import small

from facevis.fullscale import jobs, running

VIEW = "document.querySelector('.fv-training').parentElement.__facevisView"
STEPS = 60


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("app") / "runs"


@pytest.fixture(scope="module")
def app(serve, runs):
    command = ("-m", "facevis", "app", "--no-browser", "--runs", str(runs), "--port")
    with serve(*command, environment={"PYTHONPATH": str(served.ROOT)}) as app:
        yield app.url


def until(page, what):
    page.wait_for_function(f"{VIEW}?.run && {what}", timeout=60_000)


def test_a_run_is_watched_without_flicker_killed_and_gone_on_with(page, app, runs):
    config = small(STEPS, follow__checkpoint_every=4, follow__angle_identities=8)
    folder = jobs.submit(runs, "tiny", config)
    page.goto(f"{app}/fullscale?run=tiny")
    page.wait_for_selector(".fv-training")
    until(page, f"{VIEW}.run.step > 5")
    page.evaluate(f"{VIEW}.root.dataset.kept = 'yes'")
    os.kill(running.read(folder).pid, 9)
    page.wait_for_selector(".fv-training-why:not([hidden])")
    why = page.locator(".fv-training-why")
    assert why.get_attribute("role") == "alert"
    assert "Its process was killed" in why.inner_text()
    assert "press Resume" in why.inner_text()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Go on").click()
    until(page, f"{VIEW}.run.state === 'finished'")
    # Each step once, as in an uninterrupted run, in the view that was there from the beginning.
    assert page.evaluate(f"{VIEW}.history.train.step") == [*range(1, STEPS + 1)]
    assert page.evaluate(f"{VIEW}.root.dataset.kept") == "yes"
    assert page.locator(".fv-training-state").inner_text() == "Finished"
    assert page.locator(".fv-training-numbers dd").first.inner_text() == f"{STEPS} / {STEPS}"
    page.locator(".fv-training-log summary").click()
    page.wait_for_function("document.querySelector('.fv-training-log pre').textContent.length > 9")
    assert not page.faults


def test_moments_are_chosen_by_keyboard_and_a_deleted_run_leaves_the_page_up(page, app, runs):
    page.goto(f"{app}/fullscale?run=tiny&lang=ru")
    page.wait_for_selector(".fv-training figure input[type=range]")
    moment = page.locator(".fv-training figure input[type=range]")
    moment.focus()
    page.keyboard.press("Home")
    assert moment.get_attribute("aria-valuetext") == "шаг 0"
    heads = page.locator(".fv-training-table th[scope=col]:not([hidden])")
    assert heads.all_inner_texts() == ["шаг 0"]
    page.keyboard.press("End")
    assert heads.all_inner_texts() == ["шаг 0", f"шаг {STEPS}"]
    assert "°" in page.locator(".fv-heat").get_attribute("aria-label")
    jobs.delete(runs / "tiny")
    said = page.locator("[data-testid=stAlert]")
    said.wait_for()
    assert str(runs) in said.inner_text()
    assert not page.faults
