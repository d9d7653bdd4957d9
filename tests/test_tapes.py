"""Tapes and exported files: whole, small, of the runs they are ordered as."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from facevis.assets import asset_path
from facevis.lessons.export import lesson_html, write_lesson
from facevis.lessons.numbers import strangers_at
from facevis.lessons.programme import LESSONS
from facevis.lessons.tapes import ORDERS, last_points, record, tape, tape_path


def test_all_recordings_together_are_small():
    files = [path for path in asset_path("recordings").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15e6
    assert {path.stem for path in files if path.suffix == ".tape"} == set(ORDERS)


@pytest.mark.parametrize("name", ORDERS)
def test_a_tape_is_of_the_run_it_is_ordered_as(name):
    found, order = tape(name), ORDERS[name]
    assert found.config == order.config
    assert found.header["frames"][-1]["step"] == order.config.steps
    assert found.header["frames"][0]["step"] == 0
    points, labels = last_points(name, 0)
    assert len(points) == len(labels) == found.header["run"]["points"] <= order.points


def test_a_tape_recorded_anew_tells_the_same():
    made, shipped = record("contrastive"), tape("contrastive")
    assert made.header["run"] == shipped.header["run"]
    assert [f["step"] for f in made.header["frames"]] == [
        f["step"] for f in shipped.header["frames"]
    ]
    first, again = (t.header["frames"][-1]["statistics"][0] for t in (shipped, made))
    # Another processor rounds otherwise, and 800 steps multiply that.
    assert again["accuracy"] == pytest.approx(first["accuracy"], abs=0.02)
    assert again["w_inter"] == pytest.approx(first["w_inter"], abs=3)


@pytest.mark.parametrize("damage", ["missing", "cut", "text"])
def test_a_damaged_tape_is_named(damage, monkeypatch, tmp_path):
    whole = tape_path("contrastive").read_bytes()
    path = tmp_path / "contrastive.tape"
    if damage != "missing":
        path.write_bytes(whole[:4000] if damage == "cut" else b"not a tape")
    monkeypatch.setattr("facevis.lessons.tapes.tape_path", lambda name: path)
    tape.cache_clear()
    with pytest.raises(ValueError, match=r"contrastive\.tape, cannot be read"):
        tape("contrastive")
    tape.cache_clear()


def test_every_tape_is_shown_by_a_lesson_and_every_lesson_has_its_tapes():
    assert {name for one in LESSONS for name in one.tapes} == set(ORDERS)


def test_tar_at_far_is_scikit_learns():
    points, labels = last_points("strangers", 1)
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    i, j = np.triu_indices(len(points), 1)
    scores, same = (points @ points.T)[i, j], labels[i] == labels[j]
    false, true, _ = roc_curve(same, scores, drop_intermediate=False)
    for far in (1e-1, 1e-2, 1e-3):
        assert strangers_at(1, far).tar == pytest.approx(true[false <= far].max(), abs=1e-9)


@pytest.mark.parametrize("place", ["", "nowhere/lesson.html", "x" * 300 + ".html"])
def test_a_lesson_that_cannot_be_written_is_said_in_a_sentence(place, tmp_path):
    with pytest.raises(ValueError, match=r"cannot be written .*; name another file\."):
        write_lesson(3, "en", tmp_path / place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_until_the_new_file_is_whole(fault, tmp_path, monkeypatch):
    path = tmp_path / "lesson.html"
    path.write_text("before")

    def fail(*_):
        raise fault

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ValueError if isinstance(fault, OSError) else KeyboardInterrupt):
        write_lesson(3, "en", path)
    assert [one.name for one in tmp_path.iterdir()] == ["lesson.html"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(("number", "language"), [(0, "en"), (14, "en"), (3, "de")])
def test_an_unknown_lesson_or_language_is_refused(number, language):
    with pytest.raises(ValueError, match="choose one"):
        lesson_html(number, language)
