"""The one formula: check values, tails, gradients, shards, and finite numbers everywhere."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.margins import (
    GRADIENTS,
    TAILS,
    Margin,
    StackedMargin,
    angle_between,
    apply_margin,
    margin_target,
    psi,
    target_cosine,
    unit,
)

margins = st.builds(
    Margin, st.floats(0.01, 10), st.floats(0, math.pi), st.floats(0, 2)
) | st.sampled_from([Margin(), Margin.arcface(), Margin.cosface(), Margin.sphereface()])


@pytest.mark.parametrize(
    ("m1", "value"), [(1.35, -1.546), (1.5, -2.0), (1.7, -2.588), (2.0, -3.0), (4.0, -7.0)]
)
def test_psi_at_pi_has_the_check_values(m1, value):
    assert psi(math.pi * m1).item() == pytest.approx(value, abs=5e-4)
    assert target_cosine(math.pi, Margin.sphereface(m1)).item() == pytest.approx(value, abs=5e-4)


def test_psi_is_the_cosine_up_to_pi():
    phi = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    torch.testing.assert_close(psi(phi), torch.cos(phi))


def test_psi_is_continuous_where_a_turn_ends():
    for turns in range(1, 11):
        edge = turns * math.pi
        around = psi(torch.tensor([edge - 1e-9, edge, edge + 1e-9], dtype=torch.float64))
        assert around.tolist() == pytest.approx([1.0 - 2 * turns] * 3, abs=1e-12)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(margins)
def test_the_monotone_tail_falls_strictly_for_every_admissible_margin(margin):
    grid = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    assert (torch.diff(target_cosine(grid, margin)) < 0).all()


def test_the_raw_tail_rises_past_pi_so_the_property_can_fail():
    grid = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    assert (torch.diff(target_cosine(grid, Margin.arcface(0.5), "raw")) > 0).any()


def test_the_linear_tail_jumps_as_the_classic_code_does():
    edge = math.pi - 0.5
    before, after = (
        target_cosine(edge + step, Margin.arcface(0.5), "linear").item() for step in (-1e-9, 1e-9)
    )
    assert after - before == pytest.approx(-0.117, abs=5e-4)
    beyond = target_cosine(3.0, Margin.arcface(0.5), "linear").item()
    assert beyond == pytest.approx(math.cos(3.0) - 0.5 * math.sin(0.5))
    lower = target_cosine(3.0, Margin(1.0, 0.5, 0.2), "linear").item()
    assert lower == pytest.approx(beyond - 0.2)


def test_the_easy_tail_has_a_margin_only_in_front():
    front, behind = (target_cosine(a, Margin.arcface(0.5), "easy").item() for a in (1.0, 2.0))
    assert front == pytest.approx(math.cos(1.5))
    assert behind == pytest.approx(math.cos(2.0))


def test_all_tails_agree_before_pi():
    angle = torch.linspace(0, 1.5, 50, dtype=torch.float64)
    margin = Margin(1.2, 0.3, 0.1)
    expected = torch.cos(1.2 * angle + 0.3) - 0.1
    for tail in TAILS:
        torch.testing.assert_close(target_cosine(angle, margin, tail), expected)


def exact_slope(cosine, margin, gradient="exact", tail="raw"):
    cosines = torch.tensor([[cosine, 0.0]], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0])
    apply_margin(cosines, labels, margin, tail=tail, gradient=gradient)[0, 0].backward()
    return cosines.grad[0, 0].item()


def test_gradients_have_the_reference_values():
    arc = Margin.arcface(0.5)
    assert exact_slope(0.6, arc) == pytest.approx(1.237, abs=5e-4)
    assert exact_slope(0.6, arc, "detached") == 1.0
    for cosine, expected in [(0.9, 119.5), (-0.2, 49.9), (-0.95, -37.2)]:
        assert 64 * exact_slope(cosine, arc) == pytest.approx(expected, abs=0.05)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(margins, st.floats(-0.999, 0.999), st.sampled_from(TAILS))
def test_the_detached_gradient_is_one_and_its_value_the_exact_one(margin, cosine, tail):
    assert exact_slope(cosine, margin, "detached", tail) == 1.0
    cosines, labels = torch.tensor([[cosine, 0.3]], dtype=torch.float64), torch.tensor([0])
    exact, detached = (
        apply_margin(cosines, labels, margin, tail=tail, gradient=gradient)
        for gradient in GRADIENTS
    )
    torch.testing.assert_close(detached, exact)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(margins, st.floats(0.02, math.pi - 0.02))
def test_the_exact_gradient_is_m1_sin_phi_over_sin_theta(margin, angle):
    phi = margin.m1 * angle + margin.m2
    turns = math.floor(phi / math.pi)
    expected = (-1) ** turns * margin.m1 * math.sin(phi) / math.sin(angle)
    slope = exact_slope(math.cos(angle), margin, tail="monotone")
    assert slope == pytest.approx(expected, abs=1e-6, rel=1e-6)
    assert slope >= -1e-6


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("margin", [Margin(1.35, 0.2, 0.1), Margin.arcface(1.5), Margin(3.0)])
def test_gradients_match_finite_differences(tail, margin):
    generator = torch.Generator().manual_seed(0)
    cosines = torch.rand(7, 4, generator=generator, dtype=torch.float64) * 1.8 - 0.9
    labels = torch.tensor([0, 1, 2, 3, -1, 0, 2])
    assert torch.autograd.gradcheck(
        lambda c: apply_margin(c, labels, margin, tail=tail), (cosines.requires_grad_(),)
    )


def test_a_label_of_minus_one_leaves_its_row_alone():
    cosines = torch.linspace(-1, 1, 12).view(3, 4).requires_grad_()
    changed = apply_margin(cosines, torch.tensor([-1, 2, -1]), Margin(1.3, 0.4, 0.2))
    assert torch.equal(changed[[0, 2]], cosines[[0, 2]])
    assert torch.equal(changed[1, [0, 1, 3]], cosines[1, [0, 1, 3]])
    assert changed[1, 2] < cosines[1, 2]
    changed[[0, 2]].sum().backward()
    assert cosines.grad[[0, 2]].eq(1).all()
    assert cosines.grad[1].eq(0).all()


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("shards", [1, 3, 5, 15])
def test_shards_together_equal_the_whole(shards, gradient):
    generator = torch.Generator().manual_seed(shards)
    whole = (torch.rand(16, 15, generator=generator) * 2 - 1).requires_grad_()
    labels = torch.randint(0, 15, (16,), generator=generator)
    upstream = torch.randn(16, 15, generator=generator)
    margin, size = Margin(1.1, 0.3, 0.2), 15 // shards
    split = whole.detach().clone().requires_grad_()
    parts = []
    for shard in range(shards):
        local = labels - shard * size
        local = torch.where((local >= 0) & (local < size), local, -1)
        columns = split[:, shard * size : (shard + 1) * size]
        parts.append(apply_margin(columns, local, margin, gradient=gradient))
    together = torch.cat(parts, 1)
    expected = apply_margin(whole, labels, margin, gradient=gradient)
    assert torch.equal(together, expected)
    together.backward(upstream)
    expected.backward(upstream)
    assert torch.equal(split.grad, whole.grad)


def test_stacked_margins_equal_single_ones():
    generator = torch.Generator().manual_seed(0)
    cosines = torch.rand(3, 8, 5, generator=generator) * 2 - 1
    labels = torch.randint(0, 5, (8,), generator=generator)
    family = [Margin.arcface(), Margin.cosface(), Margin(1.35, 0.1, 0.2)]
    for tail in TAILS:
        together = apply_margin(cosines, labels, StackedMargin.of(family), tail=tail)
        for member, margin in enumerate(family):
            alone = apply_margin(cosines[member], labels, margin, tail=tail)
            torch.testing.assert_close(together[member], alone)


@pytest.mark.parametrize("angle", [0.0, 1e-8, 1e-4, 1.0, math.pi / 2, math.pi - 1e-8, math.pi])
def test_angle_between_is_exact_near_zero_and_pi(angle):
    first = torch.tensor([1.0, 0.0], dtype=torch.float64)
    second = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    assert angle_between(first, second).item() == pytest.approx(angle, rel=1e-12, abs=1e-15)


def test_angle_between_has_a_gradient_of_unit_length_near_zero():
    for angle in (1e-6, 1e-3, 1.0, math.pi - 1e-6):
        first = torch.tensor([1.0, 0.0], dtype=torch.float64)
        second = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        second.requires_grad_()
        angle_between(first, second).backward()
        tangent = torch.tensor([-math.sin(angle), math.cos(angle)], dtype=torch.float64)
        assert (second.grad @ tangent).item() == pytest.approx(1.0, abs=1e-9)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    margins,
    st.sampled_from(TAILS),
    st.sampled_from(GRADIENTS),
    st.sampled_from([torch.float64, torch.float32, torch.bfloat16, torch.float16]),
    st.lists(st.floats(-1, 1) | st.sampled_from([-1.0, 0.0, 1.0]), min_size=4, max_size=4),
)
def test_cosines_of_any_precision_give_finite_numbers(margin, tail, gradient, dtype, row):
    cosines = torch.tensor([row, [1.0, -1.0, 1.0, -1.0]]).to(dtype).requires_grad_()
    for label in range(4):
        labels = torch.tensor([label, label])
        changed = apply_margin(cosines, labels, margin, tail=tail, gradient=gradient)
        (slope,) = torch.autograd.grad(changed.sum(), cosines)
        assert changed.dtype == dtype
        assert torch.isfinite(changed).all()
        assert torch.isfinite(slope).all()


def test_vectors_of_any_length_and_shape_become_units_along_the_last_dimension():
    lengths = torch.tensor([1e-9, 0.3, 1.0, 1e9], dtype=torch.float64)
    directions = torch.tensor([[0.6, 0.8, 0.0], [0.0, -0.6, 0.8]], dtype=torch.float64)
    vectors = lengths[None, :, None] * directions[:, None]
    torch.testing.assert_close(unit(vectors), directions[:, None].expand(2, 4, 3))
    torch.testing.assert_close(unit(vectors[0, 1]), directions[0])


def test_angles_between_stacks_are_those_of_the_single_vectors():
    generator = torch.Generator().manual_seed(0)
    first, second = unit(torch.randn(2, 3, 5, 4, generator=generator, dtype=torch.float64))
    found = angle_between(first, second)
    assert found.shape == (3, 5)
    torch.testing.assert_close(found, torch.arccos((first * second).sum(-1)))


def test_stacked_margins_have_the_precision_that_they_are_made_for():
    wide = StackedMargin.of([Margin(m3=0.35)], torch.zeros(1, dtype=torch.float64))
    assert wide.m3.item() == 0.35


@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5)])
def test_vectors_whose_length_overflows_keep_their_direction_beside_others(shape):
    directions = unit(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
    lengths = torch.tensor([[1e20], [1.0], [3e38], [1.5e-12]])
    torch.testing.assert_close(unit(lengths * directions), directions)
    assert torch.isnan(unit(torch.tensor([torch.inf, 1.0]))).any()


def test_unit_vectors_of_zero_stay_zero_and_pass_no_gradient():
    vectors = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    directions = unit(vectors)
    torch.testing.assert_close(directions, torch.tensor([[0.0, 0.0], [0.6, 0.8]]))
    directions.sum().backward()
    assert vectors.grad[0].tolist() == [0.0, 0.0]
    assert torch.isfinite(vectors.grad).all()


def test_stacked_margins_take_the_type_that_is_wanted():
    family = [Margin(1.2, 0.3, 0.1), Margin.cosface(0.35)]
    assert StackedMargin.of(family).m2.dtype == torch.float32
    wide = StackedMargin.of(family, like=torch.zeros(1, dtype=torch.float64))
    assert [field.dtype for field in wide] == [torch.float64] * 3
    assert [field.shape for field in wide] == [(2, 1)] * 3
    assert wide.m3.flatten().tolist() == pytest.approx([0.1, 0.35])


def test_floats_are_computed_in_double_precision():
    assert target_cosine(0.5, Margin(1, 0.5, 0.1)).dtype == torch.float64
    assert psi(1.0).dtype == torch.float64
    assert psi(torch.tensor(1.0)).dtype == torch.float32


def test_classic_margins_have_their_names():
    assert Margin.arcface(0.4) == Margin(1.0, 0.4, 0.0)
    assert Margin.cosface(0.3) == Margin(1.0, 0.0, 0.3)
    assert Margin.sphereface(1.5) == Margin(1.5, 0.0, 0.0)
    assert (Margin.sphereface().m1, Margin.arcface().m2, Margin.cosface().m3) == (1.35, 0.5, 0.35)
    assert Margin(1, 0, 0).as_tuple() == (1.0, 0.0, 0.0)
    with pytest.raises(AttributeError):
        Margin().m1 = 2.0


def test_scaled_margins_go_from_none_to_all():
    margin = Margin(1.35, 0.5, 0.2)
    assert margin.scaled(0.0) == Margin()
    assert margin.scaled(1.0).as_tuple() == pytest.approx(margin.as_tuple())


@pytest.mark.parametrize("field", ["m1", "m2", "m3"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, 11.0, "0.5", None, True])
def test_foolish_margins_are_refused_by_name(field, value):
    given = re.escape(str(value) if type(value) is float else repr(value))
    with pytest.raises(ValueError, match=f"margin {field} is {given}; give a number") as caught:
        Margin(**{field: value})
    assert str(caught.value).count(".\n") == 0


def test_a_multiplicative_margin_of_zero_is_refused():
    with pytest.raises(ValueError, match="margin m1 is 0; give a number above 0"):
        Margin(m1=0)


@pytest.mark.parametrize("tail", TAILS)
def test_the_result_has_the_type_of_the_cosines_whatever_margin_and_angle_have(tail):
    cosines, labels = torch.tensor([[-0.99, 0.1], [0.3, 0.2]]), torch.tensor([0, 1])
    angle = torch.arccos(cosines[[0, 1], labels].double())
    expected = apply_margin(cosines, labels, Margin.arcface(), tail=tail)
    found = apply_margin(cosines, labels, Margin.arcface(), angle=angle, tail=tail)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    wide = StackedMargin.of([Margin.arcface()], like=torch.zeros(1, dtype=torch.float64))
    found = apply_margin(cosines[None], labels, wide, tail=tail)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_angle_of_a_cosine_of_one_is_zero_in_any_precision(dtype):
    cosines = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=dtype)
    found = apply_margin(cosines, torch.tensor([0, 0]), Margin(1.0, 0.5, 0.0), tail="raw")[:, 0]
    expected = torch.tensor([math.cos(0.5), -math.cos(0.5)], dtype=dtype)
    torch.testing.assert_close(found, expected, rtol=0, atol=torch.finfo(dtype).eps)


def test_a_target_has_the_monotone_tail_and_the_exact_gradient_unless_told():
    cosine = torch.tensor([0.6, -0.95], dtype=torch.float64, requires_grad=True)
    margin = Margin(1.2, 0.5, 0.1)
    target = margin_target(cosine, torch.arccos(cosine), margin)
    torch.testing.assert_close(target, target_cosine(torch.arccos(cosine), margin))
    (slope,) = torch.autograd.grad(target.sum(), cosine)
    expected = [exact_slope(c, margin, tail="monotone") for c in (0.6, -0.95)]
    assert slope.tolist() == pytest.approx(expected)


def test_unknown_tails_and_gradients_are_refused_by_name():
    cosines, labels = torch.zeros(1, 2), torch.tensor([0])
    with pytest.raises(ValueError, match="tail is 'soft'; choose one of monotone, raw"):
        apply_margin(cosines, labels, Margin(), tail="soft")
    with pytest.raises(ValueError, match="gradient is 'none'; choose one of exact, detached"):
        apply_margin(cosines, labels, Margin(), gradient="none")


def test_numpy_numbers_are_numbers():
    assert Margin(m2=np.float64(0.5)) == Margin(m2=0.5)
