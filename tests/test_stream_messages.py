"""Messages that reach a run: what is no command is answered in words and harms nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listening import Listener
from starlette.applications import Starlette
from starlette.testclient import TestClient

from facevis.live import Ensemble, RunConfig
from facevis.live.commands import parse_command
from facevis.live.rates import Budget
from facevis.live.rooms import rooms
from facevis.live.stream import routes


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes()))


@pytest.fixture
def run():
    token = rooms.open(RunConfig(steps=40))
    live = rooms.find(token)
    yield token, live
    live.pause()


def test_nobody_saves_up_messages_in_a_quiet_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    budget = Budget(per_second=10.0, burst=3)
    now[0] = 1e6
    assert [budget.spend() for _ in range(4)] == [True, True, True, False]
    now[0] += 0.125
    assert [budget.spend() for _ in range(2)] == [True, False]


def test_a_flood_of_messages_is_cut_off(client, run):
    with client.websocket_connect(f"/facevis/stream/{run[0]}") as socket:
        for _ in range(2000):
            socket.send_text('{"type": "ack"}')
        messages = iter(socket.receive, None)
        closed = next(m for m in messages if m["type"] == "websocket.close")
    assert (closed["code"], closed["reason"]) == (4429, "too many messages")


def test_a_question_about_a_sample_is_answered_to_who_asked_and_to_nobody_else(client, run):
    token, live = run
    path = f"/facevis/stream/{token}"
    with client.websocket_connect(path) as socket, client.websocket_connect(path) as other:
        asker, neighbour = Listener(socket), Listener(other)
        asker.say(type="step", count=5)
        asker.hear(lambda heard: any(h["step"] == 5 for h, *_ in heard.frames))
        asker.say(type="anatomy", sample=17, id=41)
        asker.hear(lambda heard: any(t["type"] == "anatomy" for t in heard.texts))
        asker.say(type="step", count=1)
        neighbour.hear(lambda heard: any(h["step"] == 6 for h, *_ in heard.frames))
    answer = next(t for t in asker.texts if t["type"] == "anatomy")
    expected = {"id": 41, "sample": 17, "step": 5, "label": 7, "trains": True, "unseen": False}
    assert answer.items() >= expected.items()
    assert len(answer["members"]) == 1
    assert answer["generation"] == live.generation
    assert {t["type"] for t in neighbour.texts} <= {"run", "status", "reset"}


def test_of_many_questions_at_once_the_last_is_answered_and_few_of_the_others(client, run):
    token, _ = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        for number in range(200):
            listener.say(type="anatomy", sample=number, id=number)
        listener.hear(lambda heard: any(t.get("id") == 199 for t in heard.texts))
    numbers = [t["id"] for t in listener.texts if t["type"] == "anatomy"]
    assert numbers == sorted(numbers)
    assert len(numbers) < 100


def test_a_question_that_has_no_answer_is_told_so(client):
    config = RunConfig(steps=2)
    recording = Ensemble(config).record()
    recording.state = {}
    token = rooms.open(config, recording)
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        listener.say(type="anatomy", sample=0, id=3)
        listener.hear(lambda heard: any(t["type"] == "error" for t in heard.texts))
    error = next(t for t in listener.texts if t["type"] == "error")
    assert error["id"] == 3
    assert error["message"] == "the recording has no state to train on from; rewind the run."
    assert rooms.find(token).state == "recorded"


BAD = [
    "",
    "{",
    "[]",
    "null",
    '{"type": 5}',
    '{"type": "format_disk"}',
    '{"type": "set", "margin": [1, 2]}',
    '{"type": "set", "margin": [NaN, 0, 0]}',
    '{"type": "set", "margin": [1, -0.1, 0]}',
    '{"type": "set", "margin": ["1", 0, 0]}',
    '{"type": "set", "scale": 0}',
    '{"type": "set", "scale": Infinity}',
    '{"type": "set", "member": 7}',
    '{"type": "set", "member": -1}',
    '{"type": "step", "count": 1000000}',
    '{"type": "speed", "steps_per_second": -1}',
    '{"type": "anatomy"}',
    '{"type": "anatomy", "sample": -1}',
    '{"type": "anatomy", "sample": 1797}',
    '{"type": "anatomy", "sample": 1.5}',
    '{"type": "anatomy", "sample": "1"}',
    '{"type": "anatomy", "sample": true}',
    '{"type": "anatomy", "sample": 1, "id": -1}',
    "[" * 4000,
    '"' + "x" * 5000 + '"',
]


def test_bad_messages_are_answered_in_words_and_harm_nothing(client, run):
    token, live = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        for text in BAD:
            socket.send_text(text)
        errors = lambda heard: sum(t["type"] == "error" for t in heard.texts)  # noqa: E731
        listener.hear(lambda heard: errors(heard) == len(BAD))
        listener.say(type="play")
        listener.hear(lambda heard: heard.state() == "finished")
    assert live.error is None
    assert live.members == list(live.config.members)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["set", "step", "speed", "play", "anatomy", "x"]) | json_values},
    optional={
        name: json_values | st.lists(st.floats(), min_size=3, max_size=3)
        for name in ("margin", "scale", "member", "id", "count", "steps_per_second", "sample")
    },
)


@given(st.text() | messages.map(json.dumps))
@settings(max_examples=500, deadline=None)
def test_any_message_is_a_valid_command_or_a_sentence(text):
    try:
        command = parse_command(text)
    except ValueError as error:
        assert len(str(error)) < 400
    else:
        known = {"ack", "play", "pause", "rewind", "step", "speed", "set", "anatomy"}
        assert command["type"] in known
