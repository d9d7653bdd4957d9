"""Runs as processes: queued, started once, stopped, killed, resumed, renamed, deleted, damaged."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest
from runs import curve, entries, prepared, refused, small

from facevis.fullscale import jobs, queue, running, standing

PLAIN = {"sync_batch_norm": False}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def runs(tmp_path):
    """A folder of runs; whatever still works in it at the end of the test is ended."""
    folder = tmp_path / "runs"
    yield folder
    for process in at_work(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()


@pytest.fixture
def asleep(monkeypatch):
    """Nobody looks after the queue."""
    monkeypatch.setattr(queue, "wake", lambda runs: None)


def at_work(folder, module="facevis.fullscale."):
    """The processes that work in a folder of runs."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            if any(word.startswith(str(folder)) for word in line) and module in " ".join(line):
                found.append(process)
    return found


def wait(folder, *states, seconds=60, step=0):
    """The run once it has one of these states, and so many steps."""
    end = time.monotonic() + seconds
    while (job := jobs.look(folder)).state not in states or job.step < step:
        assert time.monotonic() < end, (job, standing.log_tail(folder))
        time.sleep(0.05)
    return job


# A life


def test_it_starts_trains_and_finishes_and_two_go_one_after_the_other(runs):
    first = jobs.submit(runs, "first", small(6, **PLAIN))
    second = jobs.submit(runs, "Второй 2", small(6, **PLAIN, seed=1))
    assert [jobs.look(second).state, jobs.look(second).place > 0] == ["queued", True]
    job = wait(first, "finished")
    assert (job.step, job.steps, job.sentence, job.place) == (6, 6, "", 0)
    assert job.checkpoints == (3, 6)
    assert wait(second, "finished").config.seed == 1
    ended, began = (entries(f, "event")[k]["time"] for f, k in ((first, -1), (second, 0)))
    assert began >= ended
    assert [job.name for job in jobs.find(runs)] == ["Второй 2", "first"]
    assert "Finished: 6 steps." in standing.log_tail(first)
    deadline = time.monotonic() + 10
    while at_work(runs, "facevis.fullscale.queue"):  # nobody stays when nobody waits
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "is finished" in refused(jobs.resume, first)


def test_stopped_killed_and_resumed_it_has_the_curve_of_one_that_was_not(runs):
    config = small(80, **PLAIN, follow__checkpoint_every=20)
    folder = jobs.submit(runs, "run", config)
    wait(folder, "training", step=2)
    for refusal in (jobs.resume, jobs.delete):
        assert "training" in refused(refusal, folder)
    assert "training" in refused(jobs.rename, folder, "other")
    jobs.stop(folder)
    jobs.stop(folder)
    stopped = wait(folder, "stopped")
    assert stopped.step in stopped.checkpoints
    assert "Stopped after step" in stopped.sentence

    jobs.resume(folder)
    wait(folder, "training", step=stopped.step + 1)
    os.kill(running.read(folder).pid, signal.SIGKILL)
    died = wait(folder, "failed")
    assert "killed" in died.sentence
    assert "can be resumed" in died.sentence

    folder = jobs.rename(folder, "renamed")
    jobs.resume(folder)
    wait(folder, "training", step=died.step)
    for worker in at_work(runs, "facevis.fullscale.queue"):
        worker.kill()
    time.sleep(0.1)
    assert jobs.look(folder).state in ("training", "finished")  # it needs no worker
    whole = jobs.submit(runs, "whole", config)  # and a new one waits for it
    wait(folder, "finished")
    wait(whole, "finished")
    assert curve(folder) == curve(whole)
    assert entries(whole, "event")[0]["time"] >= entries(folder, "event")[-1]["time"]


def test_a_fault_is_said_in_the_trainers_own_words(runs, tmp_path):
    folder = jobs.submit(runs, "lost", small(data__train=str(tmp_path / "nowhere")))
    job = wait(folder, "failed")
    assert "there is no" in job.sentence
    assert "nowhere" in job.sentence


def test_a_run_of_the_command_line_is_seen_as_training(runs):
    folder = prepared(runs / "mine", steps=400, **PLAIN)
    command = [sys.executable, "-m", "facevis.fullscale.train", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as trainer:
        wait(folder, "training", step=1)
        jobs.stop(folder)
        assert trainer.wait(30) == 0
    assert wait(folder, "stopped").step in jobs.look(folder).checkpoints


# The queue


STARTER = """
import sys, time
from pathlib import Path
from facevis.fullscale import queue
def train(command, output):
    started = Path(command[-1]) / "started"
    with started.open("a") as file:
        file.write("x")
    return type("Child", (), {"pid": 0, "wait": lambda self: time.sleep(0.02) or 0})()
queue._detached = train
print("ready", flush=True)
sys.stdin.readline()
queue.work(Path(sys.argv[1]))
"""


def test_workers_that_begin_together_start_each_run_once(runs, asleep):
    """Four processes race for three runs; what would train is counted instead."""
    command = [sys.executable, "-c", STARTER, str(runs)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    for attempt in range(3):
        names = [f"run {attempt} {k}" for k in range(3)]
        folders = [jobs.submit(runs, name, small()) for name in names]
        workers = [subprocess.Popen(command, **pipes) for _ in range(4)]
        for worker in workers:
            assert worker.stdout.readline() == b"ready\n"
        for worker in workers:
            worker.stdin.write(b"\n")
            worker.stdin.flush()
        for worker in workers:
            worker.communicate(timeout=30)
            assert worker.returncode == 0
        assert [(folder / "started").read_text() for folder in folders] == ["x", "x", "x"]
        assert not queue.waiting(runs)


def test_the_queue_goes_by_time_and_can_be_left(runs, asleep):
    first, second, third = (jobs.submit(runs, name, small()) for name in "cab")
    assert [jobs.look(f).place for f in (first, second, third)] == [1, 2, 3]
    for refusal, words in ((jobs.resume, ["queued"]), (jobs.delete, ["stop it"])):
        assert all(word in refused(refusal, second) for word in words)
    jobs.stop(second)
    jobs.stop(second)
    assert [jobs.look(f).place for f in (first, second, third)] == [1, 0, 2]
    assert jobs.look(second).state == "stopped"
    jobs.resume(second, processes=2)
    job = jobs.look(second)
    assert (job.state, job.place, job.processes) == ("queued", 3, 2)


def test_a_queue_that_nobody_looks_after_is_taken_up_when_runs_are_looked_for(runs, monkeypatch):
    woken = []
    monkeypatch.setattr(queue, "wake", woken.append)
    jobs.find(runs)
    jobs.submit(runs, "run", small())
    jobs.find(runs)
    assert woken == [runs, runs]


# Names


@pytest.mark.parametrize(
    "name", ["", ".x", "a/b", "../x", "a\nb", " a", "a ", "x" * 81, "a\0", "…"]
)
def test_a_name_that_is_none_is_refused(runs, asleep, name):
    assert "cannot be the name of a run" in refused(jobs.submit, runs, name, small())
    folder = prepared(runs / "run")
    assert "cannot be the name of a run" in refused(jobs.rename, folder, name)


def test_names_are_found_kept_and_given_away_once(runs, asleep):
    assert jobs.free_name(runs, "demo") == "demo"
    folder = jobs.submit(runs, "demo", small())
    assert jobs.free_name(runs, "demo") == "demo 2"
    assert jobs.free_name(runs, "../ ..") == "run"
    for long in ("a" * 59 + " b", "a" * 59 + ".b", "\U00020000" * 60):
        assert jobs.check_name(jobs.free_name(runs, long))
    assert "there is a run demo already" in refused(jobs.submit, runs, "demo", small())
    jobs.stop(folder)
    prepared(runs / "other")
    assert "there is a run other already" in refused(jobs.rename, folder, "other")
    assert jobs.rename(folder, "demo") == folder
    assert jobs.look(jobs.rename(folder, "имя")).name == "имя"
    assert "there is no run demo" in refused(jobs.look, folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data__train": ""}, "data.train is empty"),
        ({"batch_size": 9, "processes": 2}, "batch_size 9 does not divide"),
        ({"head__m1": -1.0}, "m1"),
        ({"processes": 0}, "processes"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_anything_is_written(runs, changes, words):
    processes = changes.pop("processes", 1)
    assert words in refused(jobs.submit, runs, "run", small(**changes), processes)
    assert not runs.exists()


# Deleting


def test_a_deleted_run_is_gone_and_a_half_deleted_one_can_be_deleted_again(runs, monkeypatch):
    folder, other = prepared(runs / "run"), prepared(runs / "other")
    (folder / "checkpoints" / "step-00000003").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(jobs.shutil, "rmtree", lambda *args, **options: None)  # it is cut off
        jobs.delete(folder)
    assert [job.folder for job in jobs.find(runs)] == [other]
    jobs.delete(other)
    assert list(runs.iterdir()) == []


def test_only_runs_are_deleted(runs, tmp_path):
    mine = runs / "photographs"
    mine.mkdir(parents=True)
    (mine / "picture.jpg").write_text("")
    assert "there is no run" in refused(jobs.delete, mine)
    outside = prepared(tmp_path / "outside")
    (runs / "link").symlink_to(outside)
    assert "is a link" in refused(jobs.delete, runs / "link")
    assert outside.is_dir()
    assert mine.is_dir()


# Folders that somebody edited


def _without(field):
    def damage(folder):
        found = json.loads((folder / "config.json").read_text())
        del found[field]
        (folder / "config.json").write_text(json.dumps(found))

    return damage


def _with(name, text):
    return lambda folder: (folder / name).write_text(text)


def _a_folder(name):
    def damage(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()

    return damage


def _half_deleted(folder):
    (folder / "config.json").unlink()
    (folder / "checkpoints" / "step-00000003").mkdir(parents=True)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_with("config.json", "{"), "not JSON"),
        (_with("config.json", "[]"), "no table of fields"),
        (_with("config.json", '{"seed": "x"}'), "seed is 'x'"),
        (_with("config.json", '{"sneed": 1}'), "sneed that nothing knows"),
        (_with("config.json", '{"data": 5}'), "data is no table"),
        (_without("seed"), "lacks seed"),
        (_a_folder("config.json"), "cannot be read"),
        (_half_deleted, "config.json is missing"),
    ],
)
def test_a_folder_that_cannot_be_read_is_broken_in_words_and_hides_no_other(runs, damage, words):
    damage(prepared(runs / "bad"))
    prepared(runs / "good")
    (runs / "a file").write_text("")
    (runs / "empty").mkdir()
    found = {job.name: job for job in jobs.find(runs)}
    assert set(found) == {"bad", "good"}
    assert (found["bad"].state, found["bad"].config) == ("broken", None)
    assert words in found["bad"].sentence
    assert "\n" not in found["bad"].sentence
    assert words in refused(jobs.resume, runs / "bad")
    jobs.delete(runs / "bad")
    assert [job.name for job in jobs.find(runs)] == ["good"]


STARTED = {"kind": "event", "step": 0, "time": 5.0, "event": "started"}


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (_with("metrics.jsonl", "garbage\n[1]\n{}\n\xff\n"), "stopped"),
        (_a_folder("metrics.jsonl"), "stopped"),
        (_with("metrics.jsonl", json.dumps(STARTED | {"time": "x"})), "stopped"),
        (
            _with("metrics.jsonl", json.dumps(STARTED | {"event": "finished"}) + "\ngarb"),
            "finished",
        ),
        (_with("process.json", "{"), "stopped"),
        (_with("process.json", '{"pid": "x", "born": 1, "since": []}'), "stopped"),
        (_with("process.json", '{"pid": 1, "born": 1.0, "since": 1.0}'), "failed"),
        (_with("process.json", '{"pid": -7, "born": 1.0, "since": 1.0}'), "failed"),
        (_with("queued.json", "[]"), "queued"),
        (_with("queued.json", '{"since": 1, "processes": 1e999}'), "queued"),
        (_with("checkpoints", "a file"), "stopped"),
        (_a_folder("log.txt"), "stopped"),
    ],
)
def test_other_files_that_somebody_edited_are_no_obstacle(runs, asleep, damage, state):
    folder = prepared(runs / "run")
    damage(folder)
    job = jobs.look(folder)
    assert (job.state, job.config is not None) == (state, True)
    assert standing.log_tail(folder) == []
    assert [found.name for found in jobs.find(runs)] == ["run"]


def test_a_folder_of_runs_that_is_none_has_none(tmp_path):
    assert jobs.find(tmp_path / "nowhere") == []
    (tmp_path / "file").write_text("")
    assert jobs.find(tmp_path / "file") == []
    assert "cannot be written" in refused(jobs.submit, tmp_path / "file", "run", small())


def test_a_number_that_another_process_has_now_is_not_the_runs(runs):
    folder = prepared(runs / "run")
    running.note(folder, os.getpid())
    assert jobs.look(folder).state == "starting"
    mine = running.read(folder)
    (folder / "process.json").write_text(json.dumps(vars(replace(mine, born=mine.born - 60))))
    assert jobs.look(folder).state == "failed"


def test_what_an_earlier_start_said_is_not_said_of_a_later_one(runs):
    folder = prepared(runs / "run")
    running.note(folder, os.getpid())
    mine = running.read(folder)
    stopped = STARTED | {"time": round(mine.since - 0.1, 3), "event": "stopped", "sentence": "s"}
    (folder / "metrics.jsonl").write_text(json.dumps(stopped) + "\n")
    assert jobs.look(folder).state == "starting"
    (folder / "process.json").write_text(json.dumps(vars(replace(mine, born=mine.born - 60))))
    assert jobs.look(folder).state == "failed"


def test_the_tail_of_the_log_is_plain_and_bounded(runs):
    folder = prepared(runs / "run")
    text = "x\n" * 10**6 + "50 %\r100 %\n\x1b[31mred\x1b[0m\x07 и\n"
    (folder / "log.txt").write_text(text)
    assert standing.log_tail(folder, 3) == ["x", "100 %", "red и"]
    assert len(standing.log_tail(folder, 10**9)) < 10**5


def test_jobs_and_the_worker_are_light():
    code = (
        "import sys, facevis.fullscale.jobs, facevis.fullscale.needs, facevis.fullscale.probe\n"
        "print(*[n for n in ('torch', 'streamlit', 'sklearn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
