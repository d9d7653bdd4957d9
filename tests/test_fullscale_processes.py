"""A run is the same on any number of processes: started together, in turn, and on two machines.

In float64, where rounding cannot grow into a difference that is seen.
"""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from runs import command, curve, entries, facevis, prepared

STEPS = 40
CHANGES = {
    "precision": "float64",
    "steps": STEPS,
    "batch_size": 16,
    "optimizer__learning_rate": 0.005,
    "follow__checkpoint_every": 1000,
}
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def same_curve(folder, whole):
    """Every step once, and the loss of each within rounding."""
    found = curve(folder)
    assert [entry["step"] for entry in entries(folder)] == list(range(1, STEPS + 1))
    assert found == pytest.approx(curve(whole), rel=1e-9)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run on one process."""
    folder = prepared(tmp_path_factory.mktemp("one") / "run", **CHANGES)
    done = facevis("train", "resume", folder, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_have_the_curve_of_one(whole, tmp_path):
    folder = prepared(tmp_path / "run", **CHANGES)
    done = facevis("train", "resume", folder, "--nproc", 2, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert "2 processes on cpu" in done.stdout + done.stderr
    same_curve(folder, whole)


def stopped_at(folder, step, processes):
    """Train on so many processes and ask them to stop once the step is in the journal."""
    run = subprocess.Popen(
        command("train", "resume", folder, "--nproc", processes),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    journal = folder / "metrics.jsonl"
    while run.poll() is None and not (journal.exists() and step in curve(folder)):
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    said, _ = run.communicate(timeout=120)
    assert f"go on with: facevis train resume {folder}" in said
    (event,) = [e for e in entries(folder, "event") if e["event"] == "stopped"][-1:]
    assert step <= event["step"] < STEPS
    return event["step"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent here")
def test_two_then_one_then_two_processes_have_the_curve_of_one(whole, tmp_path):
    folder = prepared(tmp_path / "run", **CHANGES)
    first = stopped_at(folder, 5, processes=2)
    second = stopped_at(folder, first + 5, processes=1)
    assert second > first
    done = facevis("train", "resume", folder, "--nproc", 2, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    same_curve(folder, whole)


def test_two_machines_that_meet_on_loopback_have_the_curve_of_one(whole, tmp_path):
    folder = prepared(tmp_path / "run", **CHANGES)
    meeting = ("--nodes", 2, "--rendezvous", f"127.0.0.1:{free_port()}")
    machines = [
        subprocess.Popen(
            command("train", "resume", folder, *meeting, "--node", node),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for node in (0, 1)
    ]
    said = [machine.communicate(timeout=240)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    same_curve(folder, whole)
