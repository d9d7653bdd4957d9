"""How weights move: schedules against closed forms, optimizers against PyTorch's and the formulas,
clipping, the loss scale of float16."""

import math

import pytest
import torch
from torch import nn

from facevis.adaptive import FixedMargin
from facevis.fullscale.config_parts import OptimizerConfig, ScheduleConfig
from facevis.fullscale.optimizers import LossScale, Optimizers
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.schedules import learning_rate, margin_share

CLASSES, DIM, STEPS = 12, 5, 7

# Schedules


def rates(**settings):
    schedule = ScheduleConfig(**settings)
    return [learning_rate(step, 0.4, schedule) for step in range(schedule.steps)]


@pytest.mark.parametrize("power", [1.0, 2.0, 3.5])
def test_polynomial_is_the_power_of_what_is_left(power):
    found = rates(steps=50, kind="polynomial", power=power)
    assert found == pytest.approx([0.4 * (1 - k / 50) ** power for k in range(50)], rel=1e-12)


def test_cosine_is_half_a_wave():
    found = rates(steps=50, kind="cosine")
    assert found == pytest.approx([0.2 * (1 + math.cos(math.pi * k / 50)) for k in range(50)])
    assert found[25] == pytest.approx(0.2)


def test_step_divides_at_each_milestone():
    found = rates(steps=9, kind="step", milestones=(3, 6), factor=0.25)
    assert found == [0.4] * 3 + [0.1] * 3 + [0.025] * 3


@pytest.mark.parametrize("kind", ["polynomial", "cosine", "step"])
def test_warm_up_rises_in_a_line_and_the_rest_follows_over_fewer_steps(kind):
    found = rates(steps=30, kind=kind, warmup=10, milestones=(20,))
    assert found[:10] == pytest.approx([0.04 * (k + 1) for k in range(10)])
    rest = rates(steps=20, kind=kind, milestones=(10,))
    assert found[10:] == pytest.approx(rest)
    assert found[10] == 0.4


def test_the_margin_grows_in_a_line_and_stays():
    schedule = ScheduleConfig(steps=20, margin_warmup=8)
    assert [margin_share(k, schedule) for k in range(20)] == [min(k / 8, 1.0) for k in range(20)]
    assert margin_share(0, ScheduleConfig()) == 1.0


# Optimizers


def parts(**settings):
    """A network with a matrix and a bias, a head, and what moves them."""
    torch.manual_seed(0)
    network = nn.Linear(4, DIM)
    head = ShardedObjective(CLASSES, DIM, FixedMargin(), seed=1)
    return network, head, Optimizers(OptimizerConfig(**settings), network, head)


def gradients(*shapes):
    """The same gradients for whoever asks, step after step."""
    draw = torch.Generator().manual_seed(3)
    for _ in range(STEPS):
        yield [torch.randn(shape, generator=draw) for shape in shapes]


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "sgd"},
        {"name": "sgd", "momentum": 0.0, "weight_decay": 0.1},
        {"name": "adamw", "weight_decay": 0.05},
    ],
)
def test_steps_are_those_of_torch(settings):
    network, head, optimizers = parts(clip=0.0, **settings)
    moved = [network.weight, network.bias, head.weight]
    twins = [nn.Parameter(p.detach().clone()) for p in moved]
    decay = optimizers.config.weight_decay
    if settings["name"] == "sgd":
        momentum = optimizers.config.momentum
        theirs = torch.optim.SGD(twins, 1.0, momentum=momentum, weight_decay=decay)
    else:  # biases and norms are not drawn to zero
        groups = [{"params": [twins[0], twins[2]], "weight_decay": decay}]
        groups += [{"params": [twins[1]], "weight_decay": 0.0}]
        theirs = torch.optim.AdamW(groups, 1.0)
    for step, given in enumerate(gradients(*(p.shape for p in moved))):
        optimizers.clear()
        for own, twin, gradient in zip(moved, twins, given, strict=True):
            own.grad, twin.grad = gradient.clone(), gradient.clone()
        rate = 0.1 / (step + 1)
        optimizers.step(rate, optimizers.norm(1.0), 1.0)
        for group in theirs.param_groups:
            group["lr"] = rate
        theirs.step()
        for own, twin in zip(moved, twins, strict=True):
            torch.testing.assert_close(own, twin, rtol=0, atol=0)


def sampled(settings):
    """Steps of sampled prototypes: which rows each chose, the gradient, and what came of it."""
    _, head, optimizers = parts(clip=0.0, **settings)
    head.sample_rate = 0.5
    begin = head.weight.detach().clone()
    path = []
    for step, (gradient,) in enumerate(gradients((CLASSES, DIM))):
        optimizers.clear()
        head.choose(torch.tensor([step % CLASSES]), step)
        rows = head.taken_rows()
        head.active.grad = gradient[rows]
        optimizers.step(0.1, optimizers.norm(1.0), 1.0)
        path.append((rows, gradient, head.weight.detach().clone()))
    assert len({tuple(rows.tolist()) for rows, *_ in path}) == STEPS  # others each time
    return begin, path


def test_a_sampled_prototype_moves_with_its_own_momentum_as_if_it_were_alone():
    """Each row is a parameter of its own for torch, without a gradient where it was not chosen."""
    begin, path = sampled({"name": "sgd"})
    alone = [nn.Parameter(row.clone()) for row in begin]
    theirs = torch.optim.SGD(alone, 0.1, momentum=0.9, weight_decay=5e-4)
    for rows, gradient, found in path:
        for row, parameter in enumerate(alone):
            parameter.grad = gradient[row].clone() if row in rows else None
        theirs.step()
        torch.testing.assert_close(found, torch.stack([*alone]).detach(), rtol=1e-6, atol=1e-7)


def test_a_sampled_prototype_has_its_own_adamw_with_the_count_of_all_steps():
    begin, path = sampled({"name": "adamw", "weight_decay": 0.05})
    weight = begin.double()
    mean, square = torch.zeros_like(weight), torch.zeros_like(weight)
    for count, (rows, gradient, found) in enumerate(path, 1):
        g = gradient[rows].double()
        mean[rows] = 0.9 * mean[rows] + 0.1 * g
        square[rows] = 0.999 * square[rows] + 0.001 * g**2
        move = (mean[rows] / (1 - 0.9**count)) / ((square[rows] / (1 - 0.999**count)).sqrt() + 1e-8)
        weight[rows] = weight[rows] * (1 - 0.1 * 0.05) - 0.1 * move
        torch.testing.assert_close(found.double(), weight, rtol=1e-5, atol=1e-6)


# Clipping


@pytest.mark.parametrize("longest", [0.5, 1e6, 0.0])
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_no_step_is_longer_than_the_longest_gradient_allows(longest, scale):
    network, head, optimizers = parts(momentum=0.0, weight_decay=0.0, clip=longest)
    moved = [network.weight, network.bias, head.weight]
    begin = [p.detach().clone() for p in moved]
    (given, *_) = gradients(*(p.shape for p in moved))
    for parameter, gradient in zip(moved, given, strict=True):
        parameter.grad = gradient * scale
    norm = torch.cat([g.flatten() for g in given]).double().norm().item()
    assert optimizers.norm(scale) == pytest.approx(norm, rel=1e-6)
    optimizers.step(0.1, optimizers.norm(scale), scale)
    change = [b - p.detach() for b, p in zip(begin, moved, strict=True)]
    length = torch.cat([c.flatten() for c in change]).double().norm().item()
    wanted = 0.1 * (min(norm, longest) if longest else norm)
    assert length == pytest.approx(wanted, rel=1e-5)
    # Shorter, not turned.
    for moved_by, gradient in zip(change, given, strict=True):
        torch.testing.assert_close(moved_by, gradient * wanted / norm, rtol=1e-4, atol=1e-6)


# The loss scale of float16


def test_the_loss_scale_halves_on_overflow_and_doubles_after_two_thousand_good_steps():
    scale = LossScale(active=True)
    assert scale.value == 2.0**16
    scale.after(finite=False)
    assert (scale.value, scale.good) == (2.0**15, 0)
    for _ in range(1999):
        scale.after(finite=True)
    assert scale.value == 2.0**15
    scale.after(finite=True)
    assert scale.value == 2.0**16
    for _ in range(1500):
        scale.after(finite=True)
    scale.after(finite=False)  # the count of good steps begins anew
    for _ in range(1999):
        scale.after(finite=True)
    assert scale.value == 2.0**15


def test_the_loss_scale_stays_within_its_limits():
    scale = LossScale(active=True)
    for _ in range(40):
        scale.after(finite=False)
    assert scale.value == 1.0
    for _ in range(2000 * 30):
        scale.after(finite=True)
    assert scale.value == 2.0**24


def test_other_precisions_have_no_loss_scale():
    scale = LossScale(active=False)
    for finite in (False, True, False):
        scale.after(finite)
    assert scale.value == 1.0
