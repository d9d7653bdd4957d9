"""Students look at runs and try small ones; they steer none, and what is large stays away."""

import json

import pytest
from classroom import SECONDS, Student, ask, classroom, enter, join, socket_of, until
from websockets.exceptions import InvalidStatus

from facevis.classroom.trying import small_run
from facevis.live import Member, RunConfig
from facevis.live.rooms import RoomFull, rooms


@pytest.fixture
def own(tmp_path):
    """A room of a test's own."""
    with classroom(tmp_path) as opened:
        yield opened


def test_without_a_seat_there_is_no_lesson_and_no_run(own):
    room, url = own
    token = rooms.open(RunConfig(steps=1))
    paths = ["lesson/7.json", f"runs/{token}/thumbnails.png", f"runs/{token}/lesson.tape"]
    joined_only = join(url, room)
    for path in paths:
        assert ask(url, f"/facevis/{path}").status == 401
        assert ask(url, f"/facevis/{path}", cookie=joined_only).status == 503
    for cookie in ("", joined_only):
        with pytest.raises(InvalidStatus):
            enter(url, f"/facevis/stream/{token}", cookie)


def test_a_student_tries_a_small_run_and_the_same_settings_are_the_same_run(own):
    room, url = own
    with Student(url, room) as student, Student(url, room) as neighbour:
        student.state(), neighbour.state()
        query = {"loss": "cosface", "m3": "0.2", "seed": "41", "steps": "90000", "nonsense": "x"}
        found = [
            ask(url, "/facevis/try", cookie=s.cookie, body={"query": query}).json()
            for s in (student, neighbour)
        ]
        assert found[0]["token"] == found[1]["token"]
        assert found[0]["mode"] == "single"
        assert found[0]["ignored"] == [
            "steps=90000 was ignored: in the classroom it is at most 3000."
        ]
        answer = ask(url, "/facevis/try?lang=ru", cookie=student.cookie, body={"query": query})
        assert answer.json()["ignored"] == ["Не учтено steps=90000: на занятии не больше 3000."]
        assert found[0]["member"]["objective"] == "cosface"
        run = rooms.find(found[0]["token"])
        assert (run.config.steps, run.config.seed) == (3000, 41)
        with socket_of(url, f"/facevis/stream/{found[0]['token']}", student.cookie) as line:
            assert json.loads(line.recv(timeout=SECONDS))["type"] == "run"
            until(lambda: run.step > 0)
        for path in ("thumbnails.png", "lesson.tape"):
            answer = ask(url, f"/facevis/runs/{found[0]['token']}/{path}", cookie=student.cookie)
            assert answer.status == 200
        run.pause()


@pytest.mark.parametrize(
    "query",
    [
        {"data": "/etc"},
        {"data": "lfw"},
        {"data": "../runs"},
        {"dim": "512"},
        {"batch": "8192"},
        {"steps": "1000000"},
        {"data": "faces", "n": "1000"},
        {"data": "faces", "unseen": "1000"},
        {"members": "arcface,softmax"},
    ],
)
def test_only_small_runs_of_shipped_pictures_can_be_tried(query):
    config, ignored = small_run(query)
    assert config.dataset == "digits"
    assert len(config.members) == 1
    assert config.embedding_dim in (2, 3)
    assert config.steps <= 3000
    assert config.batch_size <= 256
    assert max(config.identities or 0, config.unseen) <= 48
    assert ignored or "members" in query


def test_a_full_room_of_runs_is_said(own, monkeypatch):
    room, url = own

    def full(config, *, guest):
        assert guest
        raise RoomFull("the room is full: close a run and try again.")

    monkeypatch.setattr(rooms, "share", full)
    with Student(url, room) as student:
        student.state()
        answer = ask(url, "/facevis/try", cookie=student.cookie, body={"query": {}})
        assert (answer.status, answer.json()["error"][:16]) == (503, "the room is full")
        answers = [
            ask(url, "/facevis/try", cookie=student.cookie, body={"query": {}}) for _ in range(5)
        ]
        assert answers[-1].status == 429


COMMANDS = [
    *({"type": kind} for kind in ("play", "pause", "rewind", "step")),
    {"type": "speed", "steps_per_second": 1},
    {"type": "set", "member": 0, "margin": [1, 0.2, 0.1], "scale": 5, "id": 1},
    {"type": "anatomy", "sample": 1, "id": 1},
]


def test_a_student_sees_a_run_and_steers_nothing(own):
    room, url = own
    config = RunConfig(members=(Member(objective="arcface"),), steps=50, seed=77)
    token = rooms.open(config)
    run = rooms.find(token)
    with Student(url, room) as student:
        student.state()
        with socket_of(url, f"/facevis/stream/{token}", student.cookie) as line:
            assert json.loads(line.recv(timeout=SECONDS))["type"] == "run"
            for command in COMMANDS:
                line.send(json.dumps(command))
            errors = 0
            while errors < len(COMMANDS):
                message = line.recv(timeout=SECONDS)
                errors += isinstance(message, str) and json.loads(message)["type"] == "error"
    assert not run.busy
    assert (run.step, run.state, run.members) == (0, "paused", [config.members[0]])
    assert rooms.find(token) is run
