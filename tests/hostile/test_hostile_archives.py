"""Hostile and broken archives: zips of one's own pictures, and runs that somebody gave away."""

import io
import json
import stat
import struct
import warnings
import zipfile

import pytest
from hostile.judging import MIB, harmless, refused, table
from hostile.test_hostile_pictures import GOOD
from test_library_packing import PROGRESS, WEIGHTS, full_scale, packed, rebuilt

from facevis.datasets.own import own_images
from facevis.library.packing import MANIFEST
from facevis.library.unpacking import unpack

PICTURES = {"a/1.png": GOOD, "a/2.png": GOOD, "b/1.png": GOOD}


def zipped(files=PICTURES, method=zipfile.ZIP_STORED, **attributes):
    """An archive; what is a name may be a ``ZipInfo``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are there twice
        for name, data in files if isinstance(files, list) else files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            for field, value in attributes.items():
                setattr(info, field, value)
            archive.writestr(info, data)
    return buffer.getvalue()


def also(name, data=GOOD):
    return zipped({**PICTURES, name: data})


def flagged(bit, data=None):
    """Each member says something else of itself, in both places where it does."""
    data = bytearray(data or zipped())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= bit & 0xFF
            data[at + offset + 1] |= bit >> 8
            at = data.find(mark, at + 4)
    return bytes(data)


def patched(data, mark, offset, form, value):
    data = bytearray(data)
    struct.pack_into(form, data, data.rindex(mark) + offset, value)
    return bytes(data)


def bad_stream(method):
    data = bytearray(zipped(method=method))
    at = data.index(b"a/1.png") + 7
    data[at + 9 : at + 60] = b"\xff" * 51
    return bytes(data)


ZIP = zipped()
END = b"PK\x05\x06"
DIRECTORY = b"PK\x01\x02"
OF_PICTURES = table(
    ("nothing", b"", "not a whole zip archive"),
    ("words", b"not a zip at all", "not a whole zip archive"),
    ("only the end", ZIP[ZIP.rindex(END) :], "not a whole zip archive"),
    ("cut in the middle", ZIP[: len(ZIP) // 2], "not a whole zip archive"),
    ("cut in its directory", ZIP[: ZIP.rindex(DIRECTORY) + 20], "not a whole zip archive"),
    ("its last byte missing", ZIP[:-1], "not a whole zip archive"),
    ("a directory beyond its end", patched(ZIP, END, 16, "<I", 2**31), "not a whole zip"),
    ("a directory of absurd size", patched(ZIP, END, 12, "<I", 2**32 - 2), "not a whole zip"),
    ("a member before its beginning", patched(ZIP, DIRECTORY, 42, "<I", 2**31), "not a whole"),
    ("a directory that is damaged", patched(ZIP, DIRECTORY, 0, "<I", 0), "not a whole zip"),
    ("another name in the member", ZIP.replace(b"a/1.png", b"c/9.png", 1), "not a whole zip"),
    ("a checksum that is wrong", ZIP.replace(GOOD[-40:-30], bytes(10), 1), "not a whole zip"),
    ("a name that is no UTF-8", flagged(0x800, ZIP.replace(b"a/1", b"\xff/1")), "not a whole zip"),
    ("encrypted", flagged(1), "is encrypted"),
    ("strongly encrypted", flagged(0x41), "strong encryption"),
    ("patched data", flagged(0x20), "not a whole zip archive"),
    ("a method that nobody knows", patched(ZIP, DIRECTORY, 10, "<H", 77), "not a whole zip"),
    ("a version from the future", patched(ZIP, DIRECTORY, 6, "<H", 255), "not a whole zip"),
    ("deflate that is none", bad_stream(zipfile.ZIP_DEFLATED), "not a whole zip archive"),
    ("bzip2 that is none", bad_stream(zipfile.ZIP_BZIP2), "not a whole zip archive"),
    ("LZMA that is none", bad_stream(zipfile.ZIP_LZMA), "not a whole zip archive"),
    ("a path above it", also("../b/evil.png"), "leaves the archive (../b/evil.png)"),
    ("a path far above it", also("a/../../../etc/evil.png"), "leaves the archive"),
    ("a path from the root", also("/etc/cron.d/evil.png"), "leaves the archive"),
    ("a path of two lines", also("/etc/a\nb.png"), "leaves the archive (/etc/a·b.png)"),
    (
        "a link that steers a screen",
        zipped({"a/\x1b[2J.png": GOOD}, external_attr=0o120777 << 16),
        "holds a link (a/·[2J.png)",
    ),
    ("a class of two lines", zipped({"a\nb/1.png": GOOD}), "one class only (a·b)"),
    ("a picture of two lines", zipped({"a/1\n2.png": b"?"}), "First problem: a/1·2.png"),
    ("a path of Windows", also("..\\..\\evil.png"), "leaves the archive"),
    ("a drive of Windows", also("C:\\a\\evil.png"), "leaves the archive"),
    ("a path of somebody's home", also("~/a/evil.png"), "leaves the archive"),
    ("links", zipped(external_attr=(stat.S_IFLNK | 0o777) << 16), "holds a link"),
    ("two folders of one name", also("x/a/1.png"), "two folders of one name"),
    ("names that collide", also("A/1.png"), "names collide, 'A' and 'a'"),
    ("names that look the same", zipped({"\u00e9/1.png": GOOD, "e\u0301/1.png": GOOD}), "collide"),
    ("one class", zipped({"a/1.png": GOOD, "a/2.png": GOOD}), "one class only (a)"),
    ("one picture each", zipped({"a/1.png": GOOD, "b/1.png": GOOD}), "one picture per class"),
    ("no folders", zipped({"1.png": GOOD}), "no readable picture in a subfolder"),
    ("hidden names only", zipped({".a/1.png": GOOD}), "no readable picture in a subfolder"),
    ("empty folders", zipped({"a/": b"", "b/": b""}), "no readable picture in a subfolder"),
    ("no pictures", zipped({"a/1.png": b"?", "b/1.png": b"?"}), "First problem: a/1.png"),
    ("an archive within", zipped({"a/1.png": ZIP, "b/1.png": ZIP}), "no picture in a known"),
    ("a bomb", zipped({"a/1.png": bytes(64 * MIB)}, zipfile.ZIP_DEFLATED), "far more than its"),
    ("a bomb of LZMA", zipped({"a/1.png": bytes(64 * MIB)}, zipfile.ZIP_LZMA), "far more than"),
    ("many names", zipped([(f"a/{k}.png", b"") for k in range(40_001)]), "holds 40001 files"),
)


@pytest.mark.parametrize(("data", "says"), OF_PICTURES)
def test_a_zip_of_pictures_is_refused_with_a_sentence(data, says, tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(data)
    refused(tmp_path, own_images, path, says=("mine.zip", says))


@pytest.mark.parametrize(
    "data",
    table(
        ("names twice", zipped([*PICTURES.items(), ("a/1.png", GOOD)])),
        ("names of an old code page", ZIP.replace(b"a/", b"\xe4/")),
        ("names like commands", zipped({**PICTURES, "$(reboot)/`id`.png": GOOD})),
        ("names like pages", zipped({**PICTURES, "<script>/1.png": GOOD})),
        ("a name of no letter", also("")),
        ("names with a zero", zipped({**PICTURES, "c\0d/1.png": GOOD})),
        ("words before it", b"#!/bin/sh\nexit 1\n" + ZIP),
        ("a count that lies", patched(ZIP, END, 10, "<H", 60_000)),
        ("notes beside the pictures", zipped({**PICTURES, "a/readme.txt": b"", "x.png": b"?"})),
    ),
)
def test_a_strange_zip_is_read_and_its_names_are_only_words(data, tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(data)
    with harmless(tmp_path):
        assert len(own_images(path).labels) >= 3
    assert [file.name for file in tmp_path.iterdir()] == ["mine.zip"]


# -- a run that somebody gave away -----------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The file of a full-scale run."""
    return packed(full_scale(tmp_path_factory.mktemp("given") / "runs"))


def holding(**files):
    """The run with other files in it; None takes one out."""

    def change(path):
        def exchanged(found):
            for name, data in files.items():
                found.pop(name, None)
                if data is not None:
                    found[name] = data

        return rebuilt(path, exchanged).getvalue()

    return change


def put(name, data):
    return holding(**{name: data})


def telling(**told):
    return lambda path: rebuilt(path, manifest=lambda found: found.update(told)).getvalue()


def safetensors(header, data=b"", length=None):
    """A file of weights of the same length as the run's own, so that only its header is wrong."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    whole = struct.pack("<Q", len(text) if length is None else length) + text + data
    return lambda path: put(WEIGHTS, _as_long(path, whole))(path)


def _as_long(path, data):
    with zipfile.ZipFile(path) as archive:
        size = len(archive.read(WEIGHTS))
    return data[:size].ljust(size, b"\0")


def with_manifest(data):
    def change(path):
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        return zipped({**files, MANIFEST: data})

    return change


def tensor(begin, end, shape=(1,), kind="F32"):
    return {"dtype": kind, "shape": list(shape), "data_offsets": [begin, end]}


def whole(change):
    """Of the bytes of the run's file."""
    return lambda path: change(path.read_bytes())


GIVEN = table(
    ("nothing", whole(lambda data: b""), "no whole file of a run"),
    ("words", whole(lambda data: b"dear runs"), "no whole file of a run"),
    ("half", whole(lambda data: data[: len(data) // 2]), "no whole file of a run"),
    ("no directory", whole(lambda data: data[: data.index(DIRECTORY)]), "no whole file"),
    ("half a directory", whole(lambda data: data[: data.rindex(DIRECTORY)]), "no whole file"),
    ("a directory beyond it", whole(lambda d: patched(d, END, 16, "<I", 2**31)), "no whole file"),
    (
        "a name that is no text",
        whole(lambda d: flagged(0x800, d.replace(b"log.t", b"log\xff\xfe"))),
        "no whole file",
    ),
    ("encrypted", whole(lambda data: flagged(1, data)), "is encrypted"),
    ("pictures instead", whole(lambda data: ZIP), "'a/1.png' is no file of a run"),
    ("a path above it", put("../evil.json", b"{}"), "'../evil.json' is no file of a run"),
    ("a path from the root", put("/etc/evil.json", b"{}"), "is no file of a run"),
    ("a program", put("run.sh", b"#!/bin/sh"), "'run.sh' is no file of a run"),
    ("a pickle", put("checkpoints/step-00000003/model.pth", b"\x80\x04."), "is no file of a run"),
    ("a name of a thousand letters", put("x" * 1000, b""), "is no file of a run"),
    ("links", lambda path: rebuilt(path, mode=0o120777).getvalue(), "is a link or no file"),
    ("a device", lambda path: rebuilt(path, mode=0o060777).getvalue(), "is a link or no file"),
    (
        "compressed",
        lambda path: rebuilt(path, method=zipfile.ZIP_DEFLATED).getvalue(),
        "compressed",
    ),
    (
        "20,001 members",
        whole(lambda data: zipped([(str(k), b"") for k in range(20_001)])),
        "has 20,001 members",
    ),
    ("notes without an end", put("notes.txt", b"a" * MIB), "are the most"),
    ("no manifest", whole(lambda data: zipped({"config.json": b"{}"})), "manifest.json is missing"),
    ("a manifest of zeros", with_manifest(bytes(100)), "manifest.json cannot be read"),
    ("a manifest that is nested", with_manifest(b"[" * 200_000), "manifest.json cannot be read"),
    ("a manifest that is a list", with_manifest(b"[]"), "of a version of facevis"),
    ("a manifest of a later version", telling(format="facevis-run-2"), "'facevis-run-2' instead"),
    ("a name that leaves the folder", telling(name="../../up"), "cannot be the name of a run"),
    ("a name that is a number", telling(name=7), "has other fields than it should"),
    ("another kind", telling(kind="toy"), "is no file of a toy run"),
    ("a kind that is none", telling(kind=None), "does not say what kind"),
    ("files that are a list", telling(files=[]), "does not say what kind of run"),
    ("files that are not there", telling(files={}), "is not in its manifest.json"),
    ("no configuration", put("config.json", None), "config.json is missing"),
    ("a configuration of another type", put("config.json", b'{"seed": "0"}'), "seed is '0'"),
    ("a configuration with a secret field", put("config.json", b'{"run": "rm"}'), "field run that"),
    ("a journal of nonsense", put("metrics.jsonl", b"\xff\xff\n"), "metrics.jsonl"),
    ("a checkpoint of nothing", put(PROGRESS, b""), "progress.json of the checkpoint"),
    (
        "a checkpoint that lists others",
        put(PROGRESS, b'{"format": "facevis-checkpoint-1", "step": 3, "files": {"../../x": 1}}'),
        "is not whole",
    ),
    ("weights of zeros", safetensors(b""), "of the checkpoint step-00000003 cannot be read"),
    ("weights with a header of 2^63", safetensors(b"{}", length=2**63), "cannot be read"),
    ("weights with a header beyond the file", safetensors(b"{}", length=10**6), "cannot be read"),
    ("weights whose header is no JSON", safetensors(b"{{"), "cannot be read"),
    ("weights beyond the file", safetensors({"a": tensor(0, 2**40)}), "cannot be read"),
    ("weights that end before they begin", safetensors({"a": tensor(8, 4)}), "cannot be read"),
    (
        "weights that overlap",
        safetensors({"a": tensor(0, 8, (2,)), "b": tensor(4, 8)}),
        "cannot be read",
    ),
    (
        "weights of a type that is none",
        safetensors({"a": tensor(0, 4, kind="PYTHON")}),
        "cannot be read",
    ),
    ("weights of 2^62 numbers", safetensors({"a": tensor(0, 4, (2**31, 2**31))}), "cannot be read"),
)


@pytest.mark.parametrize(("change", "says"), GIVEN)
def test_the_file_of_a_run_is_refused_with_a_sentence(change, says, run, tmp_path):
    data = change(run)
    (tmp_path / "runs").mkdir()
    refused(tmp_path, unpack, io.BytesIO(data), tmp_path / "runs", says=(says,))
