"""The playground's logic, page by page script run: controls in, the right run out."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from facevis.live.presets import PRESETS
from facevis.live.rooms import rooms

MAIN = str(Path(__file__).parents[1] / "facevis" / "ui" / "main.py")


def visit(**query):
    app = AppTest.from_file(MAIN, default_timeout=60)
    app.query_params.update(query)
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app):
    token, config = app.session_state["run"]
    return rooms.find(token), config


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("preset", ["arcface", "softmax_sphere", "triplet", "faces", "overfit"])
def test_a_preset_opens_in_both_languages(preset, lang):
    app = visit(preset=preset, lang=lang)
    run, config = shown(app)
    assert config == PRESETS[preset]
    assert run.error is None
    run.pause()


def test_every_choice_of_loss_opens_a_run_with_its_classic_margin():
    app = visit()
    for name in ("softmax", "contrastive", "cosface", "combined"):
        app.selectbox(key="objective").set_value(name).run()
        assert not app.exception
        run, config = shown(app)
        assert config.members[0].objective == name
        run.pause()
    assert app.selectbox(key="preset").value == "own"


def test_the_same_settings_keep_the_run_and_others_change_it():
    app = visit()
    first, _ = shown(app)
    app.run()
    assert shown(app)[0] is first
    app.number_input(key="seed").set_value(5).run()
    second, config = shown(app)
    assert second is not first
    assert config.seed == 5
    second.pause()


def test_steering_keeps_the_run_and_enters_the_link():
    app = visit(loss="arcface", seed="3")
    run, _ = shown(app)
    app.session_state["margin"] = type(app.session_state["margin"])(m2=0.31)
    token, config = app.session_state["run"]
    member = type(config.members[0])(margin=app.session_state["margin"])
    app.session_state["run"] = (token, type(config)(**{**config.__dict__, "members": (member,)}))
    app.run()
    assert shown(app)[0] is run
    assert app.query_params["m2"] in ("0.31", ["0.31"])
    run.pause()


def test_a_malformed_link_opens_the_default_and_says_so():
    app = visit(loss="arcface", m2="nan", dim="9", lang="xx")
    assert "m2=nan was ignored" in app.warning[0].value
    assert shown(app)[1].embedding_dim == 2


def test_what_cannot_be_opened_is_said_and_the_run_stays():
    app = visit()
    before, _ = shown(app)
    app.number_input(key="identities").set_value(40).run()
    assert not app.exception
    assert "10 classes" in app.error[0].value
    assert shown(app)[0] is before
    app.selectbox(key="dataset").set_value("own").run()
    assert not app.exception
    app.text_input(key="own_folder").set_value("/no/such/folder").run()
    assert "no dataset or path" in app.error[0].value
    assert shown(app)[0] is before
