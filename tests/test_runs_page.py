"""The page of all runs, script run by script run: lists, keeps, compares, annotates, and survives
what others do to the folder meanwhile."""

import json
import shutil

import numpy as np
import pytest
from apptest import key, visit
from runs import prepared

from facevis.library import keep, packing, toys
from facevis.library.notes import read_notes
from facevis.library.shelf import entries
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.rooms import rooms

PAGE = "runs"


def own(name):
    return key(name, PAGE)


@pytest.fixture(scope="module")
def recording():
    return Ensemble(RunConfig(members=(Member(), Member(objective="triplet")), steps=6)).record()


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEVIS_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def full(shelf, recording):
    """Two kept toy runs, a full-scale run, and one whose configuration is no JSON."""
    for name in ("first", "second"):
        keep(recording, shelf, name)
    prepared(shelf / "large")
    prepared(shelf / "bad")
    (shelf / "bad" / "config.json").write_text("{", encoding="utf-8")
    return shelf


STRANGE = (
    {"step": 1},
    {"step": 1, "kind": [], "time": 1.0},
    {"step": 1, "kind": "train", "time": 10**400, "loss": 1.0},
    {"step": 10**400, "kind": "train", "time": 1.0, "loss": 1.0},
    {"step": 3, "kind": "train", "time": 1.0, "loss": 10**400},
    {"step": 3, "kind": "evaluation", "time": 1.0, "set": "a", "accuracy": 10**400},
    {"step": 3, "kind": "evaluation", "time": 1.0, "set": ["\ud800"], "accuracy": [1]},
    {"step": 3, "kind": "angles", "time": 1.0, "w_ec": {}, "histograms": 7},
    {"step": 3, "kind": "event", "time": 1.0, "event": ["failed"], "sentence": {}},
    {"step": 3, "kind": "event", "time": 1.0, "event": "failed", "sentence": "\ud800"},
)


@pytest.mark.parametrize("entry", STRANGE, ids=lambda entry: str(entry)[:60])
def test_a_strange_line_in_a_journal_hides_no_run(full, entry):
    (full / "large" / "metrics.jsonl").write_text(json.dumps(entry) + "\n")
    assert {entry.name for entry in entries(full)} >= {"first", "second", "large", "bad"}
    chosen(visit(PAGE, run="large"), "first", "large")


def test_a_kept_run_whose_pictures_have_no_name_that_can_be_written_hides_no_run(full):
    path = full / "first" / toys.RECORDING
    with np.load(path, allow_pickle=False) as found:
        arrays = dict(found)
    header = json.loads(bytes(arrays["header"]).decode())
    header["config"]["dataset"] = "\ud800<b>"
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    assert "halves of letters" in {e.name: e for e in entries(full)}["first"].sentence
    chosen(visit(PAGE), "second", "large")


def chosen(app, *names):
    app.multiselect(own("chosen")).set_value(list(names)).run()
    assert not app.exception, app.exception
    return app


def said(kind):
    return " ".join(element.value for element in kind).replace("\\", "")


def test_an_empty_shelf_says_how_runs_come_there(shelf, monkeypatch):
    monkeypatch.setattr(rooms, "_runs", type(rooms._runs)())
    app = visit(PAGE)
    assert str(shelf) in said(app.info)
    assert not shelf.exists()


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_all_kinds_stand_on_the_shelf_and_one_that_is_broken_hides_none(full, lang):
    app = visit(PAGE, lang=lang, runs="first,large,bad")
    names = set(app.dataframe[-1].value.iloc[:, 0]) | set(app.dataframe[0].value.iloc[:, 0])
    assert {"first", "second", "large", "bad"} <= names
    assert "config.json" in said(app.warning)
    assert app.query_params["runs"] == "first,large,bad"


def test_of_a_link_what_is_not_there_is_said(full):
    app = visit(PAGE, runs="first,gone")
    assert "runs=gone was ignored" in said(app.warning)
    assert app.multiselect(own("chosen")).value == ["first"]


def test_toy_and_full_scale_runs_are_compared_in_what_they_share(full):
    app = chosen(visit(PAGE), "first", "large")
    fields = list(app.dataframe[1].value.iloc[:, 0])
    assert "network" in fields
    assert "head.sub_centers" not in fields
    app.toggle(own("all")).set_value(True).run()
    assert "head.sub_centers" in list(app.dataframe[1].value.iloc[:, 0])


def test_notes_are_kept_as_they_are_written(full):
    app = chosen(visit(PAGE), "first")
    text = "<b>Why</b> *so* high?"
    app.text_area(own("notes:first")).set_value(text).run()
    assert read_notes(full / "first") == text
    again = chosen(visit(PAGE), "first")
    assert again.text_area(own("notes:first")).value == text


def test_a_run_that_vanished_between_listing_and_click_is_said(full):
    app = chosen(visit(PAGE), "first", "second")
    shutil.rmtree(full / "first")
    app.button("library:delete:first").click().run()
    assert not app.exception
    assert "first" in said(app.error) + said(app.warning)
    assert app.multiselect(own("chosen")).value == ["second"]


def test_rename_and_delete_act_on_the_folder(full):
    app = chosen(visit(PAGE), "first")
    app.text_input("library:name:first").set_value("third")
    app.button("library:rename:first").click().run()
    assert app.multiselect(own("chosen")).value == ["third"]
    assert not (full / "first").exists()
    app.button("library:delete:third").click().run()
    assert not (full / "third").exists()
    assert app.multiselect(own("chosen")).value == []


def test_a_run_of_the_app_is_kept_with_what_it_trains_on_from(shelf):
    playground = visit(data="digits", loss="cosface", steps="3")
    token, _ = playground.session_state["playground:run"]
    run = rooms.find(token)
    run.pause()
    app = chosen(visit(PAGE), f"here:{token}")
    app.text_input(own(f"keep:here:{token}")).set_value("mine")
    app.button(f"library:keep:here:{token}").click().run()
    assert app.multiselect(own("chosen")).value == ["mine"]
    kept = toys.recording_of(shelf / "mine")
    assert kept.state
    assert kept.config.members[0].objective == "cosface"


def test_a_file_is_made_deleted_and_taken_in_by_its_path(full, tmp_path):
    app = chosen(visit(PAGE), "first")
    target = tmp_path / f"first{packing.SUFFIX}"
    app.text_input("library:to:first").set_value(str(target))
    app.button("library:write:first").click().run()
    assert str(target) in said(app.success)
    app.text_input(own("path")).set_value(str(target))
    app.button("library:import").click().run()
    assert "first 2" in said(app.success)
    assert "first 2" in app.multiselect(own("chosen")).value
    app.text_input(own("path")).set_value(str(tmp_path / "nothing.zip"))
    app.button("library:import").click().run()
    assert "is no file" in said(app.error)
