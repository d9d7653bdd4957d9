"""Models trained elsewhere as runs: looked at by stream, report and lesson, and never trained."""

import dataclasses
import gzip
import json
import struct

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from facevis.atlas.survey import class_means, snapshot_of
from facevis.datasets import Dataset
from facevis.lessons import bundle as lessons
from facevis.lessons import routes as lecture
from facevis.live import Ensemble, Member, Recording, RunConfig, openset_routes, stream
from facevis.live.material import Material, material_for
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun

CLASSES, EACH, DIM = 5, 4, 48


def made(unseen=0):
    """Two moments of one model that sees five people, and some strangers."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES + unseen), EACH)
    centres = random.normal(size=(CLASSES + unseen, DIM))
    images = random.integers(0, 256, (len(labels), 64, 64, 3), dtype=np.uint8)
    names = tuple(f"person {k}" for k in range(CLASSES + unseen))
    strange = labels >= CLASSES
    nobody = np.zeros(len(labels), bool)
    material = Material(
        Dataset("set", images, labels, names, "made up"),
        CLASSES,
        np.flatnonzero(~strange),
        np.arange(len(labels)),
        nobody,
        strange,
    )
    snapshots = []
    for step in (0, 30):
        points = centres[labels] + random.normal(size=(len(labels), DIM)) * (1.0 - step / 40)
        means = class_means(points[~strange], labels[~strange], CLASSES)
        snapshots.append(snapshot_of(points, labels, means, own_prototypes=True, step=step))
    config = RunConfig(members=(Member(),), dataset="set", embedding_dim=DIM, steps=30)
    compared = material if unseen else dataclasses.replace(material, num_classes=0)
    titles = [("mine", "a network")]
    return ShownRun(Recording(config, snapshots), material, titles=titles, compared=compared)


@pytest.fixture(scope="module")
def client():
    routes = [*stream.routes(), *openset_routes.routes(), *lecture.routes()]
    return TestClient(Starlette(routes=routes))


def test_the_stream_shows_all_its_moments_under_its_own_name(client):
    run = made()
    token = rooms.show(run)
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        told = socket.receive_json()
        assert told["members"][0]["title"] == "mine"
        assert told["trains"] is False
        assert told["embedding_dim"] == DIM
        assert (told["state"], told["step"], told["steps"]) == ("recorded", 30, 30)
        steps = []
        while len(steps) < 2:
            message = socket.receive()
            if message.get("bytes"):
                (length,) = struct.unpack_from("<I", message["bytes"])
                steps.append(json.loads(message["bytes"][4 : 4 + length])["step"])
        assert steps == [30, 0]
        assert run.viewers == 1
    assert run.viewers == 0


@pytest.mark.parametrize(
    "command",
    [
        {"type": "play"},
        {"type": "step"},
        {"type": "rewind"},
        {"type": "anatomy", "sample": 1},
        {"type": "set", "member": 0, "margin": [1, 0.2, 0]},
    ],
)
def test_it_cannot_be_trained(client, command):
    token = rooms.show(made())
    with client.websocket_connect(f"/facevis/stream/{token}") as socket:
        socket.send_json(command)
        while True:
            message = socket.receive()
            told = json.loads(message["text"]) if message.get("text") else {}
            if told.get("type") == "error":
                assert "trained elsewhere" in told["message"]
                return


@pytest.mark.parametrize(("unseen", "people"), [(0, CLASSES), (3, 3)])
def test_the_report_and_its_pictures(client, unseen, people):
    token = rooms.show(made(unseen))
    told = client.get(f"/facevis/runs/{token}/openset.json").json()
    assert len(told["names"]) == people
    assert told["pictures"] == people * EACH
    assert told["members"][0]["auc"] > 0.9
    hardest = told["members"][0]["hardest"]["genuine"]
    assert hardest == sorted(hardest, key=lambda pair: -pair[2])
    assert client.get(f"/facevis/runs/{token}/strangers.png").content.startswith(b"\x89PNG")


def test_what_was_forgotten_is_gone(client):
    token = rooms.show(made())
    rooms.forget(token)
    rooms.forget(token)
    assert client.get(f"/facevis/runs/{token}/openset.json").status_code == 404
    assert client.get(f"/facevis/runs/{token}/lesson.tape").status_code == 404


def tape(client, token):
    data = gzip.decompress(client.get(f"/facevis/runs/{token}/lesson.tape").content)
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    frame = data[4 + length :][: header["lengths"][0]]
    (inner,) = struct.unpack_from("<I", frame)
    return header, frame[4 + inner :]


def test_a_lesson_gets_the_cosines_of_many_dimensions(client):
    run = made()
    header, frame = tape(client, rooms.show(run))
    assert header["run"]["members"][0]["title"] == "mine"
    prototypes = np.frombuffer(frame, "<f4", CLASSES * CLASSES).reshape(CLASSES, CLASSES)
    centres = run.recording.snapshots[-1].prototypes[0]
    assert np.allclose(prototypes, centres @ centres.T, atol=1e-5)
    points = np.frombuffer(frame, "<i2", CLASSES * EACH * CLASSES, 4 * CLASSES**2) / 32767
    cosines = run.recording.snapshots[-1].embeddings[0] @ centres.T
    assert np.allclose(points.reshape(-1, CLASSES), cosines, atol=1e-4)


def test_a_lesson_gets_the_coordinates_of_a_run_on_the_circle(client):
    config = RunConfig(members=(Member(), Member(objective="triplet")), identities=4, steps=2)
    run = ShownRun(Ensemble(config, device="cpu").record(), material_for(config))
    header, frame = tape(client, rooms.show(run))
    assert header["run"]["dim"] == 2
    prototypes = np.frombuffer(frame, "<f4", 2 * 4 * 2).reshape(2, 4, 2)
    assert np.allclose(prototypes, run.recording.snapshots[-1].prototypes, atol=1e-6)


def test_the_lesson_offers_the_models_and_people_that_the_run_has():
    told = lessons.bundle(13, "en", {"loss": "arcface", "first": 5}, ("token", "mine", made()))
    assert told["run"] == {"token": "token", "name": "mine", "step": 30, "people": CLASSES}
    assert [control["name"] for control in told["controls"]] == ["first"]
    assert told["controls"][0]["high"] == CLASSES - 1
    assert told["values"] == {"first": 0}
    config = RunConfig(members=(Member(), Member(objective="triplet")), identities=4, steps=2)
    flat = ShownRun(Ensemble(config, device="cpu").record(), material_for(config))
    told = lessons.bundle(13, "en", {}, ("token", "flat", flat))
    assert [control["name"] for control in told["controls"]] == ["member"]
    assert told["controls"][0]["options"] == ["1", "2"]
    assert "run" not in lessons.bundle(12, "en", {}, ("token", "flat", flat))
