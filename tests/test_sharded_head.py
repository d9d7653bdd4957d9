"""The head in pieces and over processes is the plain head: losses and gradients."""

import math

import pytest
import torch
from gloo import together
from head_work import CASES, CLASSES, DIM, all_cases, material, objective, step
from pytorch_metric_learning import losses

from facevis.adaptive import FixedMargin
from facevis.fullscale.prototypes import ShardedObjective
from facevis.margins import Margin, target_cosine, unit
from facevis.objectives import MarginObjective, SoftmaxObjective


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """All cases on two processes, each with half of the classes and half of the batch."""
    folder = tmp_path_factory.mktemp("gloo")
    together(all_cases, folder, folder / "found.pt")
    return torch.load(folder / "found.pt", weights_only=True)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_are_one(shards, case):
    alone = step(case)
    assert alone.keys() == shards[case].keys()
    for name, value in alone.items():
        torch.testing.assert_close(shards[case][name], value, rtol=1e-12, atol=1e-12, msg=name)


def test_two_processes_are_one_in_float32(shards):
    alone = step("arcface", torch.float32)
    for name in ("loss", "embeddings", "prototypes"):
        torch.testing.assert_close(
            shards["arcface in float32"][name], alone[name], rtol=0, atol=1e-5
        )


def reference(case):
    """The same by materialised logits and autograd alone, written out from the papers."""
    embeddings, labels, table = material()
    x = embeddings.clone().requires_grad_()
    head = objective(case)
    k = head.sub_centers
    w = table[: CLASSES * k].clone().requires_grad_()
    lengths = x.norm(dim=1)
    cosines = (unit(x) @ unit(w).T).view(len(x), CLASSES, k).amax(2)
    own = cosines.gather(1, labels[:, None])[:, 0]
    theta, extra = torch.arccos(own), 0.0
    if case == "adaface":
        safe = lengths.detach().clamp(1e-3, 100)
        mean = 0.99 * 20 + 0.01 * safe.mean()
        deviation = 0.99 * 100 + 0.01 * safe.std()
        quality = ((safe - mean) / (deviation + 1e-3) * 0.333).clamp(-1, 1)
        target = torch.cos((theta - 0.4 * quality).clamp_min(0)) - (0.4 + 0.4 * quality)
    elif case == "magface":
        a = lengths.clamp(1, 8)
        target = target_cosine(theta + (0.45 + 0.35 * (a - 1) / 7), Margin())
        extra = 35 * (1 / a + a / 64).mean()
    elif case == "curricularface":
        target = target_cosine(theta, Margin.arcface(0.5))
        t = 0.01 * own.detach().mean()
        hard = cosines > target.detach()[:, None]
        cosines = torch.where(hard, cosines * (t + cosines), cosines)
    else:
        rule = head.rule
        target = target_cosine(theta, rule.margin, rule.tail)
        if rule.gradient == "detached":
            target = own + (target - own).detach()
    logits = 16.0 * cosines.scatter(1, labels[:, None], target[:, None])
    loss = torch.nn.functional.cross_entropy(logits, labels) + extra
    loss.backward()
    return {"loss": loss.detach(), "embeddings": x.grad, "prototypes": w.grad}


@pytest.mark.parametrize("case", [case for case in CASES if case != "softmax"])
def test_pieces_are_the_materialised_formula(case):
    found = step(case)
    for name, value in reference(case).items():
        torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("piece", [1, 7, CLASSES, 1000])
def test_the_size_of_a_piece_changes_nothing(piece):
    embeddings, labels, _ = material()
    found = []
    for size in (piece, 5):
        head, x = objective("combined", size), embeddings.clone().requires_grad_()
        head(x, labels).backward()
        found.append((x.grad, head.weight.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-13)


def test_it_is_the_objective_of_the_small_networks():
    embeddings, labels, table = material()
    small = MarginObjective(CLASSES, DIM, Margin(0.9, 0.4, 0.15), 16.0).double()
    small.directions.data.copy_(table[:CLASSES])
    assert small(embeddings, labels).item() == pytest.approx(step("combined")["loss"].item())
    soft = SoftmaxObjective(CLASSES, DIM).double()
    soft.prototypes.data.copy_(table[:CLASSES])
    soft.bias.data.copy_(torch.linspace(-1, 1, CLASSES))
    x = embeddings.clone().requires_grad_()
    loss = soft(x, labels)
    loss.backward()
    found = step("softmax")
    torch.testing.assert_close(found["loss"], loss.detach())
    torch.testing.assert_close(found["embeddings"], x.grad)
    torch.testing.assert_close(found["prototypes"], soft.prototypes.grad)
    torch.testing.assert_close(found["bias"], soft.bias.grad)


def test_cosface_is_that_of_pytorch_metric_learning():
    embeddings, labels, table = material()
    theirs = losses.CosFaceLoss(CLASSES, DIM, margin=0.35, scale=16).double()
    theirs.W.data.copy_(table[:CLASSES].T)
    ours = ShardedObjective(CLASSES, DIM, FixedMargin(Margin.cosface()), 16.0, piece=5).double()
    ours.weight.data.copy_(table[:CLASSES])
    assert ours(embeddings, labels).item() == pytest.approx(theirs(embeddings, labels).item())


def test_a_gradient_is_added_to_what_is_there():
    embeddings, labels, _ = material()
    head = objective("arcface")
    head(embeddings.clone().requires_grad_(), labels).backward()
    once = head.weight.grad.clone()
    head(embeddings.clone().requires_grad_(), labels).backward()
    torch.testing.assert_close(head.weight.grad, 2 * once)


@pytest.mark.parametrize("length", [0.0, 1e-30, 1e30])
def test_embeddings_of_any_length_give_finite_gradients(length):
    head = objective("combined").float()
    x = torch.ones(2, DIM) * length / math.sqrt(DIM)
    x.requires_grad_()
    head.weight.data[0] = 0.0
    loss = head(x, torch.tensor([0, 1]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(head.weight.grad).all()


def test_an_embedding_on_its_prototype_and_one_opposite_give_finite_gradients():
    head = ShardedObjective(3, 4, FixedMargin(Margin.arcface()), 64.0)
    x = torch.stack([head.weight.data[0], -head.weight.data[0]]).requires_grad_()
    loss = head(x, torch.tensor([0, 0]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(head.weight.grad).all()


def test_half_precision_is_computed_in_float32():
    embeddings, labels, _ = material()
    head = objective("arcface").float()
    half = embeddings.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        loss = head(half, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == head(half.float(), labels).item()


def test_prototypes_begin_alike_on_any_number_of_processes(monkeypatch):
    whole = ShardedObjective(10_000, 4, FixedMargin()).weight
    for world in (2, 3):
        monkeypatch.setattr("facevis.fullscale.ranks.world", lambda world=world: world)
        parts = []
        for rank in range(world):
            monkeypatch.setattr("facevis.fullscale.ranks.rank", lambda rank=rank: rank)
            parts.append(ShardedObjective(10_000, 4, FixedMargin()).weight)
        torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=0)


def test_sampled_classes_hold_those_of_the_batch_and_leave_the_others_alone():
    head = ShardedObjective(1000, 8, FixedMargin(Margin.cosface()), 16.0, sample_rate=0.1)
    labels = torch.tensor([3, 999, 3])
    head.choose(labels, step=0)
    first = head.chosen
    assert len(first) == 100
    assert {3, 999} <= set(first.tolist())
    loss = head(torch.randn(3, 8, requires_grad=True), labels)
    loss.backward()
    assert head.weight.grad is None
    assert head.active.grad.shape == (100, 8)
    head.choose(labels, step=1)
    assert first.tolist() != head.chosen.tolist()
    head.choose(labels, step=0)
    assert first.tolist() == head.chosen.tolist()


def test_a_sampled_loss_is_the_loss_among_the_chosen():
    embeddings, labels, _ = material()
    head = objective("arcface")
    head.sample_rate = 0.5
    head.choose(labels, step=0)
    small = MarginObjective(len(head.chosen), DIM, Margin.arcface(0.5), 16.0).double()
    small.directions.data.copy_(head.active.data)
    among = torch.searchsorted(head.chosen, labels)
    x, y = embeddings.clone().requires_grad_(), embeddings.clone().requires_grad_()
    ours, theirs = head(x, labels), small(y, among)
    ours.backward()
    theirs.backward()
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(x.grad, y.grad)
    torch.testing.assert_close(head.active.grad, small.directions.grad)


@pytest.mark.parametrize("options", [{"sub_centers": 2}, {"sample_rate": 0.5}])
def test_the_plain_softmax_takes_all_classes_once(options):
    with pytest.raises(ValueError, match="plain softmax has one prototype"):
        ShardedObjective(10, 4, None, **options)
