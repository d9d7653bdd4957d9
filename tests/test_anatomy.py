"""Anatomy of a step: the arrows are the derivatives of the lecture's formulas, the step is the next
one, and the ensemble does not notice."""

import json
import math
from functools import partial

import numpy as np
import pytest
import torch

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.anatomy import anatomy
from facevis.margins import Margin
from facevis.objectives import OBJECTIVES

ALL = tuple(Member(objective=name) for name in OBJECTIVES)
FAMILY = (
    Member(objective="arcface"),
    Member(objective="cosface", scale=8.0),
    Member(objective="sphereface"),
    Member(objective="combined", margin=Margin(1.2, 0.3, 0.2), gradient="detached"),
    Member(objective="normalized_softmax", scale=24.0),
)


def trained(steps=20, **fields):
    ensemble = Ensemble(RunConfig(**fields), device="cpu")
    ensemble.train(steps)
    return ensemble


def group_of(ensemble, member):
    """A member's group and its place there."""
    group = next(g for g in ensemble.groups if member in g.index)
    return group, group.index.index(member)


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


def test_what_is_told_of_a_member_is_what_is_drawn():
    ensemble = trained(members=ALL, embedding_dim=3)
    snapshot, result = ensemble.snapshot(), anatomy(ensemble, 9)
    for index, found in enumerate(result.members):
        moment, own = found.before, snapshot.prototypes[index, result.label]
        np.testing.assert_allclose(moment.embedding, snapshot.embeddings[index, 9], atol=2e-6)
        np.testing.assert_allclose(moment.prototype, own, atol=2e-6)
        cosine = moment.embedding @ own / np.linalg.norm(moment.embedding) / np.linalg.norm(own)
        assert moment.theta == pytest.approx(math.degrees(math.acos(cosine)), abs=2e-2)
        if ALL[index].in_margin_family:
            assert moment.plain == pytest.approx(ALL[index].scale * cosine, abs=1e-4)
        if len(moment.logits):
            assert moment.logits[result.label] == moment.target
            others = np.delete(moment.logits, result.label)
            assert moment.rival.logit == others.max() == moment.logits[moment.rival.label]
            assert moment.rival.label != result.label
            assert moment.probability == pytest.approx(math.exp(-moment.loss))


def samples_in_and_out(ensemble):
    """A shown sample that is in the next batch, and one that is not."""
    images, _ = ensemble.next_batch()
    present = [
        torch.equal(ensemble.next_batch_with(sample)[0], images)
        for sample in range(len(ensemble.shown))
    ]
    return present.index(True), present.index(False)


def assert_same(first, second):
    for name in ("embedding", "logits", "prototype"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    for name in ("theta", "target", "plain", "rival", "probability", "loss"):
        assert getattr(first, name) == getattr(second, name)


WARMING = (*ALL, Member(warmup=4), Member(objective="cosface", warmup=1), Member(tail="linear"))


@pytest.mark.parametrize("steps", [0, 3, 4, 25])
@pytest.mark.parametrize("inside", [True, False])
def test_training_goes_on_as_if_nobody_had_looked(steps, inside):
    looked, plain = trained(steps, members=WARMING), trained(steps, members=WARMING)
    sample = samples_in_and_out(looked)[0 if inside else 1]
    before = looked.state(), looked.losses.clone(), looked.snapshot()
    anatomy(looked, sample)
    for name, array in looked.state().items():
        np.testing.assert_array_equal(array, before[0][name])
    assert looked.step == steps
    np.testing.assert_array_equal(looked.losses, before[1])
    # The share of teaching triplets is of the batch that was trained on, not of the one looked at.
    np.testing.assert_array_equal(looked.snapshot().statistics, before[2].statistics)
    for _ in range(15):
        np.testing.assert_array_equal(looked.train(), plain.train())
        anatomy(looked, sample)
    first, second = looked.snapshot(), plain.snapshot()
    np.testing.assert_array_equal(first.embeddings, second.embeddings)
    np.testing.assert_array_equal(first.statistics, second.statistics)
    for name, array in looked.state().items():
        np.testing.assert_array_equal(array, plain.state()[name])


@pytest.mark.parametrize("steps", [0, 3, 25])
@pytest.mark.parametrize("inside", [True, False])
def test_after_is_what_the_step_really_does(steps, inside):
    ensemble = trained(steps, members=WARMING)
    sample = samples_in_and_out(ensemble)[0 if inside else 1]
    images, labels, place = ensemble.next_batch_with(sample)
    result = anatomy(ensemble, sample)
    if inside:
        ensemble.train()
    else:
        ensemble.train_on(images, labels)
    then = anatomy(ensemble, sample)
    shares = ensemble.shares(images)
    for index, found in enumerate(result.members):
        group, inner = group_of(ensemble, index)
        raw = shares[ensemble.groups.index(group)]
        drawn = group.display(raw)[inner, place].detach()
        np.testing.assert_array_equal(found.after.embedding, drawn)
        now = then.members[index].before
        np.testing.assert_allclose(found.after.prototype, now.prototype, atol=1e-6)
        # The margin of the warm-up has grown with the step.
        np.testing.assert_allclose(found.after.logits, now.logits, rtol=1e-5, atol=2e-5)
        assert not np.array_equal(found.after.embedding, found.before.embedding)
        if group.parameters():
            assert not np.array_equal(found.after.prototype, found.before.prototype)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_member_among_others_is_told_the_same_as_alone(objective):
    index = OBJECTIVES.index(objective)
    together = anatomy(trained(0, members=ALL), 2).members[index]
    alone = anatomy(trained(0, members=(ALL[index],)), 2).members[0]
    for moment in ("before", "after"):
        first, second = getattr(together, moment), getattr(alone, moment)
        np.testing.assert_allclose(first.embedding, second.embedding, atol=1e-5)
        np.testing.assert_allclose(first.logits, second.logits, atol=1e-4)
    assert together.gradients.keys() == alone.gradients.keys()
    for mode, arrow in together.gradients.items():
        np.testing.assert_allclose(arrow, alone.gradients[mode], rtol=1e-3, atol=1e-4)


def numbers(value):
    """All leaves of an answer."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in numbers(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in numbers(inner)]
    return [value]


def test_a_member_that_is_no_number_any_more_harms_no_other():
    members = (Member(objective="softmax"), Member(), Member(objective="triplet"))
    whole, sick = trained(members=members), trained(members=members)
    with torch.no_grad():
        inner = [i for group in sick.groups for i in group.index].index(1)
        for parameter in (*sick.network.parameters(), *sick.groups[1].parameters()):
            parameter[inner if parameter.shape[0] == 3 else 0] = math.nan
    healthy, result = anatomy(whole, 7), anatomy(sick, 7)
    for index in (0, 2):
        for moment in ("before", "after"):
            assert_same(
                getattr(healthy.members[index], moment), getattr(result.members[index], moment)
            )
        for mode, arrow in healthy.members[index].gradients.items():
            np.testing.assert_array_equal(arrow, result.members[index].gradients[mode])
    answer = result.to_json()
    assert set(numbers(answer["members"][1])) == {None}
    json.dumps(answer, allow_nan=False)


def test_a_held_out_sample_has_a_target_and_an_arrow_but_only_watches():
    ensemble = trained(members=ALL, images_per_class=5)
    sample = int(np.flatnonzero(ensemble.material.held_out)[0])
    result = anatomy(ensemble, sample)
    assert (result.trains, result.unseen) == (False, False)
    for member, found in zip(ALL, result.members, strict=True):
        assert found.gradients.keys() >= {"exact"}
        assert (found.before.target is not None) == (
            member.objective not in ("contrastive", "triplet")
        )
    # The step is the run's own: the sample is not put into its batch.
    ensemble.train()
    then = anatomy(ensemble, sample)
    for found, now in zip(result.members, then.members, strict=True):
        np.testing.assert_allclose(found.after.embedding, now.before.embedding, atol=2e-6)


def test_an_unseen_identity_has_no_target():
    ensemble = trained(members=ALL, identities=6, unseen=4)
    sample = int(np.flatnonzero(ensemble.material.unseen)[0])
    result = anatomy(ensemble, sample)
    assert (result.trains, result.unseen) == (False, True)
    assert result.label >= 6
    for member, found in zip(ALL, result.members, strict=True):
        moment = found.before
        fields = (moment.target, moment.plain, moment.probability, moment.theta, moment.prototype)
        assert fields == (None,) * 5
        assert found.gradients == {}
        assert moment.loss is None
        if member.objective not in ("contrastive", "triplet"):
            assert len(moment.logits) == 6
            assert moment.rival.logit == moment.logits.max()
        if member.in_margin_family:
            assert abs(moment.logits).max() <= member.scale * (1 + 1e-6)  # cosines, no margin


def test_an_answer_holds_what_the_view_reads():
    answer = anatomy(trained(members=ALL), 0).to_json()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert list(answer) == ["sample", "step", "label", "trains", "unseen", "members"]
    fields = ["embedding", "theta", "logits", "target", "plain", "rival", "probability", "loss"]
    for member, found in zip(ALL, answer["members"], strict=True):
        assert list(found) == ["before", "after", "gradients"]
        assert list(found["before"]) == list(found["after"]) == [*fields, "prototype"]
        modes = {"exact", "detached"} if member.in_margin_family else {"exact"}
        assert set(found["gradients"]) == modes
        assert len(found["before"]["embedding"]) == len(found["gradients"]["exact"]) == 2
    assert set(answer["members"][0]["before"]["rival"]) == {"label", "logit"}


@pytest.mark.parametrize("sample", [-1, 1797, 1.5, True, None])
def test_a_sample_that_is_not_shown_is_refused_in_words(sample):
    with pytest.raises(ValueError, match=r"sample is .*; give a whole number from 0 to 1796"):
        anatomy(trained(0), sample)


def test_the_mean_that_stands_in_for_a_prototype_is_the_one_that_is_drawn():
    members = (Member(objective="triplet"), Member(objective="contrastive"))
    ensemble = trained(members=members, images_per_class=20)
    sample = int(np.flatnonzero(ensemble.material.held_out)[0])
    result, snapshot = anatomy(ensemble, sample), ensemble.snapshot()
    for found, drawn in zip(result.members, snapshot.prototypes, strict=True):
        np.testing.assert_allclose(found.before.prototype, drawn[result.label], atol=1e-6)
