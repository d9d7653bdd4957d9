"""Every word exists in both languages, with the same values in it."""

import copy
import math
import re
import string
from pathlib import Path

import pytest

from facevis.assets import asset_path
from facevis.geometry import max_cosface, packing_angle
from facevis.i18n import LANGUAGES, Said, strings, told, translator
from facevis.links import from_query
from facevis.live.projection import parse_projection
from facevis.margins import Margin
from facevis.ui.library_words import size, with_margin

UI = Path(__file__).parents[1] / "facevis" / "ui"
PLURALS = re.compile(r"_(one|few|many|other)$")


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_words():
    english, russian = (
        {PLURALS.sub("", key) for key in strings(language)} for language in LANGUAGES
    )
    assert english == russian


def test_both_languages_take_the_same_values():
    english, russian = (strings(language) for language in LANGUAGES)
    different = [k for k in english if k in russian and fields(english[k]) != fields(russian[k])]
    assert different == []
    assert all(text.strip() for words in (english, russian) for text in words.values())


def test_every_key_used_by_the_pages_exists():
    used = set()
    for path in UI.rglob("*.py"):
        used |= set(re.findall(r'\bt\("([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert used
    assert used <= set(strings("en"))


def test_what_a_link_says_wrongly_is_said_in_the_pages_language():
    russian = translator("ru")
    _, ignored = from_query({"loss": "arcface", "m2": "9", "seed": "x", "data": "cats"})
    assert len(ignored) == 3
    for sentence in ignored:
        again = copy.deepcopy(sentence)
        assert again == sentence
        assert not re.search("give|choose|ignored", told(russian, again))
    assert "Не учтено m2=9: зазор m2: 9.0 не подходит" in told(russian, ignored[0])
    with pytest.raises(ValueError, match="a class is 9") as wrong:
        parse_projection("span:0,1,9", 5)
    assert told(russian, wrong.value) == "класс: 9 не подходит; нужно целое число от 0 до 4."
    assert told(russian, ValueError("no words")) == "no words"
    assert told(russian, ValueError(Said("link_number"))) == "нужно число."


def test_numbers_of_a_loss_and_of_a_file_are_written_as_the_language_has_them(monkeypatch):
    monkeypatch.setattr("facevis.ui.state.language", lambda: "ru")
    assert with_margin("ArcFace", Margin.arcface(0.5), 16.0) == "ArcFace; m2 = 0,5; s = 16"
    assert "1,3" in size(translator("ru"), 1_260_000)


def test_an_unknown_key_fails_and_an_unknown_language_is_english():
    with pytest.raises(KeyError):
        translator("en")("no_such_word")
    assert strings("xx") == strings("en")


def test_every_language_has_a_file_and_every_file_a_language():
    files = {path.stem for path in asset_path("strings").glob("*.toml")}
    assert files == set(LANGUAGES)


def test_russian_is_written_in_russian():
    words = strings("ru").values()
    assert sum(bool(re.search("[а-яё]", text)) for text in words) > 0.8 * len(words)


def test_values_are_put_in_and_words_without_values_keep_their_braces():
    t = translator("ru")
    assert "40" in t("own_loaded", images=40, classes=4, name="mine")
    assert "{images}" in t("own_loaded")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_in_the_notes_are_those_of_the_geometry(language):
    words = strings(language)
    bound = f"{max_cosface(10, 2):.3f}"
    assert (bound if language == "en" else bound.replace(".", ",")) in words[
        "preset_note_cosface_fits"
    ]
    for dim in (2, 3):
        degrees = f"{math.degrees(packing_angle(10, dim)):.0f}°"
        assert degrees in words["preset_note_arcface_sphere"]
