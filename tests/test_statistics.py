"""Angle statistics and accuracies: against scikit-learn, by hand, and on broken input."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.metrics.pairwise import cosine_similarity

from facevis.packings import packing_points
from facevis.statistics import AngleTable, accuracy, angle_table, packing_share


def reference_table(embeddings, labels, prototypes):
    """Table 3 by scikit-learn's cosines, class by class."""

    def degrees(cosine):
        return np.degrees(np.arccos(np.clip(cosine, -1, 1)))

    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    classes = sorted(set(labels.tolist()))
    means = np.stack([unit[labels == c].mean(0) for c in classes])

    def nearest(vectors):
        cosine = cosine_similarity(vectors) - 9 * np.eye(len(vectors))
        return degrees(cosine.max(1)).mean()

    own = np.concatenate(
        [
            degrees(cosine_similarity(unit[labels == c], m[None]))[:, 0]
            for c, m in zip(classes, means, strict=True)
        ]
    )
    to_prototype = degrees(np.diag(cosine_similarity(means, prototypes[classes])))
    return to_prototype.mean(), nearest(prototypes), own.mean(), nearest(means)


def values(table: AngleTable):
    return table.w_ec, table.w_inter, table.intra, table.inter


@pytest.mark.parametrize("dim", [2, 3, 64])
@pytest.mark.parametrize("missing", [False, True])
def test_angle_table_matches_scikit_learn(dim, missing):
    generator = np.random.default_rng(0)
    prototypes = generator.standard_normal((10, dim))
    labels = generator.integers(0, 10, 600)
    if missing:
        labels[labels == 4] = 7
    embeddings = 5 * (prototypes[labels] + 0.4 * generator.standard_normal((600, dim)))
    expected = reference_table(embeddings, labels, prototypes)
    assert values(angle_table(embeddings, labels, prototypes)) == pytest.approx(expected, abs=1e-9)
    as_tensors = (torch.tensor(embeddings), torch.tensor(labels), torch.tensor(prototypes))
    assert values(angle_table(*as_tensors)) == pytest.approx(expected, abs=1e-9)


def test_angle_table_of_a_known_picture():
    degrees = np.radians([0.0, 20.0, 90.0, 110.0, 180.0, 200.0])
    embeddings = np.stack([np.cos(degrees), np.sin(degrees)], 1)
    turned = np.radians([15.0, 105.0, 195.0])
    prototypes = np.stack([np.cos(turned), np.sin(turned)], 1)
    table = angle_table(embeddings, np.array([0, 0, 1, 1, 2, 2]), prototypes)
    assert values(table) == pytest.approx((5.0, 90.0, 10.0, 90.0), abs=1e-9)


def test_tiny_angles_survive_where_arccos_gives_zero():
    embeddings = np.array([[1.0, 0.0], [1.0, 2e-9]])
    table = angle_table(embeddings, np.array([0, 0]))
    assert table.intra == pytest.approx(math.degrees(1e-9), rel=1e-6)


def test_one_class_has_no_inter_class_angles():
    table = angle_table(
        np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0]), np.array([[1.0, 1.0]])
    )
    assert table.w_ec == pytest.approx(0.0, abs=1e-9)
    assert table.intra == pytest.approx(45.0)
    assert math.isnan(table.w_inter)
    assert math.isnan(table.inter)


def test_without_prototypes_only_their_angles_are_missing():
    table = angle_table(np.eye(3), np.array([0, 1, 2]))
    assert math.isnan(table.w_ec)
    assert math.isnan(table.w_inter)
    assert table.inter == pytest.approx(90.0)


def test_zero_vectors_are_left_out():
    embeddings = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0], [0.0, 1.0], [0.0, -1.0]])
    labels = np.array([0, 0, 1, 2, 2])  # the members of class 2 cancel out: it has no direction
    prototypes = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert values(angle_table(embeddings, labels, prototypes)) == pytest.approx((0, 90, 0, 90))


def test_a_prototype_without_direction_is_no_class():
    prototypes = np.array([[1.0, 0.0], [0.5, math.sqrt(0.75)], [0.0, 0.0]])
    table = angle_table(np.concatenate([prototypes[:2], [[0.0, 1.0]]]), np.arange(3), prototypes)
    assert values(table) == pytest.approx((0.0, 60.0, 0.0, (60 + 30 + 30) / 3), abs=1e-6)
    assert packing_share(prototypes) == pytest.approx(1 / 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_show_in_the_result(bad):
    table = angle_table(
        np.array([[bad, 1.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 0, 1]), np.eye(2)
    )
    assert math.isnan(table.intra)
    assert math.isnan(table.w_ec)
    assert math.isnan(table.inter)
    assert table.w_inter == pytest.approx(90.0)
    assert math.isnan(packing_share(np.array([[bad, 1.0], [1.0, 0.0]])))


def test_no_embeddings_leave_only_the_prototypes():
    table = angle_table(np.empty((0, 2)), np.empty(0, np.int64), np.eye(2))
    assert table.w_inter == pytest.approx(90.0)
    assert math.isnan(table.intra)


def test_lengths_do_not_matter_up_to_the_limits_of_floats():
    generator = np.random.default_rng(1)
    embeddings, labels = generator.standard_normal((50, 3)), np.arange(50) % 4
    lengths = 10.0 ** generator.uniform(-300, 300, (50, 1))
    assert values(angle_table(embeddings * lengths, labels, embeddings[:4])) == pytest.approx(
        values(angle_table(embeddings, labels, embeddings[:4])), abs=1e-9
    )


def test_nearest_prototypes_are_found_across_blocks(monkeypatch):
    generator = np.random.default_rng(2)
    prototypes = generator.standard_normal((101, 5))
    args = (prototypes, np.arange(101), prototypes)
    whole = angle_table(*args)
    monkeypatch.setattr("facevis.statistics._BLOCK", 700)
    assert values(angle_table(*args)) == pytest.approx(values(whole), abs=1e-12)


def test_accuracy_matches_scikit_learn_for_angles_and_for_logits():
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 5, 400)
    centres = generator.standard_normal((5, 3))
    embeddings = centres[labels] + 0.8 * generator.standard_normal((400, 3))
    nearest = cosine_similarity(embeddings, centres).argmax(1)
    assert accuracy(embeddings, labels, centres) == accuracy_score(labels, nearest)
    model = LogisticRegression().fit(embeddings, labels)
    ours = accuracy(embeddings, labels, model.coef_, model.intercept_)
    assert ours == model.score(embeddings, labels)
    assert ours != accuracy(embeddings, labels, model.coef_)


def test_embeddings_that_are_zero_or_not_finite_count_as_wrong():
    embeddings = np.array([[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [1.0, 0.0]])
    labels = np.zeros(4, np.int64)
    assert accuracy(embeddings, labels, np.eye(2)) == 0.25
    assert accuracy(embeddings, labels, np.eye(2), np.zeros(2)) == 0.5  # (0, 0) has logits
    assert math.isnan(accuracy(np.empty((0, 2)), np.empty(0, np.int64), np.eye(2)))


@pytest.mark.parametrize(("classes", "dim"), [(2, 2), (10, 2), (4, 3), (10, 3), (30, 3), (10, 16)])
def test_packing_share_of_the_best_packing_is_one(classes, dim):
    points = packing_points(classes, dim)
    assert packing_share(points) == pytest.approx(1.0, abs=2e-5)
    assert packing_share(torch.tensor(points) * 7) == pytest.approx(1.0, abs=2e-5)
    assert packing_share(np.concatenate([points, np.zeros((3, dim))])) == pytest.approx(1, abs=2e-5)


def test_packing_share_of_equal_or_single_prototypes():
    assert packing_share(np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])) == 0.0
    assert math.isnan(packing_share(np.array([[1.0, 0.0]])))


@pytest.mark.parametrize(
    ("embeddings", "labels", "prototypes", "message"),
    [
        (np.ones(3), np.zeros(3, int), np.eye(2), r"embeddings have shape \(3,\)"),
        (np.ones((3, 2)), np.zeros(2, int), np.eye(2), "3 embeddings and 2 labels"),
        (np.ones((2, 2)), np.array([0.5, 1.0]), np.eye(2), "whole number"),
        (np.ones((2, 2)), np.array([0, 2]), np.eye(2), "labels go from 0 to 2"),
        (np.ones((2, 2)), np.array([-1, 1]), np.eye(2), "labels go from -1 to 1"),
        (np.ones((2, 2)), np.array([0, 1]), np.eye(3), "2 dimensions and prototypes 3"),
    ],
)
def test_what_does_not_fit_is_said(embeddings, labels, prototypes, message):
    for measure in (angle_table, accuracy):
        with pytest.raises(ValueError, match=message):
            measure(embeddings, labels, prototypes)
