"""What ``facevis data`` refuses, in one sentence each, and what is left when it is interrupted."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facevis import cli
from facevis.corpora.bins import write_bin

FACES = "faces:identities=6,images=4,size=32"


def refused(capsys, *words):
    """The one sentence with which it ends."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["data", *map(str, words)])
    said = ended.value.code
    assert isinstance(said, str)
    assert said.endswith(".")
    assert "\n" not in said
    assert "Traceback" not in said
    assert capsys.readouterr().err == ""
    return said


BAD = [
    (
        "inspect no/such/place",
        r"there is no no/such/place; give a folder with train\.rec, with one",
    ),
    ("inspect EMPTY", r"has no picture in a subfolder; make one subfolder per identity"),
    ("inspect notes.md", r"notes\.md is no face set that can be read; give a folder with"),
    ("inspect no.bin", r"no\.bin cannot be read \(No such file or directory\); check its name"),
    ("inspect broken.bin", r"broken\.bin asks for os\.system; a verification set holds pictures"),
    ("inspect " + "x" * 300, r"cannot be read \(File name too long\); check its name"),
    ("inspect faces:people=3", r"faces has no setting 'people'; choose among identities, images"),
    ("inspect FACES --limit 0", r"limit is 0; give a whole number from 1 to"),
    ("inspect FACES --lang de", r"lang is 'de'; choose one of en, ru"),
    ("inspect FACES --sheet a.jpg", r"sheet is '.*a\.jpg'; give a name that ends in \.png"),
    ("inspect FACES --json a", r"json is '.*a'; give a name that ends in \.json"),
    ("inspect FACES --sheet no/a.png", r"there is no folder .*no for a\.png; make it first"),
    ("inspect FACES --sheet folder.png", r"folder\.png cannot be written \("),
    (
        "convert FACES out --format mxnet",
        r"format is 'mxnet'; choose one of recordio, folder, list",
    ),
    ("convert FACES EMPTY --format list", r"is no name of a list; give one that ends in \.lst"),
    (
        "convert FACES notes.md --format folder",
        r"notes\.md exists and is not empty; choose another",
    ),
    ("convert FACES notes.md/x --format folder", r"cannot be written \(Not a directory\)"),
    (
        "convert FACES out.txt --format list",
        r"pictures of faces are no files; write a folder first",
    ),
    ("convert FACES out --format folder --size 4", r"size is 4; give a whole number from 8 to 512"),
    ("convert FACES out --format folder --per-shard 4", r"per_shard is for webdataset only; leave"),
    ("convert FACES out --format webdataset --per-shard 0", r"per_shard is 0; give a whole number"),
    (
        "convert FACES out.txt --format list --png",
        r"a list leaves the files as they are; leave out",
    ),
    (
        "convert good.bin out --format recordio",
        r"good\.bin holds pairs and no identities; give --f",
    ),
    ("convert good.bin notes.md --format folder", r"notes\.md exists and is not empty"),
    ("convert FACES out --format folder --lang de", r"lang is 'de'; choose one of en, ru"),
    ("pairs FACES out.csv", r"out is '.*out\.csv'; give a name that ends in \.bin or \.txt"),
    ("pairs FACES good.bin", r"good\.bin exists already; choose another name"),
    ("pairs FACES out.txt", r"the pictures of faces are no files; write a \.bin instead"),
    ("pairs FACES out.txt --size 16", r"a \.txt leaves the files as they are; leave out the size"),
    ("pairs FACES no/out.bin", r"there is no folder .*no for out\.bin; make it first"),
    ("pairs good.bin out.bin", r"good\.bin holds pairs already; give a set of identities"),
    ("pairs FACES out.bin", r"there are 6 identities; 10 folds need at least 20, two in each"),
    ("pairs FACES out.bin --folds 1", r"folds is 1; give a whole number from 2"),
    ("pairs FACES out.bin --folds 3", r"fold 1 has 8 pictures .* no 300 genuine and 300 impostor"),
    ("pairs FACES out.bin --pairs-per-fold 7", r"pairs_per_fold is 7; give an even number, since"),
    ("pairs FACES out.bin --pairs-per-fold 0", r"pairs_per_fold is 0; give a whole number from 2"),
    ("pairs FACES out.bin --seed -1", r"seed is -1; give a whole number from 0"),
    (
        "pairs FACES out.bin --pairs-per-fold 4 --folds 3 --size 4",
        r"size is 4; give a whole number",
    ),
    (
        f"pairs FACES {'x' * 300}.bin",
        r"x\.bin cannot be used \(File name too long\); check its name",
    ),
    ("pairs FACES out.bin --lang de", r"lang is 'de'; choose one of en, ru"),
]


@pytest.mark.parametrize(("words", "fault"), BAD, ids=[words for words, _ in BAD])
def test_bad_input_ends_in_one_sentence_and_leaves_nothing(
    tmp_path, capsys, monkeypatch, words, fault
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.png" / "x").mkdir(parents=True)
    (tmp_path / "notes.md").write_text("notes")
    (tmp_path / "broken.bin").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    write_bin(tmp_path / "good.bin", [Path(__file__).read_bytes()] * 2, [True])
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, *words.replace("FACES", FACES).replace("EMPTY", "empty").split())
    assert re.search(fault, said)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("command", ["inspect", "convert", "pairs"])
def test_a_ctrl_c_ends_in_one_sentence_and_leaves_nothing(
    tmp_path, capsys, monkeypatch, command, lang
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("facevis.corpora.synthetic.DrawnFaces.encoded", interrupted)
    words = {
        "inspect": ["--sheet", tmp_path / "a.png", "--json", tmp_path / "a.json"],
        "convert": [tmp_path / "out", "--format", "webdataset"],
        "pairs": [tmp_path / "out.bin", "--pairs-per-fold", 4, "--folds", 3],
    }
    said = refused(capsys, command, FACES, *words[command], "--lang", lang)
    assert said == "Stopped; nothing half written is left."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_a_real_ctrl_c_ends_a_long_conversion(tmp_path):
    words = ["data", "convert", "noise:size=256", "out", "--format", "folder"]
    command = [sys.executable, "-m", "facevis", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        waited = time.monotonic() + 60
        while not list(tmp_path.glob("*/*/*")) and time.monotonic() < waited:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 1
    assert said == "Stopped; nothing half written is left.\n"
    assert list(tmp_path.iterdir()) == []
