"""The full-scale page's logic, script run by script run; no run is really started here."""

import ast
import inspect
import json
import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from apptest import key, visit
from runs import prepared

from facevis.fullscale import config as configurations
from facevis.fullscale import queue
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.recipes import RECIPES
from facevis.fullscale.runs import read_config
from facevis.i18n import strings
from facevis.ui import fullscale_state

PAGE = "fullscale"


def own(name):
    return key(name, PAGE)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The app's folder of runs; what is submitted there stays in the queue."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("FACEVIS_RUNS", str(folder))
    monkeypatch.setattr(queue, "wake", lambda runs: None)
    return folder


def started(app):
    app.button(key="full:start").click().run()
    assert not app.exception
    return app


def told(app):
    return " ".join(one.value.replace("\\", "") for one in app.error)


def captions(app):
    return " ".join(app.radio(key=own("run")).proto.captions).replace("\\", "")


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_without_a_run_the_page_begins_with_a_new_one(runs, lang):
    app = visit(PAGE, lang=lang)
    assert app.selectbox(key=own("recipe")).value == "demo"
    values = [metric.value for metric in app.metric]
    assert values[0] == {"en": "1.02 M", "ru": "1,02 млн"}[lang]
    assert values[3:] == ["–", "–"]
    assert not app.error
    assert str(runs) in " ".join(one.value.replace("\\", "") for one in app.info)


def test_start_queues_the_run_and_shows_it(runs):
    app = started(visit(PAGE))
    assert app.query_params["run"] == "demo"
    assert "waits, place 1" in captions(app)
    assert "full:start" not in [button.key for button in app.button]
    config = read_config(runs / "demo")
    assert (config.follow.checkpoint_every, config.follow.keep) == (20, 1000)
    app.button(key="full:stop").click().run()
    assert not (runs / "demo" / "queued.json").exists()
    assert "stopped" in captions(app)


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_a_recipe_goes_through_the_widgets_unchanged(runs, recipe, monkeypatch):
    """All fields but where the pictures lie, and what the demo keeps to be watched."""
    values = {}
    monkeypatch.setattr(fullscale_state.state, "write", values.update)
    monkeypatch.setattr(fullscale_state.state, "read", lambda name: values.get(name))
    values["processes"] = 1
    fullscale_state.write_recipe(recipe)
    seen, wanted = fullscale_state.configuration(), RECIPES[recipe]()
    different = {line.partition(":")[0] for line in seen.differences(wanted)}
    moved = {"data.train", "follow.sets"}
    kept = {"follow.checkpoint_every", "follow.keep", "follow.evaluate_every"}
    assert different == (kept if recipe == "demo" else moved)
    if recipe != "demo":
        assert seen.data.train == str(Path(wanted.data.train).absolute())


def documented(kind, before):
    """The docstrings under the fields of a dataclass, by full name."""
    tree = ast.parse(inspect.getsource(kind)).body[0].body
    for one, text in pairwise(tree):
        if isinstance(one, ast.AnnAssign) and isinstance(text, ast.Expr):
            yield before + one.target.id, " ".join(text.value.value.split())


def test_the_help_of_every_field_is_what_the_command_line_says():
    parts = {"": FullScaleConfig} | {
        f"{name.removesuffix('Config').lower()}_": kind
        for name, kind in vars(configurations).items()
        if name.endswith("Config") and kind is not FullScaleConfig
    }
    said = {name: text for before, kind in parts.items() for name, text in documented(kind, before)}
    del said["recipe"]
    shown = {name.removeprefix("full_help_"): text for name, text in strings("en").items()}
    assert {name: shown.get(name) for name in said} == said
    assert {name.replace(".", "_") for name in fullscale_state.fields()} == said.keys() - {
        "data_train",
        "follow_sets",
    }


def test_every_recipe_is_described_as_on_the_command_line():
    for name, recipe in RECIPES.items():
        said = strings("en")[f"full_recipe_{name.replace('-', '_')}"]
        assert said == " ".join(recipe.__doc__.split())


def test_another_field_reaches_the_run(runs):
    app = visit(PAGE)
    app.selectbox(key=own("head.objective")).set_value("softmax").run()
    assert own("head.m2") not in [one.key for one in app.number_input]
    app.number_input(key=own("optimizer.weight_decay")).set_value(0.001)
    app.text_input(key=own("schedule.milestones")).set_value("30 60")
    app.checkbox(key=own("data.mirror")).set_value(False)
    app.text_input(key=own("name")).set_value("первый")
    started(app)
    config = read_config(runs / "первый")
    assert config.head.objective == "softmax"
    assert config.optimizer.weight_decay == 0.001
    assert config.schedule.milestones == (30, 60)
    assert not config.data.mirror


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("head.scale", -1.0, "head.scale is -1.0"),
        ("head.m1", 100.0, "m1"),
        ("batch_size", 1, "batch_size is 1"),
        ("data.size", 33, "data.size is 33"),
    ],
)
def test_a_field_out_of_range_is_named_and_nothing_starts(runs, field, value, word):
    app = visit(PAGE)
    app.number_input(key=own(field)).set_value(value).run()
    assert not app.exception
    assert word in told(app)
    assert app.button(key="full:start").disabled


def test_milestones_that_are_no_numbers_are_named(runs):
    app = visit(PAGE)
    app.text_input(key=own("schedule.milestones")).set_value("soon").run()
    assert "schedule.milestones is 'soon'" in told(app)


def with_own_pictures(app, train, sets=""):
    app.segmented_control(key=own("source")).set_value("own").run()
    app.text_input(key=own("data.train")).set_value(train)
    app.text_area(key=own("follow.sets")).set_value(sets).run()
    assert not app.exception
    return app


def test_a_wrong_path_is_said_before_the_start(runs, tmp_path):
    app = with_own_pictures(visit(PAGE), str(tmp_path / "nowhere"))
    assert "there is no" in told(app)
    started(app)
    assert list(runs.iterdir()) == []
    empty = tmp_path / "empty"
    empty.mkdir()
    app = with_own_pictures(app, str(empty))
    assert told(app)


def test_a_wrong_evaluation_set_is_said_before_the_start(runs, tmp_path):
    train = "faces:identities=4,images=4,size=32"
    app = started(with_own_pictures(visit(PAGE), train, f"\n{tmp_path}/lfw.bin\n"))
    assert "lfw.bin" in told(app)
    assert list(runs.iterdir()) == []


def test_a_name_that_is_taken_or_none_is_refused(runs):
    prepared(runs / "mine")
    app = visit(PAGE)
    app.button[0].click().run()
    for name, word in (("mine", "there is a run mine already"), ("../up", "'../up' cannot be")):
        app.text_input(key=own("name")).set_value(name).run()
        assert word in told(started(app))
    assert [path.name for path in runs.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_written_is_said(runs):
    runs.rmdir()
    runs.write_text("a file")
    assert "cannot be written" in told(started(visit(PAGE)))


def test_a_broken_run_can_be_deleted(runs):
    (prepared(runs / "bad") / "config.json").write_text('{"batch_size": "many"}')
    prepared(runs / "good")
    app = visit(PAGE, run="bad")
    assert "broken" in captions(app)
    app.button(key="full:delete").click().run()
    assert not app.exception
    assert not (runs / "bad").exists()
    assert app.radio(key=own("run")).value == "good"


def test_a_run_that_is_deleted_elsewhere_leaves_the_page_up(runs):
    folder = prepared(runs / "one")
    app = visit(PAGE, run="one")
    shutil.rmtree(folder)
    app.button(key="full:rename").click().run()
    assert not app.exception
    app.run()
    assert not app.exception
    assert app.info


def test_a_trainer_that_was_killed_can_be_resumed(runs):
    folder = prepared(runs / "one")
    (folder / "metrics.jsonl").write_text(
        '{"kind": "train", "step": 3, "time": 9.0, "loss": 1.0}\n'
    )
    process = {"pid": os.getpid(), "born": 1.0, "since": 0.0}  # somebody else has its number now
    (folder / "process.json").write_text(json.dumps(process))
    app = visit(PAGE)
    assert "failed · step 3 of 12" in captions(app)
    app.button(key="full:resume").click().run()
    assert not app.exception
    assert "waits" in captions(app)


def test_a_rename_moves_the_folder_and_the_address(runs):
    prepared(runs / "one")
    prepared(runs / "two")
    app = visit(PAGE, run="one")
    app.text_input(key="full:rename:one").set_value("two").run()
    app.button(key="full:rename").click().run()
    assert "there is a run two already" in told(app)
    app.text_input(key="full:rename:one").set_value("*three*").run()
    app.button(key="full:rename").click().run()
    assert "cannot be the name" in told(app)
    app.text_input(key="full:rename:one").set_value("three").run()
    app.button(key="full:rename").click().run()
    assert not app.error
    assert (runs / "three" / "config.json").exists()
    assert app.query_params["run"] == "three"


def test_a_link_to_a_run_that_is_not_there_is_said(runs):
    prepared(runs / "one")
    app = visit(PAGE, run="two")
    assert "run=two" in app.warning[0].value.replace("\\", "")
    assert app.radio(key=own("run")).value == "one"
