"""The lecturer's desk: who is there and what was voted, and the acts of one who has its token."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from facevis.classroom import room as rooming
from facevis.classroom.desk import routes
from facevis.classroom.limits import Limits

client = TestClient(Starlette(routes=routes()))


@pytest.fixture
def room(tmp_path):
    opened = rooming.open_classroom(Limits(students=40), tmp_path / "votes.csv")
    opened.show_lesson(7, "en")
    yield opened
    rooming.close_classroom()


class Desk:
    def __init__(self, socket):
        self.socket = socket

    def hear(self, wanted=lambda told: True):
        while True:
            told = json.loads(self.socket.receive_text())
            if wanted(told):
                return told

    def act(self, act, lesson=7):
        self.socket.send_text(json.dumps({"type": "poll", "lesson": lesson, "act": act}))

    def poll(self, wanted):
        return self.hear(lambda told: told["type"] == "desk" and wanted(told["poll"]))["poll"]


@pytest.fixture
def desk(room):
    with client.websocket_connect(f"/facevis/desk/{room.desk}") as socket:
        yield Desk(socket)


def test_the_desk_is_told_at_once_and_of_every_change(room, desk):
    assert desk.hear() == {
        **{"type": "desk", "joined": 0, "waiting": 0, "limit": 40, "trouble": None},
        "poll": {"lesson": 7, "phase": "closed", "counts": [0, 0, 0], "total": 0, "earlier": None},
    }
    token = room.seats.admit()
    room.seats.enter(token)
    room.seats.place(token)
    assert desk.hear(lambda told: told["joined"] == 1)
    room.show_nothing()
    assert desk.hear(lambda told: told["poll"] is None)


def test_acts_go_from_open_to_again(room, desk):
    for act, phase in (("open", "open"), ("lock", "locked"), ("reveal", "revealed")):
        desk.act(act)
        assert desk.poll(lambda poll, phase=phase: poll["phase"] == phase)["total"] == (
            0 if act == "open" else 1
        )
        room.vote("ballot", 7, 1)
    desk.act("again")
    assert desk.poll(lambda poll: poll["phase"] == "closed")["counts"] == [0, 0, 0]


def test_many_votes_are_told_in_few_messages(room, desk):
    desk.act("open")
    desk.poll(lambda poll: poll["phase"] == "open")
    for number in range(200):
        room.vote(f"ballot {number}", 7, number % 3)
    heard = []
    desk.hear(lambda told: heard.append(told) or told["poll"]["total"] == 200)
    assert heard[-1]["poll"]["counts"] == [67, 67, 66]
    assert len(heard) <= 3


@pytest.mark.parametrize("token", ["", "x", "A" * 24, "ы"])
def test_without_the_token_there_is_no_desk(room, token):
    assert refused(f"/facevis/desk/{token}")
    assert room.desk not in token


def test_without_a_classroom_there_is_no_desk():
    assert rooming.current() is None
    assert refused("/facevis/desk/x")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver:1", "//"])
def test_a_page_of_another_origin_gets_no_desk(room, origin):
    assert refused(f"/facevis/desk/{room.desk}", {"origin": origin})


def refused(path, headers=None):
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(path, headers=headers or {}) as socket,
    ):
        socket.receive_text()
    return True


words = st.text(max_size=20) | st.sampled_from(["poll", "open", "lock", "__class__", "vote"])
anything = st.none() | st.booleans() | st.floats() | st.integers() | words | st.lists(words)
acts = st.fixed_dictionaries(
    {}, optional={k: anything for k in ("type", "lesson", "act", "choice")}
)


@given(st.lists(acts.map(json.dumps) | words, min_size=20, max_size=20))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_no_act_is_answered_in_words(room, desk, sent):
    for text in sent:
        if not ("open" in text and "poll" in text):
            desk.socket.send_text(text)
            told = desk.hear(lambda told: told["type"] == "error")
            assert told["message"].endswith(".")
    assert room.overview()["poll"]["phase"] == "closed"


def test_trouble_with_the_table_reaches_the_desk(tmp_path):
    (tmp_path / "file").write_text("")
    room = rooming.open_classroom(Limits(), tmp_path / "file" / "votes.csv")
    room.show_lesson(7, "en")
    with client.websocket_connect(f"/facevis/desk/{room.desk}") as socket:
        desk = Desk(socket)
        desk.act("open")
        desk.poll(lambda poll: poll["phase"] == "open")
        room.vote("ballot", 7, 1)
        desk.act("lock")
        assert "votes.csv" in desk.hear(lambda told: told["trouble"])["trouble"]
    rooming.close_classroom()
