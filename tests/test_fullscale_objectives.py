"""Every objective trains from pictures to checkpoint, and goes on exactly where it stopped."""

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE, in_single_steps, use_plain
from runs import curve, entries, prepared, small, weights

from facevis.corpora import open_corpus
from facevis.fullscale import runs
from facevis.fullscale.checkpoint import progress_of
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.train import train
from facevis.fullscale.training import Training

STEPS = 12
FACES = "faces:identities=6,images=6,size=32"
TRIPLES = {"data__identities_per_batch": 4, "data__images_per_identity": 3}
CASES = {
    "softmax": {"head__objective": "softmax"},
    "normalised softmax": {"head__m2": 0.0},
    "sphereface": {"head__m1": 1.35, "head__m2": 0.0},
    "cosface": {"head__m2": 0.0, "head__m3": 0.2},
    "arcface": {"head__m2": 0.3},
    "combined": {"head__m1": 0.9, "head__m2": 0.3, "head__m3": 0.1},
    "arcface, detached": {"head__m2": 0.3, "head__gradient": "detached"},
    "adaface": {"head__objective": "adaface"},
    "magface": {"head__objective": "magface", "head__magface_weight": 1.0},
    "curricularface": {"head__objective": "curricularface"},
    "sub-centres": {"head__sub_centers": 3},
    "sampled": {"head__sample_rate": 0.5},
    "triplet, semi-hard": {"head__objective": "triplet", **TRIPLES},
    "triplet, hardest, squared": {
        **{"head__objective": "triplet", "head__mining": "batch-hard", "head__squared": True},
        **TRIPLES,
    },
    "contrastive": {"head__objective": "contrastive", "head__distance": 1.0, **TRIPLES},
}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


def begun(config, folder):
    """The tensors that the run began with."""
    training = Training(folder, config, torch.device("cpu"))
    found = {f"network.{n}": p.detach().clone() for n, p in training.network.named_parameters()}
    if training.head is not None:
        head = training.head
        found["head.weight"] = head.weight.detach().view(6, head.sub_centers, -1).clone()
    return found


@pytest.mark.parametrize("case", CASES)
def test_it_learns_a_few_faces(case, tmp_path):
    """The loss falls by a fifth or more from the first third to the last; everything moves."""
    folder = prepared(
        tmp_path / "run",
        **{
            **{"steps": STEPS, "batch_size": 12, "data__train": FACES, "data__size": 32},
            **{"data__mirror": False, "schedule__kind": "step", "optimizer__name": "adamw"},
            **{"optimizer__learning_rate": 3e-3, "optimizer__weight_decay": 0.0},
            **{"follow__checkpoint_every": STEPS},
            **CASES[case],
        },
    )
    begin = begun(runs.read_config(folder), folder)
    train(folder)
    losses = list(curve(folder).values())
    assert len(losses) == STEPS
    third = STEPS // 3
    assert sum(losses[-third:]) < 0.8 * sum(losses[:third])
    end = weights(folder)
    assert all(torch.isfinite(value).all() for value in end.values() if value.is_floating_point())
    assert [name for name, value in begin.items() if torch.equal(value, end[name])] == []
    classifier = not TRIPLES.keys() <= CASES[case].keys()
    assert classifier == ("head.weight" in end)
    angles = {entry["angle_deg"] is None for entry in entries(folder)}
    assert angles == {not classifier}


# Going on


@pytest.mark.parametrize(
    "changes",
    [
        {"head__sample_rate": 0.3},
        {"head__sample_rate": 0.3, "optimizer__name": "adamw", "optimizer__learning_rate": 0.01},
        {"head__sub_centers": 2, "accumulate": 2},
        {"head__sub_centers": 2, "head__sample_rate": 0.5, "accumulate": 2},
        {"head__objective": "softmax"},
        {"head__objective": "adaface"},
        {"head__objective": "curricularface", "head__sample_rate": 0.6},
        {"head__objective": "triplet", "data__identities_per_batch": 4, "batch_size": 16},
        {"schedule__margin_warmup": 5, "schedule__warmup": 3},
    ],
    ids=lambda changes: ", ".join(f"{k.rpartition('_')[2]}={v}" for k, v in changes.items()),
)
def test_stopped_after_each_step_it_is_the_same_run(changes, tmp_path, monkeypatch):
    """To the bit: weights, what optimizer and rule remember, the curve."""
    use_plain(monkeypatch)
    settings = {"steps": 7, "data__train": NOISE, "sync_batch_norm": False, **changes}
    whole, cut = (prepared(tmp_path / name, **settings) for name in ("whole", "cut"))
    train(whole)
    in_single_steps(cut)
    first, second = weights(whole), weights(cut)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert curve(whole) == curve(cut)
    assert progress_of(whole / "checkpoints", 7) == progress_of(cut / "checkpoints", 7)


def test_the_margin_grows_during_its_warm_up(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    config = small(
        **{"steps": 6, "data__train": NOISE, "schedule__margin_warmup": 4, "head__m1": 1.4},
        **{"head__m2": 0.4, "head__m3": 0.2},
    )
    runs.prepare(tmp_path / "run", config)
    seen = []
    forward = ShardedObjective.forward

    def spied(head, embeddings, labels):
        seen.append(head.rule.margin.as_tuple())
        return forward(head, embeddings, labels)

    monkeypatch.setattr(ShardedObjective, "forward", spied)
    train(tmp_path / "run")
    for step, margin in enumerate(seen):
        share = min(step / 4, 1.0)
        assert margin == pytest.approx((1 + 0.4 * share, 0.4 * share, 0.2 * share))
    assert len(seen) == 6


def test_sampled_classes_are_those_of_the_batch_and_as_many_as_asked(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(
        tmp_path / "run",
        **{"steps": 5, "data__train": "noise:identities=100,images=6,size=16"},
        **{"head__sample_rate": 0.2, "optimizer__weight_decay": 0.1},
    )
    training = Training(folder, runs.read_config(folder), torch.device("cpu"))
    labels = open_corpus(training.config.data.train).labels
    step, moved = training.step, []

    def watched(number, parts):
        before = training.head.weight.detach().clone()
        found = step(number, parts)
        changed = (training.head.weight.detach() != before).any(1)
        moved.append(set(changed.nonzero()[:, 0].tolist()))
        own = {int(labels[index]) for part in parts for index in part.indices}
        assert own <= moved[-1]
        return found

    monkeypatch.setattr(training, "step", watched)
    training.run()
    assert [len(rows) for rows in moved] == [20] * 5  # the others do not even decay
    assert len({tuple(sorted(rows)) for rows in moved}) == 5
