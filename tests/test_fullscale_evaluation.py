"""What is measured during training: the figures of ``facevis.verification``, and closed forms."""

import numpy as np
import pytest
import torch
from evaluation_work import DAMAGED, measured, save_measured
from gloo import together
from network_files import one_thread
from plain_network import NOISE, Plain, use_plain
from runs import entries, prepared, weights
from torch import nn

from facevis.corpora import DamagedPicture, open_corpus, write_folder
from facevis.corpora.bins import write_bin
from facevis.fullscale.evaluation import embed, evaluate, measure_angles
from facevis.fullscale.networks import NETWORK
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.strangers import MOST_PICTURES, open_sets
from facevis.fullscale.train import train
from facevis.verification import (
    compare_pairs,
    eer,
    fold_pairs,
    kfold_accuracy,
    pair_similarities,
    tar_at_far,
)

PEOPLE = "noise:identities=6,images=5,size=16,seed=4"


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


def pairs(folder, damaged=()):
    """A verification set: 40 pairs, every other one of the same person."""
    corpus, chance = open_corpus(PEOPLE), np.random.default_rng(0)
    encoded, same = [], []
    for number in range(40):
        first = int(chance.integers(30))
        alike = corpus.labels == corpus.labels[first]
        there = alike & (np.arange(30) != first) if number % 2 else ~alike
        second = int(chance.choice(np.flatnonzero(there)))
        encoded += [corpus.encoded(first), corpus.encoded(second)]
        same.append(bool(number % 2))
    for index in damaged:
        encoded[index] = encoded[index][:40]
    path = folder / "pairs.bin"
    write_bin(path, encoded, same)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A trained run that was evaluated on a .bin set, a folder and people who are made up."""
    place = tmp_path_factory.mktemp("evaluation")
    people = write_folder(place / "people", open_corpus(PEOPLE)) or place / "people"
    sets = (str(pairs(place)), str(people), "faces:identities=5,images=4,size=16,seed=3")
    with pytest.MonkeyPatch.context() as patch:
        use_plain(patch)
        folder = prepared(
            place / "run",
            **{"data__train": NOISE, "sync_batch_norm": False, "steps": 4},
            **{"follow__sets": sets, "follow__evaluate_every": 2, "follow__angle_identities": 6},
        )
        train(folder)
    kept = {n.removeprefix(NETWORK): w for n, w in weights(folder).items() if NETWORK in n}
    network = Plain(16, 16).eval()
    network.load_state_dict({name: kept[name] for name in network.state_dict()})
    return folder, network, sets


def embeddings_of(network, pictures):
    """By hand: the network on each picture and on its mirror image, added."""
    with torch.no_grad():
        pixels = as_tensor(torch.from_numpy(np.stack(pictures)))
        return (network(pixels) + network(pixels.flip(3))).numpy()


def figures(similarity, same):
    """What a threshold on these pairs is worth, the AUC by its definition: pair against pair."""
    genuine, impostor = similarity[same], similarity[~same]
    level, scores = genuine[:, None], compare_pairs(similarity, same)
    found = {"auc": (level > impostor).mean() + (level == impostor).mean() / 2, "eer": eer(scores)}
    points = [tar_at_far(scores, far) for far in (1e-2, 1e-3, 1e-4)]
    return found | {f"tar_at_{point.far:g}": point.tar for point in points if point.reliable}


def agree(found, wanted):
    clock = ("kind", "step", "time", "set", "seconds", "damaged")
    assert {k: v for k, v in found.items() if k not in clock} == pytest.approx(wanted, abs=1e-12)


def of(folder, name):
    (entry,) = [e for e in entries(folder, "evaluation") if e["step"] == 4 and e["set"] == name]
    return entry


def test_a_bin_set_has_the_figures_of_its_pairs(run):
    folder, network, (path, *_) = run
    (asked,) = open_sets([path])
    found = of(folder, "pairs.bin")
    points = embeddings_of(network, [asked.picture(index, 16) for index in range(80)])
    first, second, same = np.arange(0, 80, 2), np.arange(1, 80, 2), asked.pairs.same
    similarity = pair_similarities(points, first, second)
    accuracy = kfold_accuracy(similarity, same, 10).mean
    agree(found, {"accuracy": accuracy} | figures(similarity, same))
    assert "damaged" not in found


@pytest.mark.parametrize("place", [1, 2])
def test_people_have_the_figures_of_all_their_pairs(run, place):
    folder, network, sets = run
    corpus = open_corpus(sets[place])
    found = of(folder, corpus.name)
    count = len(corpus)
    points = embeddings_of(network, [corpus.picture(index, 16) for index in range(count)])
    first, second = np.triu_indices(count, 1)
    similarity = pair_similarities(points, first, second)
    same = corpus.labels[first] == corpus.labels[second]
    folds = len(corpus.identities) // 2
    a, b, alike = fold_pairs(corpus.labels, folds)
    accuracy = kfold_accuracy(pair_similarities(points, a, b), alike, folds).mean
    agree(found, {"accuracy": accuracy} | figures(similarity, same))


def test_it_is_measured_before_training_at_each_turn_and_at_the_end(run):
    folder, _, _ = run
    found = [(e["step"], e["set"]) for e in entries(folder, "evaluation")]
    assert found == [(k, name) for k in (0, 2, 4) for name in ("pairs.bin", "people", "faces")]
    aucs = [e["auc"] for e in entries(folder, "evaluation") if e["set"] == "people"]
    assert len(set(aucs)) == 3  # of the network as it was then


def test_pairs_with_a_damaged_picture_are_left_out_and_counted(tmp_path):
    network = Plain(16, 16)
    (asked,) = open_sets([str(pairs(tmp_path, damaged=(10, 11, 35)))])  # of two pairs
    (found,) = evaluate(network, [asked], 16)
    assert found["damaged"] == 3
    kept = np.setdiff1d(np.arange(40), [5, 17])
    rows = np.stack([2 * kept, 2 * kept + 1], 1).ravel()
    points = embeddings_of(network, [asked.picture(int(row), 16) for row in rows])
    first, second = np.arange(0, 76, 2), np.arange(1, 76, 2)
    similarity, same = pair_similarities(points, first, second), asked.pairs.same[kept]
    accuracy = kfold_accuracy(similarity, same, 10).mean
    agree(found, {"accuracy": accuracy} | figures(similarity, same))


def test_a_network_that_tells_nobody_apart_has_an_error_in_words_and_trains_on(
    tmp_path, monkeypatch
):
    class Same(Plain):
        def forward(self, pictures):
            points = super().forward(pictures)
            return points if self.training else torch.ones_like(points)

    use_plain(monkeypatch, Same)
    folder = prepared(
        tmp_path / "run",
        **{"data__train": NOISE, "sync_batch_norm": False, "steps": 2, "follow__sets": (PEOPLE,)},
    )
    train(folder)
    assert all("collapsed" in e["error"] for e in entries(folder, "evaluation"))
    assert entries(folder, "event")[-1]["event"] == "finished"


def test_sets_of_the_same_name_are_told_apart(tmp_path):
    specs = [PEOPLE, "noise:identities=3,images=2,size=16", str(pairs(tmp_path))]
    assert [one.name for one in open_sets(specs)] == [*specs[:2], "pairs.bin"]


def test_of_too_many_pictures_as_many_of_each_identity_are_compared():
    (asked,) = open_sets(["noise:identities=3000,images=4,size=16"])
    labels = asked.corpus.labels[asked.rows]
    assert len(asked) <= MOST_PICTURES
    assert set(np.bincount(labels)[np.unique(labels)]) == {2}
    (asked,) = open_sets(["noise:identities=1000,images=5,size=16"])
    assert len(asked) == 5000


# Several processes


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gloo")
    together(save_measured, folder, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_measure_what_one_does_and_both_know_it(two):
    alone = measured()
    for found in two:
        assert found.keys() == alone.keys()
        for name, value in alone.items():
            torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5, msg=name)
    assert alone["25 whole"].logical_not().nonzero()[:, 0].tolist() == list(DAMAGED)
    assert alone["damaged"] == len(DAMAGED)
    assert alone["25 embeddings"][list(DAMAGED)].any(1).tolist() == [True, True]  # of a blank


def test_embedding_keeps_the_mode_of_the_network():
    seen = []
    for mode in (True, False):
        network = Plain(16, 16).train(mode)
        network.register_forward_hook(lambda module, *_: seen.append(module.training))
        embed(network, lambda index: np.zeros((16, 16, 3), np.uint8), 3, 16)
        assert network.training is mode
    assert seen == [False] * 4


# Angles


class Lookup(nn.Module):
    """Gives picture k, which is all of one colour k, a chosen embedding."""

    def __init__(self, table):
        super().__init__()
        self.register_buffer("table", torch.from_numpy(table).float())
        self.embedding_dim = table.shape[1]

    def forward(self, pictures):
        return self.table[((pictures[:, 0, 0, 0] + 1) * 127.5).round().long()]


class Colours:
    """A corpus for it; pictures of class 3 cannot be read."""

    def __init__(self, labels):
        self.labels = labels

    def prepare(self, rows):
        pass

    def picture(self, index, size):
        if self.labels[index] == 3:
            raise DamagedPicture("it cannot be read.")
        return np.full((size, size, 3), index, np.uint8)


def direction(degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], -1)


CENTRES = np.array([0.0, 100.0, 220.0, 300.0])
SPREAD = {0: (10.5, 29.5), 1: (-9.5, 9.5), 2: (-20.5, 20.5), 3: (0.0, 5.0)}
"""Where the pictures of each class lie, in degrees from their prototype, on a circle."""


def between(first, second):
    apart = np.abs(np.asarray(first)[:, None] - np.asarray(second)) % 360.0
    return np.minimum(apart, 360.0 - apart)


def nearest(places):
    apart = between(places, places)
    np.fill_diagonal(apart, 360.0)
    return apart.min(1).mean()


def circle():
    labels = np.repeat(np.arange(4), 2)
    angles = np.concatenate([CENTRES[k] + np.array(SPREAD[k]) for k in range(4)])
    lengths = np.array([[1.0], [3.0], [0.2], [20.0], [5.0], [5.0], [1.0], [1.0]])
    return Lookup(lengths * direction(angles)), Colours(labels), angles, labels


def test_the_angle_table_is_its_closed_form():
    network, corpus, angles, labels = circle()
    prototypes = direction(CENTRES).astype(np.float32) * 7.0
    unit = prototypes / 7.0
    found = measure_angles(network, lambda classes: unit[classes], corpus, 16)
    seen = labels < 3
    means = np.array([20.0, 100.0, 220.0])
    assert found.table.w_ec == pytest.approx(np.mean([20.0, 0.0, 0.0]), abs=1e-4)
    assert found.table.w_inter == pytest.approx(nearest(CENTRES), abs=1e-4)
    assert found.table.intra == pytest.approx(np.mean([9.5, 9.5, 20.5]), abs=1e-4)
    assert found.table.inter == pytest.approx(nearest(means), abs=1e-4)
    assert found.identities == 4
    own = between(angles[seen], CENTRES)[np.arange(6), labels[seen]]
    assert np.flatnonzero(found.own).tolist() == sorted({int(angle) for angle in own})
    assert sum(found.own) == 6
    assert [found.own[int(angle)] for angle in (10.5, 29.5, 9.5, 20.5)] == [1, 1, 2, 2]
    others = between(angles[seen], CENTRES)
    others[np.arange(6), labels[seen]] = 360.0
    counts = np.bincount(others.min(1).astype(int), minlength=180)
    assert found.nearest_other == counts.tolist()


def test_without_prototypes_what_needs_them_is_left_out():
    network, corpus, _, _ = circle()
    found = measure_angles(network, None, corpus, 16)
    assert np.isnan([found.table.w_ec, found.table.w_inter]).all()
    assert found.table.intra == pytest.approx(np.mean([9.5, 9.5, 20.5]), abs=1e-4)
    assert (found.own, found.nearest_other) == ([], [])


def test_fewer_identities_are_spread_over_all_and_the_same_each_time():
    network, corpus, _, _ = circle()
    asked = []
    for _ in range(2):
        measure_angles(
            network, lambda c: asked.append(c) or direction(CENTRES)[c], corpus, 16, identities=3
        )
    assert asked[0].tolist() == asked[1].tolist() == [0, 2, 3]
    found = measure_angles(network, None, corpus, 16, identities=2, images_each=1)
    assert found.identities == 2
    assert found.table.intra == pytest.approx(0.0, abs=1e-4)


def test_the_angles_of_a_run_are_those_of_its_prototypes_and_embeddings(run):
    """The journal's last table against float64, from the checkpoint."""
    folder, network, _ = run
    (found,) = [e for e in entries(folder, "angles") if e["step"] == 4]
    corpus = open_corpus(NOISE)
    classes = np.linspace(0, 12, 6).round().astype(int)
    rows = np.flatnonzero(np.isin(corpus.labels, classes))
    with torch.no_grad():
        pixels = as_tensor(torch.from_numpy(np.stack([corpus.picture(r, 16) for r in rows])))
        x = network(pixels).double()
    x = x / x.norm(dim=1, keepdim=True)
    w = weights(folder)["head.weight"][classes, 0].double()
    w = w / w.norm(dim=1, keepdim=True)
    owners = torch.from_numpy(np.searchsorted(classes, corpus.labels[rows]))
    means = torch.stack([x[owners == k].sum(0) for k in range(6)])
    means = means / means.norm(dim=1, keepdim=True)
    degrees = lambda cosine: torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))  # noqa: E731
    away = 10.0 * torch.eye(6)
    assert found["w_ec"] == pytest.approx(degrees((means * w).sum(1)).mean().item(), abs=1e-3)
    assert found["intra"] == pytest.approx(
        degrees((x * means[owners]).sum(1)).mean().item(), abs=1e-3
    )
    for name, table in (("w_inter", w), ("inter", means)):
        closest = degrees((table @ table.T - away).amax(1)).mean().item()
        assert found[name] == pytest.approx(closest, abs=1e-3)
    own = degrees((x * w[owners]).sum(1)).numpy()
    moved = np.abs(np.cumsum(np.histogram(own, 180, (0, 180))[0]) - np.cumsum(found["own"]))
    assert moved.max() <= 1  # one angle may round to the other side of a whole degree
    assert sum(found["own"]) == len(rows) == sum(found["nearest_other"])
