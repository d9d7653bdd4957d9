"""Folders of runs: named, deleted, damaged by somebody who edited them."""

import json
import os
from dataclasses import replace

import pytest
from runs import prepared, refused, small

from facevis.fullscale import jobs, queue, run_names, running, standing


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def asleep(monkeypatch):
    """Nobody looks after the queue."""
    monkeypatch.setattr(queue, "wake", lambda runs: None)


@pytest.mark.parametrize(
    "name", ["", ".x", "a/b", "../x", "a\nb", " a", "a ", "x" * 81, "a\0", "…"]
)
def test_a_name_that_is_none_is_refused(runs, asleep, name):
    assert "cannot be the name of a run" in refused(jobs.submit, runs, name, small())
    folder = prepared(runs / "run")
    assert "cannot be the name of a run" in refused(jobs.rename, folder, name)


def test_names_are_found_kept_and_given_away_once(runs, asleep):
    assert run_names.free_name(runs, "demo") == "demo"
    folder = jobs.submit(runs, "demo", small())
    assert run_names.free_name(runs, "demo") == "demo 2"
    assert run_names.free_name(runs, "../ ..") == "run"
    for long in ("a" * 59 + " b", "a" * 59 + ".b", "\U00020000" * 60):
        assert run_names.check_name(run_names.free_name(runs, long))
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
