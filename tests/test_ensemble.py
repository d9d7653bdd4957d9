"""The ensemble is exactly what M separate runs would be, and a seed decides it."""

import dataclasses

import numpy as np
import pytest
import torch

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.material import material_for
from facevis.live.measuring import unseen_columns
from facevis.live.study import summarise
from facevis.margins import Margin
from facevis.models import stacked_network
from facevis.objectives import OBJECTIVES
from facevis.statistics import angle_table

ALL = tuple(Member(objective=name) for name in OBJECTIVES)


def _final(config: RunConfig, steps: int = 25) -> np.ndarray:
    ensemble = Ensemble(config)
    ensemble.train(steps)
    return ensemble.snapshot().embeddings


@pytest.mark.parametrize("network", ["mlp", "cnn"])
@pytest.mark.parametrize("dim", [2, 3, 16])
def test_every_objective_trains_in_one_ensemble(network, dim):
    ensemble = Ensemble(RunConfig(members=ALL, network=network, embedding_dim=dim))
    first = ensemble.train(1).clone()
    last = torch.stack([ensemble.train(1) for _ in range(60)])[-10:].mean(0)
    assert torch.isfinite(last).all()
    # Mined triplets are chosen anew each step, so their mean need not fall; all others must.
    falls = [i for i, name in enumerate(OBJECTIVES) if name != "triplet"]
    assert (last[falls] < first[falls]).all()


def test_a_member_of_an_ensemble_is_the_run_it_would_be_alone():
    together = _final(RunConfig(members=ALL))
    for place, member in enumerate(ALL):
        alone = _final(RunConfig(members=(member,)))
        np.testing.assert_allclose(together[place], alone[0], atol=2e-3, err_msg=member.objective)


def test_the_margin_family_is_one_code():
    pairs = [
        (Member(objective="arcface", margin=Margin(m2=0.3)), Margin(m2=0.3)),
        (Member(objective="sphereface", margin=Margin(m1=1.5)), Margin(m1=1.5)),
        (Member(objective="normalized_softmax"), Margin()),
    ]
    for member, margin in pairs:
        combined = Member(objective="combined", margin=margin)
        left, right = _final(RunConfig(members=(member, combined)))
        np.testing.assert_array_equal(left, right)


def test_the_same_configuration_gives_the_same_recording_to_the_bit():
    config = RunConfig(members=(Member(warmup=10), Member(objective="triplet")), steps=40)
    first, second = Ensemble(config).record(), Ensemble(config).record()
    for a, b in zip(first.snapshots, second.snapshots, strict=True):
        np.testing.assert_array_equal(a.embeddings, b.embeddings)
        np.testing.assert_array_equal(a.losses, b.losses)


def test_rewind_repeats_the_run_to_the_bit():
    ensemble = Ensemble(RunConfig())
    ensemble.train(20)
    before = ensemble.snapshot()
    ensemble.rewind()
    assert ensemble.step == 0
    ensemble.train(20)
    np.testing.assert_array_equal(ensemble.snapshot().embeddings, before.embeddings)


def test_another_seed_is_another_run():
    assert not np.array_equal(_final(RunConfig(seed=0)), _final(RunConfig(seed=1)))


def test_members_may_have_seeds_of_their_own():
    config = RunConfig(members=tuple(Member(seed=seed) for seed in (0, 0, 1)))
    first, same, other = _final(config)
    np.testing.assert_array_equal(first, same)
    assert not np.allclose(first, other)


def test_restored_state_goes_on_to_the_bit():
    config = RunConfig(members=(Member(), Member(objective="softmax")))
    straight = Ensemble(config)
    straight.train(15)
    saved = straight.state()
    straight.train(15)
    resumed = Ensemble(config)
    resumed.restore(saved)
    resumed.train(15)
    np.testing.assert_array_equal(resumed.snapshot().embeddings, straight.snapshot().embeddings)


def test_a_state_of_another_network_is_refused():
    state = Ensemble(RunConfig(network="cnn")).state()
    with pytest.raises(ValueError, match="does not fit"):
        Ensemble(RunConfig()).restore(state)


@pytest.mark.parametrize(
    "damage",
    [
        {"weights": np.zeros(3, np.float32)},
        {"exp_avg": np.zeros((), np.float32)},
        {"exp_avg_sq": np.array(["text"])},
        {"step": np.zeros(2, np.float32)},
        {"taken": np.array(-1)},
        {"taken": np.zeros(0, np.int64)},
        {"taken": np.array("five")},
        {"another": np.zeros(1, np.float32)},
    ],
)
def test_a_damaged_state_is_refused_whole(damage):
    ensemble = Ensemble(RunConfig())
    before = ensemble.snapshot().embeddings
    with pytest.raises(ValueError, match="does not fit"):
        ensemble.restore(ensemble.state() | damage)
    np.testing.assert_array_equal(ensemble.snapshot().embeddings, before)
    assert ensemble.step == 0


def test_a_state_without_a_part_is_refused():
    ensemble = Ensemble(RunConfig())
    for name in ensemble.state():
        state = ensemble.state()
        del state[name]
        with pytest.raises(ValueError, match="does not fit"):
            ensemble.restore(state)


def test_a_steered_margin_acts_from_the_next_step():
    steered, plain = Ensemble(RunConfig()), Ensemble(RunConfig())
    for ensemble in (steered, plain):
        ensemble.train(10)
    steered.set_member(0, margin=Margin.arcface(0.9))
    assert steered.train(1).item() > plain.train(1).item()
    assert steered.snapshot().margins[0].tolist() == pytest.approx([1.0, 0.9, 0.0])


def test_a_scale_of_zero_is_refused_and_not_taken_for_no_change():
    with pytest.raises(ValueError, match="scale is 0"):
        Ensemble(RunConfig(), device="cpu").set_member(0, scale=0.0)


@pytest.mark.parametrize("dim", [64, 128])
def test_as_wide_an_embedding_as_a_hidden_layer_leaves_the_hidden_layers_as_they_are(dim):
    narrow, wide = (stacked_network("mlp", (1, 8, 8), d, seeds=[0]) for d in (2, dim))
    for layer in range(2):
        torch.testing.assert_close(wide.weights[layer], narrow.weights[layer], rtol=0.0, atol=0.0)


def test_warm_up_grows_the_margin():
    ensemble = Ensemble(RunConfig(members=(Member(warmup=10),)))
    shares = []
    for _ in range(12):
        shares.append(ensemble.snapshot().margins[0, 1] / 0.5)
        ensemble.train(1)
    assert shares == pytest.approx([min(1.0, step / 10) for step in range(12)])
    without = Ensemble(RunConfig(members=(Member(objective="normalized_softmax"),)))
    warming = Ensemble(RunConfig(members=(Member(warmup=10),)))
    assert warming.train(1).item() == without.train(1).item()


def test_a_member_that_diverges_harms_no_other():
    healthy = Member(objective="arcface")
    config = RunConfig(members=(healthy, Member(objective="softmax")))
    ensemble, alone = Ensemble(config), Ensemble(config)
    with torch.no_grad():
        ensemble.groups[1].parameters()[0].fill_(float("nan"))
    ensemble.train(10)
    alone.train(10)
    assert torch.isnan(ensemble.losses[1])
    np.testing.assert_array_equal(ensemble.snapshot().embeddings[0], alone.snapshot().embeddings[0])


def test_embeddings_start_spread_in_all_directions():
    config = RunConfig(members=(Member(objective="softmax"),), seed=3)
    embeddings = Ensemble(config).snapshot().embeddings[0]
    covariance = np.cov(embeddings.T)
    assert np.linalg.norm(embeddings.mean(0)) < 0.15
    np.testing.assert_allclose(covariance, np.eye(2), atol=0.15)


def test_held_out_pictures_do_not_train():
    ensemble = Ensemble(RunConfig(images_per_class=5))
    assert len(ensemble.material.train) == 50
    assert ensemble.material.held_out.sum() == len(ensemble.material.shown) - 50
    ensemble.train(300)
    snapshot = ensemble.snapshot()
    assert snapshot.statistic("accuracy")[0] == 1.0
    assert snapshot.statistic("held_out_accuracy")[0] < 0.95


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"objective": "triplet loss"}, "objective is 'triplet loss'; choose one of"),
        ({"scale": float("nan")}, "scale is nan; give a number"),
        ({"scale": -1.0}, "scale is -1.0"),
        ({"mining": "easy"}, "mining is 'easy'"),
        ({"distance_margin": float("inf")}, "distance_margin is inf"),
        ({"warmup": -1}, "warmup is -1"),
    ],
)
def test_a_bad_member_is_said_in_one_sentence(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Member(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"members": ()},
        {"embedding_dim": 1},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"seed": -1},
        {"learning_rate": float("nan")},
        {"network": "resnet"},
        {"identities": 10**9},
        {"steps": True},
    ],
)
def test_a_bad_configuration_is_refused(fields):
    with pytest.raises(ValueError):
        RunConfig(**fields)


def test_more_classes_than_there_are_is_said():
    with pytest.raises(ValueError, match="10 classes"):
        Ensemble(RunConfig(identities=11))


def test_a_missing_device_is_said():
    with pytest.raises(ValueError, match="is not there"):
        Ensemble(RunConfig(), device="cuda:77")


def test_fewer_classes_make_a_smaller_task():
    config = dataclasses.replace(RunConfig(), identities=3)
    snapshot = Ensemble(config).snapshot()
    assert snapshot.prototypes.shape == (1, 3, 2)


def test_unseen_identities_never_train_and_are_measured_by_their_class_means():
    config = RunConfig(
        members=(Member(scale=24.0), Member(objective="softmax")), identities=6, unseen=3
    )
    material = material_for(config)
    labels = material.dataset.labels
    assert material.num_classes == 6
    assert labels[material.train].max() == 5
    assert set(labels[material.shown[material.unseen]]) == {6, 7, 8}
    ensemble = Ensemble(config, material, device="cpu")
    ensemble.train(40)
    snapshot = ensemble.snapshot()
    assert snapshot.prototypes.shape[1] == 6
    for member in range(2):
        own = snapshot.embeddings[member][material.unseen]
        there = labels[material.shown[material.unseen]] - 6
        table = angle_table(own, there)
        found = [snapshot.statistic(name)[member] for name in ("unseen_intra", "unseen_inter")]
        assert found == pytest.approx((table.intra, table.inter), rel=1e-5)


def test_statistics_of_known_identities_do_not_see_the_unseen():
    few = RunConfig(identities=6)
    more = RunConfig(identities=6, unseen=3)
    one, two = (Ensemble(config, device="cpu") for config in (few, more))
    one.train(20)
    two.train(20)
    for name in ("accuracy", "intra", "inter", "w_ec", "w_inter"):
        assert one.snapshot().statistic(name) == two.snapshot().statistic(name)
    assert np.isnan(one.snapshot().statistic("unseen_intra")).all()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"unseen": 1}, "give 0 or 2"),
        ({"unseen": 9}, "fewer than two are left"),
        ({"identities": 8, "unseen": 3}, "not 8 and 3 unseen ones"),
    ],
)
def test_what_leaves_nobody_to_train_on_is_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        material_for(RunConfig(**fields))


def test_a_member_that_is_not_finite_has_no_statistics_and_the_others_keep_theirs():
    members = tuple(Member(scale=24.0, seed=seed) for seed in range(3))
    config = RunConfig(members=members, identities=7, unseen=3)
    ensemble = Ensemble(config, device="cpu")
    ensemble.train(10)
    before = ensemble.snapshot().statistics
    with torch.no_grad():
        ensemble.network.weights[-1][1] = torch.nan
    after = ensemble.snapshot()
    np.testing.assert_array_equal(after.statistics[[0, 2]], before[[0, 2]])
    names = ("accuracy", "unseen_accuracy", "intra", "inter", "w_ec", "unseen_intra")
    assert all(np.isnan(after.statistic(name)[1]) for name in names)
    summary = summarise(after, 3)
    assert summary.verdict("accuracy", 0, 0) == "unknown"


def test_what_was_held_out_does_not_move_the_means_that_stand_in_for_prototypes():
    config = RunConfig(members=(Member(objective="triplet"),), images_per_class=20)
    ensemble = Ensemble(config, device="cpu")
    ensemble.train(5)
    snapshot, material = ensemble.snapshot(), ensemble.material
    labels = material.dataset.labels[material.shown]
    trained = ~material.held_out
    means = [snapshot.embeddings[0][trained & (labels == c)].mean(0) for c in range(10)]
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(snapshot.prototypes[0], means, atol=1e-5)
    assert np.isnan(snapshot.statistic("w_ec")[0]), "0 by construction would look like the best"


def test_an_unseen_picture_is_not_judged_by_itself():
    rng = np.random.default_rng(0)
    embeddings = torch.tensor(rng.normal(size=(1, 8, 3)), dtype=torch.float32)
    alone = torch.arange(8)
    assert unseen_columns(embeddings, alone)["unseen_accuracy"] == 0.0
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
    unit = (embeddings / embeddings.norm(dim=-1, keepdim=True))[0].numpy()
    right = 0
    for i in range(8):
        others = [k for k in range(8) if k != i]
        means = [unit[[k for k in others if labels[k] == c]].mean(0) for c in range(3)]
        scores = [unit[i] @ mean / np.linalg.norm(mean) for mean in means]
        right += int(np.argmax(scores)) == int(labels[i])
    found = unseen_columns(embeddings, labels)["unseen_accuracy"]
    assert found == pytest.approx(right / 8)
