"""What is exported gives the embeddings of the network, anywhere, or there is no file."""

import contextlib
import errno
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from evaluations import result
from network_files import lived_in, one_thread, run_folder, set_of_pairs, small_network
from safetensors import safe_open
from torch import nn

from facevis import __version__, cli
from facevis.embedders import OnnxEmbedder, OnnxOptions
from facevis.fullscale import export
from facevis.fullscale.networks import load_trained
from facevis.fullscale.trained import Trained, open_trained
from facevis.models.backbones import build_backbone
from facevis.models.described import Description

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def network():
    return small_network()


def trained(network, name="mobilefacenet"):
    return Trained(network, name, Path("w.pth"), "w")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with checkpoints of steps 3 and 6."""
    return run_folder(tmp_path_factory.mktemp("run") / "mine")


@pytest.fixture(scope="module")
def said(run):
    """What the command says when it exports the run as ONNX."""
    out = io.StringIO()
    with contextlib.chdir(run.parent), contextlib.redirect_stdout(out):
        cli.main(["export", "model", str(run), "--lang", "ru"])
    return out.getvalue()


@pytest.fixture(scope="module")
def exported(run, said):
    """The file that it wrote."""
    return run.parent / "mine.onnx"


def same_embeddings(path, network, batches=(1, 2, 5)):
    session = onnxruntime.InferenceSession(path)
    for count in batches:
        pictures = torch.rand(count, 3, network.size, network.size) * 2 - 1
        found = session.run(["embedding"], {"input": pictures.numpy()})[0]
        with torch.no_grad():
            wanted = network(pictures).numpy()
        assert found.shape == (count, network.embedding_dim)
        apart = np.linalg.norm(found - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
        assert apart.max() < 1e-4


@pytest.mark.parametrize(("name", "size"), [("iresnet18", 32), ("vit_t", 48)])
def test_onnx_gives_the_embeddings_of_pytorch_for_any_number_of_pictures(tmp_path, name, size):
    torch.manual_seed(0)
    network, path = lived_in(build_backbone(name, 32, size)), tmp_path / "m.onnx"
    parity = export.export_onnx(trained(network, name), path)
    assert 0 < parity.difference < 1e-4
    same_embeddings(path, network)


def test_a_file_is_named_after_its_run_and_its_check_is_told(exported, said):
    assert exported.exists()
    assert "ONNX и PyTorch согласны" in said
    assert said.endswith("Записано: mine.onnx\n")


def test_an_exported_run_is_its_last_checkpoint(run, exported):
    same_embeddings(exported, load_trained(run))
    with pytest.raises(AssertionError):
        same_embeddings(exported, load_trained(run, 3))


def test_an_onnx_file_says_what_it_is_and_not_where_it_was_made(exported):
    model = onnx.load(exported)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "facevis": __version__,
        "backbone": "mobilefacenet",
        "embedding_dim": "16",
        "size": "16",
        "channels": "rgb",
        "mean": "127.5",
        "std": "127.5",
    }
    sides = model.graph.input[0].type.tensor_type.shape.dim
    assert [side.dim_param or side.dim_value for side in sides] == ["batch", 3, 16, 16]
    sides = model.graph.output[0].type.tensor_type.shape.dim
    assert [side.dim_param or side.dim_value for side in sides] == ["batch", 16]
    content = exported.read_bytes()
    assert not any(word.encode() in content for word in (str(ROOT), "site-packages", ".py"))


def test_an_exported_run_evaluates_as_the_run_itself(run, exported, tmp_path, capsys):
    pairs = set_of_pairs(tmp_path / "pairs.bin")
    weights = tmp_path / "mine.safetensors"
    cli.main(["export", "model", str(run), "--out", str(weights)])
    found = []
    for model in (run, exported, weights):
        out = tmp_path / f"out-{len(found)}"
        cli.main(["evaluate", str(model), "--pairs", str(pairs), "--out", str(out)])
        found.append(result(out)["members"][0])
    for name in ("auc", "eer", "genuine_pairs", "impostor_pairs", "accuracy"):
        numbers = [one[name]["mean"] if name == "accuracy" else one[name] for one in found]
        assert numbers[1] == pytest.approx(numbers[0], abs=1e-9)
        assert numbers[2] == numbers[0]
    assert 0.5 < found[0]["auc"] < 1


def test_safetensors_bring_the_name_of_their_network(network, tmp_path):
    path = tmp_path / "m.safetensors"
    export.export_weights(trained(network), path)
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["backbone"] == "mobilefacenet"
    again = open_trained(path)
    assert (again.backbone, again.network.size, again.network.embedding_dim) == (
        *("mobilefacenet", 16, 16),
    )
    state = network.state_dict()
    assert all(torch.equal(state[key], w) for key, w in again.network.state_dict().items())
    with pytest.raises(ValueError, match=r"backbone is 'vit_t', but m\.safetensors says"):
        open_trained(path, "vit_t")


# -- a failure leaves no file ---------------------------------------------------------------------


class Linear(nn.Module):
    """Something small that the exporter takes."""

    embedding_dim, size = 4, 8

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(192, 4)
        self.count = 0

    def forward(self, pictures):
        return self.last(pictures.flatten(1))


class Moody(Linear):
    """Its embeddings depend on how often it was asked; ONNX keeps the first answer."""

    def forward(self, pictures):
        self.count += 1
        return super().forward(pictures) + self.count


class Broken(Linear):
    """Its embeddings are not numbers."""

    def forward(self, pictures):
        return super().forward(pictures) * float("inf")


class Untraceable(Linear):
    """It looks at the numbers to decide what to do."""

    def forward(self, pictures):
        return super().forward(pictures) if pictures.sum().item() > 0 else pictures.flatten(1)


@pytest.mark.parametrize(
    ("network", "sentence", "before"),
    [
        (Moody, "since ONNX and PyTorch differ by", b""),
        (Broken, "are not finite, so m.onnx was not written", b"an older model"),
        (Untraceable, "this Untraceable cannot be written as ONNX", b""),
    ],
)
def test_a_network_that_onnx_does_not_reproduce_leaves_no_file(tmp_path, network, sentence, before):
    path = tmp_path / "m.onnx"
    if before:
        path.write_bytes(before)
    with pytest.raises(ValueError) as fault:
        export.export_onnx(trained(network()), path)
    assert sentence in str(fault.value)
    assert str(fault.value).endswith(".")
    assert "\n" not in str(fault.value)
    assert files(tmp_path) == (["m.onnx"] if before else [])
    assert not before or path.read_bytes() == before


@pytest.mark.parametrize("suffix", export.FORMATS)
def test_a_place_that_takes_no_file_is_named(tmp_path, monkeypatch, suffix):
    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    path = tmp_path / f"m{suffix}"
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ValueError, match=r"cannot be written \(Read-only file system\); make room"):
        export.export(trained(Linear()), path)
    assert not path.exists()


def test_a_name_that_is_too_long_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"cannot be written \(File name too long\); name another"):
        export.check_target(tmp_path / f"{'m' * 300}.onnx")


def test_an_export_that_is_interrupted_leaves_no_file(run, tmp_path, monkeypatch):
    def interrupted(network, name, path):
        assert len(files(tmp_path)) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "_parity", interrupted)
    monkeypatch.setattr(export, "_traced", lambda network: Written())
    monkeypatch.setattr(export, "_describe", lambda model, texts: None)
    assert "Stopped; files that were" in refused("model", run, "--out", tmp_path / "m.onnx")
    assert files(tmp_path) == []


class Written:
    """A program of the exporter's that writes next to nothing."""

    def __init__(self):
        self.model = None

    def save(self, path):
        Path(path).write_bytes(b"half")


# -- the command ----------------------------------------------------------------------------------


def refused(*arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *map(str, arguments)])
    said = str(end.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{run}", "--out", "m.pth"], "m.pth would be a .pth file; end --out in"),
        (["{run}", "--out", "model"], "model would be a file without a suffix"),
        (["{run}", "--out", "no/such/m.onnx"], "there is no folder no/such"),
        (["{run}", "--step", "5"], "has no checkpoint of step 5; choose one of 3, 6"),
        (["{run}", "--backbone", "vit_t"], "knows its network (mobilefacenet); leave"),
        (["{run}", "--lang", "de"], "lang is 'de'; choose one of en, ru"),
        (["."], "holds no run (config.json is missing)"),
        (["none"], "there is no file or folder none"),
        (["face.jpg"], "face.jpg is no trained network; name the folder"),
        (["w.pth"], "w.pth does not say which network its weights are of; name it, --backbone"),
        (["w.pth", "--backbone", "resnet50"], "backbone is 'resnet50'; choose one of"),
        (["w.pth", "--backbone", "iresnet50"], "w.pth does not fit IResNet of"),
        (["w.pth", "--backbone", "mobilefacenet", "--step", "3"], "--step is for the folder of a"),
    ],
)
def test_an_export_that_cannot_be_ends_in_one_sentence(
    run, network, tmp_path, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.jpg").write_bytes(b"a picture")
    torch.save(network.state_dict(), tmp_path / "w.pth")
    assert sentence in refused("model", *(text.format(run=run) for text in arguments))
    assert files(tmp_path) == ["face.jpg", "w.pth"]


def test_lessons_are_exported_as_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused("lesson") == "which lesson? Name its number: facevis export lesson 8."
    assert "there is no lesson 99" in refused("lesson", 99)
    assert "lang is 'de'" in refused("course", "--lang", "de")
    assert files(tmp_path) == []


def test_the_command_line_answers_without_pytorch():
    code = "import facevis.cli, sys; print({'torch', 'onnx', 'onnxruntime'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "set()"


# -- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"channels": "bgr"}, "channels is 'bgr', but mine.onnx says that it is 'rgb'; leave --ch"),
        ({"size": 112}, "size is 112, but mine.onnx says that it is 16; leave --size out"),
        ({"mean": 0.0}, "mean is 0.0, but mine.onnx says that it is 127.5"),
        ({"std": 255.0}, "std is 255.0, but mine.onnx says that it is 127.5"),
    ],
)
def test_options_that_disagree_with_the_file_are_named(exported, options, sentence):
    with pytest.raises(ValueError) as fault:
        OnnxEmbedder(exported, OnnxOptions(**options))
    assert sentence in str(fault.value)


def test_what_a_file_says_of_itself_is_followed(tmp_path, exported):
    OnnxEmbedder(exported, OnnxOptions(16, "rgb", 127.5, 127.5))  # the same as what it says
    model, turned = onnx.load(exported), tmp_path / "turned.onnx"
    texts = Description("mobilefacenet", 16, 16, "bgr", 0.0, 255.0).to_texts()
    onnx.helper.set_model_props(model, texts)
    onnx.save(model, turned)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    found = OnnxEmbedder(turned, OnnxOptions()).embed(pictures)[0]
    planes = (pictures[..., ::-1].transpose(0, 3, 1, 2) / 255.0).astype(np.float32)
    session = onnxruntime.InferenceSession(exported)
    np.testing.assert_allclose(found, session.run(None, {"input": planes})[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("change", [{"size": "big"}, {"std": "0"}, {"channels": "grey"}])
def test_a_damaged_description_is_named(tmp_path, exported, change):
    model = onnx.load(exported)
    onnx.helper.set_model_props(model, Description("mobilefacenet", 16, 16).to_texts() | change)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"what m\.onnx says of itself is damaged .*; export it"):
        OnnxEmbedder(tmp_path / "m.onnx", OnnxOptions())
