"""Files made beside the page: whole, cancelled, or refused in a sentence."""

import time

import pytest

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.material import material_for
from facevis.live.trainer import LiveRun
from facevis.ui import take_away as page
from facevis.ui.take_away import Job

CONFIG = RunConfig(members=(Member(), Member(objective="cosface")), identities=7, unseen=3)


@pytest.fixture
def run():
    return LiveRun(CONFIG, material_for(CONFIG), Ensemble(CONFIG, device="cpu").record(steps=3))


def done(job):
    limit = time.monotonic() + 60
    while job.running:
        assert time.monotonic() < limit
        time.sleep(0.02)
    return job


def test_a_file_is_made_of_what_the_run_has_now(run):
    job = done(Job(run, "csv", "en", "light"))
    assert job.error == ""
    assert job.data.decode().count("\n") == 3


def test_a_cancelled_file_leaves_nothing(run):
    job = Job(run, "gif", "ru", "dark")
    job.cancel()
    assert done(job).data == b""
    assert job.error == ""


def test_what_cannot_be_made_is_said_and_nothing_else_is_harmed(run, monkeypatch):
    empty = LiveRun(CONFIG, material_for(CONFIG))
    assert "no snapshot yet" in done(Job(empty, "png", "en", "light")).error

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "take_away", full)
    assert "No space left" in done(Job(run, "png", "en", "light")).error
    assert run.error is None
