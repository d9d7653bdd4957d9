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
    bootstrap,
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
    similarity,
    tar_at_far,
)

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
    cosines = np.rint(points @ points.T * similarity.GRID) / similarity.GRID
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


def off_polygon(corners, points):
    """How far rising points are from a rising polygon, at the same FAR + TAR."""
    on = np.interp(points[0] + points[1], corners[0] + corners[1], corners[0])
    return np.abs(on - points[0]).max()


@pytest.mark.parametrize("name", CASES)
def test_roc_det_and_equal_error_rate_are_those_of_scikit_learn(name):
    points, labels = CASES[name]
    values, same = all_at_once(points, labels)
    scores = compare_all(points, labels)
    curve = roc(scores)
    far, tar, _ = roc_curve(same, values, drop_intermediate=False)
    false_accepts, misses, _ = det_curve(same, values)
    assert off_polygon((curve.far, curve.tar), (far, tar)) < 1e-12
    assert off_polygon((far, tar), (curve.far, curve.tar)) < 1e-12
    assert off_polygon((curve.far, curve.tar), (false_accepts, 1.0 - misses)) < 1e-12
    assert np.trapezoid(curve.tar, curve.far) == pytest.approx(roc_auc_score(same, values))
    assert eer(scores) == pytest.approx(np.interp(0.0, far + tar - 1.0, far), abs=1e-12)
    assert (np.diff(curve.far) >= 0).all()
    assert (np.diff(curve.tar) >= 0).all()
    assert (curve.far[0], curve.tar[0], curve.far[-1], curve.tar[-1]) == (0, 0, 1, 1)
    for x, y, level in zip(curve.far, curve.tar, curve.threshold, strict=True):
        # What the curve promises, its threshold does.
        assert ((values[~same] >= level).mean(), (values[same] >= level).mean()) == (x, y)


def test_a_pair_on_the_mark_is_accepted():
    turned = np.radians(np.r_[0.0, ANGLES_DEG])
    points = np.stack([np.cos(turned), np.sin(turned)], axis=1)
    labels = np.r_[0, 0, np.arange(1, len(ANGLES_DEG))]
    degrees = np.abs(np.subtract.outer(np.r_[0.0, ANGLES_DEG], np.r_[0.0, ANGLES_DEG]))
    apart = degrees[np.triu_indices(len(labels), 1)][1:]  # the first pair is the genuine one
    accepted = compare_all(points, labels).accepted
    assert (accepted[0] == 1).all()
    assert np.array_equal(accepted[1], (apart[None] <= ANGLES_DEG[:, None]).sum(axis=1))


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
    assert np.isnan(at.threshold_deg)


def test_an_operating_point_accepts_what_it_says_at_its_threshold():
    points, labels = CASES["close"]
    values, same = all_at_once(points, labels)
    for far in (0.3, 0.05, 0.01):
        at = tar_at_far(compare_all(points, labels), far)
        assert (values[same] >= at.threshold).mean() == at.tar
        assert (values[~same] >= at.threshold).sum() == at.false_accepts
        assert at.threshold in values[same]
        assert np.cos(np.radians(at.threshold_deg)) == pytest.approx(at.threshold)


def test_pairs_are_not_held_in_memory():
    points, labels = people(300, 10, dim=16)
    held = 8 * len(points) * (len(points) - 1) // 2

    def peak(work):
        tracemalloc.start()
        work()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    bound = 0.8 * held  # less than the similarities alone
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
    accuracies, thresholds = [], []
    for part in parts:
        learn = np.setdiff1d(np.arange(len(values)), part)
        best, chosen = -1.0, None
        for level in [np.inf, *sorted(set(values[learn]), reverse=True)]:
            right = ((values[learn] >= level) == same[learn]).sum()
            if right > best:
                best, chosen = right, level
        accuracies.append(((values[part] >= chosen) == same[part]).mean())
        thresholds.append(chosen)
    return np.array(accuracies), np.array(thresholds)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("count", "folds"), [(200, 10), (203, 10), (30, 7), (4, 4)])
def test_ten_folds_are_the_straightforward_ones_to_the_last_digit(seed, count, folds):
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.5
    values = rng.standard_normal(count) + same
    values = np.round(values, 1) if seed % 2 else values  # with ties and without
    found = kfold_accuracy(values, same, folds)
    expected, thresholds = reference_folds(values, same, folds)
    assert np.array_equal(found.accuracies, expected)
    assert np.array_equal(found.thresholds, thresholds)
    assert found.mean == expected.mean()
    assert found.standard_error == pytest.approx(np.sqrt(expected.var(ddof=1) / folds))


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


@pytest.mark.parametrize("groups", [128, 5])
def test_intervals_are_those_of_the_weighted_pairs(groups, monkeypatch):
    monkeypatch.setattr(bootstrap, "_GROUPS", groups)
    points, labels = people(12, 5, dim=4)
    fars, resamples = (0.2, 0.05), 40
    found = bootstrap_tar(points, 7 * labels - 3, fars, resamples, confidence=0.8, seed=4)
    rng = np.random.default_rng(4)
    group = (rng.permutation(12) % groups)[labels]
    count = group.max() + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    assert ((drawn > 0).sum(axis=1) > 1).all()  # or some would be drawn again
    values, same = all_at_once(points, labels)
    a, b = (group[rows] for rows in np.triu_indices(len(labels), 1))
    tars = []
    for weights in drawn:
        weight = np.where(a == b, weights[a], weights[a] * weights[b])
        levels = np.unique(values[same])[:, None] <= values
        false = (levels * weight)[:, ~same].sum(axis=1) / weight[~same].sum()
        true = (levels * weight)[:, same].sum(axis=1) / weight[same].sum()
        tars.append([true[false <= far * (1 + 1e-12)].max(initial=0.0) for far in fars])
    low, high = np.quantile(tars, (0.1, 0.9), axis=0)
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)
    assert (low < high).all()


def test_intervals_are_the_quantiles_of_a_plain_bootstrap():
    points, labels = people(11, 4, dim=4, spread=1.5)
    values, same = all_at_once(points, labels)
    a, b = np.triu_indices(len(labels), 1)
    levels = np.unique(values[same])
    rng = np.random.default_rng(7)
    group = rng.permutation(11)[labels]  # the order in which people are drawn
    tars = []
    while len(tars) < 150:
        for weights in rng.multinomial(11, np.full(11, 1 / 11), size=64):
            own, pair = weights[group[a]], weights[group[a]] * weights[group[b]]
            weight = np.where(same, own, pair)
            far = np.array([weight[~same & (values >= t)].sum() for t in levels])
            tar = np.array([weight[same & (values >= t)].sum() for t in levels])
            fits = far <= 0.1 * weight[~same].sum() * (1 + 1e-12)
            tars.append(tar[fits].max(initial=0.0) / weight[same].sum())
    found = bootstrap_tar(points, labels, [0.1], resamples=150, seed=7)
    expected = np.quantile(tars[:150], (0.025, 0.975))
    assert [found.low[0], found.high[0]] == pytest.approx(expected, abs=1e-9)


def test_a_draw_in_which_nobody_has_two_pictures_is_drawn_again():
    rng = np.random.default_rng(0)
    labels = np.r_[0, 0, 0, 1:12]
    found = bootstrap_tar(rng.standard_normal((14, 4)), labels, [0.1, 0.5])
    assert np.isfinite(found.low).all()
    assert np.isfinite(found.high).all()


def test_intervals_hold_the_estimate_narrow_with_people_and_repeat():
    widths = []
    for count in (12, 150):  # the second is more than there are groups
        points, labels = people(count, 6, dim=6, spread=1.0)
        found, again, other = (
            bootstrap_tar(points, labels, [1e-1, 1e-2], resamples=128, seed=seed)
            for seed in (0, 0, 1)
        )
        assert np.array_equal([found.low, found.high], [again.low, again.high])
        assert not np.array_equal([found.low, found.high], [other.low, other.high])
        scores = compare_all(points, labels)
        tars = [tar_at_far(scores, far).tar for far in (1e-1, 1e-2)]
        assert (found.low <= tars).all()
        assert (tars <= found.high).all()
        assert found.identities == count
        widths.append(found.high - found.low)
    assert (widths[1] < widths[0]).all()
