"""Runs as processes: queued, started once, stopped, killed, resumed."""

import contextlib
import os
import signal
import subprocess
import sys
import time

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


def test_jobs_and_the_worker_are_light():
    code = (
        "import sys, facevis.fullscale.jobs, facevis.fullscale.needs, facevis.fullscale.probe\n"
        "print(*[n for n in ('torch', 'streamlit', 'sklearn') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
