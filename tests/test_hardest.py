"""The hardest pairs, against a plain search through all of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facevis.verification import hardest_pairs
from facevis.verification.similarity import similarities, unit


def by_hand(points, labels, count):
    table = similarities(unit(points), unit(points))
    pairs = list(combinations(range(len(points)), 2))
    genuine = [(table[a, b], a, b) for a, b in pairs if labels[a] == labels[b]]
    impostor = [(-table[a, b], a, b) for a, b in pairs if labels[a] != labels[b]]
    return sorted(genuine)[:count], [(-s, a, b) for s, a, b in sorted(impostor)[:count]]


def triples(found):
    return list(
        zip(found.similarity.tolist(), found.first.tolist(), found.second.tolist(), strict=True)
    )


@given(st.integers(0, 10_000), st.integers(1, 40), st.booleans())
def test_they_are_those_of_a_plain_search(seed, count, with_copies):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(24, 3))
    if with_copies:
        points[12:] = points[:12]  # pairs that tie
    labels = rng.integers(0, 4, 24)
    labels[:4] = [0, 0, 1, 2]
    found = hardest_pairs(points, labels, count)
    assert [triples(one) for one in found] == list(by_hand(points, labels, count))


def test_many_rows_go_in_blocks(monkeypatch):
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(60, 5)), np.arange(60) % 6
    whole = [triples(one) for one in hardest_pairs(points, labels, 9)]
    monkeypatch.setattr("facevis.verification.hardest._BLOCK", 100)
    assert [triples(one) for one in hardest_pairs(points, labels, 9)] == whole


def test_what_has_no_pair_of_a_kind_is_said():
    with pytest.raises(ValueError, match="no impostor pair"):
        hardest_pairs(np.eye(3), np.zeros(3, int))
    with pytest.raises(ValueError, match="count is 0"):
        hardest_pairs(np.eye(3), np.array([0, 0, 1]), 0)
