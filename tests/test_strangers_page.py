"""The open-set page's logic, script run by script run: controls and links in, the right run out."""

import pytest
from apptest import key, shown, visit

from facevis.live.presets import OPEN_SET

PAGE = "strangers"


def own(name):
    return key(name, PAGE)


def settled(app):
    run, config = shown(app, PAGE)
    run.pause()
    return run, config


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize(
    "part", ["verification", "landing", "identification", "enrolment", "certainty"]
)
def test_every_part_opens_in_both_languages(lang, part):
    app = visit(PAGE, lang=lang, part=part, steps="1")
    run, config = settled(app)
    assert run.error is None
    assert config.unseen == 24
    assert app.query_params["part"] == part
    assert not app.warning


def test_the_page_opens_with_half_of_the_drawn_people_as_strangers():
    run, config = settled(visit(PAGE))
    assert config == OPEN_SET
    assert (run.material.num_classes, run.material.dataset.num_classes) == (24, 48)


def test_another_dataset_brings_numbers_that_it_has():
    app = visit(PAGE, steps="1")
    settled(app)
    app.selectbox(key=own("dataset")).set_value("digits").run()
    assert not app.exception
    assert not app.error
    _, config = settled(app)
    assert (config.dataset, config.identities, config.unseen) == ("digits", 7, 3)


def test_more_than_three_dimensions_name_their_projection_and_few_do_not():
    app = visit(PAGE, steps="1", dim="512", data="digits", n="7", unseen="3", proj="span:4,0,2")
    _, config = settled(app)
    assert config.embedding_dim == 512
    assert app.query_params["proj"] == "span:4,0,2"
    app.number_input(key=own("embedding_dim")).set_value(3).run()
    _, config = settled(app)
    assert config.embedding_dim == 3
    assert "proj" not in app.query_params
    assert {member.scale for member in config.members} == {8.0}


def test_a_link_is_a_state_and_what_it_says_wrongly_is_named():
    app = visit(PAGE, dim="700", part="nowhere", proj="span:1,1,x", steps="1")
    _, config = settled(app)
    assert config.embedding_dim == 2
    told = app.warning[0].value
    for name in ("dim=700", "part=nowhere", "proj="):
        assert name in told.replace("\\", "")
    _, again = settled(visit(PAGE, **dict(app.query_params.items())))
    assert again == config


def test_no_strangers_is_said_and_the_run_on_screen_stays():
    app = visit(PAGE, steps="1")
    _, before = settled(app)
    app.number_input(key=own("unseen")).set_value(0).run()
    assert "strangers" in app.error[0].value
    assert settled(app)[1] == before


def test_one_stranger_alone_is_refused_in_words():
    app = visit(PAGE, steps="1")
    settled(app)
    app.number_input(key=own("unseen")).set_value(1).run()
    assert "one identity has no other" in app.error[0].value.replace("\\", "")
