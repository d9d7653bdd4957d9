"""The pages' logic, script run by script run: controls in, the right run out."""

import time

import pytest
from apptest import key, shown, visit
from streamlit.util import calc_hash

from facevis.live import Member, RunConfig
from facevis.live.presets import COMPARISONS, PRESETS
from facevis.live.rooms import rooms
from facevis.live.study import study_config
from facevis.live.sweep import swept_values
from facevis.margins import Margin
from facevis.ui import playground_state, state


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
        app.selectbox(key=key("objective")).set_value(name).run()
        assert not app.exception
        run, config = shown(app)
        assert config.members[0].objective == name
        run.pause()
    assert app.selectbox(key=key("preset")).value == "own"


def test_the_same_settings_keep_the_run_and_others_change_it():
    app = visit()
    first, _ = shown(app)
    app.run()
    assert shown(app)[0] is first
    app.number_input(key=key("seed")).set_value(5).run()
    second, config = shown(app)
    assert second is not first
    assert config.seed == 5
    second.pause()


def test_steering_keeps_the_run_and_enters_the_link():
    app = visit(loss="arcface", seed="3")
    run, _ = shown(app)
    app.session_state[key("margin")] = type(app.session_state[key("margin")])(m2=0.31)
    token, config = app.session_state["playground:run"]
    member = type(config.members[0])(margin=app.session_state[key("margin")])
    app.session_state["playground:run"] = (
        token,
        type(config)(**{**config.__dict__, "members": (member,)}),
    )
    app.run()
    assert shown(app)[0] is run
    assert app.query_params["m2"] in ("0.31", ["0.31"])
    run.pause()


def test_a_malformed_link_opens_the_default_and_says_so():
    app = visit(loss="arcface", m2="nan", dim="9", lang="xx")
    assert "m2=nan was ignored" in app.warning[0].value
    assert shown(app)[1].embedding_dim == 2


def test_a_link_may_leave_its_loss_and_more_to_a_preset():
    app = visit(dim="3", m2="0.9")
    config = shown(app)[1]
    assert (config.embedding_dim, config.members[0].margin) == (3, Margin.arcface(0.9))
    app = visit(preset="softmax", seed="7")
    config = shown(app)[1]
    assert (config.members[0].objective, config.seed) == ("softmax", 7)
    app = visit(preset="none")
    assert "preset=none was ignored" in app.warning[0].value


def test_what_cannot_be_opened_is_said_and_the_run_stays():
    app = visit()
    before, _ = shown(app)
    app.number_input(key=key("identities")).set_value(40).run()
    assert not app.exception
    assert "10 classes" in app.error[0].value
    assert shown(app)[0] is before
    app.selectbox(key=key("dataset")).set_value("own").run()
    assert not app.exception
    app.text_input(key=key("own_folder")).set_value("/no/such/folder").run()
    assert "no dataset or path" in app.error[0].value
    assert shown(app)[0] is before


@pytest.mark.parametrize("lang", ["en", "ru"])
@pytest.mark.parametrize("losses", COMPARISONS)
def test_one_click_opens_a_comparison(losses, lang):
    app = visit("compare", losses=losses, lang=lang)
    run, config = shown(app, "compare")
    assert config == COMPARISONS[losses]
    assert len({member.scale for member in config.members}) == 1
    assert app.query_params["losses"] in (losses, [losses])
    run.pause()


def test_members_are_added_changed_and_kept_in_the_link():
    app = visit("compare", losses="softmax_arcface")
    app.number_input(key=key("count", "compare")).set_value(3).run()
    app.selectbox(key=key("2:objective", "compare")).set_value("cosface").run()
    app.number_input(key=key("2:m3", "compare")).set_value(0.2).run()
    assert not app.exception
    run, config = shown(app, "compare")
    assert config.members[2] == Member(objective="cosface", margin=Margin.cosface(0.2), scale=24.0)
    assert app.selectbox(key=key("preset", "compare")).value == "own"
    link = app.query_params["members"]
    again = visit("compare", **{name: app.query_params[name] for name in ("members", "n", "steps")})
    assert "cosface:m3=0.2:s=24" in str(link)
    assert shown(again, "compare")[1].members == config.members
    for one in (run, shown(again, "compare")[0]):
        one.pause()


def test_one_scale_holds_for_all_until_it_is_opened_and_then_the_confound_is_named():
    app = visit("compare", losses="softmax_arcface")
    app.number_input(key=key("scale", "compare")).set_value(16.0).run()
    assert {member.scale for member in shown(app, "compare")[1].members} == {16.0}
    assert not app.warning
    app.toggle(key=key("equal_scale", "compare")).set_value(False).run()
    app.number_input(key=key("1:scale", "compare")).set_value(48.0).run()
    run, config = shown(app, "compare")
    assert [member.scale for member in config.members] == [24.0, 48.0]
    assert "scale and margin together" in app.warning[0].value
    run.pause()


@pytest.mark.parametrize(("scale", "then"), [(16.0, 8.0), (20.0, 20.0)])
def test_a_scale_chosen_by_hand_stays_in_another_dimension(scale, then, monkeypatch):
    values = {"embedding_dim": 3, "scale": scale}
    monkeypatch.setattr(state, "read", values.get)
    monkeypatch.setattr(state, "write", values.update)
    playground_state.take_dimension()
    assert (values["embedding_dim"], values["scale"]) == (3, then)


def test_members_of_two_dimensions_cannot_be_compared_and_the_link_says_so():
    app = visit("compare", members="arcface:dim=3,softmax:dim=2")
    assert "members share one dimension" in app.warning[0].value
    run, config = shown(app, "compare")
    assert config.embedding_dim == 2
    assert [member.objective for member in config.members] == ["arcface", "softmax"]
    run.pause()


def test_seeds_are_trained_on_request_and_shown_with_what_may_be_claimed():
    app = visit("compare", losses="softmax_arcface")
    shown(app, "compare")[0].pause()
    app.number_input(key=key("steps", "compare")).set_value(30).run()
    app.button(key="seeds_run").click().run()
    assert not app.exception
    token, config = app.session_state["compare:study"]
    study = rooms.find(token)
    assert study.config == study_config(config, 5)
    for _ in range(100):
        if study.state == "finished":
            break
        time.sleep(0.1)
    app.run()
    assert not app.exception
    table = next(h.value for h in app.get("html") if "fv-seeds" in str(h.value))
    assert table.count("<tr>") == 4
    assert "±" in table
    assert "of 5" in (app.success or app.info)[0].value
    shown(app, "compare")[0].pause()


@pytest.mark.parametrize("name", ["m1", "m2", "m3", "scale"])
def test_a_sweep_of_each_value_opens_and_returns_by_its_link(name):
    app = visit("scrub")
    app.get("segmented_control")
    app.session_state[key("swept", "scrub")] = name
    app.number_input(key=key("models", "scrub")).set_value(3)
    low, high = (1.0, 2.0) if name == "m1" else (8.0, 16.0) if name == "scale" else (0.0, 0.3)
    app.number_input(key=key("from", "scrub")).set_value(low)
    app.number_input(key=key("to", "scrub")).set_value(high).run()
    assert not app.exception
    run, config = shown(app, "scrub")
    assert run.aligned
    assert config.swept == name
    assert swept_values(config, name)[::2] == [low, high]
    query = {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()}
    again, same = shown(visit("scrub", **query), "scrub")
    assert same == config
    for one in (run, again):
        one.pause()


def test_an_impossible_sweep_is_said_and_the_run_stays():
    app = visit("scrub")
    before, _ = shown(app, "scrub")
    app.number_input(key=key("from", "scrub")).set_value(2.0).run()
    assert "let it rise" in app.error[0].value
    assert shown(app, "scrub")[0] is before
    before.pause()


def test_each_page_keeps_its_settings_while_another_is_shown():
    app = visit("compare", losses="family")
    app.number_input(key=key("seed", "compare")).set_value(7).run()
    shown(app, "compare")[0].pause()
    app._page_hash = calc_hash("scrub")
    app.run()
    shown(app, "scrub")[0].pause()
    app._page_hash = calc_hash("compare")
    app.run()
    assert not app.exception
    run, config = shown(app, "compare")
    assert config.seed == 7
    run.pause()


@pytest.mark.parametrize("page", ["", "compare", "scrub"])
def test_what_a_link_says_is_shown_as_text_and_fetches_nothing(page):
    link = {"data": "![x](https://example.org/p)", "sweep": "m2", "members": "softmax,arcface"}
    app = visit(page, loss="arcface", **link)
    assert "![x](https" not in app.warning[0].value
    assert "example.org" in app.warning[0].value
    for name in ("playground", "compare", "scrub"):
        if f"{name}:run" in app.session_state:
            shown(app, name)[0].pause()


def test_a_link_may_ask_for_all_that_the_core_allows():
    app = visit("compare", members="arcface:m2=3.1:s=1000,sphereface:m1=0.05:s=1000")
    run, config = shown(app, "compare")
    assert not app.warning
    assert [m.scale for m in config.members] == [1000.0, 1000.0]
    assert (config.members[0].margin.m2, config.members[1].margin.m1) == (3.1, 0.05)
    run.pause()
    app = visit("scrub", sweep="scale", to="1000", models="3", **{"from": "4"})
    run, config = shown(app, "scrub")
    assert swept_values(config, "scale") == [4.0, 502.0, 1000.0]
    run.pause()


def test_a_new_member_is_a_loss_that_is_not_there_yet():
    app = visit("compare", losses="family")
    app.number_input(key=key("count", "compare")).set_value(6).run()
    run, config = shown(app, "compare")
    assert len({member.objective for member in config.members}) == 6
    run.pause()


# -- the lecture -----------------------------------------------------------------------------


def lecture(**query):
    return visit("lecture", **query)


def test_the_lecture_opens_the_lesson_of_its_link():
    app = lecture(lesson="8", m2="0.4", view="present", hide="seed")
    shown = app.session_state["lecture"]
    assert (shown["number"], shown["values"]["m2"], shown["view"]) == (8, 0.4, "present")
    assert dict(app.query_params) == {
        "lesson": "8",
        "lang": "en",
        "view": "present",
        "hide": "seed",
    }
    assert not app.warning


def test_a_malformed_link_opens_the_first_lesson_and_says_why():
    app = lecture(lesson="<b>", view="upside-down", cam="x")
    assert app.session_state["lecture"]["number"] == 1
    said = " ".join(warning.value for warning in app.warning)
    for name in ("lesson", "view", "cam"):
        assert f"{name}=" in said


def test_the_lesson_can_be_taken_away():
    app = lecture(lesson="3")
    assert app.sidebar.get("download_button")
    assert not lecture(lesson="3", view="present").sidebar.get("download_button")


def test_two_visitors_of_one_link_watch_one_run():
    first, second = (visit(loss="cosface", seed="4321") for _ in range(2))
    assert shown(first)[0] is shown(second)[0]
    other = visit(loss="cosface", seed="4322")
    assert shown(other)[0] is not shown(first)[0]


def test_a_full_room_is_said_and_what_is_watched_stays(monkeypatch):
    there = rooms.find(rooms.share(RunConfig(seed=700_077)))
    leave = there.listen(lambda: None)
    monkeypatch.setattr(rooms, "_capacity", 1)
    app = visit(loss="arcface", seed="700078")
    assert "the room is full" in app.error[0].value
    assert rooms.find(rooms.share(RunConfig(seed=700_077))) is there
    leave()


def test_settings_survive_what_streamlit_forgets_while_another_page_is_shown():
    app = visit(loss="cosface", seed="9")
    app._page_hash = calc_hash("compare")
    app.run()
    for name in ("objective", "seed", "tail", "margin"):
        del app.session_state[key(name)]
    app._page_hash = calc_hash("")
    app.run()
    assert not app.error
    _, config = shown(app)
    assert (config.members[0].objective, config.seed) == ("cosface", 9)
