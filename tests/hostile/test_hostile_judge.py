"""The judge of the corpus sees what it is there to see; else a silent case would prove nothing."""

import os
import pickle
import socket
import subprocess
import sys

import numpy as np
import pytest
from hostile.judging import MIB, Trap, full_sentence, harmless


def _write_beside(folder):
    (folder.parent / "beside").write_text("x")


def _write_through_a_link(folder):
    (folder / "link").symlink_to(folder.parent / "target")
    (folder / "link").write_text("x")


def _rename_out(folder):
    (folder / "mine").write_text("x")
    (folder / "mine").rename(folder.parent / "yours")


def _connect(folder):
    with socket.socket() as line:
        line.connect_ex(("127.0.0.1", 9))


DEEDS = {
    "a file beside the folder": _write_beside,
    "a file behind a link": _write_through_a_link,
    "a folder beside it": lambda folder: (folder.parent / "new").mkdir(),
    "a file that leaves": _rename_out,
    "a pickle": lambda folder: pickle.loads(pickle.dumps(Trap(folder))),
    "a program": lambda folder: subprocess.run([sys.executable, "-c", ""], check=True),
    "a command": lambda folder: os.system("true"),
    "a call over the network": _connect,
    "memory": lambda folder: np.ones(24 * MIB).sum(),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_is_seen(deed, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    if deed == "memory" and not os.path.exists("/proc/self/clear_refs"):  # noqa: PTH110
        pytest.skip("only Linux tells and forgets the peak of memory")
    with pytest.raises(AssertionError), harmless(folder):
        DEEDS[deed](folder)


def test_the_trap_springs_elsewhere(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path)))
    assert (tmp_path / "sprung").is_dir()


def test_what_stays_in_the_folder_is_no_deed(tmp_path):
    with harmless(tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b").write_text("x")
        (tmp_path / "a" / "b").unlink()
        assert not np.zeros(MIB).any()


@pytest.mark.parametrize(
    "said",
    [
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        "Corrupt input data.",
        "a.zip is damaged ([Errno 22] Invalid argument); zip the folder again.",
        "a.zip is damaged by something that happened to it.",
        "a.zip is damaged;\nzip the folder again.",
        "a.zip is damaged (<zipfile.ZipInfo object at 0x7f>); zip the folder again.",
        "a.pth wants more (set weights_only to False); save the weights alone.",
        "a.zip is damaged \x1b[31m; zip the folder again.",
        "a.zip is damaged; zip the folder again" + "!" * 600 + ".",
        "",
    ],
)
def test_what_is_no_full_sentence_is_seen(said):
    with pytest.raises(AssertionError):
        full_sentence(said)


def test_a_full_sentence_is_one():
    assert full_sentence("a.zip is not a whole zip archive (cut off); zip the folder again.")
