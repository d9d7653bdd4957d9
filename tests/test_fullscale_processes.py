"""A run is the same on any number of processes: started together, in turn, and on two machines.

In float64, where rounding cannot grow into a difference that is seen.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import tyro
from runs import command, curve, entries, facevis, prepared

from facevis.assets import asset_path
from facevis.cli import Command

STEPS = 30
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


TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.mark.parametrize("launcher", ["facevis", "torchrun"])
def test_two_processes_have_the_curve_of_one(whole, tmp_path, launcher):
    folder = prepared(tmp_path / "run", **CHANGES)
    if launcher == "facevis":
        started = command("train", "resume", folder, "--nproc", 2)
    else:
        started = [*TORCHRUN, "-m", "facevis.fullscale.train", folder]
    done = subprocess.run(started, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 processes on cpu" in done.stderr
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


@pytest.mark.skipif(sys.platform == "win32", reason="Slurm's script is for bash")
def test_two_machines_under_slurm_have_the_curve_of_one(whole, tmp_path):
    """The script as it stands; ``srun`` here starts the two machines' parts on this one."""
    folder = prepared(tmp_path / "run", **CHANGES)
    programs = {
        "scontrol": "echo 127.0.0.1; echo another",
        "srun": 'SLURM_NODEID=0 "$@" & SLURM_NODEID=1 "$@" || exit; wait $!',
        "facevis": f'exec {sys.executable} -m facevis "$@"',
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    slurm = {"SLURM_JOB_NODELIST": "both", "SLURM_NNODES": "2", "NPROC": "1"}
    done = subprocess.run(
        ["bash", asset_path("cluster/slurm.sh"), folder],
        env=ENVIRONMENT
        | slurm
        | {"PORT": str(free_port()), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "2 processes on cpu" in done.stderr
    same_curve(folder, whole)


@pytest.mark.skipif(sys.platform == "win32", reason="pods run sh")
@pytest.mark.parametrize("index", [0, 1])
def test_the_pods_of_the_kubernetes_job_start_the_same_run(index, tmp_path):
    text = asset_path("cluster/kubernetes.yaml").read_text(encoding="utf-8")
    (script,) = re.findall(r"- sh\n +- -c\n +- (.+)\n", text)
    (tmp_path / "facevis").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "facevis").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": str(index)}
    said = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True)
    started = tyro.cli(Command, args=said.stdout.splitlines()).what
    completions = int(re.search(r"completions: (\d+)", text)[1])
    gpus = int(re.search(r"nvidia.com/gpu: (\d+)", text)[1])
    assert (started.node, started.nodes, started.nproc) == (index, completions, gpus)
    subdomain, name = re.search(r"subdomain: (.+)", text)[1], re.search(r"  name: (.+)", text)[1]
    assert started.rendezvous == f"{name}-0.{subdomain}:29400"
