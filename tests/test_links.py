"""A link gives back the state it was made from; any other link gives a state and a sentence."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.links import (
    comparison_from_query,
    comparison_to_query,
    from_query,
    start_from_query,
    sweep_from_query,
    sweep_to_query,
    to_query,
)
from facevis.live import Member, RunConfig
from facevis.live.presets import COMPARISONS, PRESETS
from facevis.live.sweep import sweep_config
from facevis.margins import Margin


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_its_link(name):
    assert from_query(to_query(PRESETS[name])) == (PRESETS[name], [])


def test_every_field_survives_its_link():
    member = Member(
        objective="combined",
        margin=Margin(1.2, 0.3, 0.1),
        scale=30.5,
        tail="linear",
        gradient="detached",
        mining="all",
        distance_margin=0.7,
        squared=True,
        warmup=50,
    )
    config = RunConfig(
        members=(member,),
        dataset="mnist",
        identities=7,
        images_per_class=20,
        embedding_dim=3,
        network="cnn",
        batch_size=64,
        learning_rate=0.01,
        seed=9,
        steps=300,
    )
    assert from_query(to_query(config)) == (config, [])


@pytest.mark.parametrize(
    "query",
    [
        {"m2": "nan"},
        {"m2": "inf"},
        {"m1": "-2"},
        {"loss": "hinge"},
        {"n": "1000000000"},
        {"n": "1"},
        {"dim": "512"},
        {"data": "/etc"},
        {"lr": "1e400"},
        {"seed": "x"},
        {"sq": "maybe"},
        {"s": "0"},
        {"batch": "9" * 5000},
    ],
)
def test_a_bad_part_is_ignored_and_said(query):
    config, ignored = from_query(query)
    assert config == RunConfig()
    assert len(ignored) == 1
    assert next(iter(query)) in ignored[0]


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_survives_its_link(name):
    link = comparison_to_query(COMPARISONS[name])
    assert comparison_from_query(link, RunConfig()) == (COMPARISONS[name], [])


@pytest.mark.parametrize("members", ["softmax", ",".join(["softmax"] * 30)])
def test_a_comparison_of_too_few_or_too_many_is_the_usual_one(members):
    usual = COMPARISONS["five"]
    config, ignored = comparison_from_query({"members": members, "seed": "9"}, usual)
    assert config.members == usual.members
    assert config.seed == 9
    assert len(ignored) == 1
    assert ignored[0].startswith("members=")
    assert comparison_from_query({}, usual) == (usual, [])


@pytest.mark.parametrize(
    ("name", "high", "count"), [("m1", 2.0, 11), ("m2", 0.5, 3), ("m3", 0.4, 21), ("scale", 64, 2)]
)
def test_a_sweep_survives_its_link(name, high, count):
    base = RunConfig(members=(Member(margin=Margin(1.2, 0.3, 0.1), scale=20.0),), dataset="mnist")
    sweep = sweep_config(base, name, 1.0 if name == "m1" else 0.1, high, count)
    assert sweep_from_query(sweep_to_query(sweep), RunConfig()) == (sweep, [])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"sweep": "m4"}, "sweep=m4 was ignored: .*choose one of"),
        ({"sweep": "m2", "from": "far"}, "sweep=m2 was ignored: .*from"),
        ({"sweep": "m2", "from": "1", "to": "0"}, "sweep=m2 was ignored: .*let it rise"),
        ({"sweep": "m2", "models": "1000"}, "sweep=m2 was ignored: .*number of models is 1000"),
        ({"sweep": "m3", "loss": "triplet"}, "loss=triplet was ignored: "),
    ],
)
def test_what_is_no_sweep_is_the_usual_one_and_said(query, said):
    usual = sweep_config(RunConfig(), "m3", 0.0, 0.4)
    config, ignored = sweep_from_query(query, usual)
    assert config.swept == "m3"
    assert len(ignored) == 1
    assert re.match(said, ignored[0])
    assert sweep_from_query({"m2": "far"}, usual) == (usual, [])


def test_a_link_says_where_its_picture_begins():
    ignored = []
    link = {"step": "12", "cam": "1_2_3_-4.5", "at": "37.5", "project": "1"}
    start = {"step": 12, "camera": "1_2_3_-4.5", "place": 37.5, "project": True}
    assert start_from_query(link, ignored) == start
    assert ignored == []
    wrong = {"step": "-1", "cam": "1_2_3", "at": "101", "project": "yes"}
    assert start_from_query(wrong, ignored) == {}
    assert [sentence.split(" was ignored: ")[0] for sentence in ignored] == [
        f"{name}={value}" for name, value in wrong.items()
    ]
    assert start_from_query({"cam": "1_2_3_1000"}, ignored) == {}


keys = st.sampled_from(["loss", "m1", "m2", "m3", "s", "dim", "n", "lr", "seed", "data", "sq", "d"])
values = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str)


@given(st.dictionaries(keys | st.text(max_size=5), values))
@settings(max_examples=300, deadline=None)
def test_any_link_gives_a_valid_state(query):
    config, ignored = from_query(query)
    assert from_query(to_query(config))[0] == config
    assert all(len(sentence) < 400 for sentence in ignored)
