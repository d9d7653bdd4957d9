"""A run as a file: what comes back is the same to the byte; a hostile or damaged file is refused in
one sentence and leaves nothing behind."""

import hashlib
import io
import json
import os
import shutil
import struct
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import prepared, refused
from safetensors.numpy import save_file

from facevis.fullscale import jobs, running
from facevis.library import keep
from facevis.library.notes import delete, write_notes
from facevis.library.packing import MANIFEST, pack
from facevis.library.unpacking import unpack
from facevis.live import Ensemble, RunConfig

WEIGHTS = "checkpoints/step-00000003/shard-00001-model-00001-of-00001.safetensors"
PROGRESS = "checkpoints/step-00000003/progress.json"
LINES = '{"kind": "train", "step": 3, "time": 1.0, "loss": 2.5}\n{"kind": "tr'


def full_scale(runs, name="large"):
    """A run with a checkpoint and a journal whose last line was cut off; nothing is trained."""
    folder = prepared(runs / name)
    (folder / "metrics.jsonl").write_text(LINES, encoding="utf-8")
    (folder / "environment.json").write_text("{}", encoding="utf-8")
    (folder / "log.txt").write_text("said\n", encoding="utf-8")
    weights = folder / WEIGHTS
    weights.parent.mkdir(parents=True)
    save_file({"network.a": np.arange(6.0, dtype=np.float32)}, weights)
    files = {weights.name: weights.stat().st_size}
    about = {"format": "facevis-checkpoint-1", "step": 3, "files": files}
    (folder / PROGRESS).write_text(json.dumps(about), encoding="utf-8")
    write_notes(folder, "Заметки: <b>bold</b>", "")
    return folder


@pytest.fixture(scope="module")
def recording():
    return Ensemble(RunConfig(steps=3, identities=2, images_per_class=2)).record()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture(params=["toy", "full-scale"])
def folder(request, runs, recording):
    return keep(recording, runs, "toy") if request.param == "toy" else full_scale(runs)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def packed(folder):
    target = folder.parent.parent / f"{folder.name}.zip"
    pack(folder, target)
    return target


def rebuilt(path, change=lambda files: None, manifest=lambda told: None, **options):
    """The same file with other members, their sizes and checksums told rightly."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(files.pop(MANIFEST))
    change(files)
    told["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    }
    manifest(told)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", options.get("method", zipfile.ZIP_STORED)) as archive:
        for name, data in {**files, MANIFEST: json.dumps(told)}.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = options.get("method", zipfile.ZIP_STORED)
            info.external_attr = options.get("mode", 0o600) << 16
            archive.writestr(info, data)
    return buffer


def turned_away(source, runs):
    """What is said of a file that is refused; the folder of runs is as it was."""
    before = sorted(path.name for path in runs.iterdir())
    sentence = refused(unpack, source, runs)
    assert sorted(path.name for path in runs.iterdir()) == before
    return sentence


def test_exported_deleted_and_imported_is_the_same_to_the_byte(folder, runs):
    before = contents(folder)
    file = packed(folder)
    delete(folder)
    assert not folder.exists()
    assert unpack(file, runs) == folder
    assert contents(folder) == before


def test_a_name_that_is_taken_becomes_a_free_one(folder, runs):
    with packed(folder).open("rb") as upload:
        assert unpack(upload, runs).name == f"{folder.name} 2"
    assert contents(folder) == contents(runs / f"{folder.name} 2")


def test_checkpoints_may_stay_behind(runs):
    folder = full_scale(runs)
    pack(folder, runs.parent / "light.zip", checkpoints=False)
    taken = unpack(runs.parent / "light.zip", runs)
    assert jobs.look(taken).checkpoints == ()
    assert contents(taken).keys() == {name for name in contents(folder) if "checkpoint" not in name}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../evil.json",
            "/tmp/evil.json",
            "..\\evil",
            "checkpoints/../../evil.json",
            "config.json/",
        ),
        *(
            "process.json",
            "queued.json",
            ".lock",
            "weights.pkl",
            "checkpoints/step-1/progress.json",
        ),
        "checkpoints/step-00000003/../../../x.safetensors",
    ],
)
def test_names_that_a_run_does_not_have_are_refused(runs, name):
    file = packed(full_scale(runs))
    source = rebuilt(file, lambda files: files.update({name: b"{}"}))
    assert "no file of a run" in turned_away(source, runs)
    assert not Path("/tmp/evil.json").exists()


def test_links_duplicates_and_compressed_members_are_refused(runs):
    file = packed(full_scale(runs))
    assert "link" in turned_away(rebuilt(file, mode=0o120777), runs)
    assert "compressed" in turned_away(rebuilt(file, method=zipfile.ZIP_DEFLATED), runs)
    twice = io.BytesIO(file.read_bytes())
    with warnings.catch_warnings(), zipfile.ZipFile(twice, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", "{}")
    assert "twice" in turned_away(twice, runs)


def test_sizes_are_checked_before_anything_is_written(runs):
    file = packed(full_scale(runs))
    many = rebuilt(file, lambda files: files.update({"notes.txt": b"a" * 100_000}))
    assert "are the most" in turned_away(many, runs)
    claims = bytearray(file.read_bytes())
    # The central directory's entry of the weights: both sizes, 24 and 20 bytes into it.
    entry = claims.rindex(WEIGHTS.encode()) - 46
    struct.pack_into("<II", claims, entry + 20, 2**31, 2**31)
    assert "more bytes than the file" in turned_away(io.BytesIO(claims), runs)


def test_checksums_versions_and_kinds_are_checked(runs):
    file = packed(full_scale(runs))
    data = bytearray(file.read_bytes())
    data[data.index(b"said\n")] ^= 1
    assert "log.txt" in turned_away(io.BytesIO(data), runs)
    cases = {
        "is not what its checksum": lambda told: told["files"]["log.txt"].update(sha256="0" * 64),
        "version": lambda told: told.update(format="facevis-run-9"),
        "what kind": lambda told: told.update(kind=["toy"]),
        "no file of a toy run": lambda told: told.update(kind="toy"),
        "cannot be the name": lambda told: told.update(name="../up"),
        "other fields": lambda told: told.update(more=1),
        "size and checksum": lambda told: told["files"].update({"notes.txt": {}}),
        "recording.npz": lambda told: told["files"].update({"recording.npz": {}}),
        "is missing": lambda told: told["files"].update(
            {PROGRESS.replace("3/", "4/"): {"size": 1, "sha256": ""}}
        ),
    }
    for said, change in cases.items():
        assert said in turned_away(rebuilt(file, manifest=change), runs)


def test_an_encrypted_or_cut_off_file_is_refused(runs):
    data = packed(full_scale(runs)).read_bytes()
    locked = bytearray(data)
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in turned_away(io.BytesIO(locked), runs)
    for length in (0, 10, len(data) // 2, len(data) - 1):
        assert "no whole file of a run" in turned_away(io.BytesIO(data[:length]), runs)
    assert "is no file" in turned_away(runs, runs)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("config.json", b"{}", "lacks"),
        ("config.json", b'{"nonsense": 1}', "nonsense"),
        ("config.json", b"[" * 100_000, "config.json"),
        ("metrics.jsonl", b"garbage\n", "line 1"),
        ("metrics.jsonl", b'{"step": 1, "kind": 7}\n', "metrics.jsonl"),
        ("metrics.jsonl", b"[" * 100_000 + b"\n", ""),
        ("environment.json", b"\xff", "environment.json"),
        ("notes.txt", b"\xff\xfe", "notes.txt"),
        (PROGRESS, b"{}", "another version"),
        (PROGRESS, b'{"format": "facevis-checkpoint-1", "step": 3, "files": {}}', "not whole"),
        (WEIGHTS, b"\xff" * 64, "not whole"),
    ],
)
def test_parts_of_a_full_scale_run_that_are_not_what_they_should_be(runs, name, data, said):
    file = packed(full_scale(runs))
    assert said in turned_away(rebuilt(file, lambda files: files.update({name: data})), runs)


def test_weights_with_a_broken_header_are_refused(runs):
    file = packed(full_scale(runs))

    def change(files):
        files[WEIGHTS] = b"\xff" * len(files[WEIGHTS])

    assert "safetensors" in turned_away(rebuilt(file, change), runs)


def test_a_recording_that_is_not_whole_is_refused(runs, recording):
    file = packed(keep(recording, runs, "toy"))
    half = rebuilt(
        file, lambda files: files.update({"recording.npz": files["recording.npz"][:500]})
    )
    assert "recording" in turned_away(half, runs)
    assert "about.json" in turned_away(rebuilt(file, lambda files: files.pop("about.json")), runs)
    other = rebuilt(file, lambda files: files.update({"about.json": b'{"format": "x"}'}))
    assert "version" in turned_away(other, runs)


def test_a_run_at_work_or_broken_is_not_exported_and_a_file_not_written_over(runs):
    folder = full_scale(runs)
    file = packed(folder)
    assert "there already" in refused(pack, folder, file)
    assert "could not be exported" in refused(pack, folder, runs / "no" / "such" / "x.zip")
    running.note(folder, os.getpid())
    assert "stop it or wait" in refused(pack, folder, runs.parent / "b.zip")
    (folder / running.PROCESS).unlink()
    (folder / WEIGHTS).unlink()
    assert "not whole" in refused(pack, folder, runs.parent / "b.zip")
    (folder / "config.json").write_text("{")
    assert "cannot be exported" in refused(pack, folder, runs.parent / "b.zip")
    assert sorted(path.name for path in runs.parent.iterdir()) == ["large.zip", "runs"]


def test_a_full_disk_leaves_nothing_behind(runs, monkeypatch):
    folder = full_scale(runs)
    file = packed(folder)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("facevis.library.unpacking._extract", full)
    assert "No space left" in turned_away(file, runs)
    monkeypatch.setattr("facevis.library.packing._add", full)
    assert "No space left" in refused(pack, folder, runs.parent / "b.zip")
    assert sorted(path.name for path in runs.parent.iterdir()) == ["large.zip", "runs"]
    usage = shutil.disk_usage(runs)._replace(free=10)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert "make room" in turned_away(file, runs)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = full_scale(tmp_path_factory.mktemp("good") / "runs")
    return packed(folder).read_bytes(), contents(folder)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from(["change", "cut", "insert"]),
)
def test_a_mutated_file_is_refused_in_words_or_gives_the_same_run(good, places, how):
    data, whole = bytearray(good[0]), good[1]
    for share, value in places:
        place = int(share * (len(data) - 1))
        if how == "change":
            data[place] = value
        elif how == "cut":
            del data[place : place + value]
        else:
            data[place:place] = bytes([value])
    with tempfile.TemporaryDirectory() as place:
        runs = Path(place, "runs")
        try:
            folder = unpack(io.BytesIO(data), runs)
        except ValueError as error:
            assert "\n" not in str(error)
            assert not runs.exists() or not list(runs.iterdir())
        else:
            assert contents(folder) == whole
