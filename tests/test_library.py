"""All runs on one shelf: what is told of each, what differs, notes, and room on the disk."""

import json
import os
import time

import pytest
from runs import prepared, refused

from facevis.fullscale import jobs
from facevis.library import comparing, keep, recording_of
from facevis.library.notes import delete, free_checkpoints, read_notes, rename, write_notes
from facevis.library.shelf import FULL, HERE, ORDERS, TOY, entries, entry_of
from facevis.library.toys import taken_from
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.rooms import Rooms

CONFIG = RunConfig(members=(Member(scale=8.0), Member(objective="triplet")), steps=6)


@pytest.fixture(scope="module")
def recording():
    return Ensemble(CONFIG).record()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def room(monkeypatch):
    found = Rooms()
    monkeypatch.setattr("facevis.library.shelf.rooms", found)
    monkeypatch.setattr("facevis.library.comparing.rooms", found)
    return found


def journal(folder, *lines):
    told = (line if isinstance(line, str) else json.dumps({"time": 1.0} | line) for line in lines)
    text = "".join(f"{line}\n" for line in told)
    (folder / "metrics.jsonl").write_text(text, encoding="utf-8")


def measured(folder):
    journal(
        folder,
        {"kind": "train", "step": 1, "loss": 9.0},
        "garbage",
        {"kind": "evaluation", "step": 1, "set": "a", "accuracy": 0.5, "tar_at_0.001": 0.25},
        {"kind": "evaluation", "step": 1, "set": "b", "accuracy": 0.9},
        {"kind": "angles", "step": 1, "w_ec": 40.0, "w_inter": None, "intra": "x"},
        {"kind": "train", "step": 2, "loss": 8.0},
        {"kind": "event", "step": 12, "event": "finished", "sentence": ""},
    )
    return folder


def test_the_shelf_tells_the_end_of_every_kind_of_run(runs, recording, room):
    keep(recording, runs, "toy")
    measured(prepared(runs / "large"))
    room.open(CONFIG, recording)
    found = {entry.kind: entry for entry in entries(runs)}
    assert found.keys() == {FULL, TOY, HERE}
    assert found[FULL].numbers == {
        "loss": (8.0,),
        "accuracy": (0.5,),
        "tar": (0.25,),
        "w_ec": (40.0,),
    }
    assert found[FULL].state == found[TOY].state == found[HERE].state == "finished"
    assert found[TOY].step == 6
    assert found[TOY].numbers["loss"] == tuple(map(float, recording.snapshots[-1].losses))
    assert found[TOY].size > found[HERE].size == 0


def test_what_lies_about_is_no_run_and_hides_none(runs, recording, room):
    keep(recording, runs, "toy")
    (runs / ".keeping-1").mkdir()
    (runs / ".keeping-1" / "recording.npz").write_bytes(b"")
    (runs / "empty").mkdir()
    (runs / "file").write_text("")
    assert [entry.name for entry in entries(runs)] == ["toy"]
    assert entries(runs / "file") == entries(runs / "none") == []


@pytest.mark.parametrize("damage", ["half", "gone", "older", "none of its kind"])
def test_a_kept_run_that_was_damaged_is_said_in_words(runs, recording, room, damage):
    folder = keep(recording, runs, "toy")
    path = folder / "recording.npz"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        replaced = {"half": data[: len(data) // 2], "older": data.replace(b"header", b"hexder")}
        path.write_bytes(replaced.get(damage, b"GIF89a"))
    entry = entry_of(folder)
    assert (entry.state, entry.config) == ("broken", None)
    assert "recording.npz" in entry.sentence
    assert comparing.curves([entry]) == {}
    assert comparing.settings(entry) == {}
    delete(folder)
    assert not folder.exists()


def test_a_run_is_kept_with_the_state_from_which_it_trains_on(runs):
    rooms = Rooms()
    run = rooms.find(rooms.open(RunConfig(steps=500)))
    run.single_step(3)
    deadline = time.monotonic() + 30
    while run.step < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    kept = recording_of(keep(taken_from(run), runs))
    assert kept.snapshots[-1].step == int(kept.state["taken"]) == 3
    ensemble = Ensemble(kept.config)
    ensemble.restore(kept.state)


def test_a_name_is_free_or_refused(runs, recording):
    assert keep(recording, runs).name == "arcface triplet digits"
    assert keep(recording, runs).name == "arcface triplet digits 2"
    assert "already" in refused(keep, recording, runs, "arcface triplet digits")
    assert "cannot be the name" in refused(keep, recording, runs, "../up")
    assert "already" in refused(rename, runs / "arcface triplet digits", "arcface triplet digits 2")
    assert rename(runs / "arcface triplet digits", "Мой запуск").name == "Мой запуск"


def test_where_nothing_can_be_written_nothing_is_left(tmp_path, recording, monkeypatch):
    (tmp_path / "file").write_text("")
    assert "still in the app" in refused(keep, recording, tmp_path / "file")

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert "No space left" in refused(keep, recording, tmp_path / "runs")
    assert list((tmp_path / "runs").iterdir()) == []


def test_notes_of_two_writers_both_stay(runs, recording):
    folder = keep(recording, runs, "toy")
    assert read_notes(folder) == ""
    assert write_notes(folder, "mine", "") == "mine"
    assert write_notes(folder, "mine, longer", "mine") == "mine, longer"
    assert write_notes(folder, "yours", "mine") == "mine, longer\n\nyours"
    assert read_notes(folder) == "mine, longer\n\nyours"
    assert "20,000" in refused(write_notes, folder, "a" * 20_001, "")
    delete(folder)
    assert "no run" in refused(write_notes, folder, "late", "")
    assert not folder.exists()


def test_only_what_differs_differs(runs, recording, room):
    keep(recording, runs, "a")
    keep(Ensemble(RunConfig(steps=4, seed=7)).record(), runs, "b")
    rows = {row.field: row for row in comparing.table([entry_of(runs / n) for n in "ab"])}
    different = {name for name, row in rows.items() if row.differs}
    assert different == {"objective", "m2", "scale", "steps", "seed"}
    assert rows["objective"].values == ("arcface / triplet", "arcface")


def test_toy_and_full_scale_runs_share_fields_by_their_meaning(runs, recording, room):
    entry, full = entry_of(keep(recording, runs, "a")), entry_of(prepared(runs / "large"))
    rows = {row.field: row for row in comparing.table([entry, full])}
    assert rows["network"].values == ("mlp", "mobilefacenet")
    assert rows["head.sub_centers"].values == (None, "1")
    assert not rows["head.sub_centers"].differs
    assert set(comparing.SHARED) <= rows.keys()
    alone = {row.field for row in comparing.table([full, full])}
    assert set(comparing.SHARED.values()) <= alone
    assert comparing.SHARED.keys() <= comparing.settings(entry).keys()


def test_curves_are_those_that_were_measured(runs, recording, room):
    chosen = [entry_of(keep(recording, runs, "a")), entry_of(measured(prepared(runs / "large")))]
    found = comparing.curves(chosen)
    assert [(curve.run, curve.member) for curve in found["loss"]] == [(0, 0), (0, 1), (1, 0)]
    assert (found["loss"][2].steps, found["loss"][2].values) == ([1, 2], [9.0, 8.0])
    assert [curve.title for curve in found["w_ec"]] == ["a: 1 arcface", "large"]
    assert [curve.run for curve in found["tar"]] == [1]


def test_runs_are_sorted_by_their_best_member(runs, recording, room):
    keep(recording, runs, "toy")
    measured(prepared(runs / "large"))
    found = {entry.name: entry for entry in entries(runs)}
    for name, better in (("loss", "toy"), ("size", "toy"), ("newest", None)):
        first = min(found.values(), key=ORDERS[name]).name
        assert better in (None, first)


def test_all_checkpoints_but_the_last_make_room(runs):
    folder = prepared(runs / "large")
    for step in (3, 6, 9):
        there = folder / "checkpoints" / f"step-{step:08d}"
        there.mkdir(parents=True)
        (there / "weights").write_bytes(b"a" * 100)
    before = entry_of(folder)
    assert (before.checkpoints, before.weights) == ((3, 6, 9), 300)
    (folder / "process.json").write_text(
        json.dumps({"pid": os.getpid(), "born": 0.0, "since": 0.0}), encoding="utf-8"
    )
    jobs.running.note(folder, os.getpid())
    assert "stop it before" in refused(free_checkpoints, folder)
    (folder / "process.json").unlink()
    assert free_checkpoints(folder) == 200
    assert entry_of(folder).checkpoints == (9,)
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["step-00000009"]


def test_two_long_notes_of_two_writers_both_stay(runs):
    folder = prepared(runs / "one")
    mine, theirs = "a" * 15_000, "b" * 15_000
    write_notes(folder, theirs, "")
    both = write_notes(folder, mine, "")
    assert (both.count("a"), both.count("b")) == (15_000, 15_000)
    assert read_notes(folder) == both
