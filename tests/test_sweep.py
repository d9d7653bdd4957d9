"""A sweep differs in one value, knows its bound, and is walked along without turning."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevis.alignment import align_members, procrustes
from facevis.geometry import feasible, packing_angle
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.frames import encode_snapshot
from facevis.live.material import SHOWN_OF_A_SWEEP, material_for
from facevis.live.sweep import sweep_bound, sweep_config, swept_values
from facevis.margins import Margin

PLAIN = RunConfig(members=(Member(objective="normalized_softmax", scale=24.0),), identities=7)


@pytest.mark.parametrize("name", ["m1", "m2", "m3", "scale"])
def test_members_of_a_sweep_differ_in_one_value_and_in_nothing_else(name):
    low, high = (1.0, 3.0) if name == "m1" else (4.0, 64.0) if name == "scale" else (0.0, 0.5)
    config = sweep_config(PLAIN, name, low, high)
    assert len(config.members) == 21
    assert config.swept == name
    values = swept_values(config, name)
    assert (values[0], values[-1]) == (low, high)
    assert np.allclose(np.diff(values), (high - low) / 20)
    first = config.members[0]
    for member, value in zip(config.members, values, strict=True):
        if name == "scale":
            assert member == dataclasses.replace(first, scale=value)
        else:
            margin = dataclasses.replace(first.margin, **{name: value})
            assert member == dataclasses.replace(first, margin=margin)


def test_a_comparison_whose_margins_happen_to_rise_is_no_sweep():
    rising = (Member(margin=Margin(m2=0.1)), Member(margin=Margin(m2=0.2)))
    config = dataclasses.replace(PLAIN, members=rising)
    assert config.swept is None
    assert len(material_for(config).shown) == len(material_for(PLAIN).shown)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("m4", 0.0, 1.0), "choose one of m1, m2, m3, scale"),
        (("m2", 0.5, 0.5), "let it rise"),
        (("m2", 0.0, 9.0), "m2 to is 9.0"),
        (("scale", 0.0, 9.0), "scale from is 0.0"),
        (("m3", 0.0, 1.0, 1), "the number of models is 1"),
        (("m3", math.nan, 1.0), "m3 from is nan"),
    ],
)
def test_an_impossible_sweep_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep_config(PLAIN, *arguments)


@given(st.integers(3, 20), st.floats(0.0, 0.5), st.sampled_from(["m2", "m3"]))
def test_the_bound_is_where_feasible_turns(classes, other, name):
    rest = Margin(m3=other) if name == "m2" else Margin(m2=other)
    config = dataclasses.replace(PLAIN, members=(Member(margin=rest),))
    bound = sweep_bound(config, name, classes)
    here = feasible(dataclasses.replace(rest, **{name: max(0.0, bound - 1e-6)}), classes, 2)
    beyond = feasible(dataclasses.replace(rest, **{name: bound + 1e-6}), classes, 2)
    assert not beyond
    assert here or bound == 0.0


def test_bounds_are_those_of_the_papers():
    assert sweep_bound(PLAIN, "m2", 7) == pytest.approx(packing_angle(7, 2))
    assert sweep_bound(PLAIN, "m3", 10) == pytest.approx(1.0 - math.cos(math.radians(36)))
    assert sweep_bound(PLAIN, "m1", 10) is None
    assert sweep_bound(PLAIN, "scale", 10) == pytest.approx(0.9 * math.log(9 * 0.9 / 0.1))


@given(st.integers(2, 3), st.integers(0, 2**31))
def test_what_was_turned_or_mirrored_is_turned_back(dim, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(9, dim))
    turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    found = procrustes(points @ turn, points)
    assert np.allclose(points @ turn @ found, points)
    assert np.allclose(found @ found.T, np.eye(dim))


def test_members_are_turned_onto_each_other_and_no_angle_changes():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(7, 2)).astype(np.float32)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    mirror = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)
    prototypes = np.stack([first, first @ mirror, first @ mirror @ mirror])
    embeddings = np.repeat(prototypes, 3, axis=1)
    moved, centres = align_members(embeddings, prototypes)
    assert np.allclose(centres, first, atol=1e-6)
    assert np.allclose(moved @ moved.mT, embeddings @ embeddings.mT, atol=1e-5)


def test_a_member_that_diverged_turns_none_of_those_after_it():
    rng = np.random.default_rng(1)
    prototypes = rng.normal(size=(5, 7, 3)).astype(np.float32)
    prototypes[1:] = prototypes[0] + 0.05 * rng.normal(size=(4, 7, 3))
    embeddings = prototypes.copy()
    healthy, _ = align_members(np.delete(embeddings, 2, 0), np.delete(prototypes, 2, 0))
    embeddings[2] = prototypes[2] = np.nan
    moved, _ = align_members(embeddings, prototypes)
    assert np.array_equal(np.delete(moved, 2, 0), healthy)
    assert np.isnan(moved[2]).all()


def test_a_frame_of_an_aligned_run_shows_the_turned_members_and_the_snapshot_stays():
    config = dataclasses.replace(
        PLAIN, members=(Member(seed=0, scale=24.0), Member(seed=1, scale=24.0))
    )
    ensemble = Ensemble(config, device="cpu")
    snapshot = ensemble.snapshot()
    before = snapshot.prototypes.copy()
    plain = encode_snapshot(snapshot, kept=True, time_ms=0.0, applied=None)
    turned = encode_snapshot(snapshot, kept=True, time_ms=0.0, applied=None, aligned=True)
    assert np.array_equal(snapshot.prototypes, before)
    size = before.nbytes
    start = 4 + int.from_bytes(plain[:4], "little")
    own = np.frombuffer(plain[start : start + size], "<f4").reshape(before.shape)
    aligned = np.frombuffer(turned[start : start + size], "<f4").reshape(before.shape)
    assert np.array_equal(own[0], aligned[0])
    apart = [np.linalg.norm(one[1] - one[0]) for one in (own, aligned)]
    assert apart[1] < apart[0]


def test_a_sweep_shows_fewer_samples_of_each_model():
    sweep = sweep_config(PLAIN, "m2", 0.0, 0.5, 3)
    assert len(material_for(sweep).shown) == SHOWN_OF_A_SWEEP
    assert len(material_for(PLAIN).shown) > SHOWN_OF_A_SWEEP
