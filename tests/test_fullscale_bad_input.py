"""Runs that cannot begin or go on: pictures, folders, disks and processes, each in one sentence."""

import contextlib
import os
import subprocess
import sys

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE, Plain, use_plain
from runs import curve, entries, prepared, refused, small, weights

from facevis import cli
from facevis.corpora import open_corpus, write_folder
from facevis.fullscale import checkpoint, launch, runs
from facevis.fullscale.journal import read_journal
from facevis.fullscale.processes import device_of
from facevis.fullscale.train import train
from facevis.fullscale.training import Training

PLAIN = {"data__train": NOISE, "sync_batch_norm": False}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    use_plain(monkeypatch)


def saved(folder):
    return checkpoint.steps(folder / "checkpoints")


# Pictures


@pytest.fixture
def people(tmp_path):
    """A folder of 78 pictures as files, in their order."""
    write_folder(tmp_path / "people", open_corpus(NOISE))
    return tmp_path / "people"


def damage(people, *numbers):
    """Cut the pictures of these numbers off in the middle; their paths."""
    paths = [open_corpus(people).path(number) for number in numbers]
    for path in paths:
        path.write_bytes(path.read_bytes()[:60])
    return paths


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_file_in_the_middle_is_skipped_and_named_once(people, tmp_path, workers):
    paths = damage(people, 20, 41)
    settings = PLAIN | {"data__train": str(people), "data__workers": workers, "steps": 20}
    folder = prepared(tmp_path / "run", **settings)
    train(folder)
    train(folder)  # what the checkpoint knows is not said again
    said = [e["sentence"] for e in entries(folder, "event") if e["event"] == "damaged_picture"]
    assert len(said) == 2
    assert all(sum(str(path) in sentence for sentence in said) == 1 for path in paths)
    assert sorted(curve(folder)) == list(range(1, 21))
    assert sorted(training_of(folder).damaged) == [20, 41]


def training_of(folder):
    return Training(folder, runs.read_config(folder), torch.device("cpu"))


def test_one_damaged_file_more_than_allowed_ends_the_run_with_its_number(people, tmp_path):
    damage(people, 20, 41, 60)
    for most, fine in ((3, True), (2, False)):
        changes = {"data__train": str(people), "data__most_damaged": most, "steps": 20}
        folder = prepared(tmp_path / f"run-{most}", **PLAIN | changes)
        if fine:
            train(folder)
            continue
        said = refused(train, folder)
        assert said.startswith("3 pictures are damaged, more than data.most_damaged (2); mend")
        assert str(people) in said
        assert len(curve(folder)) < 20


def test_a_set_without_a_whole_picture_is_refused(people, tmp_path):
    damage(people, *range(78))
    said = refused(train, prepared(tmp_path / "run", **PLAIN | {"data__train": str(people)}))
    assert said.startswith("78 pictures in a row of people cannot be read;")
    assert "facevis data inspect" in said


def test_one_identity_is_nothing_to_learn_from(tmp_path):
    changes = PLAIN | {"data__train": "noise:identities=1,images=20,size=16"}
    said = refused(train, prepared(tmp_path / "run", **changes))
    assert said == "noise has pictures of one identity only; give data.train others too."


def test_a_set_of_strangers_that_is_not_there_is_refused_before_the_first_step(tmp_path):
    folder = prepared(tmp_path / "run", **PLAIN, follow__sets=("no/lfw.bin",))
    assert "no/lfw.bin cannot be read" in refused(train, folder)
    assert not (folder / "metrics.jsonl").exists()


def test_weights_that_are_not_there_or_do_not_fit_are_refused(tmp_path):
    gone = prepared(tmp_path / "gone", **PLAIN, backbone__weights="no/weights.pth")
    assert "there is no file no/weights.pth" in refused(train, gone)
    torch.save(Plain(8, 16).state_dict(), tmp_path / "other.pth")
    other = prepared(tmp_path / "other", **PLAIN, backbone__weights=str(tmp_path / "other.pth"))
    assert "other.pth does not fit" in refused(train, other)


# Folders


@contextlib.contextmanager
def without_rights():
    """Whoever runs the tests as root is nobody for a while."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def closed(tmp_path):
    """A folder that can be seen and not be written."""
    for folder in [tmp_path, *tmp_path.parents[:3]]:
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    folder = tmp_path / "closed"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_a_folder_that_cannot_be_written_is_refused(closed):
    closed.chmod(0o555)
    with without_rights():
        for folder in (closed, closed / "run"):
            said = refused(runs.prepare, folder, small())
            assert said.startswith(f"{folder} cannot be written (Permission denied); make room or")
    closed.chmod(0o000)
    with without_rights():
        assert "cannot be written" in refused(runs.prepare, closed / "run", small())


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_a_run_that_cannot_be_written_any_more_is_refused(closed):
    folder = prepared(closed / "run", **PLAIN)
    folder.chmod(0o555)
    with without_rights():
        assert f"{folder} cannot be written (Permission denied)" in refused(train, folder)
    (folder / "config.json").chmod(0o000)
    with without_rights():
        assert "config.json cannot be read (Permission denied)" in refused(train, folder)


def test_a_run_that_ended_before_its_first_step_takes_other_settings(tmp_path):
    """A wrong path or size is put right with the same --out; what waits or trained stays."""
    wrong = small(**PLAIN | {"data__train": "nowhere"})
    right, other = small(**PLAIN), small(**PLAIN, seed=3)
    runs.prepare(tmp_path / "run", wrong)
    assert "other settings (data.train" in refused(runs.prepare, tmp_path / "run", right)
    assert "there is no nowhere" in refused(train, tmp_path / "run")
    with runs.locked(tmp_path / "run"):
        assert "another process trains" in refused(runs.prepare, tmp_path / "run", right)
    runs.prepare(tmp_path / "run", right)
    train(tmp_path / "run")
    assert "other settings (seed: 3, not 0)" in refused(runs.prepare, tmp_path / "run", other)
    assert runs.read_config(tmp_path / "run") == right


# Checkpoints


def test_the_memory_of_another_optimizer_is_named(tmp_path):
    folder = prepared(tmp_path / "run", **PLAIN, steps=3)
    train(folder)
    changed = small(**PLAIN, steps=6, optimizer__name="adamw")
    (folder / "config.json").write_text(changed.to_json())
    said = refused(train, folder)
    assert "its optimizer remembers momentum_buffer, the one here exp_avg, exp_avg_sq, step" in said
    assert saved(folder) == [3]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"head__objective": "softmax"}, "head.bias is missing; "),
        ({"head__objective": "adaface"}, "head.rule.deviation is missing"),
        ({"head__sub_centers": 2}, "head.weight has shape (13, 1, 16), here (13, 2, 16)"),
        ({"data__train": "noise:identities=13,images=7,size=16"}, "pictures 78, here 91"),
        (
            {
                **{"head__objective": "triplet", "data__identities_per_batch": 2},
                "data__images_per_identity": 4,
            },
            "head.weight is unknown here",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_by_its_differences(changes, sentence, tmp_path):
    folder = prepared(tmp_path / "run", **PLAIN, steps=3)
    train(folder)
    (folder / "config.json").write_text(small(**PLAIN | {"steps": 6} | changes).to_json())
    said = refused(train, folder)
    assert said.startswith("the checkpoint of step 3 in ")
    assert sentence in said.replace(". Restore", "; Restore")
    assert "choose another --out" in said


# A disk that is really full


def mounted(folder, size, again=False):
    kind = f"{'remount,' if again else ''}size={size}"
    command = ["mount", "-t", "tmpfs", "-o", kind, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path):
    """Makes a disk of so many bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or not mounted(folder, 1 << 20):
        pytest.skip("a small disk cannot be made here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_disk_that_is_full_the_run_keeps_what_is_whole_and_goes_on_later(tmp_path, disk):
    """There is room for two checkpoints and a half; keeping two takes room for three."""
    whole = prepared(tmp_path / "whole", **PLAIN)
    train(whole)
    last = whole / "checkpoints" / "step-00000012"
    pages = sum(-(-file.stat().st_size // 4096) for file in last.iterdir())
    assert mounted(disk, int(2.6 * pages) * 4096 + 8 * 4096, again=True)
    folder = prepared(disk / "run", **PLAIN)
    said = refused(train, folder)
    assert "(the disk is full); older ones are whole. Make room" in said
    assert saved(folder) == [3, 6]
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {
        *("step-00000003", "step-00000006"),
    }
    events = [(e["event"], e["step"]) for e in entries(folder, "event")]
    assert [e for e in events if e[0] == "checkpoint_failed"] == [
        *(("checkpoint_failed", 9), ("checkpoint_failed", 12))
    ]
    assert events[-1] == ("failed", 12)
    assert checkpoint.read_whole(folder / "checkpoints", 6, lambda name: True).keys() == {
        *weights(whole)
    }
    assert mounted(disk, 1 << 24, again=True)
    train(folder)
    assert curve(folder) == curve(whole)
    found = weights(folder)
    assert all(torch.equal(found[name], value) for name, value in weights(whole).items())


def test_the_lines_of_a_full_disk_come_when_there_is_room(disk):
    """Training goes on without its journal, which misses nothing in the end."""
    folder = prepared(disk / "run", **PLAIN, steps=60, follow__checkpoint_every=100)
    training, filler, seen = training_of(folder), disk / "filler", []
    step = training.step

    def filling(number, parts):
        if number == 3:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"0" * 512)
        if number == 50:
            seen.extend(entry["step"] for entry in read_journal(folder))
            filler.unlink()
        return step(number, parts)

    training.step = filling
    training.run()
    assert 3 < max(seen) < 50  # the disk was full
    assert [entry["step"] for entry in entries(folder)] == list(range(1, 61))


# Processes and GPUs


@pytest.mark.parametrize(
    ("gpus", "processes", "device", "sentence"),
    [
        (0, 1, "cuda", "a GPU was asked for and this machine has no GPUs that PyTorch sees; train"),
        (0, 2, "cuda", "2 processes were asked for and this machine has no GPUs that"),
        (1, 4, "cuda", "4 processes were asked for and this machine has 1 GPU that PyTorch sees;"),
        (2, 4, "auto", "has 2 GPUs that PyTorch sees; start 2 (--nproc 2), or train on CPUs"),
    ],
)
def test_more_gpus_than_there_are_is_refused(
    gpus, processes, device, sentence, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    folder = prepared(tmp_path / "run", **PLAIN, device=device)
    said = refused(launch.launch, folder, launch.Machines(nproc=processes))
    assert sentence in said
    assert said.endswith('"device": "cpu" in config.json for one that is there.')
    assert ("--nproc" in said) == (gpus > 0)
    assert {path.name for path in folder.iterdir()} == {"config.json"}


def test_a_recipe_for_a_gpu_leaves_no_folder_where_there_is_none(tmp_path, monkeypatch):
    """Else the remedy, another device, would be refused as other settings of the same run."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(SystemExit, match=r"has no GPUs that PyTorch sees; .+ --device cpu for a"):
        cli.main(["train", "demo", "--device", "cuda", "--out", str(tmp_path / "run")])
    assert list(tmp_path.iterdir()) == []


def test_processes_without_gpus_train_on_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert device_of(small(device="auto"), 3, 4) == torch.device("cpu")


def test_resuming_on_other_processes_needs_a_batch_that_divides(tmp_path, capsys):
    folder = prepared(tmp_path / "run", **PLAIN, steps=3)
    train(folder)
    resume = ["train", "resume", str(folder), "--nproc", "3"]
    cli.main(resume)
    assert "is finished: all its 3 steps are done." in capsys.readouterr().out
    journal = folder / "metrics.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(SystemExit, match="batch_size 8 does not divide into 3 processes times 1"):
        cli.main(resume)
    assert saved(folder) == [3]
