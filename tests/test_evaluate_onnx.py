"""``facevis evaluate`` with ONNX models: how they take pictures, and what is refused."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from evaluations import WEIGHTS, listing, network, people, refused, result, run
from onnx import TensorProto
from PIL import Image

from facevis.embedders import OnnxEmbedder, OnnxOptions


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
        ({"weights": 0 * WEIGHTS}, [], "are zero and have no direction"),
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
        ("model.txt", "is no model"),
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
