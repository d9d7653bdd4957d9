"""The stream: frames that decode to the snapshots, commands that act."""

import json
import time

import numpy as np
import pytest
from listening import Listener, decode
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.frames import encode_snapshot
from facevis.live.rooms import rooms
from facevis.live.stream import routes, watch


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=routes()))


@pytest.fixture
def run():
    token = rooms.open(RunConfig(steps=40))
    live = rooms.find(token)
    yield token, live
    live.pause()


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


def test_who_steers_a_shared_run_gets_their_own_and_the_others_see_nothing_of_it(client):
    config = RunConfig(steps=400, seed=71)
    token = rooms.share(config)
    assert rooms.share(config) == token
    live = rooms.find(token)
    live.set_speed(100.0)
    path = f"/facevis/stream/{token}"
    with client.websocket_connect(path) as socket, client.websocket_connect(path) as other:
        hand, neighbour = Listener(socket), Listener(other)
        hand.hear(lambda heard: any(h["step"] > 20 for h, *_ in heard.frames))
        hand.say(type="set", member=0, margin=[1, 0.05, 0], scale=9, id=3)
        hand.hear(lambda heard: any(h["applied"] == 3 for h, *_ in heard.frames))
        hand.say(type="speed", steps_per_second=None)
        live.set_speed(None)
        hand.hear(lambda heard: heard.frames[-1][0]["step"] == 400)
        neighbour.hear(lambda heard: heard.state() == "finished")
    own = [t["token"] for t in hand.texts if t["type"] == "forked"]
    assert len(own) == 1
    assert rooms.find(own[0]).members[0].scale == 9
    assert rooms.find(token) is live
    assert live.members == list(config.members)
    assert "forked" not in {t["type"] for t in neighbour.texts}
    assert {tuple(h["scales"]) for h, *_ in neighbour.frames} == {(config.members[0].scale,)}
    steps = [h["step"] for h, *_ in hand.frames if h["kept"]]
    assert sorted(set(steps)) == [s.step for s in rooms.find(own[0]).recording.snapshots]
    since = [t["type"] for t in hand.texts]
    assert "reset" not in since[since.index("forked") :], "nothing begins anew on the screen"


def test_viewers_of_one_run_get_the_same_bytes_encoded_once(client, run, monkeypatch):
    token, live = run
    path = f"/facevis/stream/{token}"
    made = []
    monkeypatch.setattr(
        "facevis.live.viewer.encode_snapshot",
        lambda snapshot, **how: made.append(snapshot.step) or encode_snapshot(snapshot, **how),
    )
    with client.websocket_connect(path) as first:
        listener = Listener(first)
        listener.say(type="play")
        listener.hear(lambda heard: heard.frames and heard.frames[-1][0]["step"] == 40)
        kept = {snapshot.step for snapshot in live.recording.snapshots}
        made.clear()
        for _ in range(3):
            with client.websocket_connect(path) as socket:
                late = Listener(socket)
                late.hear(lambda heard: {h["step"] for h, *_ in heard.frames} == kept)
    assert set(made) <= kept
    assert len(made) <= len(kept) + 1, "three came late, and each picture was encoded once"


def test_a_viewer_who_may_not_steer_sees_all_and_changes_nothing(run):
    token, live = run
    watching = lambda socket: watch(socket, steers=False)  # noqa: E731
    client = TestClient(Starlette(routes=[WebSocketRoute("/{token}", watching)]))
    with client.websocket_connect(f"/{token}") as socket:
        listener = Listener(socket)
        commands = [
            *({"type": name} for name in ("play", "pause", "rewind", "step", "speed", "anatomy")),
            {"type": "set", "scale": 3.0},
        ]
        for command in commands:
            listener.say(**{"sample": 0, **command})
        refused = lambda heard: sum(t["type"] == "error" for t in heard.texts)  # noqa: E731
        listener.hear(lambda heard: refused(heard) == len(commands))
        assert (live.state, live.step, live.members) == ("paused", 0, list(live.config.members))
        live.play()
        listener.hear(lambda heard: heard.state() == "finished")
    assert {t["message"] for t in listener.texts if t["type"] == "error"} == {
        "this run can be watched only; begin one of your own in the Playground."
    }


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


def test_a_run_without_viewers_stops_by_itself(monkeypatch):
    monkeypatch.setattr("facevis.live.training.ALONE_SECONDS", 0.3)
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
