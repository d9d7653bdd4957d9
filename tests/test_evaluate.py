"""``facevis evaluate`` measures strangers, tells and writes, or says in one sentence why not."""

import csv
import dataclasses

import numpy as np
import pytest
from evaluations import CONFIG, listing, people, refused, result, run

from facevis import evaluate as command
from facevis.embedders import RecordingEmbedder
from facevis.figures.results import thinned
from facevis.live import Ensemble, material
from facevis.live.config import RunConfig
from facevis.live.recording import Recording
from facevis.verification import Roc, auc, compare_all


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "run.npz"
    Ensemble(CONFIG, device="cpu").record().save(path)
    return path


def test_of_a_long_roc_the_low_false_accept_rates_stay():
    steps = np.linspace(0.0, 1.0, 1_000_001)
    few = thinned(Roc(steps, np.sqrt(steps), -steps))
    for low in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1):
        decade = (few.far >= low) & (few.far < 10 * low)
        assert decade.sum() > 80, low
    assert np.diff(few.tar).max() < 0.01


# -- recordings -----------------------------------------------------------------------------------


def test_a_recording_is_tried_on_its_own_strangers(recording, tmp_path, capsys):
    run(recording, "--formats", "png", "csv", "json", out=tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    pictures = {"roc.png", "det.png", "histogram.png", "cmc.png"}
    assert names == pictures | {"roc.csv", "verification.json"}
    said = " ".join(capsys.readouterr().out.split())
    words = ("ArcFace", "Softmax", "EER", "TAR at FAR 10⁻⁶", "±", "Rank 1", "TPIR at FPIR 10⁻²")
    for word in (*words, "never in training", "2 folds of different people", "Dimmed"):
        assert word in said


def test_the_same_command_gives_the_same_files(recording, tmp_path):
    for out in ("a", "b"):
        run(recording, "--formats", "svg", "csv", "json", out=tmp_path / out)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"roc.svg", "det.svg", "histogram.svg", "cmc.svg"} < names
    for name in names:
        same = (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert same, name


def test_the_numbers_are_those_of_the_core(recording, tmp_path):
    run(recording, "--formats", "csv", "json", out=tmp_path)
    found = result(tmp_path)
    ensemble = Ensemble(CONFIG, device="cpu")
    ensemble.restore(Recording.load(recording).state)
    data, unseen = ensemble.material.dataset, ensemble.material.unseen
    assert found["pictures"]["pictures"] == unseen.sum() == (data.labels >= 4).sum()
    embeddings = ensemble.snapshot().embeddings[:, unseen]
    for entry, points in zip(found["members"], embeddings, strict=True):
        scores = compare_all(points, data.labels[data.labels >= 4])
        assert entry["auc"] == pytest.approx(auc(scores), abs=1e-6)
        assert entry["genuine_pairs"] == len(scores.genuine)
        assert entry["impostor_pairs"] == scores.impostors
        assert [point["far"] for point in entry["tar_at_far"]] == [10.0**-k for k in range(1, 7)]
        assert entry["tar_at_far"][0]["low"] is None  # four people are too few
        assert entry["identification"]["gallery"] == 2
    with (tmp_path / "roc.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "ArcFace"]
    far, tar = (np.array([float(row[name]) for row in rows]) for name in ("far", "tar"))
    assert np.trapezoid(tar, far) == pytest.approx(found["members"][0]["auc"])


def test_a_recording_embeds_pictures_of_any_colour(recording):
    model = RecordingEmbedder(recording)
    grey = np.random.default_rng(0).integers(0, 255, (70, 8, 8, 1)).astype(np.uint8)
    found = model.embed(np.repeat(grey, 3, axis=-1))
    assert found.shape == (2, 70, 4)
    assert np.array_equal(found, model.embed(grey))


def test_a_member_that_diverged_is_named_and_the_others_are_written(recording, tmp_path, capsys):
    ensemble = Ensemble(CONFIG, device="cpu")
    run_ = Recording.load(recording)
    ensemble.restore(run_.state)
    for parameter in ensemble.network.parameters():
        parameter.data[0] = float("nan")
    run_.state = ensemble.state()
    run_.save(tmp_path / "broken.npz")
    run(tmp_path / "broken.npz", "--formats", "json", out=tmp_path / "out")
    found = result(tmp_path / "out")
    assert (len(found["members"]), len(found["failed"])) == (1, 1)
    assert "not a number" in " ".join(capsys.readouterr().out.split())


def test_a_recording_without_its_state_or_strangers_is_refused(recording, tmp_path):
    bare = dataclasses.replace(Recording.load(recording), state={})
    bare.save(tmp_path / "bare.npz")
    assert "holds no training state" in refused(tmp_path / "bare.npz", out=tmp_path / "out")
    closed = RunConfig(identities=3, steps=2)
    Ensemble(closed, device="cpu").record().save(tmp_path / "closed.npz")
    assert "left nobody out of training" in refused(tmp_path / "closed.npz", out=tmp_path / "out")


def test_people_it_was_trained_on_are_told(tmp_path, capsys):
    folder = people(tmp_path / "mine")
    config = RunConfig(dataset=str(folder), steps=2, embedding_dim=4)
    Ensemble(config, device="cpu").record().save(tmp_path / "mine.npz")
    run(tmp_path / "mine.npz", "--folder", folder, "--formats", "json", out=tmp_path / "out")
    assert "Beware: mine is what this model was trained on" in capsys.readouterr().out


# -- folders and lists ----------------------------------------------------------------------------


def test_a_folder_of_people(recording, tmp_path, capsys):
    folder = people(tmp_path / "mine", count=12)
    (folder / "p0" / "bad.png").write_bytes(b"broken")
    arguments = ["--folder", folder, "--lang", "ru", "--theme", "dark", "--formats", "png", "json"]
    run(recording, *arguments, out=tmp_path / "out")
    said = " ".join(capsys.readouterr().out.split())
    assert "картинок 48, людей 12" in said
    assert "Пропущено картинок: 1" in said
    entry = result(tmp_path / "out")["members"][0]
    assert (entry["genuine_pairs"], entry["impostor_pairs"]) == (12 * 6, 66 * 16)
    assert len(entry["accuracy"]["folds"]) == 6
    assert entry["identities_resampled"] == 12
    assert all(point["low"] <= point["tar"] <= point["high"] for point in entry["tar_at_far"][:1])
    gallery = entry["identification"]
    assert (gallery["gallery"], gallery["mated_probes"], gallery["non_mated_probes"]) == (6, 18, 24)


def test_too_few_people_for_folds_are_told(recording, tmp_path, capsys):
    folder = people(tmp_path / "mine", count=3)
    run(recording, "--folder", folder, "--formats", "json", out=tmp_path / "out")
    assert "Accuracy is left out" in capsys.readouterr().out
    assert result(tmp_path / "out")["members"][0]["accuracy"] is None


def test_a_list_of_pairs(recording, tmp_path, capsys):
    folder = people(tmp_path / "mine")
    path = listing(folder)
    (folder / "p0" / "0.png").write_bytes(b"broken")
    run(recording, "--pairs", path, out=tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"roc.png", "det.png", "histogram.png", "roc.csv", "verification.json"}
    found = result(tmp_path / "out")
    entry = found["members"][0]
    compared = entry["genuine_pairs"] + entry["impostor_pairs"]
    assert compared == found["pictures"]["listed_pairs"] - found["pictures"]["lost_pairs"]
    assert found["pictures"]["unreadable"] == 1
    assert len(entry["accuracy"]["folds"]) == 10
    assert entry["identification"] is None
    assert entry["tar_at_far"][0]["low"] is None
    said = " ".join(capsys.readouterr().out.split())
    for words in ("Pictures left out: 1", "Pairs left out with them", "10 folds in the order"):
        assert words in said


def test_a_short_list_has_no_folds(recording, tmp_path, capsys):
    path = listing(people(tmp_path / "mine"), count=2)
    run(recording, "--pairs", path, "--formats", "json", out=tmp_path / "out")
    assert "the list has 4" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("count", "each", "sentence"),
    [(1, 4, "one class only"), (4, 1, "one picture per class")],
)
def test_people_that_cannot_be_compared_are_refused(recording, tmp_path, count, each, sentence):
    folder = people(tmp_path / "mine", count=count, each=each)
    assert sentence in refused(recording, "--folder", folder, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "sentence"), [("1", "no impostor pair"), ("0", "no genuine pair")]
)
def test_a_list_of_one_kind_is_refused(recording, tmp_path, kind, sentence):
    folder = people(tmp_path / "mine")
    lines = [line for line in listing(folder).read_text().splitlines() if line.endswith(kind)]
    (folder / "one.txt").write_text("\n".join(lines))
    assert sentence in refused(recording, "--pairs", folder / "one.txt", out=tmp_path / "out")


def test_two_pictures_of_one_name_are_refused(recording, tmp_path):
    folder = people(tmp_path / "mine")
    (folder / "p1" / "0.jpg").write_bytes((folder / "p1" / "1.png").read_bytes())
    said = refused(recording, "--folder", folder, out=tmp_path / "out")
    assert "mine has two files of one name, p1/0.jpg and p1/0.png" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--folder", "a", "--pairs", "b"], "give one"),
        (["--root", "a"], "--root is where"),
        (["--folder", "nowhere"], "there is no folder nowhere"),
        (["--pairs", "nowhere.txt"], "nowhere.txt cannot be read"),
        (["--size", "32"], "are for .onnx models"),
        (["--formats", "gif"], "a format is 'gif'"),
        (["--lang", "fr"], "lang is 'fr'"),
        (["--theme", "neon"], "theme is 'neon'"),
    ],
)
def test_a_wrong_option_ends_in_one_sentence(recording, tmp_path, arguments, sentence):
    assert sentence in refused(recording, *arguments, out=tmp_path / "out")


def test_control_c_leaves_no_part(recording, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "picture", stop)
    assert refused(recording, "--formats", "png", out=tmp_path / "out").startswith("Stopped")


def test_pictures_that_are_no_longer_those_of_the_recording_are_refused(tmp_path):
    folder = people(tmp_path / "mine", count=6)
    config = dataclasses.replace(CONFIG, dataset=str(folder), identities=3, unseen=3)
    Ensemble(config, device="cpu").record().save(tmp_path / "run.npz")
    run(tmp_path / "run.npz", "--formats", "json", out=tmp_path / "before")
    people(folder / "..", count=1, seed=9)  # a folder that comes first: all identities move
    (folder / ".." / "p0").rename(folder / "0new")
    material._material.cache_clear()  # another process would read them anew
    said = refused(tmp_path / "run.npz", "--formats", "json", out=tmp_path / "after")
    assert "are not those that run.npz was recorded with" in said


def test_a_list_that_is_no_file_and_a_name_without_end_are_refused(recording, tmp_path):
    said = refused(recording, "--pairs", "/dev/zero", out=tmp_path / "a")
    assert "/dev/zero is no file" in said
    path = tmp_path / "pairs.txt"
    path.write_text("a.png " + "b" * 5000 + ".png 1")
    assert "2 pictures" in refused(recording, "--pairs", path, out=tmp_path / "b")
