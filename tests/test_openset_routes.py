"""The open-set report over HTTP: the state beside it, and words for what cannot be answered."""

import threading
import time

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from facevis.live import Member, RunConfig
from facevis.live.openset import Question
from facevis.live.openset_routes import _ask, parse_question, routes
from facevis.live.rooms import rooms

CONFIG = RunConfig(
    members=(Member(objective="softmax"), Member()),
    identities=6,
    unseen=4,
    embedding_dim=8,
    steps=30,
)


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes()))


@pytest.fixture(scope="module")
def finished():
    token = rooms.open(CONFIG)
    run = rooms.find(token)
    done = threading.Event()
    leave = run.listen(lambda: run.state == "finished" and done.set())
    run.play()
    assert done.wait(60)
    leave()
    return token


def test_a_run_is_reported_over_http_with_its_state(client, finished):
    answer = client.get(f"/facevis/runs/{finished}/openset.json").json()
    assert answer["state"] == "finished"
    assert answer["step"] == CONFIG.steps
    sizes = np.bincount(answer["labels"])
    assert answer["members"][0]["genuine"] == (sizes * (sizes - 1) // 2).sum()
    short = client.get(f"/facevis/runs/{finished}/openset.json?full=0").json()
    assert "pairs" not in short["members"][0]
    state = client.get(f"/facevis/runs/{finished}/openset.json?only=state").json()
    assert set(state) == {"state", "steps", "generation", "step"}
    picture = client.get(f"/facevis/runs/{finished}/strangers.png")
    assert picture.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "query",
    [
        "stranger=-1",
        "gallery=x",
        "per_identity=0",
        "enrolled=99999999",
        "gallery=1.5",
        "full=maybe",
    ],
)
def test_a_question_that_makes_no_sense_is_answered_in_words(client, finished, query):
    answer = client.get(f"/facevis/runs/{finished}/openset.json?{query}")
    assert answer.status_code == 400
    assert "give a whole number" in answer.json()["error"]


def test_a_run_trains_on_while_its_report_takes_long(client, monkeypatch):
    """Also where it takes longer than a run waits for somebody to look."""
    monkeypatch.setattr("facevis.live.training.ALONE_SECONDS", 0.0)
    token = rooms.open(CONFIG)
    run = rooms.find(token)

    def slowly(*_):
        limit = time.monotonic() + 30
        while run.state != "finished":
            assert time.monotonic() < limit, (run.state, run.step)
            time.sleep(0.01)
        return {"measured": True}

    monkeypatch.setattr("facevis.live.openset_routes.report", slowly)
    run.play()
    answer = client.get(f"/facevis/runs/{token}/openset.json").json()
    assert (answer["measured"], answer["state"]) == (True, "finished")


def test_a_run_that_is_gone_is_said(client):
    answer = client.get("/facevis/runs/nobody/openset.json")
    assert answer.status_code == 404
    assert answer.json()["gone"] is True


def test_a_run_without_strangers_says_so(client):
    token = rooms.open(RunConfig(steps=1))
    assert "no strangers" in client.get(f"/facevis/runs/{token}/openset.json").json()["error"]


def test_absurd_wishes_are_brought_to_what_there_is(client, finished):
    wish = "gallery=999&per_identity=900&stranger=999&enrolled=999"
    answer = client.get(f"/facevis/runs/{finished}/openset.json?{wish}").json()
    assert answer["members"][0]["enrol"]["who"] == 3
    assert "enrol fewer" in answer["members"][0]["identification"]["error"]
    assert parse_question({}) == Question()


def test_a_viewer_who_gives_up_while_the_answer_comes_does_not_fail_the_run():
    class Run:
        def look(self, tell):
            self.tell = tell

    class GivenUp(dict):
        def __contains__(self, key):  # the page goes while the trainer's thread reads the answer
            asked.cancel()
            return super().__contains__(key)

    run = Run()
    asked = _ask(run)
    run.tell(GivenUp(look="a look", generation=1))
    assert asked.result(timeout=0) == ("a look", 1)
    gone = _ask(run)
    assert gone.cancel()
    run.tell({"look": "a look", "generation": 1})
    assert gone.cancelled()
