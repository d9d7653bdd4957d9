"""The backbones are those that were published, and read weights without running anything."""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest
import safetensors.torch
import torch
from network_files import lived_in, one_thread, small_network
from torch.nn import functional as F

from facevis.models.backbones import (
    BACKBONES,
    build_backbone,
    count_parameters,
    load_backbone,
    read_backbone,
)
from facevis.models.iresnet import IResNet

IRESNETS = {
    "iresnet18": (2, 2, 2, 2),
    "iresnet34": (3, 4, 6, 3),
    "iresnet50": (3, 4, 14, 3),
    "iresnet100": (3, 13, 30, 3),
    "iresnet200": (6, 26, 60, 6),
}
MILLIONS = {"iresnet50": 43.59, "iresnet100": 65.16}
"""As the literature counts them (D = 512); OpenVINO's Model Zoo has 65.13 for the MXNet original of
the latter, whose fixed scales are no parameters."""


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


def norm(name, width):
    kinds = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{kind}": (width,) for kind in kinds} | {f"{name}.num_batches_tracked": ()}


def published(layers, dim=512):
    """Names and shapes as insightface, recognition/arcface_torch/backbones/iresnet.py, makes them,
    written down from that file."""
    found = {"conv1.weight": (64, 3, 3, 3), "prelu.weight": (64,)} | norm("bn1", 64)
    inputs = 64
    for stage, (planes, blocks) in enumerate(zip((64, 128, 256, 512), layers, strict=True), 1):
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            found |= norm(f"{at}.bn1", inputs)
            found[f"{at}.conv1.weight"] = (planes, inputs, 3, 3)
            found |= norm(f"{at}.bn2", planes)
            found[f"{at}.prelu.weight"] = (planes,)
            found[f"{at}.conv2.weight"] = (planes, planes, 3, 3)
            found |= norm(f"{at}.bn3", planes)
            if block == 0:
                found[f"{at}.downsample.0.weight"] = (planes, inputs, 1, 1)
                found |= norm(f"{at}.downsample.1", planes)
            inputs = planes
    found |= norm("bn2", 512) | {"fc.weight": (dim, 512 * 7 * 7), "fc.bias": (dim,)}
    return found | norm("features", dim)


def numbers(shapes):
    """How many parameters these are; statistics are none."""
    counted = [s for name, s in shapes.items() if name.rpartition(".")[2] in ("weight", "bias")]
    return sum(int(np.prod(shape)) for shape in counted)


# -- what was published ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", IRESNETS)
def test_an_iresnet_has_the_names_and_shapes_of_insightface(name):
    with torch.device("meta"):
        network = build_backbone(name)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert shapes == published(IRESNETS[name])
    assert count_parameters(network) == numbers(published(IRESNETS[name]))


@pytest.mark.parametrize("name", MILLIONS)
def test_an_iresnet_has_as_many_parameters_as_the_literature_says(name):
    with torch.device("meta"):
        assert round(count_parameters(build_backbone(name)) / 1e6, 2) == MILLIONS[name]


def test_a_mobilefacenet_has_about_a_million_parameters():
    with torch.device("meta"):
        count = count_parameters(build_backbone("mobilefacenet", embedding_dim=128))
    assert count == pytest.approx(0.99e6, rel=0.02)  # Chen et al., 2018, Table 2


def test_the_length_of_an_embedding_is_not_learned():
    with torch.device("meta"):
        network = build_backbone("iresnet18")
    fixed = [name for name, weight in network.named_parameters() if not weight.requires_grad]
    assert fixed == ["features.weight"]


@pytest.mark.parametrize("size", [32, 112])
@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_takes_pictures_of_its_size(name, size, monkeypatch):
    # Shapes without numbers, and there autocast has nothing to do.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    with torch.device("meta"):
        network = build_backbone(name, embedding_dim=24, size=size).eval()
        assert network(torch.empty(3, 3, size, size)).shape == (3, 24)
    assert (network.embedding_dim, network.size) == (24, size)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("resnet50",), "backbone is 'resnet50'; choose one of iresnet18,"),
        (("iresnet50", 1), "embedding_dim is 1; give"),
        (("iresnet50", 512, 100), "size is 100; iresnet50 halves it four times"),
        (("vit_t", 512, 8), "size is 8; give"),
        (("iresnet50", 512, 112, 1.0), "dropout is 1.0; give"),
    ],
)
def test_what_cannot_be_built_is_named(arguments, sentence):
    with pytest.raises(ValueError) as fault:
        build_backbone(*arguments)
    assert str(fault.value).startswith(sentence)


# -- the same function ----------------------------------------------------------------------------


def by_hand(state, layers, pictures):
    """An IResNet from its weights by names, in plain functions."""

    def norm_of(name, x):
        parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var"))
        return F.batch_norm(x, *parts, state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-5)

    x = F.conv2d(pictures, state["conv1.weight"], padding=1)
    x = F.prelu(norm_of("bn1", x), state["prelu.weight"])
    for stage, blocks in enumerate(layers, 1):
        for block in range(blocks):
            at, stride = f"layer{stage}.{block}", 2 if block == 0 else 1
            inner = F.conv2d(norm_of(f"{at}.bn1", x), state[f"{at}.conv1.weight"], padding=1)
            inner = F.prelu(norm_of(f"{at}.bn2", inner), state[f"{at}.prelu.weight"])
            inner = F.conv2d(inner, state[f"{at}.conv2.weight"], stride=stride, padding=1)
            inner = norm_of(f"{at}.bn3", inner)
            if block == 0:
                x = F.conv2d(x, state[f"{at}.downsample.0.weight"], stride=2)
                x = norm_of(f"{at}.downsample.1", x)
            x = x + inner
    x = norm_of("bn2", x).flatten(1)
    return norm_of("features", F.linear(x, state["fc.weight"], state["fc.bias"]))


def test_an_iresnet_computes_what_its_names_say():
    torch.manual_seed(0)
    layers = (1, 2, 1, 1)
    network = lived_in(IResNet(layers, embedding_dim=8, size=32)).double()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "prelu" in name or "bn" in name:  # at their initial values a mistake would not show
                weight.uniform_(0.5, 1.5)
        pictures = torch.rand(3, 3, 32, 32, dtype=torch.float64) * 2 - 1
        expected = by_hand(network.state_dict(), layers, pictures)
        torch.testing.assert_close(network(pictures), expected, rtol=1e-9, atol=1e-9)
        other = network(pictures.flip(1))
    assert not torch.allclose(other, expected, rtol=1e-2)  # RGB it is


# -- weights --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights():
    """Weights in the published naming: an iresnet18 of D = 8, S = 16."""
    shapes = published((2, 2, 2, 2), dim=8) | {"fc.weight": (8, 512)}
    random = torch.Generator().manual_seed(0)
    return {
        name: torch.rand(shape, generator=random) if shape else torch.tensor(7)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("form", ["pth", "pt", "safetensors", "module.", "state_dict", "model"])
def test_published_weights_load_strictly(weights, tmp_path, form):
    path = tmp_path / f"backbone.{form if form in ('pt', 'safetensors') else 'pth'}"
    if form == "safetensors":
        safetensors.torch.save_file(weights, path)
    elif form == "module.":
        torch.save({f"module.{name}": weight for name, weight in weights.items()}, path)
    else:
        nested = {form: weights, "epoch": 20} if form in ("state_dict", "model") else weights
        torch.save(nested, path)
    network = read_backbone("iresnet18", path)
    assert (network.embedding_dim, network.size) == (8, 16)
    state = network.state_dict()
    assert state.keys() == weights.keys()
    assert all(torch.equal(state[name], weight) for name, weight in weights.items())


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        ({"prelu.weight": None}, ["1 missing (prelu.weight)"]),
        ({"head.weight": torch.zeros(2)}, ["1 unexpected (head.weight)"]),
        (
            {"conv1.weight": torch.zeros(64, 3, 7, 7)},
            ["1 of another shape (conv1.weight 64×3×7×7 instead of 64×3×3×3)"],
        ),
        (
            {"bn1.bias": None, "bn1.gamma": torch.zeros(64), "bn2.weight": torch.zeros(3)},
            ["1 missing (bn1.bias)", "1 unexpected (bn1.gamma)", "bn2.weight 3 instead of 512"],
        ),
        ({"features.bias": None}, ["is no iresnet18, since it has no features.bias"]),
        ({"conv1.weight": "text"}, ["holds no state dict"]),
    ],
)
def test_weights_that_do_not_fit_are_named_and_nothing_changes(
    weights, tmp_path, change, sentences
):
    changed = {name: weight for name, weight in (weights | change).items() if weight is not None}
    torch.save(changed, tmp_path / "w.pth")
    network = build_backbone("iresnet18", 8, 16)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    load = load_backbone if "is no" not in sentences[0] else None
    with pytest.raises(ValueError) as fault:
        load(network, tmp_path / "w.pth") if load else read_backbone(
            "iresnet18", tmp_path / "w.pth"
        )
    said = str(fault.value)
    assert all(sentence in said for sentence in ["w.pth", *sentences])
    assert one_sentence(said)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def one_sentence(said):
    return said.endswith(".") and "\n" not in said


class Malicious:
    """Unpickled by an ordinary reader, it writes a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return eval, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.mark.parametrize("way", ["torch", "pickle", "beside weights"])
@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_nothing_in_a_file_is_ever_executed(tmp_path, way, suffix):
    path, marker = tmp_path / f"w{suffix}", tmp_path / "it-ran"
    evil = Malicious(marker)
    if way == "pickle":
        path.write_bytes(pickle.dumps(evil))
    else:
        torch.save({"conv1.weight": torch.zeros(3), "x": evil} if "beside" in way else evil, path)
    with pytest.raises(ValueError) as fault:
        read_backbone("iresnet18", path)
    assert not marker.exists()
    assert f"w{suffix} " in str(fault.value)
    assert one_sentence(str(fault.value))
    if way != "pickle":
        assert "executes nothing" in str(fault.value)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path, suffix):
    network, path = small_network(), tmp_path / f"w{suffix}"
    state = network.state_dict()
    if suffix == ".pth":
        torch.save(state, path)
    else:
        safetensors.torch.save_file(state, path)
    whole = path.read_bytes()
    for length in (0, 1, 7, 100, 5000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError) as fault:
            load_backbone(network, path)
        assert one_sentence(str(fault.value)), length
        assert f"w{suffix} " in str(fault.value)
    path.write_bytes(whole)
    load_backbone(network, path)


def test_weights_that_are_not_there_or_no_weights_are_named(tmp_path):
    network = small_network()
    with pytest.raises(ValueError, match=r"there is no file .*none\.pth; check the path"):
        load_backbone(network, tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"face\.jpg holds no weights; name a file \.pth"):
        load_backbone(network, tmp_path / "face.jpg")
