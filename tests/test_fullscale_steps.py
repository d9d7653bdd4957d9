"""Steps of a run where several options meet: clipping over all that moves, prototypes with biases
and sub-centres, fields that reach the loss, real networks in bfloat16."""

import math

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE
from runs import entries, prepared, weights
from torch import nn

from facevis.fullscale.config_parts import HeadConfig, OptimizerConfig
from facevis.fullscale.heads import build_objective
from facevis.fullscale.optimizers import Optimizers
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.train import train

CLASSES, DIM = 12, 5
SAMPLED = {"sample_rate": 0.5, "sub_centers": 2}
HEADS = {
    "margin": {},
    "softmax, with biases": {"objective": "softmax"},
    "sub-centres": {"sub_centers": 3},
    "sampled": {"sample_rate": 0.5},
    "sampled sub-centres": SAMPLED,
}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


class Moved:
    """A network, a head and what moves them, given a gradient of a number's own each step."""

    def __init__(self, head, **settings):
        torch.manual_seed(0)
        self.network = nn.Linear(4, DIM).double()
        self.head = build_objective(HeadConfig(**head), CLASSES, DIM, seed=1).double()
        self.optimizers = Optimizers(OptimizerConfig(**settings), self.network, self.head)

    def prepare(self, step):
        """Choose the step's classes and give everything that takes part a gradient."""
        self.optimizers.clear()
        self.head.choose(torch.tensor([step % CLASSES]), step)
        draw = torch.Generator().manual_seed(step)
        for parameter in self.parts():
            parameter.grad = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
        return self.parts()

    def parts(self):
        """What takes part in this step."""
        heads = [self.head.active, self.head.bias]
        return [*self.network.parameters(), *(p for p in heads if p is not None)]

    def step(self, step, rate=0.1):
        self.prepare(step)
        self.optimizers.step(rate, self.optimizers.norm(1.0), 1.0)

    def all_of_it(self):
        """The network's weights and all prototypes, with their biases."""
        heads = [self.head.weight, self.head.bias]
        return [*self.network.parameters(), *(p for p in heads if p is not None)]


# Clipping


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("longest", [0.7, 1e3])
def test_gradients_are_clipped_as_torch_clips_them_over_all_that_takes_part(head, longest):
    """But for the 10⁻⁶ that torch adds to the length before it divides."""
    moved = Moved(HEADS[head], clip=longest, momentum=0.0, weight_decay=0.0)
    parts = moved.prepare(0)
    twins = [nn.Parameter(p.detach().clone()) for p in parts]
    for part, twin in zip(parts, twins, strict=True):
        twin.grad = part.grad.clone()
    norm = moved.optimizers.norm(1.0)
    theirs = nn.utils.clip_grad_norm_(twins, longest)
    assert norm == pytest.approx(theirs.item(), rel=1e-12)
    assert (norm > longest) == (longest < 1)
    moved.optimizers.step(0.1, norm, 1.0)
    for part, twin in zip(parts, twins, strict=True):
        torch.testing.assert_close(part.grad, twin.grad, rtol=2e-6 / norm, atol=0)


# Steps


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "sgd", "weight_decay": 0.1},
        {"name": "sgd", "momentum": 0.0},
        {"name": "adamw", "weight_decay": 0.1},
    ],
    ids=["sgd", "sgd without momentum", "adamw"],
)
def test_the_biases_of_the_softmax_move_as_torch_moves_them(settings):
    moved = Moved(HEADS["softmax, with biases"], clip=0.0, **settings)
    twins = [nn.Parameter(p.detach().clone()) for p in moved.parts()]
    decay = settings.get("weight_decay", 5e-4)
    if settings["name"] == "sgd":
        theirs = torch.optim.SGD(twins, 0.1, settings.get("momentum", 0.9), weight_decay=decay)
    else:  # what has one dimension is not drawn to zero
        matrices, others = [[p for p in twins if (p.ndim > 1) is many] for many in (True, False)]
        groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
        theirs = torch.optim.AdamW(groups, 0.1, weight_decay=decay)
    for step in range(5):
        moved.step(step)
        for part, twin in zip(moved.parts(), twins, strict=True):
            twin.grad = part.grad.clone()
        theirs.step()
        for part, twin in zip(moved.parts(), twins, strict=True):
            assert torch.equal(part, twin)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sampled_sub_centres_move_class_by_class_each_as_if_it_were_alone(momentum):
    moved = Moved(SAMPLED, clip=0.0, momentum=momentum, weight_decay=0.1)
    alone = [nn.Parameter(pair.clone()) for pair in moved.head.weight.detach().view(-1, 2, DIM)]
    theirs = torch.optim.SGD(alone, 0.1, momentum, weight_decay=0.1)
    left_out = set()
    for step in range(6):
        moved.step(step)
        gradients = moved.head.active.grad.view(-1, 2, DIM)
        theirs.zero_grad()
        for number, gradient in zip(moved.head.chosen.tolist(), gradients, strict=True):
            alone[number].grad = gradient.clone()
        left_out |= {number for number, pair in enumerate(alone) if pair.grad is None}
        theirs.step()
        found = moved.head.weight.detach().view(-1, 2, DIM)
        torch.testing.assert_close(found, torch.stack([*alone]).detach(), rtol=1e-14, atol=1e-15)
    assert left_out == set(range(CLASSES))  # each of them also had steps without a part in them


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("head", HEADS)
def test_what_optimizers_remember_is_all_that_the_next_steps_need(head, name):
    whole = Moved(HEADS[head], name=name)
    for step in range(3):
        whole.step(step)
    later = Moved(HEADS[head], name=name)
    with torch.no_grad():
        for own, value in zip(later.all_of_it(), whole.all_of_it(), strict=True):
            own.copy_(value)
    assert [*later.optimizers.states()] == []
    later.optimizers.restore({n: value.clone() for n, value, _ in whole.optimizers.states()})
    for step in range(3, 6):
        whole.step(step)
        later.step(step)
    for own, value in zip(later.all_of_it(), whole.all_of_it(), strict=True):
        assert torch.equal(own, value)


# Fields

USED = {
    "softmax": set(),
    "margin": {"m1", "m2", "m3", "scale", "tail", "gradient", "sub_centers", "sample_rate"},
    "adaface": {"scale", "gradient", "sub_centers", "sample_rate", "adaface_m", "adaface_h"},
    "magface": {"scale", "gradient", "sub_centers", "sample_rate", "magface_weight"},
    "curricularface": {"m2", "scale", "gradient", "sub_centers", "sample_rate"},
    "triplet": {"distance", "mining", "squared"},
    "contrastive": {"distance"},
}
"""The fields of an objective, as the configuration's texts say."""
OTHER = {
    **{"m1": 1.4, "m2": 0.2, "m3": 0.2, "scale": 24.0, "tail": "easy", "gradient": "detached"},
    **{"sub_centers": 2, "sample_rate": 0.4, "distance": 0.8, "mining": "all", "squared": True},
    **{"adaface_m": 0.2, "adaface_h": 0.6, "magface_weight": 3.0},
}


def seen_of(head):
    """Loss and gradient of embeddings that lie anywhere, P×K."""
    objective = build_objective(head, CLASSES, DIM, seed=1).double()
    draw = torch.Generator().manual_seed(2)
    x = 30.0 * torch.randn(8, DIM, generator=draw, dtype=torch.float64)
    labels = torch.arange(8) // 2
    if hasattr(objective, "choose"):
        objective.choose(labels, 0)
    loss = objective(x.requires_grad_(), labels)
    loss.backward()
    return torch.cat([loss.detach().view(1), x.grad.flatten()])


def test_all_fields_of_the_head_are_asked_about():
    assert {"objective", *OTHER} == {*HeadConfig.__dataclass_fields__}


# The softmax refuses the two that it cannot have.
REFUSED = {("softmax", "sub_centers"), ("softmax", "sample_rate")}


@pytest.mark.parametrize(
    ("objective", "field"), [(o, f) for o in USED for f in OTHER if (o, f) not in REFUSED]
)
def test_a_field_reaches_the_loss_of_its_objective_and_no_other(objective, field):
    plain = HeadConfig(objective=objective, scale=16.0)
    changed = HeadConfig(**{"objective": objective, "scale": 16.0, field: OTHER[field]})
    same = torch.equal(seen_of(plain), seen_of(changed))
    assert same == (field not in USED[objective])


# Runs


@pytest.mark.parametrize("network", ["mobilefacenet", "iresnet18", "vit_t"])
def test_real_networks_train_in_bfloat16_as_the_large_recipes_set_them(
    network, tmp_path, monkeypatch
):
    seen = []
    loss = ShardedObjective._loss

    def spied(head, embeddings, labels):
        seen.append((embeddings.dtype, head.active.dtype))
        return loss(head, embeddings, labels)

    monkeypatch.setattr(ShardedObjective, "_loss", spied)
    folder = prepared(
        tmp_path / "run",
        **{"steps": 1, "data__train": NOISE, "precision": "bfloat16", "channels_last": True},
        **{"backbone__name": network, "batch_size": 4},
    )
    train(folder)
    assert seen == [(torch.float32, torch.float32)]
    (entry,) = entries(folder)
    assert math.isfinite(entry["loss"])
    assert math.isfinite(entry["gradient_norm"])
    floats = [value for value in weights(folder).values() if value.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float32}
    assert all(torch.isfinite(value).all() for value in floats)
