"""A link gives back the state it was made from; any other link gives a state and a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.links import from_query, to_query
from facevis.live import Member, RunConfig
from facevis.live.presets import PRESETS
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


keys = st.sampled_from(["loss", "m1", "m2", "m3", "s", "dim", "n", "lr", "seed", "data", "sq", "d"])
values = st.text(max_size=12) | st.floats().map(str) | st.integers().map(str)


@given(st.dictionaries(keys | st.text(max_size=5), values))
@settings(max_examples=300, deadline=None)
def test_any_link_gives_a_valid_state(query):
    config, ignored = from_query(query)
    assert from_query(to_query(config))[0] == config
    assert all(len(sentence) < 400 for sentence in ignored)
