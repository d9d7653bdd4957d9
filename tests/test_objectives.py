"""The losses: against pytorch-metric-learning and scikit-learn, gradients, precision, bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import losses
from sklearn.metrics import log_loss
from torch import nn

from facevis.margins import GRADIENTS, TAILS, Margin, StackedMargin
from facevis.objectives import (
    ContrastiveObjective,
    MarginObjective,
    SoftmaxObjective,
    TripletObjective,
    contrastive_loss,
    cross_entropy,
    margin_logits,
)

CLASSES, DIM, BATCH = 7, 3, 40


def batch(seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    embeddings = 3 * torch.randn(BATCH, DIM, generator=generator, dtype=dtype)
    return embeddings, torch.randint(0, CLASSES, (BATCH,), generator=generator)


def with_weights_of(reference, margin, scale, tail):
    """Our objective with the reference's prototypes; theirs are columns."""
    objective = MarginObjective(CLASSES, DIM, margin=margin, scale=scale, tail=tail)
    with torch.no_grad():
        objective.directions.copy_(reference.W.T)
    return objective


def agree(ours, theirs, embeddings, labels):
    first, second = (embeddings.clone().requires_grad_() for _ in range(2))
    loss, expected = ours(first, labels), theirs(second, labels)
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(first.grad, second.grad, atol=1e-5, rtol=1e-4)
    return loss.item()


@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5, 1.0])
def test_arcface_matches_pytorch_metric_learning(margin):
    theirs = losses.ArcFaceLoss(CLASSES, DIM, margin=math.degrees(margin), scale=8).double()
    ours = with_weights_of(theirs, Margin.arcface(margin), 8.0, "linear").double()
    embeddings, labels = batch(dtype=torch.float64)
    assert agree(ours, theirs, embeddings, labels) > 0.1
    torch.testing.assert_close(ours.directions.grad, theirs.W.grad.T, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("margin", [0.1, 0.35])
def test_cosface_matches_pytorch_metric_learning(margin):
    theirs = losses.CosFaceLoss(CLASSES, DIM, margin=margin, scale=8)
    ours = with_weights_of(theirs, Margin.cosface(margin), 8.0, "monotone")
    assert agree(ours, theirs, *batch(1)) > 0.1


@pytest.mark.filterwarnings("ignore:__array_wrap__")  # inside their binomials
@pytest.mark.parametrize("margin", [1, 2, 3, 4])
def test_sphereface_matches_pytorch_metric_learning_at_integer_margins(margin):
    theirs = losses.SphereFaceLoss(CLASSES, DIM, margin=margin, scale=4).double()
    ours = with_weights_of(theirs, Margin.sphereface(float(margin)), 4.0, "monotone").double()
    # Theirs multiplies by the length of the embeddings; on the hypersphere that is 1.
    embeddings, labels = batch(2, torch.float64)
    embeddings = nn.functional.normalize(embeddings, dim=1)
    assert ours(embeddings, labels).item() == pytest.approx(
        theirs(embeddings, labels).item(), abs=1e-5
    )


def test_normalised_softmax_matches_pytorch_metric_learning():
    theirs = losses.NormalizedSoftmaxLoss(CLASSES, DIM, temperature=1 / 8)
    ours = with_weights_of(theirs, Margin(), 8.0, "monotone")
    assert agree(ours, theirs, *batch(3)) > 0.1


def test_softmax_matches_scikit_learn_and_torch():
    objective = SoftmaxObjective(CLASSES, DIM)
    with torch.no_grad():
        objective.bias.copy_(torch.linspace(-1, 1, CLASSES))
    embeddings, labels = batch(4)
    logits = nn.functional.linear(embeddings, objective.prototypes, objective.bias)
    loss = objective(embeddings, labels).item()
    assert loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), abs=1e-6)
    posterior = logits.double().softmax(1).detach().numpy()
    assert loss == pytest.approx(log_loss(labels, posterior, labels=range(CLASSES)), abs=1e-5)


def test_contrastive_is_hadsells_mean_over_pairs():
    embeddings, labels = batch(5, torch.float64)
    unit = nn.functional.normalize(embeddings, dim=1)
    terms = []
    for first in range(BATCH):
        for second in range(first):
            distance = (unit[first] - unit[second]).norm()
            same = labels[first] == labels[second]
            terms.append(distance**2 if same else (0.9 - distance).clamp_min(0) ** 2)
    loss = ContrastiveObjective(margin=0.9)(embeddings, labels)
    assert loss.item() == pytest.approx(torch.stack(terms).mean().item(), abs=1e-12)
    raw = ContrastiveObjective(margin=0.9, normalized=False)(unit, labels)
    assert raw.item() == pytest.approx(loss.item(), abs=1e-12)


def test_the_family_is_one_code():
    embeddings, labels = batch(6, torch.float64)
    prototypes = torch.randn(CLASSES, DIM, dtype=torch.float64)
    theta = torch.acos(
        nn.functional.normalize(embeddings, dim=1) @ nn.functional.normalize(prototypes, dim=1).T
    )
    own = theta[torch.arange(BATCH), labels]
    for margin, target in [
        (Margin(), torch.cos(own)),
        (Margin.cosface(0.35), torch.cos(own) - 0.35),
        (Margin.arcface(0.5), torch.cos(own + 0.5)),
        (Margin(0.9, 0.4, 0.15), torch.cos(0.9 * own + 0.4) - 0.15),
    ]:
        expected = torch.cos(theta)
        expected[torch.arange(BATCH), labels] = target
        logits = margin_logits(embeddings, prototypes, labels, margin, 16.0, tail="raw")
        torch.testing.assert_close(logits, 16 * expected)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(
    "margin",
    [Margin(), Margin.sphereface(1.35), Margin.cosface(), Margin.arcface(), Margin(1.2, 0.3, 0.1)],
)
def test_margin_gradients_match_finite_differences(margin, tail):
    embeddings, labels = batch(7, torch.float64)
    embeddings, labels = embeddings[:6].requires_grad_(), labels[:6]
    generator = torch.Generator().manual_seed(1)
    prototypes = torch.randn(CLASSES, DIM, generator=generator, dtype=torch.float64)

    def loss(embeddings, prototypes):
        logits = margin_logits(embeddings, prototypes, labels, margin, 4.0, tail)
        return cross_entropy(logits, labels)

    assert torch.autograd.gradcheck(loss, (embeddings, prototypes.requires_grad_()))


@pytest.mark.parametrize(
    "objective",
    [
        SoftmaxObjective(CLASSES, DIM),
        ContrastiveObjective(1.5),
        TripletObjective(0.5, "all"),
        TripletObjective(0.5, "batch-hard", squared=True),
    ],
)
def test_other_gradients_match_finite_differences(objective):
    embeddings, labels = batch(8, torch.float64)
    inputs = (embeddings[:12].requires_grad_(),)
    assert objective(inputs[0], labels[:12]).item() > 0
    assert torch.autograd.gradcheck(lambda x: objective.double()(x, labels[:12]), inputs)


def test_the_detached_gradient_is_the_scale():
    embeddings, labels = batch(9)
    logits = margin_logits(
        embeddings, torch.eye(CLASSES, DIM), labels, Margin.arcface(), 64.0, gradient="detached"
    )
    plain = margin_logits(embeddings, torch.eye(CLASSES, DIM), labels, Margin(), 64.0)
    assert not torch.allclose(logits, plain)
    first, second = (embeddings.clone().requires_grad_() for _ in range(2))
    weights = torch.randn(BATCH, CLASSES)
    args = (torch.eye(CLASSES, DIM), labels)
    for x, margin in ((first, Margin.arcface()), (second, Margin())):
        (margin_logits(x, *args, margin, 64.0, gradient="detached") * weights).sum().backward()
    torch.testing.assert_close(first.grad, second.grad)


def test_stacked_members_equal_single_members():
    generator = torch.Generator().manual_seed(0)
    family = [Margin(), Margin.arcface(), Margin(1.3, 0.1, 0.2)]
    embeddings = torch.randn(3, BATCH, DIM, generator=generator)
    prototypes = torch.randn(3, CLASSES, DIM, generator=generator)
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    scales = torch.tensor([8.0, 16.0, 64.0])
    stacked = StackedMargin.of(family)
    together = cross_entropy(
        margin_logits(embeddings, prototypes, labels, stacked, scales.view(3, 1, 1)), labels
    )
    distances = contrastive_loss(embeddings, labels, 1.0)
    for member, margin in enumerate(family):
        logits = margin_logits(
            embeddings[member], prototypes[member], labels, margin, scales[member].item()
        )
        torch.testing.assert_close(together[member], cross_entropy(logits, labels))
        torch.testing.assert_close(
            distances[member], contrastive_loss(embeddings[member], labels, 1.0)
        )


PLACES = st.floats(0, math.pi) | st.sampled_from([0.0, math.pi, 1e-7, math.pi / 2])
LENGTHS = st.floats(1, 50) | st.sampled_from([0.0, 1.0])


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    st.builds(Margin, st.floats(0.01, 10), st.floats(0, math.pi), st.floats(0, 2)),
    st.floats(1e-3, 512),
    st.sampled_from(TAILS),
    st.sampled_from(GRADIENTS),
    st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
    st.lists(st.tuples(PLACES, LENGTHS), min_size=4, max_size=4),
)
def test_no_margin_scale_or_angle_gives_nan_or_infinity(
    margin, scale, tail, gradient, dtype, places
):
    objective = MarginObjective(3, 2, margin=margin, scale=scale, tail=tail, gradient=gradient)
    layer = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        objective.directions.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.6, 0.8]]))
        layer.weight.copy_(torch.eye(2))
    rows = [[math.cos(a) * length, math.sin(a) * length] for a, length in places]
    rows += [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [0.6, 0.8]]  # on and opposite prototypes
    inputs = torch.tensor(rows, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 0, 0, 0, 0, 2])
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        embeddings = layer(inputs)
        loss = objective(embeddings, labels)
    assert embeddings.dtype == dtype
    assert loss.dtype == torch.float32
    loss.backward()
    for number in (loss, inputs.grad, layer.weight.grad, objective.directions.grad):
        assert torch.isfinite(number).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "make",
    [
        lambda: SoftmaxObjective(3, 2),
        lambda: ContrastiveObjective(),
        lambda: TripletObjective(0.5, "all"),
        lambda: TripletObjective(0.5, "semi-hard", squared=True),
        lambda: TripletObjective(0.5, "batch-hard"),
        lambda: MarginObjective(3, 2),
    ],
)
def test_every_objective_survives_equal_opposite_and_zero_embeddings(make, dtype):
    objective = make()
    for rows in ([[1.0, 0.0]] * 6, [[1.0, 0.0], [-1.0, 0.0]] * 3, [[0.0, 0.0]] * 6):
        inputs = torch.tensor(rows, requires_grad=True)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            loss = objective(inputs @ torch.eye(2), torch.tensor([0, 1, 2, 0, 1, 2]))
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(inputs.grad).all()


def test_half_precision_changes_the_loss_only_by_its_rounding():
    embeddings, labels = batch(11)
    objective = MarginObjective(CLASSES, DIM, scale=16.0)
    full = objective(embeddings.half().float(), labels)
    with torch.autocast("cpu", dtype=torch.float16):
        half = objective(embeddings.half(), labels)
    assert torch.equal(full, half)


@pytest.mark.parametrize(
    "objective",
    [SoftmaxObjective(CLASSES, DIM), MarginObjective(CLASSES, DIM, scale=16.0)],
)
def test_training_the_prototypes_lowers_the_loss(objective):
    embeddings, labels = batch(12)
    optimizer = torch.optim.Adam(objective.parameters(), 0.05)
    first = objective(embeddings, labels).item()
    for _ in range(50):
        optimizer.zero_grad()
        objective(embeddings, labels).backward()
        optimizer.step()
    assert objective(embeddings, labels).item() < first


def test_prototypes_of_the_margin_family_are_unit_vectors():
    objective = MarginObjective(CLASSES, DIM)
    with torch.no_grad():
        objective.directions.mul_(5)
    torch.testing.assert_close(objective.prototypes.norm(dim=1), torch.ones(CLASSES))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MarginObjective(1, 2), "num_classes is 1"),
        (lambda: MarginObjective(3, 1), "embedding_dim is 1"),
        (lambda: MarginObjective(3, 2, scale=0), "scale is 0"),
        (lambda: MarginObjective(3, 2, scale=math.nan), "scale is nan"),
        (lambda: MarginObjective(3, 2, tail="x"), "tail is 'x'"),
        (lambda: MarginObjective(3, 2, gradient="x"), "gradient is 'x'"),
        (lambda: TripletObjective(-1), "margin is -1"),
        (lambda: TripletObjective(0.2, "x"), "mining is 'x'"),
        (lambda: ContrastiveObjective(math.inf), "margin is inf"),
        (lambda: SoftmaxObjective(0, 2), "num_classes is 0"),
    ],
)
def test_foolish_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_shapes_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match=r"embeddings have shape \(4, 2\) and labels \(3,\)"):
        MarginObjective(3, 2)(torch.zeros(4, 2), torch.zeros(3, dtype=torch.long))


@pytest.mark.parametrize("objective", [MarginObjective(7, 3), SoftmaxObjective(7, 3)])
@pytest.mark.parametrize("label", [7, -1, -100])
def test_labels_of_no_class_are_said(objective, label):
    labels = torch.tensor([0, label, 6])
    with pytest.raises(ValueError, match=f"labels go from .*{label}.*; give classes from 0 to 6"):
        objective(torch.randn(3, 3), labels)


@pytest.mark.parametrize("objective", [MarginObjective(7, 3), TripletObjective(0.2)])
def test_an_empty_batch_is_said(objective):
    with pytest.raises(ValueError, match="the batch is empty; give one embedding or more"):
        objective(torch.empty(0, 3), torch.empty(0, dtype=torch.long))


@pytest.mark.parametrize("length", [1e-6, 1.0, 1e20, 1e38])
def test_the_margin_family_sees_the_direction_of_embeddings_of_any_length(length):
    objective = MarginObjective(7, 3)
    direction = torch.tensor([[0.6, 0.0, 0.8], [1.0, 0.0, 0.0]])
    embeddings = (length * direction).requires_grad_()
    found = objective(embeddings, torch.tensor([0, 1]))
    found.backward()
    assert found.item() == pytest.approx(
        objective(direction, torch.tensor([0, 1])).item(), rel=1e-4
    )
    assert torch.isfinite(embeddings.grad).all()
    assert torch.isnan(objective(torch.full((1, 3), torch.inf), torch.tensor([0])))
