"""What a run writes about itself: the journal, and the same for TensorBoard."""

import errno
import json
import math
import os
import struct

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE, use_plain
from runs import entries, prepared
from tensorboardX.proto.event_pb2 import Event, SessionLog

from facevis.fullscale import runs
from facevis.fullscale.journal import Journal, read_journal, tail
from facevis.fullscale.train import train
from facevis.fullscale.training import Training

STRANGERS = "noise:identities=4,images=3,size=16,seed=9"
FOLLOWED = {
    **{"data__train": NOISE, "sync_batch_norm": False, "steps": 12},
    **{"follow__sets": (STRANGERS,), "follow__evaluate_every": 3, "follow__angle_identities": 5},
}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


class Killed(BaseException):
    """Ends a run as a signal would that cannot be caught: nothing is tidied."""


def killed_at(folder, step, where="step"):
    """Train until the process dies in that step, or in what follows it."""
    training = Training(folder, runs.read_config(folder), torch.device("cpu"))
    work = getattr(training, where)

    def deadly(number, *given):
        if number == step:
            raise Killed
        return work(number, *given)

    setattr(training, where, deadly)
    with pytest.raises(Killed):
        training.run()


# The journal


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupted, with all that can be written."""
    with pytest.MonkeyPatch.context() as patch:
        use_plain(patch)
        folder = prepared(
            tmp_path_factory.mktemp("whole") / "run", follow__tensorboard=True, **FOLLOWED
        )
        train(folder)
    return folder


def plain_numbers(folder, kind):
    """The entries of a kind, without what depends on the clock."""
    clock = {"time", "seconds", "images_per_second"}
    return [{k: v for k, v in e.items() if k not in clock} for e in entries(folder, kind)]


def test_every_line_is_json_with_kind_step_and_time(whole):
    def no_number(text):
        raise AssertionError(f"{text} is no JSON")

    lines = (whole / "metrics.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    read = [json.loads(line, parse_constant=no_number) for line in lines]
    assert read == read_journal(whole)
    assert {entry["kind"] for entry in read} == {"train", "evaluation", "angles", "event"}
    assert all(isinstance(entry["step"], int) and entry["time"] > 1e9 for entry in read)
    times = [entry["time"] for entry in read]
    assert times == sorted(times)


def test_each_step_and_each_measurement_stands_there_once(whole):
    assert [e["step"] for e in entries(whole)] == list(range(1, 13))
    for kind in ("evaluation", "angles"):
        assert [e["step"] for e in entries(whole, kind)] == [0, 3, 6, 9, 12]


@pytest.mark.parametrize("step", [1, 7, 11])
def test_after_a_kill_no_step_is_doubled_and_none_is_missing(step, whole, tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(tmp_path / "run", **FOLLOWED)
    killed_at(folder, step)
    seen = [e["step"] for e in entries(folder)]
    assert seen == list(range(1, step + 1))
    with (folder / "metrics.jsonl").open("ab") as file:
        file.write(b'{"kind": "train", "step": 99, "lo')  # it died while it wrote
    assert read_journal(folder)[-1]["step"] != 99
    train(folder)
    for kind in ("train", "evaluation", "angles"):
        assert plain_numbers(folder, kind) == plain_numbers(whole, kind)
    events = [e["event"] for e in entries(folder, "event")]
    assert events[0] == "started"
    assert events.count("resumed" if step > 2 else "started") == (1 if step > 2 else 2)
    assert events[-1] == "finished"


@pytest.mark.parametrize("step", [6, 12])
def test_a_measurement_that_was_cut_off_is_made_again(step, whole, tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(tmp_path / "run", **FOLLOWED)
    with monkeypatch.context() as patch:
        patch.setattr("facevis.fullscale.following.measure_angles", killed_in_angles(step, 3))
        with pytest.raises(Killed):
            train(folder)
    assert [e["step"] for e in entries(folder, "evaluation")][-1] == step
    assert [e["step"] for e in entries(folder, "angles")][-1] == step - 3
    train(folder)
    for kind in ("train", "evaluation", "angles"):
        assert plain_numbers(folder, kind) == plain_numbers(whole, kind)


def killed_in_angles(step, every):
    from facevis.fullscale.evaluation import measure_angles

    left = [step // every]

    def deadly(*given, **named):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return measure_angles(*given, **named)

    return deadly


def test_a_finished_run_that_is_taken_up_again_stays_as_it_is(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(tmp_path / "run", **FOLLOWED)
    train(folder)
    before = {kind: plain_numbers(folder, kind) for kind in ("train", "evaluation", "angles")}
    train(folder)
    assert {kind: plain_numbers(folder, kind) for kind in before} == before


def test_what_is_no_number_is_null(tmp_path):
    journal = Journal(tmp_path)
    journal.write("train", 1, loss=math.nan, norm=math.inf, table=[1.0, -math.inf], same=2.5)
    journal.close()
    (entry,) = read_journal(tmp_path)
    found = entry["loss"], entry["norm"], entry["table"], entry["same"]
    assert found == (None, None, [1.0, None], 2.5)


def test_another_process_reads_along(tmp_path):
    journal = Journal(tmp_path)
    journal.write("train", 1, loss=3.0)
    found, place = tail(tmp_path, 0)
    assert [entry["loss"] for entry in found] == [3.0]
    assert tail(tmp_path, place) == ([], place)
    journal.write("train", 2, loss=2.0)
    journal.write("train", 3, loss=1.0)
    found, end = tail(tmp_path, place)
    assert [entry["loss"] for entry in found] == [2.0, 1.0]
    assert end == (tmp_path / "metrics.jsonl").stat().st_size
    journal.close()


def test_a_line_in_the_middle_that_is_none_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "kind": "train"}\nloss 3\n{"step": 2}\n')
    with pytest.raises(ValueError, match=r"^line 2 of .+metrics.jsonl is no entry .+ remove that"):
        Journal(tmp_path)


def test_on_a_full_disk_lines_wait_until_there_is_room(tmp_path, monkeypatch):
    """The disk takes the first bytes of a line, then nothing, then all."""
    journal = Journal(tmp_path)
    journal.write("train", 1, loss=3.0)
    write, room = os.write, [20, 0, 0]

    def nearly_full(file, data):
        if not room:
            return write(file, data)
        free = room.pop(0)
        if not free:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:free])

    monkeypatch.setattr("facevis.fullscale.journal.os.write", nearly_full)
    journal.write("train", 2, loss=2.0)
    assert [entry["step"] for entry in read_journal(tmp_path)] == [1]
    journal.write("train", 3, loss=1.0)
    assert [entry["step"] for entry in read_journal(tmp_path)] == [1]
    journal.write("train", 4, loss=0.5)
    journal.close()
    assert [entry["loss"] for entry in read_journal(tmp_path)] == [3.0, 2.0, 1.0, 0.5]


def test_a_disk_that_breaks_ends_the_run_in_words(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path)
    monkeypatch.setattr("facevis.fullscale.journal.os.write", broken)
    with pytest.raises(ValueError, match=r"metrics.jsonl cannot be written \(Input/output error\)"):
        journal.write("train", 1, loss=3.0)
    journal.close()


def test_the_speed_of_a_run_is_in_its_journal(whole):
    assert all(entry["images_per_second"] > 0 for entry in entries(whole))


# TensorBoard


def board(folder):
    """All events of a run as TensorBoard reads them: file after file, record after record."""
    for path in sorted((folder / "tensorboard").iterdir(), key=lambda path: path.suffix):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            yield Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]


def shown(folder):
    """Scalars and histograms by name and step; a new start takes those from its step on back."""
    scalars, histograms = {}, {}
    for event in board(folder):
        if event.session_log.status == SessionLog.START:
            for table in (scalars, histograms):
                for place in [place for place in table if place[1] >= event.step]:
                    del table[place]
        for value in event.summary.value:
            if value.HasField("histo"):
                histograms[value.tag, event.step] = list(value.histo.bucket)
            elif value.HasField("simple_value"):
                scalars[value.tag, event.step] = value.simple_value
    return scalars, histograms


def written(folder):
    """The same from the journal."""
    scalars, histograms = {}, {}
    for entry in read_journal(folder):
        kind, step = entry["kind"], entry["step"]
        group = f"evaluation/{entry['set']}" if kind == "evaluation" else kind
        for name, value in entry.items():
            if name in ("kind", "step", "time", "event", "sentence", "set"):
                continue
            place = (f"{group}/{name}", step)
            if isinstance(value, list):
                histograms[place] = value
            else:
                scalars[place] = math.nan if value is None else value
    return scalars, histograms


def agree(folder):
    (numbers, tables), (wanted, counts) = shown(folder), written(folder)
    assert numbers.keys() == wanted.keys()
    for place, value in wanted.items():
        assert numbers[place] == pytest.approx(value, rel=1e-6, nan_ok=True), place  # float32 there
    assert tables == counts
    return numbers


def test_tensorboard_has_the_numbers_of_the_journal(whole):
    numbers = agree(whole)
    assert {name for name, _ in numbers} >= {
        *("train/loss", "train/learning_rate", "train/gradient_norm", "train/angle_deg"),
        *("train/images_per_second", "train/epoch", "evaluation/noise/auc", "angles/w_ec"),
    }
    assert len([name for name, _ in numbers if name == "train/loss"]) == 12


def test_after_a_kill_tensorboard_shows_no_step_twice(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(tmp_path / "run", follow__tensorboard=True, **FOLLOWED)
    killed_at(folder, 8)
    train(folder)
    agree(folder)
    assert len(list((folder / "tensorboard").iterdir())) == 2
