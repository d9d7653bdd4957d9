"""What verification refuses: one sentence that says what is wrong and what to do."""

import numpy as np
import pytest
import torch

from facevis.verification import (
    bootstrap_tar,
    compare_all,
    compare_pairs,
    fold_pairs,
    identification,
    identify,
    kfold_accuracy,
    sample_pairs,
    split_gallery,
    tar_at_far,
)

POINTS, LABELS = np.random.default_rng(0).standard_normal((12, 3)), np.repeat(range(4), 3)
SAME = np.arange(12) % 2 == 0


def refused(call, words):
    """Raises, with these words, in one sentence that ends as a sentence does."""
    with pytest.raises(ValueError, match=words) as error:
        call()
    said = str(error.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert any(mark in said for mark in ("; ", ": ")), "what to do is missing"


def scores():
    return compare_pairs(np.linspace(0, 1, 12), SAME)


@pytest.mark.parametrize("far", [-0.1, 1.1, np.nan, np.inf, "0.1", True])
def test_a_far_is_a_number_from_zero_to_one(far):
    refused(lambda: tar_at_far(scores(), far), "far is .*give a number from 0 to 1")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap_tar(POINTS, LABELS, [0.1], resamples=9), "resamples is 9"),
        (lambda: bootstrap_tar(POINTS, LABELS, [0.1], resamples=1e3), "resamples is 1000.0"),
        (lambda: bootstrap_tar(POINTS, LABELS, [0.1]), "4 identities.*fewer than 10.*add people"),
        (lambda: bootstrap_tar(POINTS, LABELS, [0.1], confidence=1.0), "confidence is 1.0"),
        (lambda: bootstrap_tar(POINTS, LABELS, [0.1], confidence=95), "confidence is 95"),
        (lambda: sample_pairs(LABELS, 0), "count is 0; give a whole number from 1"),
        (lambda: sample_pairs(np.zeros(4, int), 3), "of one identity .*add a second person"),
        (lambda: sample_pairs(np.arange(4), 3), "no genuine pair; add a second picture"),
        (lambda: sample_pairs(np.empty(0, int), 3), "there are no embeddings; give"),
        (lambda: fold_pairs(LABELS, folds=1), "folds is 1; give a whole number from 2"),
        (lambda: fold_pairs(LABELS, folds=2, per_fold=1), "per_fold is 1; give"),
        (lambda: fold_pairs(LABELS, folds=3), "4 identities; 3 folds need at least 6.*fewer folds"),
        (lambda: fold_pairs(np.r_[0, 0, 1, 2, 3], folds=2), "no genuine pair; add"),
        (lambda: kfold_accuracy(np.ones((2, 6)), SAME), r"shape \(2, 6\).*give two rows"),
        (lambda: kfold_accuracy(np.ones(12), SAME[:11]), r"\(12,\).*\(11,\).*give two rows"),
        (lambda: kfold_accuracy(np.ones(12), SAME * 1), "type int64; give two rows"),
        (lambda: kfold_accuracy(np.r_[np.inf, np.ones(11)], SAME), "not a number; leave"),
        (lambda: kfold_accuracy(np.ones(12), SAME, 13), "folds is 13; give .*from 2 to 12"),
        (lambda: kfold_accuracy(np.ones(12), SAME, 1), "folds is 1; give"),
        (lambda: compare_pairs(np.empty(0), np.empty(0, bool)), "no genuine pair; list"),
        (lambda: compare_pairs(np.ones(3), np.ones(2, bool)), r"\(3,\).*\(2,\).*give two rows"),
        (lambda: split_gallery(LABELS, 0), "enrolled is 0; give a whole number from 1 to 4"),
        (lambda: split_gallery(LABELS, 1, 0), "per_identity is 0; give .*from 1 to 2"),
        (lambda: split_gallery(LABELS, 1, 3), "more than 3 pictures; enrol fewer"),
        (lambda: identification(POINTS, LABELS, POINTS, LABELS, "median"), "fusion is 'median'"),
        (lambda: identification(POINTS, LABELS[:3], POINTS, LABELS), "number; give one label"),
        (lambda: identification(POINTS, LABELS, POINTS, LABELS[:3]), "number; give one label"),
        (lambda: identification(POINTS, LABELS, POINTS[:0], LABELS[:0]), "no probe is of .*add"),
    ],
)
def test_arguments_are_refused_in_words(call, words):
    refused(call, words)


@pytest.mark.parametrize("shape", [(12,), (12, 1), (12, 3, 1), (0, 0)])
def test_embeddings_are_rows(shape):
    refused(lambda: compare_all(np.ones(shape), LABELS), "embeddings have shape .*give rows")


@pytest.mark.parametrize("kind", [np.float32, np.float64, torch.tensor, np.float16])
def test_one_bad_row_is_found_whatever_the_type(kind):
    points = kind(POINTS.copy())
    points[7] = 0.0
    refused(lambda: compare_all(points, LABELS), "embedding 7 is zero and has no direction; leave")
    points[7, 1] = np.nan
    refused(lambda: compare_all(points, LABELS), "embedding 7 is not a number; the network")
    points[2] = -np.inf
    refused(lambda: compare_all(points, LABELS), "2 embeddings .*first is number 2.* not a number")


def test_the_input_is_left_as_it_was():
    points, labels = POINTS.copy(), LABELS.copy()
    compare_all(points, labels)
    identification(points, labels, points, labels)
    assert np.array_equal(points, POINTS)
    assert np.array_equal(labels, LABELS)
    similarity = np.linspace(1, 0, 12)
    compare_pairs(similarity, SAME)
    kfold_accuracy(similarity, SAME, 3)
    assert np.array_equal(similarity, np.linspace(1, 0, 12))


@pytest.mark.parametrize("fusion", ["mean", "max"])
def test_probes_are_found_across_blocks(fusion, monkeypatch):
    gallery, probes = split_gallery(LABELS, 3)
    args = (POINTS[gallery], LABELS[gallery], POINTS[probes], LABELS[probes], fusion)
    whole = identification(*args)
    monkeypatch.setattr(identify, "_BLOCK", 2)
    parts = identification(*args)
    assert np.array_equal(parts.ranks, whole.ranks)
    assert np.array_equal(parts.open_set.reaching, whole.open_set.reaching)
    assert parts.open_set.impostors == whole.open_set.impostors == 3
