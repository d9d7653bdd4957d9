"""The lecturer's side: what the pages show the class, and what is bounded."""

import json
from dataclasses import replace

import pytest
from apptest import key, shown, visit

from facevis.classroom import room as rooming
from facevis.classroom.limits import Limits, enforce, limits
from facevis.live import Recording, RunConfig
from facevis.live.material import material_for
from facevis.live.shown import ShownRun
from facevis.ui import classroom_state, uploads, windows

# -- what the class sees ------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path):
    opened = rooming.open_classroom(Limits(), tmp_path / "votes.csv")
    opened.addresses = ["http://192.168.1.5:8600"]
    yield opened
    rooming.close_classroom()


def beside(app):
    """All words beside the page."""
    return " ".join(
        element.value for kind in ("caption", "markdown") for element in app.sidebar.get(kind)
    )


def test_without_a_classroom_the_pages_say_nothing_of_one():
    app = visit("lecture", lesson="7")
    assert "of at most" not in beside(app)
    assert "room" not in told(app)


def told(app):
    """What the lesson's page is told."""
    return json.loads(app.main.get("bidi_component")[0].proto.json)


def test_the_class_sees_the_lesson_that_the_lecturer_is_on(room):
    app = visit("lecture", lesson="7", lang="ru")
    assert room.scene == {"kind": "lesson", "number": 7, "lang": "ru", "run": None}
    assert told(app)["room"] == {
        "desk": room.desk,
        "addresses": room.addresses,
        "code": room.door.code,
    }
    assert "Студенты видят эту страницу" in beside(app)


def test_the_class_sees_a_run_and_its_next_one(room):
    app = visit(loss="arcface", seed="1201")
    first = room.scene
    assert (first["kind"], first["mode"]) == ("run", "single")
    assert first["token"] == app.session_state["playground:run"][0]
    assert not {"theme", "strings", "lang", "steering", "base"} & set(first)
    app.number_input(key=key("seed")).set_value(1202).run()
    assert room.scene["token"] == app.session_state["playground:run"][0] != first["token"]
    assert "Students see this page" in beside(app)
    shown(app)[0].pause()


@pytest.mark.parametrize("page", ["runs", "yourself", "fullscale"])
def test_what_is_the_lecturers_own_is_not_shown(room, page):
    room.show_lesson(3, "en")
    app = visit(page)
    assert room.scene == {"kind": "none"}
    assert "Students do not see this page" in beside(app)


def test_pictures_of_the_lecturers_own_are_not_shown(room, tmp_path):
    from PIL import Image

    for person in ("ann", "bob"):
        (tmp_path / "faces" / person).mkdir(parents=True)
        for number in range(4):
            picture = Image.new("L", (16, 16), 40 * number)
            picture.save(tmp_path / "faces" / person / f"{number}.png")
    app = visit()
    assert room.scene["kind"] == "run"
    app.selectbox(key=key("dataset")).set_value("own").run()
    app.text_input(key=key("own_folder")).set_value(str(tmp_path / "faces")).run()
    run, config = shown(app)
    assert config.dataset == str(tmp_path / "faces")
    assert room.scene == {"kind": "none"}
    run.pause()


def test_one_window_leads_until_it_is_closed_or_another_takes_the_lead(room, monkeypatch):
    opened = {"first", "second"}
    window = ["first"]
    monkeypatch.setattr(classroom_state, "this_window", lambda: window[0])
    monkeypatch.setattr(classroom_state, "is_open", opened.__contains__)
    visit("lecture", lesson="2")
    window[0] = "second"
    app = visit("lecture", lesson="5")
    assert room.scene["number"] == 2
    assert "Students see another window of yours" in beside(app)
    app.button(key="room_lead").click().run()
    assert room.scene["number"] == 5
    window[0] = "first"
    visit("lecture", lesson="3")
    assert room.scene["number"] == 5
    opened.remove("second")
    visit("lecture", lesson="4")
    assert room.scene["number"] == 4


# -- what is bounded ----------------------------------------------------------------------------


@pytest.fixture
def few():
    before = limits()
    enforce(Limits(sessions=1, uploads_mib=1))
    yield
    enforce(before)


def test_a_window_too_many_waits_for_another_to_close(few, monkeypatch):
    opened = {"other": True}
    monkeypatch.setattr(windows, "_windows", windows.Windows())
    monkeypatch.setattr(windows, "is_open", lambda window: opened.get(window, True))
    assert windows._windows.place("other", 1, windows.is_open) == 0
    app = visit("lecture", lesson="7")
    assert app.info[0].value == (
        "The app is full: 1 windows are open. Your place in line: 1. "
        "Keep this page open: it goes on when another window is closed."
    )
    assert not app.main.get("bidi_component")
    opened["other"] = False
    app.run()
    assert not app.info
    assert told(app)["number"] == 7


def test_uploads_take_so_much_in_all_and_no_more(few, monkeypatch, tmp_path):
    monkeypatch.setattr(uploads, "uploads", lambda: tmp_path)
    kept = uploads.keep("one", "a.zip", 600_000, lambda: b"x" * 600_000)
    assert kept.read_bytes() == b"x" * 600_000
    assert uploads.keep("one", "a.zip", 600_000, lambda: pytest.fail("read twice")) == kept
    with pytest.raises(ValueError, match=r"b\.zip has 0\.6 MiB, but of 1 MiB .* 0\.6 are taken"):
        uploads.keep("two", "b.zip", 600_000, lambda: pytest.fail("read in vain"))
    assert uploads.keep("three", "../../c.zip", 9, lambda: b"123456789").parent.parent == tmp_path


def test_a_run_of_private_pictures_does_not_stand_in_for_a_lesson_on_students_screens(
    room, monkeypatch
):
    state = {}
    monkeypatch.setattr(classroom_state.state, "language", lambda: "en")
    monkeypatch.setattr(classroom_state.state, "keep", state.__setitem__)
    config = RunConfig(dataset="digits", steps=1)
    run = ShownRun(Recording(config), material_for(config))
    classroom_state.show_lesson(13, ("token", "digits for all", run))
    assert room.scene["run"] == {"token": "token", "title": "digits for all"}
    run.config = replace(config, dataset="pictures")
    classroom_state.show_lesson(13, ("token", "private", run))
    assert room.scene["run"] is None
