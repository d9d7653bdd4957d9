"""What a run shows while it goes on: speed, time left, plain lines where there is no terminal."""

import io
import math
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from facevis.fullscale import screen
from facevis.fullscale.screen import Screen


class Clock(SimpleNamespace):
    """Time as a test wants it."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(screen, "time", clock)
    return clock


def test_speed_is_that_of_the_last_twenty_seconds_of_training(clock):
    shown = Screen(1000, 32, console=Console(file=io.StringIO()))
    assert math.isnan(shown.images_per_second)
    for step in range(1, 101):  # ten steps a second, then two
        clock.now += 0.1
        shown.update(step, 1.0, 0.1, 45.0)
    assert shown.images_per_second == pytest.approx(320.0)
    for step in range(101, 161):
        clock.now += 0.5
        shown.update(step, 1.0, 0.1, 45.0)
    assert shown.images_per_second == pytest.approx(64.0)
    clock.now += 500.0  # an evaluation
    shown.pause()
    assert math.isnan(shown.images_per_second)
    clock.now += 0.25
    shown.update(161, 1.0, 0.1, 45.0)
    assert shown.images_per_second == pytest.approx(128.0)


def test_where_there_is_no_terminal_a_plain_line_comes_every_ten_seconds(clock):
    file = io.StringIO()
    with Screen(100, 32, console=Console(file=file, width=40)) as shown:
        for step in range(1, 101):
            clock.now += 1.0
            shown.update(step, 1.25, 0.1, math.nan if step > 50 else 45.0)
    lines = file.getvalue().splitlines()
    assert lines[0] == "step 10/100  loss 1.25  lr 0.1  θ 45.0°  32/s  0:01:30 left"
    assert lines[-1] == "step 100/100  loss 1.25  lr 0.1  32/s"
    assert [line.split()[1] for line in lines] == [f"{10 * k}/100" for k in range(1, 11)]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", file.getvalue())


def test_a_terminal_shows_a_bar_with_speed_and_time_left():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120)
    with Screen(500, 32, start=100, console=console) as shown:
        for step in range(101, 131):
            screen.time.sleep(0.005)
            shown.update(step, 1.25, 0.1, 45.0)
        shown.say("a sentence [above] it")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())
    assert "a sentence [above] it\n" in text
    last = text.rstrip().splitlines()[-1]
    assert re.search(r"130/500 loss 1.25  lr 0.1  θ 45.0°  [\d,]+/s \d:\d\d:\d\d", last)


def test_the_others_of_several_processes_are_silent():
    file = io.StringIO()
    with Screen(3, 32, console=Console(file=file), silent=True) as shown:
        shown.update(3, 1.0, 0.1, 45.0)
        shown.say("a sentence")
    assert file.getvalue() == ""
