"""The page about your own faces: what is named comes in, what is forgotten is gone."""

import pytest
from apptest import key, visit
from faces_drawn import write_people

from facevis.live.rooms import rooms
from facevis.ui import yourself_state

PAGE = "yourself"


@pytest.fixture
def kept(monkeypatch):
    """One store, as a session of a browser has it."""
    store = yourself_state.Held()
    monkeypatch.setattr(yourself_state, "held", lambda: store)
    return store


def name_folder(app, path):
    app.text_input(key=key("folder", PAGE)).set_value(str(path))
    return app.run()


def take_picture(store, path):
    data = path.read_bytes()
    store.shots[yourself_state.digest(data)] = yourself_state.Photograph("camera 1", "", data)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_it_opens_and_says_that_nothing_leaves(lang, kept):
    app = visit(PAGE, lang=lang)
    assert any(("memory" in c.value) or ("памяти" in c.value) for c in app.caption)
    assert app.info


def test_who_is_nearest_is_the_one_on_another_picture_and_all_is_forgotten(tmp_path, kept):
    write_people(tmp_path, people=3, each=3)
    mine = tmp_path / "p2" / "2.png"
    take_picture(kept, mine)
    mine.unlink()
    app = name_folder(visit(PAGE), tmp_path)
    assert not app.exception
    nearest = [m.value for m in app.markdown if "°" in m.value]
    assert "p2" in nearest[0]
    token = kept.shown[1]
    assert rooms.watch(token) is not None
    app.button(key="you_forget").click().run()
    assert not app.exception
    assert rooms.watch(token) is None
    assert not any((kept.shots, kept.portraits, kept.points, kept.folder))
    assert app.text_input(key=key("folder", PAGE)).value == ""
    assert sorted(p.name for p in (tmp_path / "p2").iterdir()) == ["0.png", "1.png"]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path, kept):
    app = name_folder(visit(PAGE), tmp_path / "none")
    assert "there is no folder" in app.error[0].value
    assert not app.exception


def test_a_model_that_is_not_there_is_one_sentence(tmp_path, kept):
    write_people(tmp_path, people=2, each=1)
    take_picture(kept, tmp_path / "p0" / "0.png")
    app = visit(PAGE)
    app.selectbox(key=key("model", PAGE)).set_value("other").run()
    app.text_input(key=key("path", PAGE)).set_value(str(tmp_path / "no.onnx"))
    app = name_folder(app, tmp_path)
    assert "there is no file" in app.error[0].value.replace("\\", "")
    assert not app.exception
