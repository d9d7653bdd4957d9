"""The report on strangers: numbers of the core, for the very people that never trained."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from facevis.live import Ensemble, Member, RunConfig
from facevis.live.look import MOST_STRANGERS, as_shown, look_at, strangers_of
from facevis.live.material import material_for
from facevis.live.openset import Question, report
from facevis.verification import (
    auc,
    bootstrap_tar,
    compare_all,
    eer,
    fold_pairs,
    kfold_accuracy,
    pair_similarities,
    tar_at_far,
)

CONFIG = RunConfig(
    members=(Member(objective="softmax"), Member(objective="triplet"), Member()),
    dataset="faces",
    identities=6,
    unseen=10,
    embedding_dim=8,
    steps=60,
)


@pytest.fixture(scope="module")
def ensemble():
    made = Ensemble(CONFIG, device="cpu")
    made.train(CONFIG.steps)
    return made


@pytest.fixture(scope="module")
def look(ensemble):
    return look_at(ensemble)


@pytest.fixture(scope="module")
def found(ensemble, look):
    return report(look, ensemble.material, Question())


def unseen(ensemble):
    rows = strangers_of(ensemble.material)
    return rows, ensemble.material.dataset.labels[rows]


def test_strangers_are_all_pictures_of_unseen_identities_and_of_no_other(ensemble):
    rows, labels = unseen(ensemble)
    assert set(labels) == set(range(6, 16))
    assert len(rows) == (ensemble.material.dataset.labels >= 6).sum()
    assert not np.isin(rows, ensemble.material.train).any()
    many = dataclasses.replace(CONFIG, dataset="mnist", identities=2, unseen=8)
    assert len(strangers_of(material_for(many))) == MOST_STRANGERS


def test_the_look_is_what_the_network_makes_of_the_pictures_and_changes_nothing(ensemble, look):
    rows, _ = unseen(ensemble)
    before = ensemble.state()
    again = look_at(ensemble)
    assert np.array_equal(again.embeddings, look.embeddings)
    assert all(np.array_equal(before[name], value) for name, value in ensemble.state().items())
    inputs = torch.from_numpy(ensemble.material.dataset.inputs()[rows])
    with torch.no_grad():
        for group, raw in zip(ensemble.groups, ensemble.shares(inputs), strict=True):
            expected = group.display(raw).numpy()
            assert np.allclose(look.embeddings[group.index], expected, atol=1e-5)


def test_the_report_says_what_the_core_measures(ensemble, look, found):
    _, labels = unseen(ensemble)
    for i, member in enumerate(found["members"]):
        scores = compare_all(look.embeddings[i], labels)
        assert member["genuine"] == len(scores.genuine)
        assert member["impostors"] == scores.impostors
        assert member["auc"] == pytest.approx(auc(scores), rel=1e-5)
        assert member["eer"] == pytest.approx(eer(scores), rel=1e-5)
        assert np.array_equal(member["accepted"], scores.accepted)
        for at in member["tar"]:
            point = tar_at_far(scores, at["far"])
            assert at["tar"] == pytest.approx(point.tar, rel=1e-5)
            assert at["reliable"] == (np.floor(at["far"] * scores.impostors + 1e-6) >= 10)
            assert at["low"] <= at["high"]
        for far, tar in member["curve"]:
            assert tar == pytest.approx(tar_at_far(scores, far).tar, abs=2e-3)


def test_pairs_are_of_the_kind_and_angle_they_are_said_to_be(ensemble, look, found):
    _, labels = unseen(ensemble)
    for i, member in enumerate(found["members"]):
        points = look.embeddings[i].astype(np.float64)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        for kind, same in (("genuine", True), ("impostor", False)):
            pairs = member["pairs"][kind]
            assert pairs
            degrees = [int(angle) for _, _, angle in pairs]
            assert max(np.bincount(degrees)) <= 5  # four; rounding may move one over the edge
            for a, b, angle in pairs[:: max(1, len(pairs) // 20)]:
                assert (labels[a] == labels[b]) == same
                assert a != b
                cosine = np.clip(points[a] @ points[b], -1, 1)
                assert np.degrees(np.arccos(cosine)) == pytest.approx(angle, abs=0.02)


def test_certainty_is_that_of_the_closed_set_classifier(ensemble, look):
    rows, _ = unseen(ensemble)
    known = look.sure.shape[1] - len(rows)
    assert np.isnan(look.sure[1]).all()  # triplets have no classifier
    inputs = torch.from_numpy(ensemble.material.dataset.inputs()[rows]).double()
    group = next(g for g in ensemble.groups if g.index == [0])
    with torch.no_grad():
        raw = ensemble.shares(inputs.float())[ensemble.groups.index(group)][0].double()
        logits = raw @ group.prototypes[0].double().T + group.bias[0].double()
    expected = torch.softmax(logits, -1).amax(-1).numpy()
    assert np.allclose(look.sure[0, known:], expected, atol=1e-4)


def test_enrolling_more_pictures_makes_the_template_their_mean(ensemble, look):
    _, labels = unseen(ensemble)
    points = look.embeddings[2].astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    own = np.flatnonzero(labels == 8)
    for count in (1, 4):
        question = Question(stranger=2, enrolled=count)
        enrol = report(look, ensemble.material, question)["members"][2]["enrol"]
        template = points[own[:count]].sum(axis=0)
        template /= np.linalg.norm(template)
        assert [k for k, _ in enrol["own"]] == own[count:].tolist()
        for k, angle in enrol["own"][:5] + enrol["others"][:5]:
            cosine = np.clip(points[k] @ template, -1, 1)
            assert np.degrees(np.arccos(cosine)) == pytest.approx(angle, abs=0.02)
        assert all(labels[k] != 8 for k, _ in enrol["others"])
    assert [n for n, *_ in enrol["by_count"]][:3] == [1, 2, 3]


def test_everybody_enrolled_with_n_pictures_is_the_straightforward_search():
    config = RunConfig(identities=5, unseen=4, embedding_dim=8, steps=5)  # digits, in no order
    made = Ensemble(config, device="cpu")
    made.train(5)
    looked = look_at(made)
    labels = made.material.dataset.labels[strangers_of(made.material)]
    told = report(looked, made.material, Question())["members"][0]
    assert "band" not in told  # four people are too few for an interval
    points = looked.embeddings[0].astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    rows = {who: np.flatnonzero(labels == who) for who in np.unique(labels)}
    for count, tar, _ in told["enrol"]["by_count"]:
        genuine, impostor = [], []
        for who, own in rows.items():
            template = points[own[:count]].sum(axis=0)
            template /= np.linalg.norm(template)
            for other, theirs in rows.items():
                scores = points[theirs[12:]] @ template
                (genuine if other == who else impostor).extend(scores)
        allowed = int(1e-2 * len(impostor))
        level = sorted(impostor, reverse=True)[allowed]
        assert tar == pytest.approx(np.mean(np.array(genuine) > level + 1e-12), abs=1e-5)


def test_certainty_and_nearness_are_summed_up_as_they_are_said(ensemble, look, found):
    known = look.sure.shape[1] - found["pictures"]
    for i in (0, 2):
        told, sure = found["members"][i]["sure"], look.sure[i]
        assert told["above"] == pytest.approx(
            [(sure[:known] > 0.9).mean(), (sure[known:] > 0.9).mean()], rel=1e-5
        )
        assert told["median"] == pytest.approx(
            [np.median(sure[:known]), np.median(sure[known:])], rel=1e-5
        )
    for i, member in enumerate(found["members"]):
        for name, rows in (("known", slice(known)), ("strangers", slice(known, None))):
            bars = np.histogram(look.angle_deg[i, rows], np.arange(0, 181, 3))[0]
            assert member["near"][name] == pytest.approx(bars / bars.sum(), abs=1e-5)


def test_the_nearest_prototype_is_that_of_a_plain_search(ensemble, look):
    rows, _ = unseen(ensemble)
    known = look.sure.shape[1] - len(rows)
    group = next(g for g in ensemble.groups if g.index == [2])
    centres = group.directions[0].detach().double().numpy()
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    points = look.embeddings[2].astype(np.float64)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cosines = points @ centres.T
    assert np.array_equal(look.nearest[2, known:], cosines.argmax(axis=1))
    assert np.allclose(look.angle_deg[2, known:], np.degrees(np.arccos(cosines.max(axis=1))), 1e-3)


def test_guesses_are_those_of_the_stranger_s_own_pictures(ensemble, look):
    _, labels = unseen(ensemble)
    known = look.sure.shape[1] - len(labels)
    told = report(look, ensemble.material, Question(stranger=4))["members"][2]["enrol"]
    own = np.flatnonzero(labels == 10)[:12]
    assert told["pictures"] == own.tolist()
    for k, (who, sure, angle) in zip(own, told["guess"], strict=True):
        assert who == look.nearest[2, known + k]
        assert sure == pytest.approx(look.sure[2, known + k], rel=1e-5)
        assert angle == pytest.approx(look.angle_deg[2, known + k], rel=1e-5)
    distances = [angle for _, angle in told["others"]]
    assert distances == sorted(distances)


def test_bands_and_intervals_are_the_bootstrap_s(ensemble, look, found):
    _, labels = unseen(ensemble)
    member = found["members"][2]
    fars = [*(at["far"] for at in member["tar"]), *(far for far, _ in member["curve"])]
    expected = bootstrap_tar(look.embeddings[2], labels, fars)
    assert [at["low"] for at in member["tar"]] == pytest.approx(expected.low[:6], abs=1e-3)
    assert [high for _, high in member["band"]] == pytest.approx(expected.high[6:], abs=2e-2)
    first, second, same = fold_pairs(labels, 5)
    folds = kfold_accuracy(pair_similarities(look.embeddings[2], first, second), same, 5)
    assert member["folds"]["mean"] == pytest.approx(folds.mean, rel=1e-5)


def test_the_gallery_is_as_large_as_was_asked(ensemble, look):
    for gallery, each in ((1, 1), (3, 5)):
        question = Question(gallery=gallery, per_identity=each)
        one = report(look, ensemble.material, question)["members"][0]["identification"]
        _, labels = unseen(ensemble)
        assert one["gallery"] == gallery
        assert one["mated"] + one["non_mated"] == len(labels) - gallery * each
    question = Question(gallery=10, per_identity=3)
    everybody = report(look, ensemble.material, question)["members"][0]["identification"]
    assert everybody["non_mated"] == 0
    assert "tpir" not in everybody  # nobody is unknown: there is no open set


def test_a_member_that_diverged_is_named_and_others_are_not_touched(ensemble, look, found):
    broken = look.embeddings.copy()
    broken[1, 3] = np.nan
    broken[0] = broken[0, 0]
    told = report(dataclasses.replace(look, embeddings=broken), ensemble.material, Question())
    assert "embedding 3 is not a number" in told["members"][1]["error"]
    assert "point the same way" in told["members"][0]["error"]
    assert told["members"][2] == found["members"][2]
    json.dumps(told, allow_nan=False)


def test_one_picture_of_each_stranger_is_said(ensemble, look):
    material = ensemble.material
    rows, labels = unseen(ensemble)
    _, first = np.unique(labels, return_index=True)
    kept = np.r_[np.flatnonzero(material.dataset.labels < 6), rows[first]]
    fewer = dataclasses.replace(
        material.dataset,
        images=material.dataset.images[kept],
        labels=material.dataset.labels[kept],
    )
    known = look.sure.shape[1] - len(labels)
    chosen = np.r_[np.arange(known), known + first]
    small = dataclasses.replace(
        look,
        embeddings=look.embeddings[:, first],
        sure=look.sure[:, chosen],
        nearest=look.nearest[:, chosen],
        angle_deg=look.angle_deg[:, chosen],
    )
    told = report(small, dataclasses.replace(material, dataset=fewer), Question())
    assert all("one embedding" in member["error"] for member in told["members"])


def test_without_strangers_there_is_nothing_to_look_at():
    with pytest.raises(ValueError, match="there are no strangers"):
        look_at(Ensemble(RunConfig(), device="cpu"))


def test_their_pictures_come_in_the_report_s_order(ensemble):
    shown = as_shown(ensemble.material)
    assert np.array_equal(shown.shown, strangers_of(ensemble.material))
