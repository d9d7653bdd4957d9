"""The page about many dimensions in a real browser: checkpoints play, and nobody can train."""

import pytest
import served
import torch
from network_files import STRANGERS, one_thread
from runs import prepared, small

from facevis.fullscale.training import Training

VIEW = "document.querySelector('.fv-root').parentElement.__facevisView"


@pytest.fixture(scope="module")
def url(serve, tmp_path_factory):
    """The app beside a run of twelve steps with four checkpoints."""
    runs = tmp_path_factory.mktemp("runs")
    fields = {"steps": 12, "follow__sets": (STRANGERS,), "follow__keep": 9}
    with one_thread():
        Training(prepared(runs / "mine", **fields), small(**fields), torch.device("cpu")).run()
    with serve(*served.app(runs)) as app:
        yield app.url


def opened(page, url, more=""):
    page.goto(f"{url}/dimensions?run=mine{more}")
    page.wait_for_function(
        f"document.querySelector('.fv-root') && {VIEW}?.stage?.player.frame", timeout=60_000
    )


def test_all_checkpoints_play_from_the_untrained_network_on(page, url):
    opened(page, url)
    page.wait_for_function(f"{VIEW}.store.kept.length === 5")
    steps = page.evaluate(f"{VIEW}.store.kept.map((frame) => frame.step)")
    assert steps == [0, 3, 6, 9, 12]
    where = page.locator(".fv-transport, .fv-bar").first
    assert "12" in where.inner_text()
    page.locator(".fv-bar input[type=range]").fill("1")
    page.wait_for_function(f"{VIEW}.stage.player.frame.step === 3")
    assert page.locator("button", has_text="Train").count() == 0
    assert page.locator(".fv-cell, .fv-root").first.is_visible()
    assert page.get_by_text("mobilefacenet").first.is_visible()
    assert not page.faults


def test_three_other_people_span_another_sphere_without_a_remount(page, url):
    opened(page, url)
    mounts = page.evaluate(f"{VIEW}.metrics.mounts")
    page.get_by_label("Second").click()
    page.get_by_role("option", name="face 5", exact=True).click()
    page.wait_for_function(f"{VIEW}.run?.projection.classes.includes(4)", timeout=20_000)
    assert page.evaluate(f"{VIEW}.metrics.mounts") == mounts
    assert "span:0,4,2" in page.url.replace("%3A", ":").replace("%2C", ",")
    assert not page.faults


def test_the_hardest_pairs_are_there_as_pictures(page, url):
    page.goto(f"{url}/dimensions?run=mine&part=hardest")
    page.locator(".fv-pairs li").first.wait_for(timeout=60_000)
    angles = [
        [float(text.rstrip("°")) for text in found.locator("li small").all_inner_texts()]
        for found in page.locator(".fv-pairs").all()
    ]
    assert angles[0] == sorted(angles[0], reverse=True)
    assert angles[1] == sorted(angles[1])
    assert min(map(len, angles)) > 3
    assert not page.faults


def test_the_lecture_shows_the_run_on_its_sphere(page, url):
    page.goto(f"{url}/lecture?lesson=13&run=mine&answer=1")
    note = page.get_by_text("in place of the lesson's recording: mine, step 12")
    note.wait_for(timeout=60_000)
    page.wait_for_function(
        "document.querySelectorAll('.fv-small-table tbody tr').length >= 4", timeout=20_000
    )
    assert not page.faults
