"""Several seeds: what is trained, what is averaged, and what may then be said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from facevis.geometry import feasible
from facevis.intervals import mean_interval
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.presets import COMPARISON_SCALE, COMPARISONS
from facevis.live.recording import STATISTICS, Snapshot
from facevis.live.study import claim, members_of, one_seed, study_config, summarise

TWO = RunConfig(members=(Member(objective="normalized_softmax"), Member()), identities=4, steps=3)


def snapshot_of(values):
    """A snapshot whose statistics are given, (members, seeds, statistics)."""
    rows = np.asarray(values, np.float32).reshape(-1, len(STATISTICS))
    blank = np.zeros((len(rows), 1, 2), np.float32)
    ones = np.ones(len(rows), np.float32)
    return Snapshot(0, blank, blank.copy(), ones, rows, np.zeros((len(rows), 3)), ones.copy())


def summary_of(statistic, *members):
    """A summary of members with the given values of one statistic."""
    values = np.full((len(members), len(members[0]), len(STATISTICS)), np.nan)
    values[:, :, STATISTICS.index(statistic)] = members
    return summarise(snapshot_of(values), len(members[0]))


def test_the_interval_is_scipys():
    values = np.random.default_rng(0).standard_normal((7, 3, 2))
    mean, half = mean_interval(values, 0.9)
    low, high = stats.t.interval(0.9, 6, values.mean(0), stats.sem(values))
    assert np.allclose(mean - half, low)
    assert np.allclose(mean + half, high)


def test_the_interval_by_hand():
    mean, half = mean_interval([10.0, 12.0, 14.0, 16.0])
    assert mean == 13.0
    assert half == pytest.approx(3.182446 * math.sqrt(20 / 3) / 2, rel=1e-6)  # t(0.975, 3)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    values = np.random.default_rng(1).standard_normal((5, 20000))
    mean, half = mean_interval(values)
    assert np.mean(np.abs(mean) <= half) == pytest.approx(0.95, abs=0.005)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8),
    st.floats(-1e3, 1e3),
    st.floats(0.01, 100),
)
def test_the_interval_moves_and_grows_with_the_values(values, shift, factor):
    mean, half = mean_interval(values)
    moved, grown = mean_interval(np.array(values) * factor + shift)
    assert moved == pytest.approx(mean * factor + shift, abs=1e-6)
    assert grown == pytest.approx(half * factor, rel=1e-6, abs=1e-6)


def test_a_seed_without_a_number_leaves_no_mean_and_its_neighbours_whole():
    mean, half = mean_interval([[1.0, 1.0, 1.0], [2.0, np.nan, np.inf]])
    assert (mean[0], half[0]) == (1.5, pytest.approx(6.353, abs=1e-3))
    assert np.isnan(mean[1:]).all()
    assert np.isnan(half[1:]).all()


def test_one_value_has_a_mean_and_no_width():
    mean, half = mean_interval([3.0])
    assert mean == 3.0
    assert np.isnan(half)


@pytest.mark.parametrize("values", [[], 3.0])
def test_no_values_are_refused(values):
    with pytest.raises(ValueError, match="give at least one"):
        mean_interval(values)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, math.nan])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match="confidence is"):
        mean_interval([1.0, 2.0], confidence)


def test_a_member_of_a_study_is_the_run_it_would_be_alone():
    study = Ensemble(study_config(TWO, 2), device="cpu")
    study.train(3)
    alone = Ensemble(RunConfig(members=(Member(seed=1),), identities=4), device="cpu")
    alone.train(3)
    assert np.allclose(study.snapshot().embeddings[3], alone.snapshot().embeddings[0], atol=1e-5)


def test_a_study_shares_the_deal_and_differs_in_its_seeds():
    study = study_config(TWO, 3)
    assert study.seed == TWO.seed
    assert [m.seed for m in study.members] == [0, 1, 2, 0, 1, 2]
    assert [m.objective for m in study.members[::3]] == ["normalized_softmax", "arcface"]


@pytest.mark.parametrize(("seeds", "message"), [(129, "at most 128 seeds"), (0, "seeds is 0")])
def test_too_many_or_no_seeds_are_refused(seeds, message):
    with pytest.raises(ValueError, match=message):
        study_config(TWO, seeds)


def test_a_part_of_a_recording_holds_those_members_and_no_others():
    whole = Ensemble(study_config(TWO, 2), device="cpu").record()
    part = one_seed(whole, 2, 1)
    assert [(m.objective, m.seed) for m in part.config.members] == [
        ("normalized_softmax", 1),
        ("arcface", 1),
    ]
    for own, all_of in zip(part.snapshots, whole.snapshots, strict=True):
        assert own.step == all_of.step
        assert np.array_equal(own.embeddings, all_of.embeddings[[1, 3]])
        assert np.array_equal(own.statistics, all_of.statistics[[1, 3]], equal_nan=True)
    assert type(part).from_bytes(part.to_bytes()).config == part.config
    assert members_of(whole, [3]).snapshots[-1].losses == whole.snapshots[-1].losses[3]


def test_a_summary_keeps_members_and_seeds_apart():
    values = np.arange(2 * 3 * len(STATISTICS)).reshape(2, 3, -1)
    summary = summarise(snapshot_of(values), 3)
    assert np.array_equal(summary.values, values)
    assert np.allclose(summary.mean, values.mean(axis=1))
    assert summary.seeds == 3


def test_a_summary_wants_the_right_number_of_seeds():
    with pytest.raises(ValueError, match="6 members, which is no whole number of 4 seeds"):
        summarise(snapshot_of(np.zeros((2, 3, len(STATISTICS)))), 4)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ([1.0, 1.1, 0.9], [2.0, 2.1, 1.9], "lower"),
        ([2.0, 2.1, 1.9], [1.0, 1.1, 0.9], "higher"),
        ([1.0, 2.0, 3.0], [2.0, 2.1, 1.9], "none"),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], "none"),
        ([1.0, np.nan, 1.0], [9.0, 9.0, 9.0], "unknown"),
        ([1.0], [2.0], "unknown"),
    ],
)
def test_a_difference_is_claimed_only_where_intervals_part(first, second, verdict):
    summary = summary_of("intra", first, second)
    mirrored = {"lower": "higher", "higher": "lower"}.get(verdict, verdict)
    assert summary.verdict("intra", 0, 1) == verdict
    assert summary.verdict("intra", 1, 0) == mirrored


def test_a_verdict_on_what_was_not_measured_is_refused():
    summary = summary_of("intra", [1.0, 2.0])
    with pytest.raises(ValueError, match="statistic is 'beauty'"):
        summary.verdict("beauty", 0, 0)
    with pytest.raises(ValueError, match="reference is 1"):
        summary.verdict("intra", 0, 1)


def test_the_claim_is_counted_seed_by_seed():
    values = np.zeros((2, 4, len(STATISTICS)))
    intra, w_inter = STATISTICS.index("intra"), STATISTICS.index("w_inter")
    values[0, :, intra], values[0, :, w_inter] = 10.0, 50.0
    values[1, :, intra] = [5.0, 5.0, 11.0, np.nan]
    values[1, :, w_inter] = [50.0, 49.0, 51.0, 51.0]
    assert claim(summarise(snapshot_of(values), 4), 0, 1) == (2, 3, 1, 4)


def test_the_comparisons_are_at_one_scale_and_their_margins_fit():
    for config in COMPARISONS.values():
        assert {m.scale for m in config.members} == {COMPARISON_SCALE[2]}
        for member in config.members:
            assert feasible(member.margin, config.identities, config.embedding_dim)


def test_in_the_lectures_figure_arcface_is_tighter_and_no_nearer():
    config = COMPARISONS["softmax_arcface"]
    ensemble = Ensemble(study_config(config, 3), device="cpu")
    ensemble.train(config.steps)
    summary = summarise(ensemble.snapshot(), 3)
    assert claim(summary, 0, 1) == (3, 3, 3, 3)
    assert summary.verdict("intra", 1, 0) == "lower"
