"""Verification against scikit-learn and against the whole matrix of similarities held in memory."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from facevis.verification import (
    ANGLES_DEG,
    auc,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    eer,
    fold_pairs,
    kfold_accuracy,
    pair_similarities,
    pairs,
    roc,
    sample_pairs,
    tar_at_far,
)
from facevis.verification.bootstrap import _read, _shares, _tables

FARS = (0.5, 1e-1, 1e-2, 1e-3, 1e-4, 0.0)


def people(count, each, dim=8, seed=0, spread=0.8):
    """Embeddings of people in no order, and who they are."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(range(count), each))
    return rng.standard_normal((count, dim))[labels] + spread * rng.standard_normal(
        (count * each, dim)
    ), labels


def all_at_once(points, labels):
    """Every similarity in one matrix, and whether it is of one person."""
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosines = np.rint(points @ points.T * pairs.GRID) / pairs.GRID
    first, second = np.triu_indices(len(labels), 1)
    return cosines[first, second], labels[first] == labels[second]


def exact_tar(values, same, far):
    """The best TAR of any threshold at which at most far·I impostors pass."""
    genuine, impostor = values[same], values[~same]
    levels = np.r_[np.unique(values), np.inf]
    allowed = np.floor(far * len(impostor) * (1 + 1e-12))
    fits = [t for t in levels if (impostor >= t).sum() <= allowed]
    return (genuine >= min(fits)).mean()


CASES = {
    "plain": people(12, 6),
    "close": people(5, 20, dim=3, spread=2.0),
    "one picture of some": (people(9, 4)[0][:-3], people(9, 4)[1][:-3]),
    "ties": (np.round(people(8, 8, dim=3)[0]) + 0.5, people(8, 8, dim=3)[1]),
    "the same picture of two people": (
        np.r_[people(6, 5)[0], people(6, 5)[0][:6]],
        np.r_[people(6, 5)[1], (people(6, 5)[1][:6] + 1) % 6],
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("block", [7, 2**20])
def test_all_pairs_in_blocks_are_the_whole_matrix(name, block, monkeypatch):
    monkeypatch.setattr(pairs, "_BLOCK", block)
    points, labels = CASES[name]
    values, same = all_at_once(points, labels)
    scores = compare_all(points, labels)
    assert np.array_equal(scores.genuine, np.sort(values[same]))
    assert scores.impostors == (~same).sum()
    assert auc(scores) == pytest.approx(roc_auc_score(same, values), abs=1e-12)
    for far in FARS:
        assert tar_at_far(scores, far).tar == exact_tar(values, same, far)
    for row, kind in enumerate((same, ~same)):
        angles = np.degrees(np.arccos(np.clip(values[kind], -1, 1)))
        # An angle that is on a mark to the last bits may be counted on either side of it.
        low = (angles[None] <= ANGLES_DEG[:, None] - 1e-6).sum(axis=1)
        high = (angles[None] <= ANGLES_DEG[:, None] + 1e-6).sum(axis=1)
        assert (low <= scores.accepted[row]).all()
        assert (scores.accepted[row] <= high).all()


@pytest.mark.parametrize("name", CASES)
def test_roc_and_det_are_those_of_scikit_learn(name):
    points, labels = CASES[name]
    values, same = all_at_once(points, labels)
    curve = roc(compare_all(points, labels))
    far, tar, thresholds = roc_curve(same, values)
    for x, y, level in zip(far, tar, thresholds, strict=True):
        at_least = np.searchsorted(-curve.threshold, -level, side="right") - 1
        assert curve.tar[at_least] == pytest.approx(y)
        left, right = curve.far[at_least], curve.far[min(at_least + 1, len(curve.far) - 1)]
        assert left - 1e-12 <= x <= right + 1e-12
    assert np.trapezoid(curve.tar, curve.far) == pytest.approx(roc_auc_score(same, values))
    false_accepts, misses, _ = det_curve(same, values)
    for x, y in zip(false_accepts, misses, strict=True):
        # On the polygon: between the misses just before and just after that FAR.
        inside = 1.0 - curve.tar[np.isclose(curve.far, x)]
        if len(inside):
            assert inside.min() - 1e-9 <= y <= inside.max() + 1e-9
    assert (np.diff(curve.far) >= 0).all()
    assert (np.diff(curve.tar) >= 0).all()
    assert (curve.far[0], curve.tar[0], curve.far[-1], curve.tar[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("name", CASES)
def test_the_equal_error_rate_lies_on_the_curve_where_both_errors_are_equal(name):
    points, labels = CASES[name]
    scores = compare_all(points, labels)
    rate, curve = eer(scores), roc(scores)
    after = np.argmax(curve.far + curve.tar >= 1.0)
    low, high = curve.far[max(0, after - 1)], curve.far[after]
    assert low - 1e-12 <= rate <= high + 1e-12
    if high > low:
        share = (rate - low) / (high - low)
        tar = curve.tar[after - 1] + share * (curve.tar[after] - curve.tar[after - 1])
        assert 1.0 - tar == pytest.approx(rate, abs=1e-12)


@given(
    st.lists(st.integers(-2, 2), min_size=12, max_size=40),
    st.lists(st.integers(0, 3), min_size=20, max_size=20),
)
@settings(max_examples=80, deadline=None)
def test_any_small_integers_with_many_ties(numbers, owners):
    points = np.array(numbers[: len(numbers) // 2 * 2], float).reshape(-1, 2)
    points[:, 0] += 0.25  # nobody is zero
    labels = np.array(owners[: len(points)])
    _, sizes = np.unique(labels, return_counts=True)
    if len(sizes) < 2 or sizes.max() < 2 or (points == points[0]).all():
        return
    try:
        scores = compare_all(points, labels)
    except ValueError as error:  # multiples of one direction are the same embedding
        assert "same way" in str(error)
        return
    values, same = all_at_once(points, labels)
    for far in (0.3, 0.05, 0.0):
        assert tar_at_far(scores, far).tar == exact_tar(values, same, far)
    assert auc(scores) == pytest.approx(roc_auc_score(same, values), abs=1e-12)


def test_tensors_single_precision_and_lengths_make_no_difference():
    points, labels = CASES["plain"]
    expected = compare_all(points, labels)
    single = compare_all(points.astype(np.float32), labels)
    assert np.allclose(single.genuine, expected.genuine, atol=1e-6)
    lengths = np.random.default_rng(1).uniform(1e-30, 1e30, (len(points), 1))
    assert np.allclose(compare_all(points * lengths, labels).genuine, expected.genuine, atol=1e-9)
    tensor = compare_all(torch.tensor(points), torch.tensor(labels))
    assert np.array_equal(tensor.reaching, expected.reaching)


def test_a_far_that_rests_on_fewer_than_ten_impostors_is_marked():
    scores = compare_pairs(np.linspace(0, 1, 1010), np.arange(1010) >= 1000)
    assert scores.impostors == 1000
    assert tar_at_far(scores, 1e-2).reliable
    assert not tar_at_far(scores, 9e-3).reliable


def test_nothing_is_accepted_where_impostors_lie_above_everybody():
    at = tar_at_far(compare_pairs(np.array([0.9, 0.1]), np.array([False, True])), 0.5)
    assert (at.tar, at.false_accepts) == (0.0, 0)
    assert np.isnan(at.threshold)


def test_pairs_are_not_held_in_memory():
    points, labels = people(300, 10, dim=16)
    held = 8 * len(points) * (len(points) - 1) // 2

    def peak(work):
        tracemalloc.start()
        work()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    bound = 1.6 * held
    assert peak(lambda: compare_all(points, labels)) < bound
    assert peak(lambda: all_at_once(points, labels)) > bound


# -- listed and sampled pairs, folds --------------------------------------------------------------


def test_listed_pairs_have_the_similarity_that_all_pairs_have():
    points, labels = CASES["plain"]
    values, same = all_at_once(points, labels)
    first, second = np.triu_indices(len(labels), 1)
    assert np.array_equal(pair_similarities(points, first, second), values)
    assert np.array_equal(
        compare_pairs(values, same).reaching, compare_all(points, labels).reaching
    )


def test_sampled_pairs_are_of_both_kinds_and_every_pair_is_alike():
    labels = np.repeat([0, 1, 2], [2, 3, 5])
    first, second, same = sample_pairs(labels, 40_000, seed=3)
    assert (first != second).all()
    assert np.array_equal(labels[first] == labels[second], same)
    assert same.sum() == 40_000
    for kind, there in ((same, 1 + 3 + 10), (~same, 6 + 10 + 15)):
        keys = np.minimum(first[kind], second[kind]) * 10 + np.maximum(first[kind], second[kind])
        _, counts = np.unique(keys, return_counts=True)
        assert len(counts) == there
        expected = 40_000 / there
        assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def reference_folds(values, same, folds):
    """Ten-fold accuracy as one would write it down."""
    parts = np.array_split(np.arange(len(values)), folds)
    accuracies = []
    for part in parts:
        learn = np.setdiff1d(np.arange(len(values)), part)
        best, chosen = -1.0, None
        for level in [np.inf, *sorted(set(values[learn]), reverse=True)]:
            right = ((values[learn] >= level) == same[learn]).sum()
            if right > best:
                best, chosen = right, level
        accuracies.append(((values[part] >= chosen) == same[part]).mean())
    return np.array(accuracies)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("count", "folds"), [(200, 10), (203, 10), (30, 7), (4, 4)])
def test_ten_folds_are_the_straightforward_ones_to_the_last_digit(seed, count, folds):
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.5
    values = rng.standard_normal(count) + same
    values = np.round(values, 1) if seed % 2 else values  # with ties and without
    found = kfold_accuracy(values, same, folds)
    expected = reference_folds(values, same, folds)
    assert np.array_equal(found.accuracies, expected)
    assert found.mean == expected.mean()


def test_no_person_is_in_two_folds():
    labels = np.random.default_rng(0).permutation(np.repeat(range(23), 5))
    first, second, same = fold_pairs(labels, folds=10, per_fold=20)
    assert len(first) == 200
    parts = [
        set(labels[first[k * 20 : (k + 1) * 20]]) | set(labels[second[k * 20 : (k + 1) * 20]])
        for k in range(10)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts))
    assert all(same[k * 20 : (k + 1) * 20].sum() == 10 for k in range(10))


# -- intervals ------------------------------------------------------------------------------------


def test_a_resample_is_the_weighted_computation():
    points, labels = people(6, 5, dim=4)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    genuine, impostor = _tables(unit, labels, labels, 6, None)
    weights = np.array([2, 0, 1, 1, 2, 0])
    first, second = np.triu_indices(6)
    products = weights[first] * weights[second]
    products[first == second] = weights
    found = _read(
        _shares(products[None] @ impostor)[0], _shares(weights[None] @ genuine)[0], (0.2, 0.05)
    )
    values, same = all_at_once(points, labels)
    a, b = np.triu_indices(len(labels), 1)
    weight = np.where(same, weights[labels[a]], weights[labels[a]] * weights[labels[b]])
    for far, tar in zip((0.2, 0.05), found, strict=True):
        total = weight[~same].sum()
        best = 0.0
        for level in np.unique(values[same]):
            above = values >= level
            if weight[~same & above].sum() <= far * total * (1 + 1e-12):
                best = max(best, weight[same & above].sum() / weight[same].sum())
        assert tar == pytest.approx(best)


def test_intervals_hold_the_estimate_narrow_with_people_and_repeat():
    widths = []
    for count in (12, 150):  # the second is more than there are groups
        points, labels = people(count, 6, dim=6, spread=1.0)
        found = bootstrap_tar(points, labels, [1e-1, 1e-2])
        again = bootstrap_tar(points, labels, [1e-1, 1e-2])
        assert np.array_equal(found.low, again.low)
        tar = tar_at_far(compare_all(points, labels), 1e-1).tar
        assert found.low[0] <= tar <= found.high[0]
        assert found.identities == count
        widths.append(found.high[0] - found.low[0])
    assert widths[1] < widths[0]
