"""The lecture: every lesson in both languages, its numbers computed, its links and tapes read."""

import dataclasses
import html.parser
import json
import math
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevis.assets import asset_path
from facevis.geometry import max_cosface, packing_angle
from facevis.i18n import LANGUAGES
from facevis.lessons import angles
from facevis.lessons.bundle import bundle, opening
from facevis.lessons.claims import CLAIMS, claim_text
from facevis.lessons.controls import Choice, Range
from facevis.lessons.notes import notes_page
from facevis.lessons.numbers import best_confidence
from facevis.lessons.programme import LESSONS, lesson, values_from_query
from facevis.lessons.routes import qr_svg
from facevis.lessons.tapes import ORDERS, tape
from facevis.lessons.texts import lesson_text, parse, text_path
from facevis.links import (
    DIMENSIONS_OF_STRANGERS,
    comparison_from_query,
    from_query,
    sweep_from_query,
)
from facevis.live.presets import COMPARISONS, OPEN_SET, PRESETS
from facevis.ui.strangers_state import PARTS
from facevis.ui.sweep_state import DEFAULT

BOTH = [(one, language) for one in LESSONS for language in LANGUAGES]
IDS = [f"{one.number}-{language}" for one, language in BOTH]


def plain(text):
    return re.sub("<[^>]+>", "", text)


@pytest.mark.parametrize(("one", "language"), BOTH, ids=IDS)
def test_a_lesson_is_whole_in_each_language(one, language):
    text = lesson_text(one.name, language)
    assert 2 <= len(text.options) <= 4
    assert sum(option.right for option in text.options) == 1
    assert set(text.notes) == {"Say", "Votes", "Misconceptions"}
    assert len(plain(text.lead)) <= 200
    assert len(plain(text.question)) <= 115
    assert len(plain(text.answer)) <= 340
    assert all(len(plain(option.text)) <= 62 for option in text.options)
    assert len(plain(text.text).split()) >= 120
    assert "https://" in text.sources or "19" in text.sources


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.slug)
def test_both_languages_ask_the_same_and_use_the_same_numbers(one):
    first, second = (lesson_text(one.name, language) for language in LANGUAGES)
    assert [o.right for o in first.options] == [o.right for o in second.options]
    assert first.minutes == second.minutes
    used = [
        set(re.findall(r"\[\[(\w+)\]\]", text_path(one.name, language).read_text("utf-8")))
        for language in LANGUAGES
    ]
    assert used[0] == used[1]


def test_no_lesson_is_left_over_and_none_is_missing():
    for language in LANGUAGES:
        there = {path.stem for path in asset_path("lessons", language).glob("*.md")}
        assert there == {one.name for one in LESSONS}
    assert [one.number for one in LESSONS] == list(range(1, 14))


def test_russian_lessons_are_written_in_russian():
    for one in LESSONS:
        text = plain(lesson_text(one.name, "ru").text)
        assert len(re.findall("[а-яё]", text)) > 4 * len(re.findall("[a-z]", text))


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.names = set()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)


def test_html_in_a_text_stays_text_and_numbers_reach_formulas():
    source = text_path("06-sphere", "en").read_text("utf-8")
    read = parse(source.replace("## Text\n", "## Text\n<script>alert(1)</script>\n\n"), "en")
    tags = Tags()
    tags.feed(read.text)
    assert "script" not in tags.names
    assert {"math", "p", "h3"} <= tags.names
    source = source.replace("## Text\n", "## Text\nIt is $m_3 \\le [[circle_bound_10]]$.\n\n")
    assert "<mn>0.191</mn>" in parse(source, "en").text
    assert "<mn>0,191</mn>" in parse(source, "ru").text


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("+++\n", "", 1), "TOML"),
        (("## Lead", "## Led"), "sections"),
        (("- [x]", "- [ ]"), "one of them right"),
        (("### Votes", "### Vote"), "sections"),
    ],
)
def test_a_broken_lesson_is_refused_in_words(change, wrong):
    source = text_path("01-softmax", "en").read_text("utf-8")
    with pytest.raises(ValueError, match=wrong):
        parse(source.replace(*change), "en")
    with pytest.raises(ValueError, match="no number called 'no_such'"):
        parse(source.replace("[[softmax_loss]]", "[[no_such]]"), "en")


# -- numbers -------------------------------------------------------------------------------------


def test_every_number_is_used_and_every_used_number_is_computed():
    used = set()
    for one, language in BOTH:
        used |= set(re.findall(r"\[\[(\w+)\]\]", text_path(one.name, language).read_text("utf-8")))
    assert used == set(CLAIMS)
    assert all(math.isfinite(claim.value()) for claim in CLAIMS.values())


def test_the_lectures_own_numbers():
    assert claim_text("circle_bound_10", "en") == "0.191"
    assert claim_text("circle_bound_10", "ru") == "0,191"
    assert claim_text("sphere_best_1", "en") == "45"
    assert best_confidence(1.0, 10) == pytest.approx(math.e / (math.e + 9 / math.e))
    assert claim_text("dimension_circle", "en") == "36"
    assert claim_text("dimension_sphere", "en") == "66.1"
    assert max_cosface(10, 2) == pytest.approx(1 - math.cos(math.radians(36)))
    assert max_cosface(7, 2) > 0.35 > max_cosface(8, 2)


def value(name):
    return CLAIMS[name].value()


def test_what_the_lessons_say_in_words_is_so():
    # 1: embeddings grow long. 2: it is sure of strangers. 4: most triplets are silent.
    assert value("softmax_median") > 10 * value("softmax_median_first")
    assert value("stranger_median") > 80
    assert value("triplet_semi_20") < 5
    assert value("triplet_all_20") < 5
    assert value("triplet_start") > 30
    assert value("triplet_hard_20") > 99
    assert value("triplet_hard_accuracy") < 50
    # 8: tighter and farther apart, accuracy unchanged, and past the bound it breaks.
    assert value("margin_intra_with") < 0.6 * value("margin_intra_without")
    assert value("margin_inter_with") > value("margin_inter_without") + 5
    assert value("margin_accuracy_with") == 100
    assert value("margin_held_with") > value("margin_held_without")
    assert value("margin_accuracy_beyond") < 95
    # 9: SphereFace no tighter than no margin. 10: a loss that cannot fall.
    assert value("formula_intra_sphereface") >= value("formula_intra_softmax")
    assert value("formula_intra_cosface") < value("formula_intra_arcface") < 2
    assert value("circle_loss_not") > 3 * value("circle_loss_fits")
    assert value("circle_accuracy_not") < 90 < value("circle_accuracy_fits")
    assert value("circle_loss_not") < min(value("circle_even_not"), value("circle_shared_not"))
    # 12: equal in training, unequal for strangers; the answer is "less than one fifth".
    assert value("strangers_least_accuracy") == pytest.approx(100, abs=0.5)
    assert value("strangers_lost_plain") > 80
    assert value("strangers_arcface_4") > 2 * value("strangers_plain_4")
    assert abs(value("strangers_triplet_2") - value("strangers_arcface_2")) < 3
    assert value("strangers_triplet_4") < value("strangers_arcface_4")
    # 13: tighter yes, wider prototypes no.
    assert value("full_intra_arcface") < value("full_intra_plain") - 2
    assert value("full_wec_arcface") < value("full_wec_plain") / 2
    assert value("full_winter_arcface") < value("full_winter_plain") < value("full_winter_cosface")
    assert value("full_inter_arcface") > value("full_inter_plain")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_margins_effect_is_that_of_every_seed(seed):
    without, with_margin = (
        tape(f"margin-{seed}").at(10**9)["statistics"][member] for member in (0, 10)
    )
    assert with_margin["intra"] < without["intra"]
    assert with_margin["w_inter"] > without["w_inter"]
    assert with_margin["accuracy"] == without["accuracy"] == 1.0
    assert with_margin["held_out_accuracy"] > without["held_out_accuracy"]


def test_the_table_of_angles_is_what_the_package_computes():
    table = angles.packing_table()
    for count in angles.COUNTS:
        for dim in (2, 3) if count in (2, 5, 8, 10, 12, 14, 20, 24) else (2,):
            assert table[str(dim)][count - 2] == angles.degrees(count, dim)
        assert table["free"][count - 2] == pytest.approx(
            math.degrees(packing_angle(count, max(count - 1, 2))), abs=1e-4
        )
    assert table["4"][8] == angles.degrees(10, 4)
    assert table["8"][18] == angles.degrees(20, 8)
    assert table["4"][22] == 60.0
    for found in table.values():
        assert found == sorted(found, reverse=True), "more points never stand farther apart"


# -- links ---------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=8))
def test_any_link_opens_a_lesson(query):
    state, ignored = opening(query)
    assert 1 <= state["number"] <= 13
    assert all(sentence.endswith(".") for sentence in ignored)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"lesson": "99"}, "lesson=99"),
        ({"lesson": "8", "m2": "nan"}, "m2=nan"),
        ({"lesson": "8", "m2": "x"}, "m2=x"),
        ({"lesson": "8", "seed": "7"}, "seed=7"),
        ({"lesson": "10", "count": "2.5"}, "count=2.5"),
        ({"view": "cinema"}, "view=cinema"),
        ({"hide": "walls"}, "hide=walls"),
        ({"step": "-3"}, "step=-3"),
        ({"cam": "1_2_3"}, "cam=1_2_3"),
        ({"answer": "yes"}, "answer=yes"),
    ],
)
def test_what_a_link_says_wrongly_is_ignored_and_named(query, named):
    state, ignored = opening(query)
    assert len(ignored) == 1
    assert ignored[0].startswith(f"{named} was ignored")
    assert state["values"] == {c.name: c.value for c in lesson(state["number"]).controls}


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.slug)
def test_every_value_of_a_control_comes_back_from_a_link(one):
    for control in one.controls:
        values = control.options if isinstance(control, Choice) else (control.low, control.high)
        for wanted in values:
            read, ignored = values_from_query(one, {control.name: str(wanted)})
            assert read[control.name] == wanted
            assert ignored == []
        if isinstance(control, Range):
            steps = (control.value - control.low) / control.step
            assert steps == pytest.approx(round(steps), abs=1e-6)


@pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.slug)
def test_the_link_to_go_on_with_is_understood_by_its_page(one):
    values = {control.name: control.value for control in one.controls}

    def fill(match):
        text = str(values[match[1]])
        pairs = dict(pair.split("=") for pair in (match[2] or "").split("|") if pair)
        return pairs.get(text, text)

    query = {k: re.sub(r"\{(\w+)(?::([^}]*))?\}", fill, v) for k, v in one.query.items()}
    if one.page == "":
        assert query.get("preset", "arcface") in PRESETS
        _, ignored = from_query({k: v for k, v in query.items() if k != "preset"})
    elif one.page == "compare":
        assert query.get("losses", "five") in COMPARISONS
        _, ignored = comparison_from_query(query, COMPARISONS["five"])
    elif one.page == "strangers":
        part = query.pop("part", "verification")
        assert part in PARTS
        config, ignored = comparison_from_query(query, OPEN_SET, DIMENSIONS_OF_STRANGERS)
        assert config == ORDERS[one.tapes[0]].config
    else:
        config, ignored = sweep_from_query(query, DEFAULT)
        assert config == dataclasses.replace(ORDERS["margin-0"].config, members=config.members)
    assert ignored == []


def test_a_bundle_is_json_and_names_all_lessons():
    for one, language in BOTH:
        told = json.loads(json.dumps(bundle(one.number, language, {})))
        assert len(told["titles"]) == 13
        assert all(f"live_lesson_control_{c['name']}" in told["strings"] for c in told["controls"])
        for control in told["controls"]:
            for option in control.get("options", ()):
                key = f"live_lesson_choice_{control['name']}_{option.replace('-', '_')}"
                assert re.fullmatch(r"[\d.]+", option) or key in told["strings"]


def test_every_word_of_the_lesson_modules_exists():
    words = tomllib.loads(asset_path("strings", "en.toml").read_text("utf-8"))
    known = {re.sub(r"_(one|few|many|other)$", "", key) for key in words}
    used = set()
    for path in [*asset_path("web", "lesson").glob("*.js"), asset_path("web", "share.js")]:
        source = path.read_text("utf-8")
        used |= set(re.findall(r"\b(?:words|chart)\(\"([a-z0-9_]+)\"", source))
    assert used
    assert {f"live_{key}" for key in used} <= known


def test_the_notes_are_one_page_with_every_lesson():
    for language in LANGUAGES:
        page = notes_page(language)
        for one in LESSONS:
            assert f'id="lesson-{one.number}"' in page
        assert not re.search(r"(src|href)=.http", page)


def test_a_qr_code_is_made_and_absurd_texts_are_refused():
    assert b"<svg" in qr_svg("http://127.0.0.1:8501/lecture?lesson=8")
    for text in ("", "x" * 5000):
        with pytest.raises(ValueError, match="characters"):
            qr_svg(text)


@pytest.mark.parametrize(
    ("number", "name", "chosen"),
    [
        (1, "softmax-5-2", {"classes": "5", "seed": "2"}),
        (2, "stranger", {}),
        (3, "contrastive", {"margin": 1.0}),
        (4, "triplet", {"mining": "batch-hard", "distance_margin": "0.5"}),
    ],
)
def test_one_goes_on_with_the_run_that_the_lesson_shows(number, name, chosen):
    one, shown = lesson(number), ORDERS[name].config
    values = {**{control.name: control.value for control in one.controls}, **chosen}
    query = {k: re.sub(r"\{(\w+)\}", lambda m: str(values[m[1]]), v) for k, v in one.query.items()}
    config, _ = from_query(query)
    assert config.members[0] in shown.members
    assert dataclasses.replace(config, members=shown.members) == shown
