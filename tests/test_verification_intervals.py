"""Intervals of TAR at FAR: their edges, their blocks, and the draws that say nothing."""

import numpy as np
import pytest

from facevis.verification import bootstrap, bootstrap_tar, pair_similarities


def people(count, each):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(range(count), each))
    points = rng.standard_normal((count, 4))[labels] + rng.standard_normal((count * each, 4))
    return points, labels


def equal(first, second):
    return np.array_equal([first.low, first.high], [second.low, second.high])


def test_an_interval_is_of_95_percent_from_400_draws():
    points, labels = people(12, 4)
    found = bootstrap_tar(points, labels, [0.1, 0.5])
    same = bootstrap_tar(points, labels, [0.1, 0.5], 400, 0.95, 0)
    assert equal(found, same)
    other = bootstrap_tar(points, labels, [0.1, 0.5], 401, 0.95, 0)
    assert not equal(found, other)


def test_all_are_accepted_at_a_far_of_one_and_none_where_no_level_is_strict_enough():
    points, labels = people(12, 4)
    every = bootstrap_tar(points, labels, [1.0], 10, 0.5)
    assert (every.low[0], every.high[0]) == (1.0, 1.0)
    # Everybody has the same two pictures: whatever lets in a genuine pair lets in strangers.
    none = bootstrap_tar(np.tile(np.eye(2), (12, 1)), np.repeat(range(12), 2), [0.0], 10, 0.999)
    assert (none.low[0], none.high[0]) == (0.0, 0.0)


@pytest.mark.parametrize("far", [0.05, 0.4])
def test_ten_people_of_whom_two_have_two_pictures_have_the_interval_of_a_plain_bootstrap(far):
    labels = np.r_[0, 1, range(10)]
    points = np.random.default_rng(8).standard_normal((12, 3))
    first, second = np.triu_indices(12, 1)
    similarity = pair_similarities(points, first, second)
    own = labels[first] == labels[second]
    levels = np.sort(similarity[own])
    rng = np.random.default_rng(1)
    person = rng.permutation(10)[labels]  # in the order in which people are drawn
    tars = []
    while len(tars) < 61:
        for weights in rng.multinomial(10, np.full(10, 0.1), size=64):
            a, b = weights[person[first]], weights[person[second]]
            genuine, impostor = np.where(own, a, 0), np.where(own, 0, a * b)
            reached = [similarity >= level for level in levels]
            fits = [r for r in reached if impostor[r].sum() <= far * impostor.sum()]
            if genuine.any():
                best = max((genuine[r].sum() for r in fits), default=0)
                tars.append(best / genuine.sum())
    for confidence in (0.5, 0.7, 0.9):
        found = bootstrap_tar(points, labels, [far], 61, confidence, seed=1)
        tail = (1 - confidence) / 2
        expected = np.quantile(tars[:61], (tail, 1 - tail))
        assert [found.low[0], found.high[0]] == pytest.approx(expected)


@pytest.mark.parametrize("block", [1, 50, 1000])
def test_intervals_do_not_depend_on_the_blocks(block, monkeypatch):
    points, labels = people(14, 4)
    whole = bootstrap_tar(points, labels, [0.01, 0.1], 50)
    monkeypatch.setattr(bootstrap, "_BLOCK", block)
    parts = bootstrap_tar(points, labels, [0.01, 0.1], 50)
    assert equal(parts, whole)
