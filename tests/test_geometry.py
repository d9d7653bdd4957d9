"""Packings, feasibility, caps and boundaries: literature values, closed forms, bad input."""

import itertools
import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.geometry import (
    admissible_radius,
    decision_boundary,
    feasible,
    max_arcface,
    max_cosface,
    packing_angle,
    packing_is_exact,
    packing_points,
    scale_bound,
)
from facevis.margins import Margin, target_cosine
from facevis.packings import _covering_bound, _ring_bound

TAMMES = {
    2: 180, 3: 120, 4: 109.4712, 5: 90, 6: 90, 7: 77.8695, 8: 74.8585, 9: 70.5288, 10: 66.1468,
    11: 63.4349, 12: 63.4349, 13: 57.1367, 14: 55.6706, 15: 53.6579, 16: 52.2444, 20: 47.4310,
    24: 43.6908,
}  # fmt: skip


def smallest_angle(points):
    cosine = points @ points.T - 9 * np.eye(len(points))
    return math.acos(min(1.0, cosine.max()))


@pytest.mark.parametrize(("classes", "degrees"), TAMMES.items())
def test_sphere_packings_are_the_literature_values(classes, degrees):
    assert math.degrees(packing_angle(classes, 3)) == pytest.approx(degrees, abs=6e-5)


@pytest.mark.parametrize("classes", sorted(TAMMES))
def test_search_reaches_the_literature_values(classes):
    points = packing_points(classes, 3)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(classes))
    assert smallest_angle(points) == pytest.approx(packing_angle(classes, 3), abs=1e-4)


@pytest.mark.parametrize("classes", [2, 3, 7, 10, 100])
def test_circle_packing_is_even(classes):
    assert packing_angle(classes, 2) == pytest.approx(2 * math.pi / classes)
    assert smallest_angle(packing_points(classes, 2)) == pytest.approx(2 * math.pi / classes)
    assert packing_is_exact(classes, 2)


@pytest.mark.parametrize(("classes", "dim"), [(3, 2), (4, 3), (10, 9), (10, 16), (10, 512), (2, 5)])
def test_few_classes_form_a_simplex(classes, dim):
    assert packing_angle(classes, dim) == pytest.approx(math.acos(-1 / (classes - 1)))
    points = packing_points(classes, dim)
    cosine = (points @ points.T)[~np.eye(classes, dtype=bool)]
    assert points.shape == (classes, dim)
    assert cosine == pytest.approx(np.full(cosine.shape, -1 / (classes - 1)))
    assert packing_is_exact(classes, dim)


@pytest.mark.parametrize(("classes", "dim"), [(5, 3), (6, 3), (6, 4), (8, 4), (100, 64)])
def test_up_to_two_classes_a_dimension_stand_at_right_angles(classes, dim):
    assert packing_angle(classes, dim) == pytest.approx(math.pi / 2)
    assert smallest_angle(packing_points(classes, dim)) == pytest.approx(math.pi / 2)
    assert packing_is_exact(classes, dim)


def test_the_600_cell_is_found():
    assert packing_angle(120, 4) == pytest.approx(math.radians(36), abs=1e-6)
    assert not packing_is_exact(120, 4)


@pytest.mark.parametrize(("classes", "dim"), [(24, 4), (23, 4), (40, 5), (72, 6), (126, 7)])
def test_no_search_falls_behind_the_roots_that_are_known(classes, dim):
    points = packing_points(classes, dim)
    assert points.shape == (classes, dim)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0)
    assert smallest_angle(points) >= math.radians(60) - 1e-9
    assert packing_angle(classes, dim) == pytest.approx(smallest_angle(points))


def test_only_proven_packings_are_called_exact():
    exact = [classes for classes in range(2, 40) if packing_is_exact(classes, 3)]
    assert exact == [*range(2, 15), 24]


def test_packing_angles_fall_as_classes_are_added():
    for dim in (2, 3):
        angles = [packing_angle(classes, dim) for classes in range(2, 22)]
        assert all(a >= b - 1e-12 for a, b in itertools.pairwise(angles))


@pytest.mark.parametrize("classes", [17, 40, 128, 129, 1000])
def test_bounds_lie_between_covering_and_fejes_toth(classes):
    found = packing_angle(classes, 3)
    omega = classes * math.pi / (6 * (classes - 2))
    upper = math.acos((1 / math.tan(omega) ** 2 - 1) / 2)
    assert _covering_bound(classes, 3) < found < upper
    assert found > 0.87 * upper
    assert not packing_is_exact(classes, 3)


def test_ring_bound_is_a_packing_that_exists():
    for classes in (50, 200, 999):
        angle = _ring_bound(classes)
        points = []
        for latitude in np.arange(angle / 2, math.pi - angle / 2 + 1e-12, angle):
            ratio = math.sin(angle / 2) / math.sin(latitude)
            on_ring = int(math.pi / math.asin(ratio)) if ratio < 1 else 1
            turn = 2 * math.pi * np.arange(on_ring) / on_ring
            ring = [np.cos(turn) * math.sin(latitude), np.sin(turn) * math.sin(latitude)]
            points.append(np.stack([*ring, np.full(on_ring, math.cos(latitude))], 1))
        placed = np.concatenate(points)
        assert len(placed) >= classes
        assert smallest_angle(placed) >= angle - 1e-9


@pytest.mark.parametrize(("classes", "dim"), [(10**9, 2), (10**9, 3), (10**9, 512), (93_431, 512)])
def test_a_billion_classes_do_not_hang(classes, dim):
    start = time.perf_counter()
    assert 0 < packing_angle(classes, dim) < math.pi / 2
    assert time.perf_counter() - start < 2


def test_packing_points_are_the_same_at_every_call_and_cannot_be_spoiled():
    points = packing_points(11, 3)
    points[:] = 0
    again = packing_points(11, 3)
    assert np.linalg.norm(again, axis=1) == pytest.approx(np.ones(11))
    assert np.array_equal(again, packing_points(11, 3))


@pytest.mark.parametrize(
    ("classes", "dim", "message"),
    [
        (1, 3, "num_classes is 1; give a whole number from 2"),
        (0, 2, "num_classes is 0"),
        (-4, 2, "num_classes is -4"),
        (10**10, 3, "num_classes is 10000000000"),
        (10**400, 2, "num_classes is 1000"),
        (math.nan, 3, "num_classes is nan"),
        (10.0, 3, r"num_classes is 10\.0"),
        ("10", 3, "num_classes is '10'"),
        (True, 3, "num_classes is True"),
        (None, 3, "num_classes is None"),
        (10, 1, "embedding_dim is 1"),
        (10, math.inf, "embedding_dim is inf"),
    ],
)
def test_sizes_that_make_no_sense_are_refused_in_one_sentence(classes, dim, message):
    for ask in (packing_angle, packing_is_exact, packing_points, max_cosface, max_arcface):
        with pytest.raises(ValueError, match=message):
            ask(classes, dim)


def test_numpy_whole_numbers_are_whole_numbers():
    assert packing_angle(np.int64(10), np.int32(2)) == packing_angle(10, 2)


def test_too_many_points_are_refused():
    with pytest.raises(ValueError, match="500 classes in 3 dimensions are too many"):
        packing_points(500, 3)


def test_published_facts_about_ten_digits():
    assert math.degrees(packing_angle(10, 2)) == pytest.approx(36)
    assert max_cosface(10, 2) == pytest.approx(0.191, abs=5e-4)
    assert max_arcface(10, 2) == pytest.approx(0.628, abs=5e-4)
    assert max_cosface(10, 3) == pytest.approx(0.595, abs=1e-3)
    assert [k for k in range(2, 20) if feasible(Margin.cosface(0.35), k, 2)] == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("classes", [2, 3, 5, 10, 50])
def test_cosface_bounds_are_the_papers(classes):
    assert max_cosface(classes, 2) == pytest.approx(1 - math.cos(2 * math.pi / classes))
    assert max_cosface(classes, classes) == pytest.approx(classes / (classes - 1))


@pytest.mark.parametrize(("classes", "dim"), [(2, 2), (10, 2), (10, 3), (30, 3), (1000, 512)])
def test_feasibility_ends_exactly_at_the_bounds(classes, dim):
    arc, cos = max_arcface(classes, dim), max_cosface(classes, dim)
    assert feasible(Margin.arcface(arc), classes, dim)
    assert feasible(Margin.cosface(cos), classes, dim)
    if arc < math.pi:  # at K = 2 the bounds are the limits of the margins themselves
        assert not feasible(Margin.arcface(arc + 1e-6), classes, dim)
        assert not feasible(Margin.cosface(cos + 1e-6), classes, dim)
    assert feasible(Margin.sphereface(10.0), classes, dim)
    assert feasible(Margin(), classes, dim)


def test_combined_margins_share_the_room():
    assert feasible(Margin(1.0, 0.3, 0.14), 10, 2)  # cos 0.3 − 0.14 = 0.815 > cos 36° = 0.809
    assert not feasible(Margin(1.0, 0.3, 0.15), 10, 2)


room = st.floats(1e-3, math.pi)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(room, st.floats(0, 1), st.floats(0.05, 10))
def test_admissible_radius_has_the_known_closed_forms(angle, share, m1):
    m2 = share * angle
    assert admissible_radius(Margin.arcface(m2), angle) == pytest.approx((angle - m2) / 2, abs=1e-7)
    sphere = admissible_radius(Margin.sphereface(m1), angle)
    assert sphere == pytest.approx(angle / (m1 + 1), abs=1e-7)
    m3 = share * (1 - math.cos(angle))
    cos = angle / 2 - math.asin(min(1.0, m3 / (2 * math.sin(angle / 2))))
    assert admissible_radius(Margin.cosface(m3), angle) == pytest.approx(cos, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(room, st.floats(0.1, 4), st.floats(0, 1), st.floats(0, 0.9))
def test_admissible_radius_is_the_last_angle_that_meets_the_margin(angle, m1, share2, share3):
    m2 = share2 * angle
    margin = Margin(m1, m2, share3 * max(0.0, math.cos(m2) - math.cos(angle)))
    radius = admissible_radius(margin, angle)
    grid = torch.linspace(0, angle, 2001, dtype=torch.float64)
    meets = target_cosine(grid, margin) >= torch.cos(angle - grid)
    step = angle / 2000
    assert meets[grid < radius - step].all()
    assert not meets[grid > radius + step].any()


def test_an_infeasible_margin_has_no_cap():
    assert admissible_radius(Margin.cosface(0.35), packing_angle(10, 2)) == 0.0
    assert admissible_radius(Margin.arcface(0.7), packing_angle(10, 2)) == 0.0
    assert admissible_radius(Margin.cosface(0.35), packing_angle(7, 2)) > 0.0


def test_two_classes_opposite_each_other_share_the_circle():
    assert admissible_radius(Margin(), math.pi) == pytest.approx(math.pi / 2)
    assert admissible_radius(Margin.arcface(math.pi), math.pi) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2, math.nan, math.inf])
def test_an_impossible_packing_angle_is_refused(angle):
    with pytest.raises(ValueError, match="packing_angle is"):
        admissible_radius(Margin(), angle)


def test_boundaries_are_the_papers():
    theta1, theta2 = decision_boundary(Margin())
    assert theta2 == pytest.approx(theta1, abs=1e-7)
    theta1, theta2 = decision_boundary(Margin.arcface(0.5))
    real = np.isfinite(theta2)
    assert theta2[real] == pytest.approx(theta1[real] + 0.5, abs=1e-6)
    theta1, theta2 = decision_boundary(Margin.sphereface(1.35))
    real = np.isfinite(theta2)
    assert theta2[real] == pytest.approx(1.35 * theta1[real], abs=1e-6)
    theta1, theta2 = decision_boundary(Margin.cosface(0.35))
    real = np.isfinite(theta2)
    assert np.cos(theta2[real]) == pytest.approx(np.cos(theta1[real]) - 0.35, abs=1e-9)


@pytest.mark.parametrize(
    "margin", [Margin.arcface(0.5), Margin.cosface(0.35), Margin(1.3, 0.2, 0.3), Margin(4, 3, 0)]
)
def test_boundaries_end_on_the_edge_of_the_square(margin):
    theta1, theta2 = decision_boundary(margin)
    last = np.flatnonzero(np.isfinite(theta2))[-1]
    assert theta2[last] == math.pi
    assert np.isnan(theta2[last + 1 :]).all()
    assert np.all(np.diff(theta1[: last + 1]) >= 0)
    # No visible gap before the edge, even where the arccos is steep.
    assert float(target_cosine(theta1[last], margin)) == pytest.approx(-1.0, abs=1e-6)


def test_a_boundary_of_two_points_ends_on_the_edge_too():
    theta1, theta2 = decision_boundary(Margin.arcface(0.5), points=2)
    assert theta1 == pytest.approx([0.0, math.pi - 0.5], abs=1e-6)
    assert theta2 == pytest.approx([0.5, math.pi])
    assert [len(angles) for angles in decision_boundary(Margin())] == [181, 181]


def test_the_boundary_follows_the_tail_that_trains():
    for tail in ("raw", "linear", "easy"):
        theta1, theta2 = decision_boundary(Margin.arcface(0.5), points=91, tail=tail)
        real = np.isfinite(theta2)
        expected = target_cosine(torch.from_numpy(theta1), Margin.arcface(0.5), tail).numpy()
        assert real.sum() > 70
        assert np.cos(theta2[real]) == pytest.approx(expected[real], abs=1e-6)


def test_a_margin_that_nobody_can_meet_has_no_boundary():
    theta1, theta2 = decision_boundary(Margin(1.0, math.pi, 0.5))
    assert np.isnan(theta2).all()
    assert np.isfinite(theta1).all()


@pytest.mark.parametrize("points", [0, 1, -5, 2.5, math.nan, 1_000_001, "181"])
def test_a_foolish_number_of_points_is_refused(points):
    with pytest.raises(ValueError, match="points is"):
        decision_boundary(Margin(), points)


def test_scale_bound_is_the_papers():
    # With the centres of a simplex and this scale the posterior is exactly the one asked for.
    for classes, posterior in [(10, 0.9), (10, 0.999), (1000, 0.5)]:
        scale = scale_bound(classes, posterior)
        others = (classes - 1) * math.exp(-scale / (classes - 1))
        assert math.exp(scale) / (math.exp(scale) + others) == pytest.approx(posterior)
    assert scale_bound(10, 0.001) == 0.0


def test_scale_one_cannot_be_confident():
    best = math.e / (math.e + 9 / math.e)
    assert best == pytest.approx(0.45, abs=5e-3)
    assert scale_bound(10, 0.9) > 1.0


@pytest.mark.parametrize("posterior", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_a_posterior_outside_zero_and_one_is_refused(posterior):
    with pytest.raises(ValueError, match="posterior is"):
        scale_bound(10, posterior)
