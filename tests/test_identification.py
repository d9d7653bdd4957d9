"""Identification against a straightforward search, and everything that cannot be verified."""

import numpy as np
import pytest

from facevis.verification import (
    bootstrap_tar,
    compare_all,
    compare_pairs,
    fold_pairs,
    identification,
    kfold_accuracy,
    pair_similarities,
    split_gallery,
)


@pytest.fixture(scope="module")
def crowd():
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.repeat(range(10), 7))
    return rng.standard_normal((10, 5))[labels] + rng.standard_normal((70, 5)), labels


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.mark.parametrize("fusion", ["mean", "max"])
@pytest.mark.parametrize(("enrolled", "each"), [(6, 1), (6, 3), (1, 2), (10, 1)])
def test_identification_is_the_straightforward_search(crowd, fusion, enrolled, each):
    points, labels = crowd
    gallery, probes = split_gallery(labels, enrolled, each)
    found = identification(points[gallery], labels[gallery], points[probes], labels[probes], fusion)
    names = sorted(set(labels[gallery]))
    ranks, own, strangers = [], [], []
    for i in probes:
        scores = []
        for name in names:
            pictures = unit(points[gallery[labels[gallery] == name]])
            if fusion == "mean":
                scores.append(unit(points[i]) @ unit(pictures.sum(axis=0)))
            else:
                scores.append(max(pictures @ unit(points[i])))
        if labels[i] in names:
            mine = scores[names.index(labels[i])]
            ranks.append(sum(score >= mine for score in scores))
            own.append(mine if ranks[-1] == 1 else -np.inf)
        else:
            strangers.append(max(scores))
    assert found.ranks.tolist() == ranks
    assert found.gallery == enrolled
    expected = [np.mean(np.array(ranks) <= k + 1) for k in range(enrolled)]
    assert found.cmc == pytest.approx(expected)
    if not strangers:
        assert found.open_set is None
        return
    for fpir in (0.3, 0.1, 0.0):
        allowed = int(fpir * len(strangers) + 1e-9)
        level = sorted(strangers, reverse=True)[allowed] if allowed < len(strangers) else -1.0
        assert found.tpir(fpir).tar == np.mean(np.array(own) > level + 1e-12)
    everybody = found.tpir(1.0)
    assert everybody.tar == found.cmc[0]
    assert everybody.false_accepts == sum(score >= everybody.threshold for score in strangers)


def test_ties_count_against_the_right_person():
    gallery = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = identification(gallery, np.arange(3), np.array([[2.0, 0.0]]), np.array([0]))
    assert found.ranks.tolist() == [2]


def test_more_pictures_keep_those_of_before(crowd):
    _, labels = crowd
    one, _ = split_gallery(labels, 6, 1)
    three, probes = split_gallery(labels, 6, 3)
    assert set(one) <= set(three)
    assert not set(three) & set(probes)
    assert len(three) + len(probes) == len(labels)
    assert (np.unique(labels[three], return_counts=True)[1] == 3).all()


def test_a_fold_gets_somebody_with_two_pictures_where_there_are_enough():
    labels = np.r_[np.repeat(range(4), 3), range(4, 20)]  # four of twenty people have more than one
    for seed in range(10):
        _, _, same = fold_pairs(labels, folds=4, per_fold=10, seed=seed)
        assert same.reshape(4, 10).sum(axis=1).tolist() == [5, 5, 5, 5]


POINTS, LABELS = np.random.default_rng(0).standard_normal((6, 3)), np.array([0, 0, 1, 1, 2, 2])


CROWD = np.random.default_rng(1).standard_normal((24, 3)), np.repeat(range(12), 2)
SPREAD = np.random.default_rng(2).uniform(0.1, 9, 6)
OPPOSITE = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), np.array([0, 7, 7])


def changed(row, value):
    points = POINTS.copy()
    points[row] = value
    return points


@pytest.mark.parametrize("judge", [compare_all, lambda *args: bootstrap_tar(*args, [0.1])])
@pytest.mark.parametrize(
    ("points", "labels", "words"),
    [
        (POINTS, np.zeros(6, int), "of one identity .* add a second person"),
        (POINTS, np.arange(6), "one embedding, so there is no genuine pair; add a second picture"),
        (np.ones((6, 3)), LABELS, "point the same way"),
        (changed(4, 0.0), LABELS, "embedding 4 is zero and has no direction"),
        (changed([1, 3], 0.0), LABELS, "2 embeddings .*the first is number 1.* zero"),
        (changed(2, np.nan), LABELS, "embedding 2 is not a number"),
        (changed(2, np.inf), LABELS, "embedding 2 is not a number"),
        (POINTS[0], LABELS, "give rows of at least 2 coordinates"),
        (POINTS, LABELS[:5], "give one whole number for each embedding"),
        (POINTS, LABELS / 2, "give one whole number for each embedding"),
        (np.empty((0, 3)), np.empty(0, int), "there are no embeddings"),
    ],
)
def test_what_cannot_be_verified_is_said_in_words(judge, points, labels, words):
    with pytest.raises(ValueError, match=words):
        judge(points, labels)


def test_few_people_get_no_interval():
    labels = np.repeat(range(9), 2)
    with pytest.raises(ValueError, match="9 identities; an interval from fewer than 10"):
        bootstrap_tar(np.random.default_rng(0).standard_normal((18, 3)), labels, [0.1])


def test_the_one_identity_is_called_by_its_name():
    with pytest.raises(ValueError, match="of one identity \\(Anna\\)"):
        compare_all(POINTS, np.zeros(6, int), names=["Anna"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap_tar(*CROWD, [2.0]), "far is 2.0"),
        (lambda: bootstrap_tar(*CROWD, [np.nan]), "far is nan"),
        (lambda: compare_all(np.outer(SPREAD, [0.1, 0.7, 0.3]), LABELS), "point the same way"),
        (lambda: identification(*OPPOSITE, np.eye(2), np.array([0, 7])), "have no mean"),
        (lambda: compare_pairs(np.ones(3), np.zeros(3, bool)), "no genuine pair"),
        (lambda: compare_pairs(np.ones(3), np.ones(3, bool)), "no impostor pair"),
        (lambda: compare_pairs(np.array([0.1, np.nan]), np.array([True, False])), "similarity 1"),
        (lambda: compare_pairs(np.ones(3), np.ones(3)), "numbers and booleans"),
        (lambda: kfold_accuracy(np.ones(3), np.ones(3, bool), 10), "folds is 10"),
        (lambda: kfold_accuracy(np.ones(1), np.ones(1, bool), 2), "at least 2"),
        (lambda: kfold_accuracy(np.array([np.nan, 1]), np.ones(2, bool), 2), "not a number"),
        (lambda: fold_pairs(LABELS, folds=2), "3 identities; 2 folds need at least 4"),
        (lambda: fold_pairs(np.arange(8), folds=2), "no genuine pair"),
        (lambda: split_gallery(LABELS, 1, 2), "no identity has more than 2 pictures"),
        (lambda: split_gallery(LABELS, 9, 1), "enrolled is 9; give a whole number from 1 to 3"),
        (lambda: identification(POINTS[:0], LABELS[:0], POINTS, LABELS), "gallery is empty"),
        (lambda: identification(POINTS[:1], LABELS[:1], POINTS[2:], LABELS[2:]), "no probe is of"),
        (lambda: identification(POINTS, LABELS, POINTS[:, :2], LABELS), "3 and 2 dimensions"),
        (lambda: identification(changed(1, 0), LABELS, POINTS, LABELS), "embedding 1 is zero"),
        (lambda: identification(POINTS, LABELS, changed(3, np.nan), LABELS), "embedding 3 is not"),
        (lambda: pair_similarities(changed(0, 0.0), np.array([0]), np.array([1])), "is zero"),
    ],
)
def test_what_else_cannot_be_is_said_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
