"""Anatomy of a step: the step is the next one, and the ensemble does not notice."""

import json
import math

import numpy as np
import pytest
import torch
from anatomies import ALL, group_of, trained

from facevis.live import Member
from facevis.live.anatomy import anatomy
from facevis.objectives import OBJECTIVES


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
