"""Anatomy of a step: the arrows are the derivatives of the lecture's formulas."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from anatomies import ALL, group_of, trained

from facevis.live import Member
from facevis.live.anatomy import anatomy
from facevis.margins import Margin

FAMILY = (
    Member(objective="arcface"),
    Member(objective="cosface", scale=8.0),
    Member(objective="sphereface"),
    Member(objective="combined", margin=Margin(1.2, 0.3, 0.2), gradient="detached"),
    Member(objective="normalized_softmax", scale=24.0),
)


def weights_of(ensemble, member):
    """The member's own parameters besides its network, in float64."""
    group, place = group_of(ensemble, member)
    return [p.detach()[place].double().numpy() for p in group.parameters()]


def psi(phi):
    turns = math.floor(phi / math.pi)
    return (-1) ** turns * math.cos(phi) - 2 * turns


def closed_form(x, prototypes, label, member, through=None):
    """The loss as the lecture writes it; ``through``: the angle at which the margin is frozen."""
    margin, scale = member.margin, member.scale
    cosines = prototypes @ x / np.linalg.norm(prototypes, axis=1) / np.linalg.norm(x)
    theta = math.acos(cosines[label]) if through is None else through
    target = psi(margin.m1 * theta + margin.m2) - margin.m3
    logits = scale * cosines
    logits[label] = scale * (target + cosines[label] - math.cos(theta))
    return math.log(np.exp(logits - logits[label]).sum())


def tangents(x):
    """An orthonormal basis of the directions at right angles to ``x``."""
    return np.linalg.svd(x[None])[2][1:]


def uphill(loss, x, h=1e-5):
    """The derivative of ``loss`` along the sphere at ``x``, by central differences."""
    ahead = [
        (loss(math.cos(h) * x + math.sin(h) * u) - loss(math.cos(h) * x - math.sin(h) * u))
        / (2 * math.sin(h))
        for u in tangents(x)
    ]
    return np.array(ahead) @ tangents(x)


def angle_to_own(x, prototypes, label):
    own = prototypes[label] / np.linalg.norm(prototypes[label])
    return math.acos(own @ x)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_arrows_of_the_margin_family_are_the_derivatives_of_the_formula(dim):
    ensemble = trained(members=FAMILY, embedding_dim=dim)
    for sample in range(0, 60, 7):
        result = anatomy(ensemble, sample)
        for index, (member, found) in enumerate(zip(FAMILY, result.members, strict=True)):
            (prototypes,) = weights_of(ensemble, index)
            x = found.before.embedding.astype(float)
            x /= np.linalg.norm(x)
            frozen = angle_to_own(x, prototypes, result.label)
            for mode, through in (("exact", None), ("detached", frozen)):
                loss = partial(
                    closed_form,
                    prototypes=prototypes,
                    label=result.label,
                    member=member,
                    through=through,
                )
                np.testing.assert_allclose(
                    found.gradients[mode], -uphill(loss, x), rtol=1e-3, atol=2e-5 * member.scale
                )
                assert found.before.loss == pytest.approx(loss(x), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("tail", ["monotone", "raw", "linear", "easy"])
def test_detached_and_exact_differ_by_the_slope_of_psi(tail):
    ensemble = trained(0, members=(Member(tail=tail),))
    sample, label = 3, int(ensemble.shown_labels[3])
    x = torch.from_numpy(anatomy(ensemble, sample).members[0].before.embedding)
    angle = math.acos(0.6)
    turn = torch.tensor([[0.6, -math.sin(angle)], [math.sin(angle), 0.6]])
    with torch.no_grad():
        ensemble.groups[0].parameters()[0][0, label] = turn @ x
    found = anatomy(ensemble, sample).members[0]
    assert found.before.plain == pytest.approx(16 * 0.6, rel=1e-5)
    (prototypes,) = weights_of(ensemble, 0)
    chances = torch.from_numpy(found.before.logits.astype(float)).softmax(0).numpy()
    chances[label] = 0.0
    along = tangents(x.double().numpy())[0]
    away = -16 * chances @ prototypes @ along
    exact, detached = (found.gradients[mode] @ along for mode in ("exact", "detached"))
    # At cos θ = 0.6 and m2 = 0.5 the slope is sin(θ + 0.5)/sin θ = 1.237.
    assert (exact - away) / (detached - away) == pytest.approx(1.2372, abs=5e-4)


@pytest.mark.parametrize("dim", [2, 3])
def test_without_a_margin_both_modes_are_the_same(dim):
    members = (Member(objective="combined", margin=Margin()), FAMILY[-1])
    for found in anatomy(trained(members=members, embedding_dim=dim), 11).members:
        scale = np.linalg.norm(found.gradients["exact"])
        np.testing.assert_allclose(
            found.gradients["exact"], found.gradients["detached"], rtol=1e-4, atol=1e-5 * scale
        )
        assert found.before.target == pytest.approx(found.before.plain, rel=1e-5)


@pytest.mark.parametrize("dim", [2, 3, 16])
def test_an_arrow_on_the_sphere_is_at_right_angles_to_its_sample(dim):
    for member, found in zip(
        ALL, anatomy(trained(members=ALL, embedding_dim=dim), 5).members, strict=True
    ):
        for arrow in found.gradients.values():
            if member.spherical:
                across = arrow @ found.before.embedding
                assert abs(across) <= 1e-5 * max(1.0, np.linalg.norm(arrow))


@pytest.mark.parametrize("dim", [2, 3])
def test_the_arrow_of_softmax_is_probability_minus_truth_times_weights(dim):
    ensemble = trained(members=(Member(objective="softmax"),), embedding_dim=dim)
    found = (result := anatomy(ensemble, 4)).members[0]
    weights, bias = weights_of(ensemble, 0)
    logits = weights @ found.before.embedding + bias
    np.testing.assert_allclose(found.before.logits, logits, atol=1e-5)
    chances = np.exp(logits) / np.exp(logits).sum()
    assert found.before.probability == pytest.approx(chances[result.label], rel=1e-5)
    chances[result.label] -= 1
    assert list(found.gradients) == ["exact"]
    np.testing.assert_allclose(found.gradients["exact"], -chances @ weights, atol=1e-6)


def batch_of(ensemble, sample):
    """Unit embeddings (B, D) and labels of the batch that a lone pair member sees the sample in."""
    images, labels, place = ensemble.next_batch_with(sample)
    with torch.no_grad():
        raw = ensemble.network(images)[0].double().numpy()
    return raw / np.linalg.norm(raw, axis=1, keepdims=True), labels.tolist(), place


@pytest.mark.parametrize("dim", [2, 3])
def test_the_arrow_of_the_contrastive_loss_is_the_sum_over_its_pairs(dim):
    member = Member(objective="contrastive", distance_margin=1.5)
    ensemble = trained(members=(member,), embedding_dim=dim, batch_size=8)
    x, labels, me = batch_of(ensemble, 20)
    pull = np.zeros(dim)
    for other in set(range(8)) - {me}:
        apart = x[other] - x[me]
        distance = np.linalg.norm(apart)
        if labels[other] == labels[me]:
            pull += 2 * apart
        else:
            pull -= 2 * max(0.0, 1.5 - distance) * apart / distance
    # Mean over B(B − 1) ordered pairs, each seen from both ends, times B.
    expected = 2 / 7 * (pull - (pull @ x[me]) * x[me])
    found = anatomy(ensemble, 20).members[0]
    np.testing.assert_allclose(found.gradients["exact"], expected, rtol=1e-4, atol=1e-5)


def test_the_arrow_of_the_triplet_loss_is_the_derivative_of_its_batch():
    member = Member(objective="triplet", mining="all", distance_margin=0.5)
    ensemble = trained(3, members=(member,), embedding_dim=3, batch_size=12, identities=3)
    x, labels, me = batch_of(ensemble, 20)

    def loss(at):
        batch = x.copy()
        batch[me] = at
        d = np.linalg.norm(batch[:, None] - batch[None], axis=-1)
        terms = [
            d[a, p] + 0.5 - d[a, n]
            for a in range(12)
            for p in range(12)
            for n in range(12)
            if a != p and labels[a] == labels[p] != labels[n]
        ]
        violating = [term for term in terms if term > 0]
        return sum(violating) / len(violating)

    found = anatomy(ensemble, 20).members[0]
    assert found.before.loss == pytest.approx(loss(x[me]), rel=1e-5)
    np.testing.assert_allclose(
        found.gradients["exact"], -12 * uphill(loss, x[me]), rtol=1e-3, atol=1e-4
    )
