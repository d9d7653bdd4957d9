"""Hostile and broken runs: configurations, the weights of a checkpoint, its progress."""

import json
import shutil
import struct
from pathlib import Path

import pytest
from hostile.judging import MIB, refused, table
from network_files import run_folder

from facevis.fullscale.trained import open_trained


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    return run_folder(tmp_path_factory.mktemp("whole") / "run", steps=(3,))


@pytest.fixture
def run(whole_run, tmp_path):
    return Path(shutil.copytree(whole_run, tmp_path / "run"))


def in_run(name, change):
    """Change a file of the run; an empty name is its weights."""

    def make(folder):
        step = folder / "checkpoints" / "step-00000003"
        path = folder / name if name == "config.json" else step / name
        path = path if name else next(step.glob("*.safetensors"))
        data = change(path.read_bytes())
        if data is None:
            path.unlink()
        else:
            path.write_bytes(data)

    return make


def config(**changes):
    def change(data):
        found = json.loads(data)
        for name, value in changes.items():
            *parts, last = name.split("__")
            inner = found
            for part in parts:
                inner = inner[part]
            inner[last] = value
        return json.dumps(found).encode()

    return in_run("config.json", change)


def progress(**changes):
    return in_run("progress.json", lambda data: json.dumps(json.loads(data) | changes).encode())


def _bad_header(data):
    return struct.pack("<Q", 2**62) + data[8:]


RUNS = table(
    ("no configuration", in_run("config.json", lambda data: None), "holds no run"),
    ("a configuration of nothing", in_run("config.json", lambda data: b""), "is not JSON"),
    ("half a configuration", in_run("config.json", lambda data: data[:99]), "is not JSON"),
    ("no text", in_run("config.json", lambda data: b"\xff" + data), "it is no text"),
    ("nested", in_run("config.json", lambda data: b"[" * 99_999), "is not JSON"),
    ("half a letter", config(recipe="\ud800"), "recipe holds halves of letters"),
    ("a list", in_run("config.json", lambda data: b"[]"), "is no table of fields"),
    ("nothing in it", in_run("config.json", lambda data: b"{}"), "lacks "),
    ("TOML", in_run("config.json", lambda data: b"seed = 0\n"), "is not JSON"),
    ("a field that is none", config(command="rm -r"), "a field command that nothing knows"),
    ("a field of a part that is none", config(data__url="http:"), "a field data.url that"),
    ("a part that is a number", config(head=7), "head is no table of fields"),
    ("a text for a number", config(batch_size="8"), "batch_size is '8'; give an int"),
    ("true for a number", config(seed=True), "seed is True; give an int"),
    ("a batch of everything", config(batch_size=10**30), "batch_size is 1000"),
    ("NaN", config(head__scale=float("nan")), "scale is nan"),
    ("without end", config(optimizer__learning_rate=float("inf")), "learning_rate is inf"),
    ("too large for a number", config(head__m2=10**400), "head.m2 is too large"),
    ("a device that is none", config(device="tpu"), "device is 'tpu'; choose one of"),
    ("a network that is none", config(backbone__name="../x"), "choose one of"),
    ("a text of a megabyte", config(batch_size="x" * MIB), "batch_size is 'xxx"),
    ("weights that are cut", in_run("", lambda data: data[:-8]), "is cut off"),
    ("weights of nothing", in_run("", lambda data: b""), "is cut off"),
    ("weights of words", in_run("", lambda data: b"a letter".ljust(len(data))), "cannot be read"),
    ("weights that are not there", in_run("", lambda data: None), "is missing; remove the folder"),
    ("progress of nothing", in_run("progress.json", lambda data: b""), "no readable progress.json"),
    ("no progress", in_run("progress.json", lambda data: None), "no readable progress.json"),
    ("progress that is nested", in_run("progress.json", lambda data: b"[" * 99_999), "no readable"),
    ("progress that is empty", in_run("progress.json", lambda data: b"{}"), "version of facevis"),
    ("progress that is a list", in_run("progress.json", lambda data: b"[]"), "version of facevis"),
    ("progress of files that are a list", progress(files=[]), "version of facevis"),
    ("progress of another folder's files", progress(files={"../../config.json": 1}), "is missing"),
    ("progress of a file of two lines", progress(files={"a\nb": 1}), "a·b of the checkpoint"),
    ("a header of 2^62", in_run("", _bad_header), "cannot be read"),
    ("weights of another network", config(backbone__embedding_dim=32), "restore the config.json"),
    ("a network of gigabytes",
     config(backbone__name="iresnet18", backbone__embedding_dim=4096, data__size=512),
     "fewer numbers than the largest layer"),
)  # fmt: skip


@pytest.mark.parametrize(("change", "says"), RUNS)
def test_a_run_is_refused_with_a_sentence(change, says, run, tmp_path):
    change(run)
    refused(tmp_path, open_trained, run, says=(says,))
