"""Runs that meet bad input: one sentence that says what, where and what to do; nothing is lost."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fault_work import save_where_one_cannot
from gloo import together
from runs import command, curve, prepared, refused, small, weights

from facevis import cli
from facevis.corpora import made_up, write_recordio
from facevis.corpora.converting import prepared as ready
from facevis.fullscale import checkpoint, runs
from facevis.fullscale.train import train

PEOPLE, EACH = 5, 6


def recordio(folder, damaged=()):
    """A set of drawn faces as JPEG and PNG; some of the pictures are cut off in the middle."""
    faces = made_up(f"faces:identities={PEOPLE},images={EACH},size=16")
    pictures = []
    for index, label in enumerate(faces.labels):
        data = ready(faces.encoded(index))
        pictures.append((data[: len(data) // 2] if index in damaged else data, int(label)))
    write_recordio(folder, iter(pictures), PEOPLE, 16)
    return folder


# Pictures


def test_labels_with_gaps_train(tmp_path):
    """Identities 3, 17 and 40 become the classes 0, 1 and 2."""
    faces = made_up("faces:identities=3,images=6,size=16")
    for index in range(len(faces)):
        (tmp_path / f"{index}.png").write_bytes(ready(faces.encoded(index)))
    lines = [f"{i}.png\t{(3, 17, 40)[label]}\n" for i, label in enumerate(faces.labels)]
    (tmp_path / "list.tsv").write_text("".join(lines))
    folder = prepared(tmp_path / "run", data__train=str(tmp_path / "list.tsv"), steps=2)
    train(folder)
    assert weights(folder)["head.weight"].shape[0] == 3


def test_one_picture_of_each_identity_is_no_set_for_triplets(tmp_path):
    folder = prepared(
        tmp_path / "run",
        data__train="faces:identities=30,images=1,size=16",
        data__identities_per_batch=4,
        data__images_per_identity=2,
        head__objective="triplet",
    )
    said = refused(train, folder)
    assert said.startswith("0 identities have two pictures or more, and each batch needs 4;")
    assert not (folder / "checkpoints").exists()


# The disk, and checkpoints


def saved(folder):
    return checkpoint.steps(folder / "checkpoints")


def test_where_one_of_two_processes_cannot_write_both_are_told(tmp_path):
    together(save_where_one_cannot, tmp_path, tmp_path / "checkpoints")
    assert checkpoint.steps(tmp_path / "checkpoints") == [1]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = prepared(tmp_path_factory.mktemp("trained") / "run", steps=6)
    train(folder)
    return folder


def copied(folder, to):
    subprocess.run(["cp", "-r", folder, to], check=True)
    return to


def test_other_settings_for_a_folder_with_a_run_are_refused_by_their_differences(trained):
    said = refused(runs.prepare, trained, small(steps=6, head__m2=0.4, seed=7))
    assert "head.m2: 0.4, not 0.3" in said
    assert "seed: 7, not 0" in said
    assert "batch_size" not in said


@pytest.mark.parametrize("kind", ["cut off", "overwritten", "gone", "no progress"])
def test_a_damaged_checkpoint_is_named_and_without_it_the_run_goes_on(trained, tmp_path, kind):
    folder = copied(trained, tmp_path / "run")
    last = folder / "checkpoints" / "step-00000006"
    (file,) = last.glob("*.safetensors")
    if kind == "cut off":
        file.write_bytes(file.read_bytes()[:-100])
    elif kind == "overwritten":
        file.write_bytes(b"\xff" * 200)
    elif kind == "gone":
        file.unlink()
    else:
        (last / "progress.json").write_text("{")
    said = refused(train, folder)
    assert "step-00000006" in said
    assert "remove" in said
    subprocess.run(["rm", "-r", last], check=True)
    train(folder)
    assert sorted(curve(folder)) == list(range(1, 7))


# Places and processes


def test_a_folder_in_which_another_process_trains_is_refused(trained):
    program = f"""if True:
        from pathlib import Path
        from facevis.fullscale.runs import locked
        with locked(Path({str(trained)!r})):
            print("locked", flush=True)
            input()
    """
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "locked\n"
    assert "another process trains in" in refused(train, trained)
    other.communicate("\n")
    train(trained)  # the lock went with the process


def failing(*arguments):
    """What the command says at its end."""
    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    said = left.value.code
    assert isinstance(said, str)
    assert "\n" not in said
    return said


def test_no_run_is_there(tmp_path):
    assert "holds no run" in failing("train", "resume", tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert "is not empty and holds no run" in failing("train", "demo", "--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "cannot be written" in failing("train", "demo", "--out", tmp_path / "notes.txt" / "run")


def test_there_is_no_such_data(tmp_path):
    said = failing("train", "casia-arcface", "--out", tmp_path / "run", "--data.train", "nowhere")
    assert "there is no nowhere" in said


def test_a_port_in_use_is_refused(trained):
    with socket.create_server(("127.0.0.1", 0)) as server:
        meeting = f"127.0.0.1:{server.getsockname()[1]}"
        said = failing("train", "resume", trained, "--nodes", 2, "--rendezvous", meeting)
    assert f"cannot listen on {meeting}" in said
    assert "choose another port" in said


@pytest.mark.parametrize(
    ("machines", "sentence"),
    [
        (("--nodes", "2"), "need a place to meet"),
        (("--nodes", "2", "--rendezvous", "here:port"), "give HOST:PORT"),
        (("--node", "1"), "node is 1"),
        (("--nproc", "0"), "nproc is 0"),
    ],
)
def test_machines_that_cannot_meet_are_refused(trained, machines, sentence):
    assert sentence in failing("train", "resume", trained, *machines)


def test_a_fault_in_several_processes_is_said_once(tmp_path):
    data = recordio(tmp_path / "set", damaged=(3, 7, 20))
    folder = prepared(tmp_path / "run", data__train=str(data), data__most_damaged=1, batch_size=10)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command("train", "resume", folder), "--nproc", "1"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=Path(tmp_path),
    )
    assert done.returncode != 0
    assert done.stderr.count("pictures are damaged") == 1
    assert "Traceback" not in done.stderr
