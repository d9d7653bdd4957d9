"""Hostile and broken networks: weights and ONNX files."""

import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import onnx
import pytest
import torch
from evaluations import WEIGHTS as MATRIX
from evaluations import network
from hostile.judging import MIB, Trap, refused, table
from network_files import one_thread, small_network
from safetensors.torch import save_file

from facevis.embedders import OnnxOptions, open_model
from facevis.fullscale.trained import open_trained

NAME = "mobilefacenet"
PICTURES = np.zeros((2, 8, 8, 3), np.uint8)


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def state():
    return small_network().state_dict()


def saved(change, suffix=".pth"):
    """Weights in which something was changed; the change may give other bytes or another state."""

    def make(folder, state):
        path = folder / f"net{suffix}"
        (save_file if suffix == ".safetensors" else torch.save)(state, path)
        found = change(path.read_bytes(), state, folder)
        if isinstance(found, bytes):
            path.write_bytes(found)
        elif suffix == ".safetensors":
            save_file(found, path)
        else:
            torch.save(found, path)
        return path

    return make


def data_of(change, suffix=".pth"):
    return saved(lambda data, state, folder: change(data), suffix)


def state_of(change, suffix=".pth"):
    return saved(lambda data, state, folder: change(dict(state)), suffix)


def trap(place):
    return saved(lambda data, state, folder: place(Trap(folder), dict(state)))


def without(name):
    return lambda state: {key: weight for key, weight in state.items() if key != name}


def first(state, change):
    name = next(iter(state))
    return {**state, name: change(state[name])}


def headed(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    whole = struct.pack("<Q", len(text) if length is None else length) + text + data
    return data_of(lambda _: whole, ".safetensors")


def tensor(begin, end, shape=(1,), kind="F32"):
    return {"w": {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}}


def _zip_without(name):
    def change(data, state, folder):
        path = folder / "net.pth"
        with zipfile.ZipFile(path) as archive:
            files = {n: archive.read(n) for n in archive.namelist() if not n.endswith(name)}
        with zipfile.ZipFile(path, "w") as archive:
            for n, content in files.items():
                archive.writestr(n, content)
        return path.read_bytes()

    return saved(change)


def _compressed(data, state, folder):
    """Swollen: a thousand times its size where it is unpacked."""
    torch.save({**state, "x": torch.zeros(4 * MIB)}, folder / "net.pth")
    with zipfile.ZipFile(folder / "net.pth") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / "net.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return (folder / "net.pth").read_bytes()


def _tar(data, state, folder):
    """As PyTorch wrote in its first year."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("storages", "tensors", "pickle"):
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def bias(length):
    return state_of(lambda state: {**state, "features.bias": torch.ones(length)})


def _gigabytes(state):
    """Two weights that ask for a network of 17 GB."""
    wide = {"fc.weight": torch.ones(1, 512 * 1024), "features.bias": torch.ones(8192)}
    return {**state, **wide}


CALLS = "wants more than weights (posix.mkdir), and facevis executes nothing"
TORCH = table(
    ("nothing", data_of(lambda data: b""), "is no file of torch.save"),
    ("words", data_of(lambda data: b"a letter"), "is no file of torch.save"),
    ("zeros", data_of(lambda data: bytes(10240)), "is no file of torch.save"),
    ("a tar", saved(_tar), "is no file of torch.save"),
    ("a bomb", saved(_compressed), "is compressed"),
    ("half", data_of(lambda data: data[: len(data) // 2]), "cannot be read as weights"),
    ("its end missing", data_of(lambda data: data[:-30]), "cannot be read as weights"),
    ("no index of tensors", _zip_without("data.pkl"), "cannot be read as weights"),
    ("no tensor of its index", _zip_without("data/0"), "cannot be read as weights"),
    ("a call", trap(lambda trap, state: trap), CALLS),
    ("a call beside the weights", trap(lambda trap, state: {**state, "x": trap}), CALLS),
    ("a call in a tuple", trap(lambda trap, state: {"state_dict": state, "a": (trap,)}), CALLS),
    ("a network instead of its weights", state_of(lambda state: torch.nn.Linear(2, 2)), "executes"),
    ("an old pickle that calls",
     saved(lambda data, state, folder: pickle.dumps(Trap(folder), 2)), CALLS),
    ("an old pickle that calls os.system",
     data_of(lambda data: b"cos\nsystem\n(S'true'\ntR."), "is no file of torch.save"),
    ("a later pickle that calls",
     saved(lambda data, state, folder: pickle.dumps(Trap(folder), 4)), "executes nothing"),
    ("a pickle that is cut", data_of(lambda data: b"\x80\x02}q\0X\xff"), "cannot be read as"),
    ("a pickle of an order that is none",
     data_of(lambda data: b"\x80\x02\xff"), "wants more than weights (operand 255)"),
    ("a list", state_of(lambda state: [1, 2]), "holds no state dict"),
    ("an empty table", state_of(lambda state: {}), "holds no state dict"),
    ("numbers for weights", state_of(lambda state: {"features.bias": 1}), "holds no state dict"),
    ("numbers for names", state_of(lambda state: {1: torch.ones(1)}), "holds no state dict"),
    ("another network", state_of(lambda state: {"w": torch.ones(2)}), "is no mobilefacenet"),
    ("a weight too few", state_of(without("features.weight")), "1 missing (features.weight)"),
    ("a weight too many", state_of(lambda state: {**state, "x": torch.ones(1)}), "1 unexpected"),
    ("another shape", state_of(lambda state: first(state, lambda w: w[..., :1])), "another shape"),
    ("a shape of nothing", bias(0), "no mobilefacenet that facevis knows (embedding_dim is 0"),
    ("a length of 9,000", bias(9000), "net.pth does not fit mobilefacenet of D = 9000"),
    ("another length", bias(7), "net.pth does not fit MobileFaceNet of D = 7"),
    ("a name of two lines", state_of(lambda state: {**state, "a\nb": torch.ones(1)}), "(a·b)"),
    ("a name of a megabyte", state_of(lambda state: {**state, "x" * MIB: torch.ones(1)}), "(xxx"),
    ("numbers that are not there",
     state_of(lambda state: {**state, "w": torch.ones(1).expand(10**9)}), "claims more numbers"),
)  # fmt: skip

SAFE = table(
    ("nothing", data_of(lambda data: b"", ".safetensors"), "cannot be read as weights"),
    ("words", data_of(lambda data: b"a letter to", ".safetensors"), "cannot be read as weights"),
    ("half", data_of(lambda data: data[: len(data) // 2], ".safetensors"), "cannot be read"),
    ("bytes behind its end", data_of(lambda data: data + b"x", ".safetensors"), "cannot be read"),
    ("a pickle by its name",
     saved(lambda data, state, folder: pickle.dumps(Trap(folder)), ".safetensors"), "cannot be"),
    ("a header of nothing", headed(b""), "cannot be read"),
    ("a header of 2^63", headed(b"{}", length=2**63), "cannot be read"),
    ("a header beyond the file", headed(b"{}", length=5000), "cannot be read"),
    ("a header that is a list", headed([]), "cannot be read"),
    ("a header that is nested", headed(b"[" * 5000), "cannot be read"),
    ("a header that is no text", headed(b"\xff\xfe{}"), "cannot be read"),
    ("no tensors", headed({}), "holds no state dict"),
    ("offsets beyond the file", headed(tensor(0, 2**40)), "cannot be read"),
    ("offsets that go back", headed(tensor(8, 4), bytes(8)), "cannot be read"),
    ("offsets that are negative", headed(tensor(-4, 0), bytes(8)), "cannot be read"),
    ("offsets that overlap",
     headed(tensor(0, 8, (2,)) | {"v": tensor(4, 8)["w"]}, bytes(8)), "cannot be read"),
    ("a hole between tensors", headed(tensor(4, 8), bytes(8)), "cannot be read"),
    ("a type that is none", headed(tensor(0, 4, kind="OBJ"), bytes(4)), "cannot be read"),
    ("a shape that is larger", headed(tensor(0, 4, (9,)), bytes(4)), "cannot be read"),
    ("a shape of 2^62", headed(tensor(0, 4, (2**31, 2**31)), bytes(4)), "cannot be read"),
    ("another network", headed(tensor(0, 4), bytes(4)), "is no mobilefacenet"),
    ("a description that is damaged",
     headed({"__metadata__": {"facevis": "1", "size": "-3"}} | tensor(0, 4), bytes(4)),
     "what net.safetensors says of itself is damaged"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [*TORCH, *SAFE])
def test_weights_are_refused_with_a_sentence(make, says, state, tmp_path):
    path = make(tmp_path, state)
    refused(tmp_path, open_trained, path, NAME, says=(path.name, says))


def test_two_weights_that_ask_for_gigabytes_are_refused_before_they_are_made(state, tmp_path):
    path = state_of(_gigabytes)(tmp_path, state)
    refused(tmp_path, open_trained, path, "iresnet18", says=("net.pth does not fit iresnet18",))


# -- ONNX -----------------------------------------------------------------------------------------


def model(change=None, **options):
    def make(folder):
        path = network(folder / "m.onnx", **options)
        if change:
            path.write_bytes(change(path.read_bytes()))
        return path

    return make


def graph(change):
    def rewrite(data):
        found = onnx.load_model_from_string(data)
        change(found)
        return found.SerializeToString()

    return model(rewrite)


def _outside(found):
    weights = found.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../../../../etc/passwd"), ("length", str(MATRIX.nbytes))):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value


def _described(found):
    for key, value in (("facevis", "1"), ("size", "10000000")):
        entry = found.metadata_props.add()
        entry.key, entry.value = key, value


ONNX = table(
    ("nothing", model(lambda data: b""), "is not an ONNX model"),
    ("words", model(lambda data: b"a letter"), "is not an ONNX model"),
    ("zeros", model(lambda data: bytes(999)), "is not an ONNX model"),
    ("half", model(lambda data: data[: len(data) // 2]), "is not an ONNX model"),
    ("a pickle", model(lambda data: pickle.dumps([1])), "is not an ONNX model"),
    ("no graph", graph(lambda found: found.ClearField("graph")), "is not an ONNX model"),
    ("no nodes", graph(lambda found: found.graph.ClearField("node")), "m.onnx"),
    ("no weights", graph(lambda found: found.graph.ClearField("initializer")), "m.onnx"),
    ("an operator that is none",
     graph(lambda f: setattr(f.graph.node[1], "op_type", "System")), "is not an ONNX model"),
    ("a library of its own",
     graph(lambda f: setattr(f.graph.node[1], "domain", "evil.so")), "is not an ONNX model"),
    ("a loop", graph(lambda f: f.graph.node[0].input.__setitem__(0, "y")), "is not an ONNX model"),
    ("a version from the future",
     graph(lambda f: setattr(f, "ir_version", 9999)), "is not an ONNX model"),
    ("weights of a file of the system", graph(_outside), "is not an ONNX model"),
    ("a description that is damaged", graph(_described), "says of itself is damaged"),
    ("pictures of 10^9 pixels", model(shape=("N", 3, 10**9, 10**9)), "m.onnx"),
    ("pictures of no pixel", model(shape=("N", 3, 0, 0)), "m.onnx"),
    ("pictures of 77 channels", model(shape=("N", 77, 8, 8)), "is not an ONNX model"),
    ("two inputs", model(inputs=2), "has 2 inputs"),
    ("two outputs", model(outputs=2), "2 outputs"),
    ("one number", model(weights=MATRIX[:, :1]), "is one number for each picture"),
    ("a matrix of another size", model(weights=MATRIX[:9]), "m.onnx"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "says"), ONNX)
def test_an_onnx_model_is_refused_with_a_sentence(make, says, tmp_path):
    path = make(tmp_path)
    open_and_embed = lambda: open_model(path, OnnxOptions()).embed(PICTURES)  # noqa: E731
    refused(tmp_path, open_and_embed, says=("m.onnx", says))
