"""The stream: frames that decode to the snapshots, commands that act, messages that cannot harm."""

import json
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.frames import encode_snapshot
from facevis.live.rooms import rooms
from facevis.live.stream import parse_command, routes


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes()))


@pytest.fixture
def run():
    token = rooms.open(RunConfig(steps=40))
    live = rooms.find(token)
    yield token, live
    live.pause()


def decode(frame: bytes, classes: int, dim: int, members: int = 1):
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    assert (4 + length) % 4 == 0
    prototypes = np.frombuffer(frame, "<f4", members * classes * dim, 4 + length)
    points = np.frombuffer(frame, "<i2", offset=4 + length + prototypes.nbytes)
    extent = np.array(header["extent"])[:, None, None]
    shape = (members, -1, dim)
    return header, prototypes.reshape(shape), points.reshape(shape) / 32767 * extent


class Listener:
    """A client that acknowledges every frame and sorts what it hears."""

    def __init__(self, socket, classes=10, dim=2, members=1):
        self.socket, self.frames, self.texts = socket, [], []
        self.shape = classes, dim, members

    def hear(self, until, seconds=20.0):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if until(self):
                return self
            message = self.socket.receive()
            if message.get("bytes"):
                self.frames.append(decode(message["bytes"], *self.shape))
                self.say(type="ack")
            else:
                self.texts.append(json.loads(message["text"]))
        raise AssertionError(f"not heard in {seconds} s; last: {self.texts[-1:]}")

    def say(self, **message):
        self.socket.send_text(json.dumps(message))

    def state(self):
        return next((t["state"] for t in reversed(self.texts) if "state" in t), None)


@pytest.mark.parametrize("dim", [2, 3])
def test_a_frame_decodes_to_its_snapshot_and_is_small(dim):
    config = RunConfig(members=(Member(objective="softmax"),), embedding_dim=dim)
    ensemble = Ensemble(config)
    ensemble.train(30)
    snapshot = ensemble.snapshot()
    frame = encode_snapshot(snapshot, kept=True, time_ms=1.0, applied=7)
    header, prototypes, points = decode(frame, 10, dim)
    assert len(frame) <= 15_000
    assert header["step"] == 30
    assert header["applied"] == 7
    np.testing.assert_array_equal(prototypes, snapshot.prototypes)
    np.testing.assert_allclose(points, snapshot.embeddings, atol=header["extent"][0] / 32767)


def test_a_viewer_gets_the_description_then_the_whole_recording(client, run):
    token, live = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        listener.say(type="play")
        listener.hear(lambda heard: heard.state() == "finished")
        kept = len(live.recording.snapshots)
        listener.hear(lambda heard: len({h["step"] for h, *_ in heard.frames if h["kept"]}) >= kept)
    description = listener.texts[0]
    assert description["type"] == "run"
    assert len(description["labels"]) == description["points"] == 1797
    steps = sorted({h["step"] for h, *_ in listener.frames if h["kept"]})
    assert steps == [snapshot.step for snapshot in live.recording.snapshots]
    assert steps[0] == 0
    assert steps[-1] == 40


MANY_DIMENSIONS = RunConfig(
    members=(Member(objective="softmax"), Member(objective="arcface")),
    embedding_dim=16,
    identities=7,
    unseen=3,
    steps=6,
)


@pytest.fixture(scope="module")
def recorded():
    recording = Ensemble(MANY_DIMENSIONS).record()
    return rooms.open(MANY_DIMENSIONS, recording), recording.snapshots


def seen_through(client, token, query, kept):
    with client.websocket_connect(f"/facevis/stream/{token}{query}") as socket:
        listener = Listener(socket, classes=7, dim=3, members=2)
        return listener.hear(lambda heard: len({h["step"] for h, *_ in heard.frames}) >= kept)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.mark.parametrize(
    ("query", "classes"), [("", [0, 1, 2]), ("?project=span:5,0,3", [5, 0, 3])]
)
def test_many_dimensions_come_as_three_with_exact_cosines_to_three_prototypes(
    client, recorded, query, classes
):
    token, snapshots = recorded
    listener = seen_through(client, token, query, len(snapshots))
    run = listener.texts[0]
    assert (run["type"], run["dim"], run["embedding_dim"]) == ("run", 3, 16)
    assert run["projection"] == {"kind": "span", "classes": classes}
    assert all(member["spherical"] for member in run["members"])
    by_step = {snapshot.step: snapshot for snapshot in snapshots}
    for header, prototypes, points in listener.frames:
        snapshot = by_step[header["step"]]
        wanted = unit(snapshot.prototypes)[:, classes]
        chosen = prototypes[:, classes]
        np.testing.assert_allclose(
            chosen @ chosen.swapaxes(1, 2), wanted @ wanted.swapaxes(1, 2), atol=1e-5
        )
        np.testing.assert_allclose(
            points @ chosen.swapaxes(1, 2),
            unit(snapshot.embeddings) @ wanted.swapaxes(1, 2),
            atol=1e-4,
        )
        known = sum(label < 7 for label in run["labels"])
        for bars in header["angles"]:
            assert [len(bars["own"]), len(bars["others"])] == [60, 60]
            assert [sum(bars["own"]), sum(bars["others"])] == [known, 6 * known]


def test_pca_says_what_it_holds(client, recorded):
    token, snapshots = recorded
    listener = seen_through(client, token, "?project=pca", len(snapshots))
    assert listener.texts[0]["projection"] == {"kind": "pca", "classes": []}
    for header, _, points in listener.frames:
        assert all(0 < share <= 1 for share in header["held"])
        np.testing.assert_allclose(np.linalg.norm(points, axis=-1), 1.0, atol=1e-4)


@pytest.mark.parametrize("text", ["span:0,1,7", "umap", "span:0,0,0"])
def test_what_is_no_projection_is_said_after_the_description(client, recorded, text):
    token, snapshots = recorded
    listener = seen_through(client, token, f"?project={text}", len(snapshots))
    kinds = [message["type"] for message in listener.texts]
    assert kinds[0] == "run"
    assert kinds.count("error") == 1
    assert listener.texts[0]["projection"] == {"kind": "span", "classes": [0, 1, 2]}


def test_two_dimensions_know_no_projection(client, run):
    with client.websocket_connect(f"/facevis/stream/{run[0]}?project=umap") as socket:
        listener = Listener(socket)
        listener.say(type="step")
        listener.hear(lambda heard: any(h["step"] == 1 for h, *_ in heard.frames))
    assert not {"projection", "embedding_dim"} & set(listener.texts[0])
    assert all(not {"angles", "held"} & set(header) for header, *_ in listener.frames)
    assert "error" not in {message["type"] for message in listener.texts}


def test_rewind_says_reset_and_repeats_the_frames_to_the_bit(client, run):
    token, live = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        listener.say(type="play")
        listener.hear(lambda heard: heard.state() == "finished")
        before = [s.embeddings for s in live.recording.snapshots]
        listener.say(type="rewind")
        listener.hear(lambda heard: any(t["type"] == "reset" for t in heard.texts))
        listener.texts.clear()
        listener.say(type="play")
        listener.hear(lambda heard: heard.state() == "finished")
    after = [s.embeddings for s in live.recording.snapshots]
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_steered_margin_is_in_the_next_frames(client, run):
    token, _ = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        listener.say(type="play")
        listener.say(type="set", member=0, margin=[1, 0.3, 0.1], scale=20, id=5)
        listener.hear(lambda heard: any(h["applied"] == 5 for h, *_ in heard.frames))
    header = next(h for h, *_ in listener.frames if h["applied"] == 5)
    assert header["margins"][0] == pytest.approx([1, 0.3, 0.1], rel=1e-4)
    assert header["scales"] == [20]


def test_single_steps_take_exactly_that_many(client, run):
    token, live = run
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        listener = Listener(socket)
        listener.say(type="step", count=3)
        listener.hear(lambda heard: any(h["step"] == 3 for h, *_ in heard.frames))
    assert live.step == 3
    assert live.state == "paused"


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


def test_a_foreign_origin_is_refused(client, run):
    headers = {"origin": "http://elsewhere.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"/facevis/stream/{run[0]}", headers=headers) as socket,
    ):
        socket.receive_text()


def test_an_unknown_token_is_told_so(client):
    with client.websocket_connect("/facevis/stream/nobody") as socket:
        assert json.loads(socket.receive_text())["type"] == "gone"
    assert client.get("/facevis/runs/nobody/thumbnails.png").status_code == 404


def test_static_files_are_served_and_nothing_beside_them(client):
    assert client.get("/facevis/plotly/plotly.min.js").status_code == 200
    for path in ("/facevis/web/../strings/en.toml", "/facevis/web/%2e%2e/strings/en.toml"):
        assert client.get(path).status_code == 404


def test_the_thumbnails_are_a_picture(client, run):
    answer = client.get(f"/facevis/runs/{run[0]}/thumbnails.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


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


def test_a_run_without_viewers_stops_by_itself(monkeypatch):
    monkeypatch.setattr("facevis.live.trainer.ALONE_SECONDS", 0.3)
    live = rooms.find(rooms.open(RunConfig(steps=10**6)))
    live.play()
    limit = time.monotonic() + 20
    while live.state != "training" and time.monotonic() < limit:
        time.sleep(0.01)
    while live.state == "training" and time.monotonic() < limit:
        time.sleep(0.05)
    assert live.state == "paused"
    assert live.step > 0


def test_a_failing_run_says_so_and_its_neighbour_trains_on(monkeypatch):
    sick, healthy = (rooms.find(rooms.open(RunConfig(steps=30, seed=s))) for s in (1, 2))
    sick._ready()
    monkeypatch.setattr(
        sick._ensemble, "train", lambda: (_ for _ in ()).throw(RuntimeError("out of memory"))
    )
    sick.play()
    healthy.play()
    limit = time.monotonic() + 20
    while (sick.state, healthy.state) != ("failed", "finished") and time.monotonic() < limit:
        time.sleep(0.02)
    assert sick.state == "failed"
    assert sick.error == "out of memory"
    assert healthy.state == "finished"
