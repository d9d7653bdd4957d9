"""Hostile and broken recordings: archives of arrays, of which the header is JSON."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from hostile.judging import MIB, Trap, refused, table
from numpy.lib.format import write_array_header_1_0

from facevis.live import Ensemble, Recording, RunConfig

CONFIG = RunConfig(steps=3, identities=2, images_per_class=2, batch_size=4)


@pytest.fixture(scope="module")
def whole():
    return Ensemble(CONFIG).record().to_bytes()


def of_bytes(change):
    return lambda folder, whole: change(whole)


def arrays(**changes):
    """Other arrays; None takes one out, a function is given the old one."""

    def make(folder, whole):
        with np.load(io.BytesIO(whole)) as archive:
            found = dict(archive)
        for name, value in changes.items():
            old = found.pop(name)
            value = value(old) if callable(value) else value
            if value is not None:
                found[name] = value
        buffer = io.BytesIO()
        np.savez(buffer, **found)
        return buffer.getvalue()

    return make


def members(**changes):
    """Other bytes for members of the archive; functions are given the folder of the test."""

    def make(folder, whole):
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        for name, value in changes.items():
            found[f"{name}.npy"] = value(folder) if callable(value) else value
        return _zipped(found)

    return make


def _zipped(files, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def claiming(shape, kind="<f4", data=b""):
    """An array that says it is of this shape."""
    buffer = io.BytesIO()
    header = {"shape": shape, "fortran_order": False, "descr": kind}
    write_array_header_1_0(buffer, header)
    return buffer.getvalue() + data


def header(change):
    """Another header: the configuration in it, as the function changes it."""

    def exchanged(old):
        found = json.loads(old.tobytes())
        return _text(json.dumps(change(found)).encode())

    return arrays(header=exchanged)


def _text(data):
    return np.frombuffer(data, np.uint8)


def config(**changes):
    return header(lambda found: {**found, "config": {**found["config"], **changes}})


def member(**changes):
    def change(found):
        one = {**found["config"]["members"][0], **changes}
        return {**found, "config": {**found["config"], "members": [one]}}

    return header(change)


def _objects(folder):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap(folder)], object), allow_pickle=True)
    return buffer.getvalue()


def _bomb(folder, whole):
    """What it unpacks to is believed: it is refused before anything is unpacked."""
    data = bytearray(_zipped({"embeddings.npy": bytes(MIB)}, zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 600 * MIB)
    return bytes(data)


RECORDINGS = table(
    ("nothing", of_bytes(lambda data: b""), ""),
    ("words", of_bytes(lambda data: b"a letter"), ""),
    ("half", of_bytes(lambda data: data[: len(data) // 2]), ""),
    ("its last byte missing", of_bytes(lambda data: data[:-1]), ""),
    ("a single array", of_bytes(lambda data: claiming((1,), data=bytes(4))), ""),
    ("a pickle", of_bytes(lambda data: b"cos\nsystem\n(S'true'\ntR."), ""),
    ("another archive", lambda folder, whole: _zipped({"a.txt": b"letter"}), "a.txt is no array"),
    ("a path above it", lambda folder, whole: _zipped({"../../evil.npy": b"x"}), "is no array"),
    ("a bomb", _bomb, "it unpacks to 600 MiB, more than 512"),
    ("objects for a header", members(header=_objects), "Object arrays cannot be loaded"),
    ("objects for points", members(embeddings=_objects), "Object arrays cannot be loaded"),
    ("objects beside it", members(extra=_objects), "Object arrays cannot be loaded"),
    ("an array that ends early", members(losses=claiming((4, 1))), ""),
    ("an array of 2^60 numbers", members(embeddings=claiming((2**30, 2**30))), ""),
    ("an array of 40 dimensions", members(embeddings=claiming((1,) * 40)), ""),
    ("an array below 0", members(embeddings=claiming((-1, 2))), ""),
    ("an array of a kind that is none", members(losses=b"\x93NUMPY\x01\0\x06\0{'a':\n"), ""),
    ("an array's header of code",
     members(losses=b"\x93NUMPY\x01\0\x18\0__import__('os').getpid()"), ""),
    ("an array's header with a sign",
     members(losses=b"\x93NUMPY\x01\0\x10\0{'shape':-~~~x}\n"), "malformed node or string"),
    ("an array's header of 60,000 brackets",
     members(losses=b"\x93NUMPY\x01\0\x60\xea" + b"(" * 60_000), ""),
    ("an array's version from the future", members(losses=b"\x93NUMPY\x09\0\x06\0{}    "), ""),
    ("bytes for points", members(embeddings=b"?"), "embeddings is no array"),
    ("bytes for a header", members(header=b"{}"), "header is no array"),
    ("bytes of two lines beside it", members(**{"a\nb": b"?"}), "a·b is no array"),
    ("no points", arrays(embeddings=None), "embeddings"),
    ("no header", arrays(header=None), "header"),
    ("no steps", arrays(steps=None), "steps"),
    ("steps of NaN", arrays(steps=lambda old: old * np.nan), "steps do not rise"),
    ("steps that fall", arrays(steps=lambda old: old[::-1].copy()), "steps do not rise"),
    ("steps below 0", arrays(steps=lambda old: old - 5), "steps do not rise"),
    ("steps of words", arrays(steps=lambda old: old.astype(str)), "steps do not rise"),
    ("steps of nothing", arrays(steps=np.zeros(0, int)), "steps do not rise"),
    ("one step too many", arrays(steps=lambda old: np.arange(len(old) + 1)), "wrong shape"),
    ("points of another type", arrays(embeddings=lambda old: old.astype(complex)), "wrong shape"),
    ("points of another dimension", arrays(embeddings=lambda old: old[..., :1]), "wrong shape"),
    ("points in a row", arrays(embeddings=lambda old: old.ravel()), "wrong shape"),
    ("prototypes of no step", arrays(prototypes=lambda old: old[:0]), "prototypes have the wrong"),
    ("two margins", arrays(margins=lambda old: old[..., :2]), "margins have the wrong shape"),
    ("a header of nothing", arrays(header=_text(b"")), ""),
    ("a header that is no text", arrays(header=_text(b"\xff\xfe{}")), ""),
    ("a header that is nested", arrays(header=_text(b"[" * 99_999)), ""),
    ("a header of numbers", arrays(header=np.ones(3)), ""),
    ("a header that is a list", header(lambda found: []), "header is not a recording's"),
    ("a later version", header(lambda found: {**found, "format": "facevis-recording-9"}), "header"),
    ("no configuration", header(lambda found: {"format": found["format"]}), "config"),
    ("no members", config(members=[]), "1 to 256 members"),
    ("a thousand members", config(members=[{"margin": {}}] * 1000), "1 to 256 members"),
    ("members that are text", config(members="arcface"), "list of members"),
    ("a field that is none", config(command="rm"), "wrong or missing field"),
    ("a dimension of 10^9", config(embedding_dim=10**9), "embedding_dim is 1000000000"),
    ("another dimension", config(embedding_dim=3), "wrong shape"),
    ("a data set of a list", config(dataset=["digits"]), "dataset is ['digits']"),
    ("a loss that is none", member(objective="hinge"), "objective is 'hinge'"),
    ("a scale of NaN", member(scale=float("nan")), "scale is nan"),
    ("a margin of text", member(margin={"m1": "1"}), "m1 is '1'"),
    ("a margin of nothing", member(margin=None), "wrong or missing field"),
    ("another margin", member(margin={"m9": 1}), "wrong or missing field"),
    ("a loss of a megabyte", member(objective="x" * MIB), "objective is 'xxx"),
    ("a data set of a megabyte", config(embedding_dim="x" * MIB), "embedding_dim is 'xxx"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "says"), RECORDINGS)
def test_a_recording_is_refused_with_a_sentence(make, says, whole, tmp_path):
    path = tmp_path / "run.npz"
    path.write_bytes(make(tmp_path, whole))
    says = ("run.npz is not a whole facevis recording (", says)
    refused(tmp_path, Recording.load, path, says=says)


def test_what_only_the_pictures_can_tell_is_left_to_them(whole, tmp_path):
    """A recording that was changed into another one that can be is that other one."""
    found = Recording.from_bytes(config(dataset="../../etc")(tmp_path, whole))
    assert found.config.dataset == "../../etc"
