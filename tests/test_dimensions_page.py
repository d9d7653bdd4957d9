"""The page about many dimensions and lesson 13 with a trained network, script run by script run."""

import time

import pytest
import torch
from apptest import key, visit
from network_files import STRANGERS, one_thread, run_folder, small_network
from runs import prepared, small

from facevis.fullscale.training import Training
from facevis.library import toys
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.rooms import rooms

PAGE = "dimensions"


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of runs: one trained, one whose checkpoint is of another version, one without."""
    runs = tmp_path_factory.mktemp("runs")
    fields = {"steps": 6, "follow__sets": (STRANGERS,)}
    Training(prepared(runs / "mine", **fields), small(**fields), torch.device("cpu")).run()
    old = run_folder(runs / "old", (3,))
    (old / "checkpoints" / "step-00000003" / "progress.json").write_text('{"format": "x-9"}')
    prepared(runs / "fresh")
    return runs


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.setenv("FACEVIS_RUNS", str(folder))


def own(name):
    return key(name, PAGE)


def settled(app):
    """The page once its survey is done."""
    _, survey = app.session_state["dimensions:survey"]
    survey.wait(120)
    assert not survey.running
    app.run()
    assert not app.exception, app.exception
    return survey


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize(
    "part", ["landing", "verification", "hardest", "enrolment", "identification"]
)
def test_a_link_to_a_run_opens_every_part_in_both_languages(part, lang):
    app = visit(PAGE, run="mine", part=part, lang=lang)
    survey = settled(app)
    assert survey.error == ""
    assert not app.error
    assert app.query_params["run"] == "mine"
    assert app.query_params["part"] == part
    _, token = app.session_state["dimensions:token"]
    assert rooms.watch(token) is survey.run
    assert any("lecture?lesson=13&run=mine" in text.value for text in app.markdown)


def test_the_newest_run_is_offered_and_nothing_is_embedded_before_it_is_asked_for():
    app = visit(PAGE)
    assert app.selectbox(key=own("source")).value in ("mine", "old")
    assert "dimensions:survey" not in app.session_state
    assert app.info


def test_other_people_and_fewer_of_them_are_looked_at_on_request():
    app = visit(PAGE, run="mine")
    settled(app)
    app.number_input(key=own("identities")).set_value(4)
    app.selectbox(key=own("until")).set_value(3)
    app.selectbox(key=own("people")).set_value("set 0").run()
    assert any("looked at before" in text.value for text in app.caption)
    app.button(key="dims_look").click().run()
    survey = settled(app)
    assert survey.error == ""
    assert survey.run.material.num_classes == 4
    assert survey.run.step == 3
    assert not survey.own_prototypes


def test_the_three_people_of_a_link_are_kept_and_impossible_ones_replaced():
    app = visit(PAGE, run="mine", proj="span:4,1,7")
    settled(app)
    assert app.query_params["proj"] == "span:4,1,7"
    assert app.selectbox(key=own("third")).value == 7
    app = visit(PAGE, run="mine", proj="span:4,900,7")
    settled(app)
    assert app.query_params["proj"] == "span:4,0,7"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"run": "nobody"}, "no run of that name"),
        ({"run": "fresh"}, "no run of that name"),
        ({"run": "../mine"}, "no run of that name"),
        ({"run": "mine", "step": "7"}, "choose one of 3, 6"),
        ({"part": "everything"}, "choose one of landing"),
        ({"proj": "span:a"}, "give three numbers"),
    ],
)
def test_what_a_link_says_wrongly_is_said(query, said):
    app = visit(PAGE, **query)
    assert said in app.warning[0].value.replace("\\", "")


def test_a_checkpoint_of_another_version_is_said_and_the_page_stays(folder):
    app = visit(PAGE, run="old")
    assert "of a version of facevis" in app.error[0].value.replace("\\", "")
    app.selectbox(key=own("source")).set_value("mine").run()
    app.button(key="dims_look").click().run()
    assert settled(app).error == ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere.onnx", "there is no file"),
        ("words.txt", "is no network"),
        ("torn.onnx", "not an ONNX model"),
        ("weights.pth", "name it, --backbone"),
    ],
)
def test_a_model_that_is_none_is_said(tmp_path, path, said):
    (tmp_path / "words.txt").write_text("words")
    (tmp_path / "torn.onnx").write_bytes(b"torn")
    torch.save(small_network().state_dict(), tmp_path / "weights.pth")
    app = visit(PAGE)
    app.selectbox(key=own("source")).set_value(":file").run()
    app.text_input(key=own("path")).set_value(str(tmp_path / path)).run()
    app.button(key="dims_look").click().run()
    assert said in app.error[0].value.replace("\\", "")


def test_weights_brought_along_look_at_a_set_of_ones_own(tmp_path):
    torch.save(small_network().state_dict(), tmp_path / "backbone.pth")
    app = visit(PAGE)
    app.selectbox(key=own("source")).set_value(":file").run()
    app.text_input(key=own("path")).set_value(str(tmp_path / "backbone.pth")).run()
    app.selectbox(key=own("backbone")).set_value("mobilefacenet")
    app.selectbox(key=own("people")).set_value("other").run()
    assert app.button(key="dims_look").disabled
    app.text_input(key=own("people_path")).set_value("no/such/set").run()
    app.button(key="dims_look").click().run()
    settled(app)
    assert "there is no no/such/set" in app.error[0].value.replace("\\", "")
    app.text_input(key=own("people_path")).set_value(STRANGERS).run()
    app.button(key="dims_look").click().run()
    assert settled(app).error == ""
    assert "run" not in app.query_params


def test_cancelling_and_clearing(folder):
    app = visit(PAGE, run="mine")
    settled(app)
    clear = next(b for b in app.button if b.label.startswith("Clear kept"))
    clear.click().run()
    assert not list((folder / ".embeddings").glob("*.npy"))
    assert not [b for b in app.button if b.label.startswith("Clear kept")]


# -- lesson 13 -------------------------------------------------------------------------------------


def test_lesson_13_takes_a_trained_network_and_gives_its_own_recording_back():
    app = visit("lecture", lesson="13", run="mine")
    deadline = time.monotonic() + 60
    while app.session_state["lecture:run"].survey.running and time.monotonic() < deadline:
        time.sleep(0.05)
    app.run()
    assert app.query_params["run"] == "mine"
    stage = app.session_state["lecture:run"]
    assert stage.title == "mine"
    assert rooms.watch(stage.token).step == 6
    back = next(b for b in app.button if "own recording" in b.label)
    back.click().run()
    assert not app.exception
    assert "run" not in app.query_params


def test_lesson_13_takes_a_kept_run_and_one_of_this_app(folder):
    config = RunConfig(members=(Member(), Member(objective="triplet")), identities=4, steps=2)
    recording = Ensemble(config, device="cpu").record()
    if not (folder / "small one").exists():
        toys.keep(recording, folder, "small one")
    token = rooms.open(config, recording)
    for name in ("small one", token):
        app = visit("lecture", lesson="13", run=name)
        assert not app.warning
        assert app.query_params["run"] == name
        shown = rooms.watch(app.session_state["lecture:run"].token)
        assert len(shown.members) == 2


@pytest.mark.parametrize("name", ["nobody", "../mine", "fresh", ".embeddings"])
def test_lesson_13_says_which_run_it_cannot_take(name):
    app = visit("lecture", lesson="13", run=name)
    assert "was ignored" in app.warning[0].value
    assert "run" not in app.query_params


def test_another_lesson_takes_no_run():
    app = visit("lecture", lesson="12", run="mine")
    assert not app.warning
    assert "run" not in app.query_params
