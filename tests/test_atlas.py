"""Surveys: every checkpoint of a run, or a network brought along, looks at chosen people."""

import dataclasses
import threading

import numpy as np
import pytest
import torch
from network_files import STRANGERS, one_thread, run_folder, small_network
from PIL import Image
from runs import prepared, refused, small

from facevis.atlas import cache, choose, model_of_file, model_of_run
from facevis.atlas import survey as surveying
from facevis.atlas.models import member_of
from facevis.atlas.survey import Question, Survey, class_means, material_of, snapshot_of
from facevis.fullscale.config_parts import HeadConfig
from facevis.fullscale.journal import Journal
from facevis.fullscale.training import Training
from facevis.live.openset import Question as Asked
from facevis.live.openset import report
from facevis.statistics import accuracy, angle_table

TRAIN = small().data.train


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that was really trained: six steps, checkpoints at 3 and 6."""
    folder = prepared(tmp_path_factory.mktemp("runs") / "mine", steps=6)
    Training(folder, small(steps=6), torch.device("cpu")).run()
    return folder


def surveyed(model, folder, **fields):
    question = Question(**{"people": TRAIN, "identities": 6, "images_each": 4, **fields})
    made = Survey(model, question, folder)
    made.wait(120)
    assert not made.running
    return made


def test_all_checkpoints_of_a_run_are_snapshots_of_one_recording(trained, tmp_path):
    made = surveyed(model_of_run(trained), tmp_path, strangers=STRANGERS)
    assert made.error == ""
    run = made.run
    assert [snapshot.step for snapshot in run.recording.snapshots] == [0, 3, 6]
    assert made.own_prototypes
    assert run.titles == (("mine", "mobilefacenet · m2 = 0.3 · s = 16"),)
    assert (run.material.num_classes, run.material.dataset.num_classes) == (6, 12)
    assert run.material.unseen.sum() == 24
    losses = [float(snapshot.losses[0]) for snapshot in run.recording.snapshots]
    assert np.isnan(losses[0])
    assert np.isfinite(losses[1:]).all()


def test_what_is_shown_is_what_the_network_and_its_head_say(trained, tmp_path):
    """Embeddings and prototypes against the training itself, taken up from its last checkpoint."""
    made = surveyed(model_of_run(trained), tmp_path)
    last = made.run.recording.snapshots[-1]
    training = Training(trained, small(steps=6), torch.device("cpu"))
    assert training.first == 6
    people = choose(TRAIN, 16, identities=6, images_each=4)
    with torch.no_grad():
        pixels = torch.from_numpy(people.pictures).permute(0, 3, 1, 2) / 127.5 - 1.0
        points = training.network.eval()(pixels).numpy()
    prototypes = training.head.prototypes_of(people.classes).detach().numpy()
    own = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.allclose(last.embeddings[0], own, atol=1e-5)
    centres = prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True)
    assert np.allclose(last.prototypes[0], centres, atol=1e-6)
    table = angle_table(points, people.labels, prototypes)
    assert last.statistic("w_ec")[0] == pytest.approx(table.w_ec, abs=1e-2)
    assert last.statistic("accuracy")[0] == accuracy(points, people.labels, prototypes)


def test_step_0_is_the_network_that_training_began_with(trained, tmp_path):
    made = surveyed(model_of_run(trained), tmp_path)
    first = made.run.recording.snapshots[0]
    fresh = Training(prepared(tmp_path / "fresh", steps=6), small(steps=6), torch.device("cpu"))
    people = choose(TRAIN, 16, identities=6, images_each=4)
    with torch.no_grad():
        pixels = torch.from_numpy(people.pictures).permute(0, 3, 1, 2) / 127.5 - 1.0
        points = fresh.network.eval()(pixels).numpy()
    own = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.allclose(first.embeddings[0], own, atol=1e-5)
    weight = fresh.head.prototypes_of(people.classes).detach().numpy()
    assert np.allclose(first.prototypes[0], weight / np.linalg.norm(weight, axis=1)[:, None])


def test_other_people_have_class_means_for_centres_and_no_w_ec(trained, tmp_path):
    made = surveyed(model_of_run(trained, until=3), tmp_path, people=STRANGERS)
    assert not made.own_prototypes
    last = made.run.recording.snapshots[-1]
    assert last.step == 3
    means = class_means(last.embeddings[0], made.run.material.dataset.labels, 6)
    assert np.allclose(last.prototypes[0], means, atol=1e-6)
    assert np.isnan(last.statistic("w_ec")).all()
    assert np.isfinite(last.statistic("intra")).all()


def test_the_report_is_about_strangers_where_there_are_some_else_about_all(trained, tmp_path):
    for strangers, pictures in ((STRANGERS, 24), ("", 24)):
        run = surveyed(model_of_run(trained), tmp_path, strangers=strangers).run
        answer = {}
        run.look(answer.update)
        told = report(answer["look"], run.compared, Asked())
        assert told["pictures"] == pictures
        assert len(told["names"]) == 6
        assert len(told["members"][0]["hardest"]["impostor"]) == 12


def test_embeddings_are_kept_and_found_again(trained, tmp_path, monkeypatch):
    first = surveyed(model_of_run(trained), tmp_path).run.recording.snapshots[-1]
    assert cache.size_of(tmp_path) > 0

    def refuse(*_, **__):
        raise AssertionError("it was embedded again")

    monkeypatch.setattr("facevis.fullscale.embedding.NetworkEmbedder.embed", refuse)
    again = surveyed(model_of_run(trained), tmp_path)
    assert again.error == ""
    assert np.array_equal(again.run.recording.snapshots[-1].embeddings, first.embeddings)
    cache.clear(tmp_path)
    assert cache.size_of(tmp_path) == 0


def test_weights_that_changed_under_the_same_name_are_embedded_anew(tmp_path):
    one, other = run_folder(tmp_path / "a" / "x", (3,)), run_folder(tmp_path / "b" / "x", (6,))
    digests = [model_of_run(folder).moments[-1].digest for folder in (one, other)]
    assert digests[0] != digests[1]


def test_a_survey_can_be_cancelled(trained, tmp_path, monkeypatch):
    begun = threading.Event()
    heard = Survey._heard

    def slowly(self, done, total):
        begun.set()
        threading.Event().wait(0.05)
        heard(self, done, total)

    monkeypatch.setattr(Survey, "_heard", slowly)
    made = Survey(model_of_run(trained), Question(people=TRAIN), tmp_path)
    assert begun.wait(20)
    made.cancel()
    made.wait(20)
    assert (made.running, made.run, made.error) == (False, None, "")


def test_weights_brought_along_look_at_a_folder(tmp_path):
    network = small_network()
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    random = np.random.default_rng(0)
    for person in ("anna", "boris"):
        (tmp_path / "set" / person).mkdir(parents=True)
        for k in range(3):
            pixels = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / person / f"{k}.png")
    (tmp_path / "set" / "anna" / "3.jpg").write_bytes(b"no picture")
    model = model_of_file(tmp_path / "backbone.pth", "mobilefacenet")
    assert [moment.step for moment in model.moments] == [0]
    made = surveyed(model, tmp_path, people=str(tmp_path / "set"))
    assert made.error == ""
    assert made.run.material.dataset.class_names == ("anna", "boris")
    assert len(made.run.material.shown) == 6
    assert any("3.jpg" in remark for remark in made.remarks)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.onnx", "there is no file"),
        ("model.txt", "is no network"),
        ("torn.onnx", "is not an ONNX model"),
        ("torn.safetensors", "torn.safetensors"),
    ],
)
def test_a_file_that_is_no_network_is_refused_in_words(tmp_path, name, said):
    if name.startswith("torn"):
        (tmp_path / name).write_bytes(b"torn")
    assert said in refused(model_of_file, tmp_path / name, "mobilefacenet")


def test_runs_without_a_checkpoint_or_of_another_version_are_refused(tmp_path):
    assert "no checkpoint" in refused(model_of_run, prepared(tmp_path / "fresh"))
    folder = run_folder(tmp_path / "old", (3,))
    (folder / "checkpoints" / "step-00000003" / "progress.json").write_text('{"format": "x-9"}')
    assert "version" in refused(model_of_run, folder)
    assert "holds no run" in refused(model_of_run, tmp_path)


def test_a_set_with_other_identities_than_the_checkpoint_is_refused(trained, tmp_path):
    config = small(steps=6, data__train="faces:identities=20,images=6,size=16")
    (trained.parent / "grown").mkdir()
    grown = trained.parent / "grown"
    (grown / "config.json").write_text(config.to_json())
    (grown / "checkpoints").symlink_to(trained / "checkpoints")
    made = surveyed(model_of_run(grown), tmp_path, people=config.data.train)
    assert "prototypes of 13 identities" in made.error


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no/such/place", "there is no no/such/place"),
        ("pairs.bin", "does not say who is who"),
        ("faces:identities=1,images=4,size=16", "fewer than two identities"),
    ],
)
def test_people_that_cannot_be_shown_are_refused_in_words(spec, said):
    assert said in refused(choose, spec, 16)


def test_too_many_pictures_and_odd_numbers_are_refused():
    crowd = "noise:identities=900,images=5,size=16"

    def ask(**options):
        return refused(lambda: choose(crowd, 16, **options))

    assert "more than 2000" in ask(identities=900, images_each=5)
    assert "identities is 1" in ask(identities=1)
    assert "images_each is 0" in ask(images_each=0)


def test_people_with_one_picture_stand_back(tmp_path):
    for person, count in (("a", 1), ("b", 2), ("c", 1), ("d", 3)):
        (tmp_path / person).mkdir()
        for k in range(count):
            Image.new("RGB", (16, 16), (40 * k, 9, 9)).save(tmp_path / person / f"{k}.png")
    assert choose(str(tmp_path), 16).names == ("b", "d")


def test_names_that_come_twice_are_told_apart():
    one = choose(TRAIN, 16, identities=2, images_each=2)
    material = material_of(one, dataclasses.replace(one))
    assert len(set(material.dataset.class_names)) == 4


@pytest.mark.parametrize(
    ("head", "objective"),
    [
        (HeadConfig(objective="softmax"), "softmax"),
        (HeadConfig(m2=0.5), "arcface"),
        (HeadConfig(m2=0.0, m3=0.35), "cosface"),
        (HeadConfig(m1=1.35, m2=0.0), "sphereface"),
        (HeadConfig(m2=0.0), "normalized_softmax"),
        (HeadConfig(m1=1.1, m2=0.2, m3=0.1), "combined"),
        (HeadConfig(objective="triplet"), "triplet"),
        (HeadConfig(objective="adaface"), "normalized_softmax"),
    ],
)
def test_losses_keep_their_names(head, objective):
    assert member_of(head).objective == objective


def test_of_sub_centres_the_one_nearest_to_the_class_is_shown():
    means = np.eye(3)[:2]
    prototypes = np.stack([np.eye(3)[[2, 0]] * 5, np.eye(3)[[1, 2]] * 2])
    assert np.array_equal(surveying._nearest_centres(prototypes, means), means)


def test_a_zero_embedding_harms_no_other():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    labels = np.array([0, 0, 1, 1])
    shown = snapshot_of(points, labels, class_means(points, labels, 2), own_prototypes=False)
    assert np.isfinite(shown.embeddings).all()
    assert shown.statistic("inter")[0] == pytest.approx(90.0)


def test_a_journal_that_cannot_be_read_takes_no_checkpoint_away(tmp_path):
    folder = run_folder(tmp_path / "run", (3,))
    (folder / "metrics.jsonl").write_text("garbage\n")
    assert [moment.step for moment in model_of_run(folder).moments] == [0, 3]
    (folder / "metrics.jsonl").unlink()
    journal = Journal(folder)
    journal.write("train", 3, loss=1.5)
    journal.close()
    assert model_of_run(folder).moments[-1].loss == 1.5


def test_weights_that_a_run_began_with_may_go_and_may_change(trained, tmp_path):
    file = tmp_path / "begin.pth"
    torch.save(small_network().state_dict(), file)
    folder = run_folder(tmp_path / "run", (3,), backbone__weights=str(file))
    before = model_of_run(folder).moments
    torch.save(small_network(1).state_dict(), file)
    after = model_of_run(folder).moments
    assert [moment.step for moment in before] == [0, 3]
    assert before[0].digest != after[0].digest
    file.unlink()
    assert [moment.step for moment in model_of_run(folder).moments] == [3]
