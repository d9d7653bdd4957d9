"""``facevis evaluate`` measures strangers, tells and writes, or says in one sentence why not."""

import csv
import dataclasses
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from facevis import cli
from facevis import evaluate as command
from facevis.embedders import OnnxEmbedder, OnnxOptions, RecordingEmbedder
from facevis.live import Ensemble, material
from facevis.live.config import Member, RunConfig
from facevis.live.recording import Recording
from facevis.verification import auc, compare_all

MEMBERS = (Member(objective="arcface"), Member(objective="softmax"))
CONFIG = RunConfig(members=MEMBERS, identities=4, unseen=4, embedding_dim=4, steps=5)
WEIGHTS = np.random.default_rng(0).standard_normal((3 * 8 * 8, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "run.npz"
    Ensemble(CONFIG, device="cpu").record().save(path)
    return path


def people(folder, count=5, each=4, side=9, seed=0):
    """Pictures that resemble those of the same person."""
    rng = np.random.default_rng(seed)
    for person in range(count):
        face = rng.integers(0, 200, (side, side, 3))
        for number in range(each):
            path = folder / f"p{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noisy = face + rng.integers(0, 56, (side, side, 3))
            Image.fromarray(noisy.astype(np.uint8)).save(path)
    return folder


def listing(folder, count=20):
    """A list of genuine and impostor pairs in turn."""
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(count):
        (a, b), (i, j) = rng.permutation(5)[:2], rng.permutation(4)[:2]
        lines += [f"p{a}/{i}.png p{a}/{j}.png 1", f"p{a}/{i}.png p{b}/{j}.png 0"]
    path = folder / "pairs.txt"
    path.write_text("\n".join(dict.fromkeys(lines)))
    return path


def network(path, shape=("N", 3, 8, 8), weights=WEIGHTS, last=(), inputs=1, outputs=1):
    """Pictures, flattened in the order of planes, times a matrix."""
    nodes, planes = [], "x"
    if shape[-1] == 3:
        nodes, planes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])], "t"
    nodes.append(helper.make_node("Flatten", [planes], ["f"]))
    nodes.append(helper.make_node("MatMul", ["f", "w"], ["y"]))
    nodes += [helper.make_node(kind, ["y"], ["y1"]) for kind in last]
    result = "y1" if last else "y"
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    given += [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])] * (inputs - 1)
    found = [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)]
    found += [helper.make_tensor_value_info("f", TensorProto.FLOAT, None)] * (outputs - 1)
    graph = helper.make_graph(nodes, "g", given, found, [numpy_helper.from_array(weights, "w")])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def run(model, *arguments, out):
    cli.main(["evaluate", str(model), "--out", str(out), *map(str, arguments)])


def refused(model, *arguments, out):
    """What the command says when it ends, one sentence of one line; nothing is written."""
    with pytest.raises(SystemExit) as end:
        run(model, *arguments, out=out)
    said = str(end.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert not out.exists() or list(out.iterdir()) == []
    return said


def result(folder):
    def no_nan(text):
        raise AssertionError(f"{text} is no JSON")

    text = (folder / "verification.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=no_nan)


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


# -- ONNX -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [("N", 3, 8, 8), (1, 3, 8, 8), ("N", 8, 8, 3), (1, 8, 8, 3)])
def test_an_onnx_model_gets_its_pictures_as_it_wants_them(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 255, (70, 8, 8, 3)).astype(np.uint8)
    model = OnnxEmbedder(network(tmp_path / "m.onnx", shape), OnnxOptions())
    planes = images.transpose(0, 3, 1, 2).reshape(70, -1) / 127.5 - 1.0
    np.testing.assert_allclose(model.embed(images)[0], planes @ WEIGHTS, atol=1e-4)
    options = OnnxOptions(channels="bgr", mean=0.0, std=255.0)
    turned = OnnxEmbedder(tmp_path / "m.onnx", options).embed(images[..., ::-1])[0]
    planes = images.transpose(0, 3, 1, 2).reshape(70, -1) / 255.0
    np.testing.assert_allclose(turned, planes @ WEIGHTS, atol=1e-4)


def test_an_onnx_model_of_any_size_takes_the_size_that_is_named(tmp_path, capsys):
    model = network(tmp_path / "m.onnx", ("N", 3, "H", "W"))
    folder = people(tmp_path / "mine")
    shared = ["--folder", folder, "--formats", "json"]
    assert "--size" in refused(model, *shared, out=tmp_path / "out")
    run(model, *shared, "--size", "8", out=tmp_path / "out")
    found = result(tmp_path / "out")
    assert found["model"]["onnxruntime"]
    assert found["members"][0]["auc"] > 0.9


@pytest.mark.parametrize(
    ("options", "arguments", "sentence"),
    [
        ({"shape": ("N", 3, 8, 8)}, ["--size", "9"], "size is 9, but"),
        ({"shape": ("N", 3, 8, 8)}, ["--channels", "rgba"], "channels is 'rgba'"),
        ({"shape": ("N", 3, 8, 8)}, ["--std", "0"], "std is 0.0"),
        (
            {"shape": ("N", 3, 8, 16), "weights": np.tile(WEIGHTS, (2, 1))},
            [],
            "16×8 pixels; only square",
        ),
        ({"shape": (4, 3, 8, 8)}, [], "takes 4 pictures at a time"),
        ({"shape": ("N", 192)}, [], "a model of pictures takes"),
        ({"shape": ("N", "C", 8, 8)}, [], "3 or 1 channels"),
        ({"inputs": 2}, [], "has 2 inputs and 1 outputs"),
        ({"outputs": 2}, [], "has 1 inputs and 2 outputs"),
        ({"weights": WEIGHTS[:, :1]}, [], "is one number for each picture"),
        ({"last": ("Size",)}, [], "has shape ()"),
        ({"weights": 0 * WEIGHTS}, [], "zero and has no direction"),
        ({"weights": np.nan * WEIGHTS}, [], "not a number"),
    ],
)
def test_an_onnx_model_that_does_not_fit_is_refused(tmp_path, options, arguments, sentence):
    last = options.get("last")
    model = network(tmp_path / "m.onnx", **options)
    if last:
        model_ = onnx.load(model)
        model_.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
        onnx.save(model_, model)
    folder = people(tmp_path / "mine")
    said = refused(model, "--folder", folder, *arguments, out=tmp_path / "out")
    assert sentence in said


@pytest.mark.parametrize("way", ["folder", "pairs"])
def test_identical_embeddings_are_refused(tmp_path, way):
    weights = np.ones((192, 6), np.float32)  # one direction, and its opposite for dark pictures
    folder = people(tmp_path / "mine")
    given = folder if way == "folder" else listing(folder)
    model = network(tmp_path / "m.onnx", weights=weights)
    said = refused(model, f"--{way}", given, "--mean", "-1", out=tmp_path / "out")
    assert "point the same way" in said


def test_what_is_no_model_is_refused(tmp_path):
    folder = people(tmp_path / "mine")
    for name, sentence in (
        ("none.onnx", "there is no file"),
        ("none.npz", "cannot be read"),
        ("model.pt", "is no model"),
        ("bad.onnx", "is not an ONNX model that can be run"),
    ):
        if name == "bad.onnx":
            (tmp_path / name).write_bytes(b"not a model")
        said = refused(tmp_path / name, "--folder", folder, out=tmp_path / "out")
        assert sentence in said
    model = network(tmp_path / "m.onnx")
    assert "brings no pictures" in refused(model, out=tmp_path / "out")


def test_onnxruntime_is_loaded_for_an_onnx_file_only():
    code = "import facevis.evaluate, sys; print('onnxruntime' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False"


def test_with_flip_a_picture_and_its_mirror_image_are_one(tmp_path):
    straight = people(tmp_path / "straight")
    for path in straight.rglob("*.png"):
        other = tmp_path / "mirrored" / path.relative_to(straight)
        other.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(Image.open(path))[:, ::-1]).save(other)
    model = network(tmp_path / "m.onnx")
    areas = {}
    for flags in ((), ("--flip",)):
        for name in ("straight", "mirrored"):
            out = tmp_path / f"out-{name}-{len(flags)}"
            run(model, "--folder", tmp_path / name, *flags, "--formats", "json", out=out)
            found = result(out)
            assert found["pictures"]["flip"] is bool(flags)
            areas[name, len(flags)] = found["members"][0]["auc"]
    assert areas["straight", 1] == pytest.approx(areas["mirrored", 1], abs=1e-6)
    assert areas["straight", 0] != areas["mirrored", 0]


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
