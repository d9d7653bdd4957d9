"""What verification draws, what it takes where nothing is said, and what it does at its edges."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from facevis.verification import (
    FOLDS,
    bootstrap,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    eer,
    far_grid,
    fold_pairs,
    hardest_pairs,
    identification,
    identify,
    kfold_accuracy,
    pair_similarities,
    pairs,
    people_accuracy,
    roc,
    sample_pairs,
    split_gallery,
    tar_at_far,
)


def people(count, each, dim=4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(range(count), each))
    return rng.standard_normal((count, dim))[labels] + rng.standard_normal(
        (count * each, dim)
    ), labels


def equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# -- draws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda labels, **seed: sample_pairs(labels, 50, **seed),
        lambda labels, **seed: fold_pairs(labels, 3, 20, **seed),
        lambda labels, **seed: split_gallery(labels, 5, **seed),
    ],
)
def test_a_seed_draws_the_same_again_and_none_is_seed_zero(draw):
    _, labels = people(12, 5)
    assert equal(draw(labels), draw(labels, seed=0))
    assert equal(draw(labels, seed=3), draw(labels, seed=3))
    assert not equal(draw(labels), draw(labels, seed=3))


def test_pairs_are_the_same_however_the_rows_are_sorted():
    _, labels = people(6, 30)
    order = np.array(sorted(range(len(labels)), key=lambda row: labels[row]))
    first, second, same = sample_pairs(labels, 200)
    one, other, _ = sample_pairs(labels[order], 200)
    assert np.array_equal(first[same], order[one[same]])
    assert np.array_equal(second[same], order[other[same]])


def test_impostors_are_found_where_they_are_rare():
    labels = np.r_[np.zeros(300, int), 1]
    first, second, same = sample_pairs(labels, 40)
    assert np.array_equal(labels[first] == labels[second], same)
    assert same.tolist() == [True] * 40 + [False] * 40


def test_people_are_dealt_to_the_folds_as_the_seed_says():
    sizes = np.tile([1, 2, 3], 14)
    labels = np.repeat(np.arange(42), sizes)
    dealt = np.random.default_rng(5).permutation(42)
    dealt = sorted(dealt, key=lambda person: sizes[person] < 2)  # those alone are dealt last
    first, second, _ = fold_pairs(labels, 3, 2000, seed=5)
    for fold in range(3):
        rows = slice(fold * 2000, (fold + 1) * 2000)
        assert {*labels[first[rows]], *labels[second[rows]]} == set(dealt[fold::3])


def test_every_fold_draws_for_itself():
    labels = np.repeat(range(8), 50)
    first, _, _ = fold_pairs(labels, 4, 100)
    picture = first.reshape(4, 100) % 50
    assert len(np.unique(picture, axis=0)) == 4


def test_lfw_has_ten_folds_of_six_hundred_pairs():
    labels = np.repeat(range(20), 3)
    assert len(fold_pairs(labels)[0]) == 6000
    rng = np.random.default_rng(0)
    similarity, same = rng.random(100), rng.random(100) < 0.5
    assert len(kfold_accuracy(similarity, same).accuracies) == FOLDS == 10


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fold_pairs(np.arange(4), 1001), "folds is 1001"),
        (lambda: fold_pairs(np.arange(4), 2, 1_000_001), "per_fold is 1000001"),
        (lambda: sample_pairs(np.arange(4), 100_000_001), "count is 100000001"),
        (lambda: hardest_pairs(np.eye(3), np.array([0, 0, 1]), 10_001), "count is 10001"),
        (lambda: bootstrap_tar(*people(12, 2), [0.1], 10_001), "resamples is 10001"),
        (lambda: bootstrap_tar(*people(12, 2), [0.1], confidence=0.4999), "confidence is 0.4999"),
        (lambda: bootstrap_tar(*people(12, 2), [0.1], confidence=0.9991), "confidence is 0.9991"),
    ],
)
def test_more_than_can_be_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# -- folds ----------------------------------------------------------------------------------------


def test_two_pairs_are_enough_for_two_folds():
    found = kfold_accuracy(np.array([0.9, 0.1]), np.array([True, False]), 2)
    assert found.thresholds.tolist() == [np.inf, 0.9]
    assert found.accuracies.tolist() == [0.0, 1.0]
    first, _, same = fold_pairs(np.repeat(range(4), 2), 2, per_fold=2)
    assert len(first) == 4
    assert same.tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("several", "alone", "folds"), [(25, 0, 10), (10, 0, 5), (6, 19, 6), (2, 5, 2)]
)
def test_as_many_folds_as_the_people_allow(several, alone, folds):
    labels = np.r_[np.repeat(range(several), 3), several : several + alone]
    points = np.random.default_rng(0).standard_normal((len(labels), 3))
    found = people_accuracy(points, labels)
    first, second, same = fold_pairs(labels, folds)
    expected = kfold_accuracy(pair_similarities(points, first, second), same, folds)
    assert equal((found.accuracies, found.thresholds), (expected.accuracies, expected.thresholds))


@pytest.mark.parametrize("labels", [np.r_[0, 0, 0, 1:12], np.repeat(range(3), 4)])
def test_where_two_folds_cannot_be_there_is_no_accuracy(labels):
    points = np.random.default_rng(0).standard_normal((len(labels), 3))
    assert people_accuracy(points, labels) is None


# -- curves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_few_pairs_with_ties_have_the_error_rate_of_the_polygon(seed):
    rng = np.random.default_rng(seed)
    same = np.arange(12) < rng.integers(2, 10)
    values = rng.integers(0, 7, 12) / 4
    scores = compare_pairs(values, same)
    far, tar, _ = roc_curve(same, values, drop_intermediate=False)
    assert eer(scores) == pytest.approx(np.interp(0.0, far + tar - 1.0, far), abs=1e-12)
    curve = roc(scores)
    assert curve.threshold[0] == np.inf
    assert curve.threshold[-1] == -np.inf
    assert (curve.far[1], curve.tar[1]) != (0.0, 0.0)  # the start is there once


def test_a_grid_of_rates_begins_at_one_impostor():
    assert far_grid(1000, 4) == pytest.approx([1e-3, 1e-2, 1e-1, 1])
    assert far_grid(999, 7)[[0, -1]] == pytest.approx([1e-3, 1])
    for none_or_few in (0, 1, 10):
        assert far_grid(none_or_few)[[0, -1]] == pytest.approx([0.1, 1])
    grid = far_grid(10**6)
    assert len(grid) == 49
    assert grid == pytest.approx(np.geomspace(1e-6, 1, 49))
    assert grid.max() == 1.0


def test_a_rate_keeps_what_was_asked_for():
    scores = compare_pairs(np.linspace(0, 1, 30), np.arange(30) >= 20)
    for far in (0.0, 0.05, 0.5, 1.0):
        assert tar_at_far(scores, far).far == far
    nobody = tar_at_far(compare_pairs(np.r_[np.ones(20), 0.0], np.arange(21) == 20), 0.5)
    assert nobody.far == 0.5
    assert nobody.reliable
    assert nobody.false_accepts == 0


@pytest.mark.parametrize(("level", "degrees"), [(1.0, 0.0), (-1.0, 180.0), (0.5, 60.0)])
def test_a_threshold_is_an_angle_too(level, degrees):
    scores = compare_pairs(np.array([level, -1.5]), np.array([True, False]))
    assert tar_at_far(scores, 0.0).threshold_deg == pytest.approx(degrees)


# -- pairs ----------------------------------------------------------------------------------------


def test_listed_pairs_go_in_blocks_and_may_be_none(monkeypatch):
    points, labels = people(6, 6)
    first, second, _ = sample_pairs(labels, 20)
    whole = pair_similarities(points, first, second)
    monkeypatch.setattr(pairs, "_BLOCK", 64 * 3)
    assert np.array_equal(pair_similarities(points, first, second), whole)
    assert pair_similarities(points, first[:0], second[:0]).shape == (0,)


@pytest.mark.parametrize("given", [[3, 1], np.array([3, 1], np.float32)])
def test_listed_similarities_are_computed_in_double_precision(given):
    scores = compare_pairs(given, [True, False])
    assert scores.genuine.dtype == np.float64
    assert (scores.genuine.tolist(), scores.impostors) == ([3.0], 1)


def test_twelve_hardest_pairs_unless_more_are_wanted():
    points, labels = people(5, 4)
    assert [len(kind.first) for kind in hardest_pairs(points, labels)] == [12, 12]
    every = hardest_pairs(points, labels, 1000)
    assert [len(kind.first) for kind in every] == [5 * 6, 20 * 19 // 2 - 5 * 6]
    assert all((kind.first < kind.second).all() for kind in every)


@pytest.mark.parametrize("walk", ["compare_all", "bootstrap_tar"])
def test_progress_is_told_to_the_end(walk, monkeypatch):
    points, labels = people(12, 5)
    monkeypatch.setattr(pairs, "_BLOCK", 300)
    monkeypatch.setattr(bootstrap, "_BLOCK", 300)
    heard = []

    def hear(*where):
        heard.append(where)

    if walk == "compare_all":
        compare_all(points, labels, progress=hear)
    else:
        bootstrap_tar(points, labels, [0.1], 10, progress=hear)
    done = [rows for rows, _ in heard]
    assert len(done) > 5
    assert all(a < b for a, b in pairwise(done))
    # The last person's pictures have met everybody by then.
    assert {total for _, total in heard} == {55} == {done[-1]}


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64])
def test_what_is_compared_is_of_double_precision(kind):
    points, _ = people(4, 3)
    directions = pairs.unit((10 * points).astype(kind))
    assert directions.dtype == np.float64
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(12), abs=1e-15)
    _, owners = pairs.checked(points, np.repeat(range(4), 3).astype(np.uint8))
    assert owners.dtype == np.int64


@pytest.mark.parametrize("label", [-1, 2, 3])
def test_who_has_no_name_is_called_by_number(label):
    with pytest.raises(ValueError, match=rf"of one identity \(identity {label}\)"):
        compare_all(np.eye(3), np.full(3, label), names=["Ada", "Bo"])


def test_the_hardest_of_many_pairs_are_the_first_when_sorted():
    points, labels = people(30, 20)
    first, second = np.triu_indices(600, 1)
    similarity = pair_similarities(points, first, second)
    own = labels[first] == labels[second]
    genuine, impostor = hardest_pairs(points, labels, 7)
    assert np.array_equal(genuine.similarity, np.sort(similarity[own])[:7])
    assert np.array_equal(impostor.similarity, np.sort(similarity[~own])[:-8:-1])


def test_few_pictures_are_one_block():
    heard = []
    compare_all(*people(12, 5), progress=lambda *where: heard.append(where))
    assert heard == [(55, 55)]


def test_counts_are_whole_numbers_that_cannot_be_changed():
    scores = compare_all(*people(4, 3))
    assert scores.accepted.shape == (2, 361)
    assert {scores.reaching.dtype, scores.beyond.dtype, scores.accepted.dtype} == {np.dtype("i8")}
    for array in (scores.genuine, scores.reaching, scores.beyond, scores.accepted):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


# -- identification -------------------------------------------------------------------------------


def test_nobody_is_found_where_everybody_is_taken_for_another():
    gallery, swapped = np.eye(3)[:2], np.eye(3)[[1, 0]]
    probes, asked = np.r_[swapped, [[0.6, 0.0, 0.8]]], np.array([0, 1, 2])
    found = identification(gallery, np.array([0, 1]), probes, asked)
    assert found.ranks.tolist() == [2, 2]
    assert found.non_mated == 1
    for fpir in (0.0, 1.0):
        point = found.tpir(fpir)
        assert (point.far, point.tar, point.false_accepts) == (fpir, 0.0, 0)
        assert np.isnan(point.threshold)
        assert not point.reliable


def test_who_accepts_all_strangers_accepts_from_the_lowest_that_is_found():
    gallery = np.eye(3)
    probes = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 1.0, 0.5], [1.0, 1.0, 1.0]])
    found = identification(gallery, np.arange(3), probes, np.array([0, 1, 2, 9]))
    assert found.ranks.tolist() == [1, 1, 2]
    point = found.tpir(1.0)
    assert point.threshold == pytest.approx(2 / np.sqrt(5))
    assert (point.tar, point.false_accepts) == (2 / 3, 0)


def test_without_strangers_there_is_no_rate_of_them():
    found = identification(np.eye(2), np.arange(2), np.eye(2), np.arange(2))
    assert (found.open_set, found.non_mated) == (None, 0)
    with pytest.raises(ValueError, match=r"^everybody who asks is enrolled, .*; enrol fewer\.$"):
        found.tpir(0.1)


def test_the_best_of_many_pictures_is_the_most_similar_one():
    rng = np.random.default_rng(3)
    labels = rng.permutation(np.repeat(range(5), 20))
    points = rng.standard_normal((100, 3))
    found = identification(points, labels, points, labels, "max")
    assert (found.ranks == 1).all()  # everybody's own picture is there


def test_one_person_with_a_second_picture_makes_a_gallery(monkeypatch):
    labels = np.r_[0, 0, 1:5]
    gallery, probes = split_gallery(labels, 1)
    assert len(gallery) == 1
    assert labels[gallery].tolist() == [0]
    assert sorted([*gallery, *probes]) == list(range(6))
    monkeypatch.setattr(identify, "_BLOCK", 1)
    found = identification(np.eye(6)[gallery], labels[gallery], np.eye(6), labels)
    assert found.ranks.tolist() == [1, 1]
