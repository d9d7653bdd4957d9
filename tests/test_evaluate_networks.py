"""``facevis evaluate`` with runs and weights, and with verification sets (.bin)."""

import pickle

import numpy as np
import pytest
import safetensors.torch
import torch
from evaluations import WEIGHTS, listing, network, people, refused, result, run
from network_files import one_thread, run_folder, set_of_pairs, small_network
from runs import prepared

from facevis.corpora.bins import read_bin, write_bin
from facevis.embedders import Embedder
from facevis.fullscale import evaluation
from facevis.fullscale.embedding import NetworkEmbedder
from facevis.fullscale.networks import load_trained
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.strangers import open_sets
from facevis.fullscale.trained import open_trained

JSON = ("--formats", "json")


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with checkpoints of steps 3 and 6."""
    return run_folder(tmp_path_factory.mktemp("run") / "mine")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return set_of_pairs(tmp_path_factory.mktemp("pairs") / "drawn.bin")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The weights of one network in three files, of which none says what network it is."""
    place, state = tmp_path_factory.mktemp("weights"), small_network().state_dict()
    torch.save(state, place / "w.pth")
    torch.save({"state_dict": {f"module.{n}": w for n, w in state.items()}}, place / "w.pt")
    safetensors.torch.save_file(state, place / "w.safetensors")
    return place


# -- runs -----------------------------------------------------------------------------------------


def test_a_run_has_the_numbers_that_its_journal_would_have(folder, pairs, tmp_path, capsys):
    run(folder, "--pairs", pairs, "--flip", *JSON, "--lang", "ru", out=tmp_path)
    found, said = result(tmp_path), " ".join(capsys.readouterr().out.split())
    journal = evaluation.evaluate(load_trained(folder), open_sets([str(pairs)]), 16)
    wanted, member = next(journal), found["members"][0]
    assert member["accuracy"]["mean"] == pytest.approx(wanted["accuracy"], abs=1e-12)
    assert member["auc"] == pytest.approx(wanted["auc"], abs=1e-12)
    assert len(member["accuracy"]["folds"]) == 10
    assert found["model"] == {
        "file": "mine",
        "kind": "run",
        "backbone": "mobilefacenet",
        "embedding_dim": 16,
        "size": 16,
        "step": 6,
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }
    assert "mobilefacenet, шаг 6" in said


def test_an_earlier_step_is_another_network(folder, pairs, tmp_path):
    areas = {}
    for step in ([], ["--step", "6"], ["--step", "3"]):
        out = tmp_path / f"out{''.join(step)}"
        run(folder, "--pairs", pairs, *step, *JSON, out=out)
        areas[tuple(step)] = result(out)["members"][0]["auc"]
    assert areas[()] == areas["--step", "6"] != areas["--step", "3"]


def test_a_run_is_tried_on_a_folder_of_people(folder, tmp_path, capsys):
    run(folder, "--folder", people(tmp_path / "people", side=16), *JSON, out=tmp_path / "out")
    assert result(tmp_path / "out")["pictures"]["identities"] == 5
    assert "Beware" not in capsys.readouterr().out


def test_people_a_run_trains_on_are_told(tmp_path, capsys):
    mine = people(tmp_path / "people", side=16)
    trained = run_folder(tmp_path / "run", steps=(3,), data__train=str(mine))
    run(trained, "--folder", mine, *JSON, out=tmp_path / "out")
    assert "Beware: people is what this model was trained on" in capsys.readouterr().out


# -- weights --------------------------------------------------------------------------------------


def test_weights_are_one_network_in_any_file(weights, pairs, tmp_path):
    areas = set()
    for name in ("w.pth", "w.pt", "w.safetensors"):
        out = tmp_path / name
        run(weights / name, "--pairs", pairs, "--backbone", "mobilefacenet", *JSON, out=out)
        found = result(out)
        assert (found["model"]["kind"], found["model"]["step"]) == ("weights", None)
        areas.add(found["members"][0]["auc"])
    assert len(areas) == 1


def test_a_network_embeds_pictures_in_batches_grey_or_not(weights):
    model: Embedder = NetworkEmbedder(open_trained(weights / "w.pth", "mobilefacenet"), "cpu")
    grey = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 1), dtype=np.uint8)
    heard = []
    found = model.embed(grey, lambda done, of: heard.append((done, of)))
    assert heard == [(64, 70), (70, 70)]
    assert found.shape == (1, 70, 16)
    assert found.dtype == np.float32
    colour = np.repeat(grey, 3, axis=-1)
    with torch.no_grad():
        wanted = small_network()(as_tensor(torch.from_numpy(colour)))
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found, model.embed(colour))
    np.testing.assert_allclose(model.embed(grey[:, :, ::-1]), model.embed(grey[:, :, ::-1].copy()))


# -- sets -----------------------------------------------------------------------------------------


def test_a_set_embeds_each_picture_once_and_keeps_the_order_of_its_pairs(weights, pairs, tmp_path):
    run(weights / "w.pth", "--pairs", pairs, "--backbone", "mobilefacenet", *JSON, out=tmp_path)
    found = result(tmp_path)
    whole = read_bin(pairs)
    assert found["pictures"]["name"] == "drawn.bin"
    assert found["pictures"]["listed_pairs"] == 40
    assert found["pictures"]["pictures"] == len(set(whole.encoded)) < len(whole.encoded)
    assert found["members"][0]["genuine_pairs"] == whole.same.sum() == 20


def test_a_set_is_for_onnx_models_and_recordings_too(pairs, tmp_path):
    big = np.repeat(WEIGHTS, 4, axis=0)
    model = network(tmp_path / "m.onnx", ("N", 3, 16, 16), weights=big)
    run(model, "--pairs", pairs, *JSON, out=tmp_path / "out")
    assert result(tmp_path / "out")["members"][0]["accuracy"]["mean"] > 0.5


def test_a_damaged_picture_is_left_out_with_its_pairs(folder, tmp_path, capsys):
    damaged = set_of_pairs(tmp_path / "damaged.bin", damaged=(5,))
    run(folder, "--pairs", damaged, *JSON, out=tmp_path / "out")
    found, said = result(tmp_path / "out")["pictures"], " ".join(capsys.readouterr().out.split())
    assert (found["lost_pairs"], found["unreadable"]) == (1, 1)
    assert "Pictures left out: 1. First: damaged.bin, picture 5 cannot be read" in said
    assert "Pairs left out with them: 1" in said


# -- one sentence ---------------------------------------------------------------------------------


class Malicious:
    """Unpickled by an ordinary reader, it writes a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return eval, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.fixture(scope="module")
def scene(tmp_path_factory, folder, pairs, weights):
    """Everything that the table below names."""
    place = tmp_path_factory.mktemp("scene")
    prepared(place / "new")
    (place / "empty").mkdir()
    listing(people(place / "people"))
    (place / "people" / "pairs.txt").rename(place / "list.txt")
    evil = Malicious(place / "it-ran")
    (place / "evil.bin").write_bytes(pickle.dumps(([evil, b"b"], [True])))
    torch.save({"conv1.weight": evil}, place / "evil.pth")
    (place / "cut.bin").write_bytes(pairs.read_bytes()[:-40])
    write_bin(place / "broken.bin", [b"a", b"b"], [True])
    write_bin(place / "alike.bin", read_bin(pairs).encoded[:2], [True])
    network(place / "m.onnx")
    (place / "face.jpg").write_bytes(b"a picture")
    named = {"run": folder, "pairs": pairs, "w": weights / "w.pth"}
    return place, named | {name.stem: name for name in place.iterdir()}


PAIRS = ["--pairs", "{pairs}"]


@pytest.mark.parametrize(
    ("model", "arguments", "sentence"),
    [
        ("{new}", PAIRS, "has no checkpoint yet; let it train until its first one"),
        ("{empty}", PAIRS, "holds no run (config.json is missing); check the path"),
        ("{run}", [*PAIRS, "--step", "5"], "has no checkpoint of step 5; choose one of 3, 6"),
        ("{run}", [*PAIRS, "--backbone", "vit_t"], "knows its network (mobilefacenet); leave"),
        ("{run}", [*PAIRS, "--size", "16"], "--std are for .onnx models; runs and weights"),
        ("{run}", [*PAIRS, "--device", "tpu"], "device is 'tpu'; choose one of auto, cpu, cuda"),
        ("{run}", [], "this model brings no pictures; name some with --folder or --pairs"),
        ("{w}", PAIRS, "w.pth does not say which network its weights are of; name it, --backbone"),
        ("{w}", [*PAIRS, "--backbone", "resnet50"], "backbone is 'resnet50'; choose one of"),
        ("{w}", [*PAIRS, "--backbone", "vit_t"], "w.pth is no vit_t, since it has no"),
        ("{w}", [*PAIRS, "--backbone", "iresnet18"], "w.pth does not fit IResNet of D = 16"),
        (
            "{w}",
            [*PAIRS, "--backbone", "mobilefacenet", "--step", "3"],
            "--step is for the folder of a run",
        ),
        ("{evil}.pth", [*PAIRS, "--backbone", "iresnet18"], "facevis executes nothing in a file"),
        ("none.pth", PAIRS, "there is no file or folder none.pth"),
        ("none", PAIRS, "none is no model; name a recording (.npz), an .onnx file, the folder"),
        ("{face}", PAIRS, "face.jpg is no model; name a recording"),
        ("{m}", [*PAIRS, "--step", "3"], "and m.onnx is neither; leave them out"),
        ("{m}", [*PAIRS, "--backbone", "vit_t"], "and m.onnx is neither; leave them out"),
        ("{run}", ["--pairs", "{evil}.bin"], "evil.bin asks for builtins.eval; a verification set"),
        ("{run}", ["--pairs", "{cut}"], "cut.bin is cut off or damaged at byte"),
        ("{run}", ["--pairs", "{broken}"], "no pair of broken.bin has two readable pictures"),
        ("{run}", ["--pairs", "{alike}"], "there is no impostor pair; list pairs of two different"),
        ("{run}", ["--pairs", "none.bin"], "none.bin cannot be read"),
        ("{run}", [*PAIRS, "--root", "{people}"], "--root is where the paths of a list of --pairs"),
        ("{run}", [*PAIRS, "--folder", "{people}"], "are two ways to say whom to compare"),
    ],
)
def test_what_cannot_be_evaluated_ends_in_one_sentence(
    scene, tmp_path, monkeypatch, model, arguments, sentence
):
    place, named = scene
    monkeypatch.chdir(place)
    named = named | {"evil": place / "evil"}
    given = [text.format(**named) for text in (model, *arguments)]
    assert sentence in refused(*given, out=tmp_path / "out")
    assert not (place / "it-ran").exists()
