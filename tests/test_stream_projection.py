"""The stream of many dimensions: what it calls exact is exact, and it says how it is seen."""

import numpy as np
import pytest
from listening import Listener
from starlette.applications import Starlette
from starlette.testclient import TestClient

from facevis.live import Ensemble, Member, RunConfig
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
