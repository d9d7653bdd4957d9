"""The README's pictures show the pages as they are: their words, and where their parts stand."""

import json

import onscreen
import pytest
import served

AGAIN = "is not as it was when the README's pictures were made; make them anew: docs/pictures.py"


@pytest.fixture(scope="module")
def now(serve, browser, tmp_path_factory):
    """What is on screen, by the names of the pictures."""
    home = tmp_path_factory.mktemp("pictures")
    onscreen.short_run(home / "runs" / "short")
    with serve(*served.app(home / "runs")) as app:
        return onscreen.everything(browser, app.url, home)


def test_no_picture_of_the_readme_is_out_of_date(now):
    then = json.loads(onscreen.WORDS.read_text(encoding="utf-8"))
    assert set(then) == set(now)
    found = {name: onscreen.differences(then[name], now[name]) for name in then}
    assert {f"{name} {AGAIN}": said for name, said in found.items() if said} == {}


def test_what_is_compared_says_something(now):
    """On every page there are words, and each part that must keep its place is there."""
    assert min(len(page["words"]) for page in now.values()) >= 5
    missing = [
        (name, part)
        for name, page in now.items()
        for part in page["places"]
        if page["places"][part] is None
    ]
    assert missing == []


def test_another_word_and_another_place_are_told_and_another_font_is_not():
    then = {"words": {"Train": 50, "Link": 50, "Low": 90}, "places": {"a": [10, 10, 50]}}
    other = {"words": {"Go": 50, "Link": 50, "Low": 90}, "places": {"a": [30, 10, 50]}}
    wider = {"words": {"Train": 52, "Link": 51}, "places": {"a": [10, 12, 50]}}
    assert onscreen.differences(then, other) == [
        "'Train' is gone",
        "'Go' is new",
        "a was at [10, 10, 50], is at [30, 10, 50]",
    ]
    assert onscreen.differences(then, wider) == []
    assert onscreen.differences(then, {**wider, "places": {"a": None}}) != []
