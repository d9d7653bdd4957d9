"""Folders of runs after hands, clocks and broken disks: nothing hides a run, nothing is misread."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest
from runs import prepared, refused

from facevis.fullscale import jobs, queue, run_names, running
from facevis.fullscale.journal import Journal
from facevis.fullscale.watching import Watch
from facevis.i18n import translator


def test_an_entry_that_cannot_even_be_looked_at_hides_no_run(tmp_path):
    good = prepared(tmp_path / "good")
    (tmp_path / "bad").symlink_to("x" * 300)
    assert [job.folder for job in jobs.find(tmp_path)] == [good]


@pytest.mark.parametrize("name", ["process.json", "metrics.jsonl", "queued.json"])
def test_a_file_nested_without_end_hides_no_run(tmp_path, name):
    good, bad = prepared(tmp_path / "good"), prepared(tmp_path / "bad")
    (bad / name).write_text("[" * 200_000)
    assert {job.folder for job in jobs.find(tmp_path)} == {good, bad}


@pytest.mark.parametrize(("hours", "pid", "state"), [(1, 7, "finished"), (-1, 8, "failed")])
def test_whose_end_it_was_is_told_by_the_process_not_by_the_clock(tmp_path, hours, pid, state):
    folder = prepared(tmp_path / "run")
    journal = Journal(folder)
    journal.write("event", 0, event="started", sentence="", pid=7)
    journal.write("event", 12, event="finished", sentence="")
    journal.close()
    begun = running.Process(pid=pid, born=1.0, since=time.time() + 3600 * hours, code=0)
    running._write(folder, begun)
    assert jobs.look(folder).state == state


def test_names_are_measured_in_bytes(tmp_path):
    for name in ("\U00010400" * 80, "名" * 80):
        assert "cannot be the name" in refused(run_names.check_name, name)
    assert run_names.check_name("名" * 60)


def test_halves_of_letters_in_a_sentence_are_replaced(tmp_path):
    folder = prepared(tmp_path / "run")
    entry = '{"kind": "event", "step": 1, "time": 1, "event": "failed", "sentence": "\\ud800 x"}\n'
    (folder / "metrics.jsonl").write_text(entry)
    assert jobs.look(folder).sentence == "? x"


def test_a_clock_that_is_set_makes_no_live_process_dead(tmp_path, monkeypatch):
    folder = prepared(tmp_path / "run")
    running.note(folder, os.getpid())
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1.0)
    assert running.read(folder).alive
    with pytest.raises(ValueError, match="stop it before you delete"):
        jobs.delete(folder)


def test_a_log_that_cannot_be_opened_stops_no_run_and_a_broken_folder_no_other(
    tmp_path, monkeypatch
):
    first, second = prepared(tmp_path / "first"), prepared(tmp_path / "second")
    (first / "log.txt").mkdir()
    started = []

    def start(command, output):
        started.append(command[-1])
        if command[-1] == str(second):
            raise OSError("read-only")
        return subprocess.Popen([sys.executable, "-c", ""], stdout=output)

    monkeypatch.setattr(queue, "_detached", start)
    for folder in (second, first):
        running_entry = {"since": 1.0 if folder is second else 2.0, "processes": 1}
        (folder / "queued.json").write_text(json.dumps(running_entry))
    queue.work(tmp_path)
    assert started == [str(second), str(first)]


def test_a_folder_whose_name_cannot_be_shown_is_left_out(tmp_path):
    good = prepared(tmp_path / "good")
    prepared(tmp_path / os.fsdecode(b"bad-\xff"))
    assert [job.folder for job in jobs.find(tmp_path)] == [good]


def test_a_run_that_the_system_killed_is_told_from_one_that_fell(tmp_path):
    prepared(tmp_path / "run")
    for code, words in (
        (-9, "was killed, which the system does where memory"),
        (1, "(exit code 1"),
    ):
        running._write(tmp_path / "run", running.Process(pid=1, born=0.0, since=0.0, code=code))
        found = jobs.look(tmp_path / "run")
        assert found.state == "failed"
        assert words in found.sentence
        assert "can be resumed" in found.sentence
        key, values = Watch(tmp_path / "run").poll()["said"]
        assert "можно продолжить" in translator("ru")(f"live_{key}", **values)


def test_a_log_of_the_future_makes_nobody_wait(tmp_path, monkeypatch):
    """The clock was set back: that it is new is no reason to wait for a word about the end."""
    prepared(tmp_path / "run")
    running._write(tmp_path / "run", running.Process(pid=1, born=0.0, since=0.0))
    log = tmp_path / "run" / "log.txt"
    log.write_text("")
    os.utime(log, (time.time() + 3600,) * 2)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("it waited"))
    assert jobs.look(tmp_path / "run").state == "failed"
