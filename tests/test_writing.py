"""Whatever a writer meets, what was there or what is new is there, whole; faults are in words."""

import contextlib
import multiprocessing
import os
import re
import sys

import pytest
from faults import NoDiskOfItsOwn, calls_of, fill, killed_at, mount, names_in, with_small_disk
from runs import small
from writers import WRITERS, recording

from facevis import writing
from facevis.fullscale import jobs, queue, runs
from facevis.fullscale.journal import Journal, read_journal
from facevis.library import notes, toys

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="children are forked")


@pytest.mark.parametrize("name", WRITERS)
def test_killed_at_any_moment_it_leaves_the_old_or_the_new_and_can_be_written_again(name, tmp_path):
    writer, states = WRITERS[name], []

    def begun(folder):
        folder.mkdir()
        writer.prepare(folder)
        if not writer.once:
            writer.write(folder, "old")
        return writer.read(folder)

    begun(tmp_path / "whole")
    for call in chosen(calls_of(lambda: writer.write(tmp_path / "whole", "new"))):
        folder = tmp_path / str(call)
        before = begun(folder)
        killed_at(call, lambda folder=folder: writer.write(folder, "new"))
        states.append(writer.read(folder))
        assert states[-1] in (before, "new"), f"killed before call {call}"
        if not (writer.once and states[-1] == "new"):
            writer.write(folder, "new")  # which takes away what was begun, too
            assert not [left for left in names_in(folder) if "partial" in left]
        assert writer.read(folder) == "new"
    assert states[0] == before


def chosen(calls):
    """Of many calls the last ones, in which things get their names, and some before."""
    assert calls > 2
    return sorted({*range(1, calls, max(1, calls // 4)), *range(max(1, calls - 7), calls + 1)})


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_and_a_read_only_disk_are_said_and_take_nothing(name, tmp_path):
    writer = WRITERS[name]

    def said(text):
        try:
            writer.write(tmp_path, text)
        except (ValueError, OSError) as error:
            return [str(error), isinstance(error, ValueError)]
        return ["", True]

    def meet():
        writer.prepare(tmp_path)
        if not writer.once:
            writer.write(tmp_path, "old")
        before = writer.read(tmp_path)
        filler = fill(tmp_path)
        full = said("new")
        filler.unlink()
        mount(tmp_path, read_only=True)
        closed = said("new")
        return [full, closed, before, writer.read(tmp_path), names_in(tmp_path)]

    try:
        full, closed, before, after, left = with_small_disk(tmp_path, meet)
    except NoDiskOfItsOwn:
        pytest.skip("this system gives nobody a disk of their own")
    assert after == before
    assert [one for one in left if "partial" in one or one.startswith(".step")] == []
    if not writer.says:
        return
    for (sentence, in_words), reason in (
        (full, r"No space left|the disk is full|0 MB are free"),
        (closed, r"Read-only file system"),
    ):
        assert in_words, sentence
        assert re.search(reason, sentence), sentence
        assert re.search(r"[Mm]ake room|choose another|name another|mend", sentence), sentence
        assert tmp_path.name in sentence or "run" in sentence
        assert "\n" not in sentence
        assert sentence.endswith(".")


def test_another_process_at_work_is_left_in_peace(tmp_path):
    """Its part stays and its target is refused; that of a process that is gone makes way."""
    child = os.fork()
    if child == 0:
        with writing.beside(tmp_path / "gone") as partial:
            partial.write_text("x")
            os._exit(0)
    os.waitpid(child, 0)
    assert len(names_in(tmp_path)) == 1
    mine = writing.new_folder(tmp_path / "set")
    partial = mine.__enter__()
    assert names_in(tmp_path) == [partial.name]
    refused = pytest.raises(ValueError, match=r"another process writes .+set just now; wait for")
    with refused, writing.new_folder(tmp_path / "set"):
        pass
    writing.write_whole(tmp_path / "other", "x")
    assert names_in(tmp_path) == sorted([partial.name, "other"])
    mine.__exit__(None, None, None)
    assert names_in(tmp_path) == ["other", "set"]


def test_two_apps_on_one_folder_lose_and_double_nothing(tmp_path, monkeypatch):
    """Four processes keep runs, write notes and votes, and ask for the same name, all at once."""
    monkeypatch.setattr("facevis.fullscale.queue.wake", lambda runs: None)
    runs.prepare(tmp_path / "noted", small())
    barrier = multiprocessing.get_context("fork").Barrier(4)

    def app(number):
        barrier.wait(30)
        toys.keep(recording(), tmp_path)
        for turn in range(3):
            before = notes.read_notes(tmp_path / "noted")
            notes.write_notes(tmp_path / "noted", f"{before}\n{number}-{turn}", before)
            WRITERS["votes"].write(tmp_path, "old")
        with contextlib.suppress(ValueError):  # which says that the name is taken
            jobs.submit(tmp_path, "same", small(seed=number))

    recording()
    apps = [multiprocessing.get_context("fork").Process(target=app, args=[n]) for n in range(4)]
    for one in apps:
        one.start()
    for one in apps:
        one.join(60)
    assert [one.exitcode for one in apps] == [0] * 4
    assert len([folder for folder in tmp_path.iterdir() if toys.is_toy(folder)]) == 4
    written = notes.read_notes(tmp_path / "noted").split()
    assert set(written) == {f"{number}-{turn}" for number in range(4) for turn in range(3)}
    rows = (tmp_path / "votes.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.startswith("time,") for row in rows] == [True] + [False] * 36
    assert runs.read_config(tmp_path / "same").seed in range(4)
    assert queue.waiting(tmp_path) == [tmp_path / "same"]
    assert not [left for left in names_in(tmp_path) if "partial" in left]


def test_what_was_left_by_a_killed_app_goes_when_the_next_begins(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    child = os.fork()
    if child == 0:
        writing.scratch()
        with writing.beside(tmp_path / "run") as partial:
            partial.mkdir()
            os._exit(0)
    os.waitpid(child, 0)
    (tmp_path / ".deleted-0-run").mkdir()
    assert len(names_in(tmp_path)) == 3
    jobs.tidy(tmp_path)
    mine = writing.scratch()
    assert names_in(tmp_path) == [mine.name]


def test_a_full_disk_stops_the_events_for_tensorboard_and_no_training(tmp_path):
    def meet():
        journal = Journal(tmp_path, tensorboard=True)
        journal.write("train", 1, loss=1.0)
        filler = fill(tmp_path)
        for step in range(2, 100):
            journal.write("train", step, loss=1.0)
        filler.unlink()
        journal.write("train", 100, loss=1.0)
        journal.close()
        return read_journal(tmp_path)

    try:
        found = with_small_disk(tmp_path, meet)
    except NoDiskOfItsOwn:
        pytest.skip("this system gives nobody a disk of their own")
    assert [entry["step"] for entry in found if entry["kind"] == "train"] == list(range(1, 101))
    (said,) = [entry["sentence"] for entry in found if entry["kind"] == "event"]
    assert said.startswith("TensorBoard is shown nothing after step ")
    assert "No space left on device" in said


def test_the_clock_is_set_back_and_nobody_is_overtaken(tmp_path, monkeypatch):
    monkeypatch.setattr("facevis.fullscale.queue.wake", lambda runs: None)
    for name, now in (("first", 2e9), ("second", 1e9), ("third", 1e9 - 5)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        jobs.submit(tmp_path, name, small())
    assert [folder.name for folder in queue.waiting(tmp_path)] == ["first", "second", "third"]


def test_what_a_machine_elsewhere_writes_is_not_touched(tmp_path):
    theirs = tmp_path / ".facevis-00000000-4194304-0-00000000.partial"
    theirs.write_text("x")
    writing.write_whole(tmp_path / "a", "x")
    assert theirs.exists()


def test_all_files_of_a_folder_are_brought_to_the_disk_before_it_gets_its_name(
    tmp_path, monkeypatch
):
    synced, sync = set(), os.fsync

    def remember(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        sync(descriptor)

    for name in ("a", "b/c"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(os, "fsync", remember)
    writing.bring_to_disk(tmp_path / "folder")
    found = (path for path in (tmp_path / "folder").rglob("*") if path.is_file())
    assert {path.stat().st_ino for path in found} <= synced


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    writing.write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"
