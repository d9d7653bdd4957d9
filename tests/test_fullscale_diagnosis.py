"""A run whose numbers end stops with the step, the batch's files, the likely cause and a remedy."""

import math
from pathlib import Path

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE, Plain, use_plain
from runs import curve, entries, prepared, weights

from facevis.corpora import open_corpus, write_folder
from facevis.fullscale import checkpoint, runs
from facevis.fullscale.batches import Order
from facevis.fullscale.diagnosis import NotFinite, diagnose
from facevis.fullscale.train import train
from facevis.fullscale.training import Training

PLAIN = {"data__train": NOISE, "sync_batch_norm": False}
FINE = {
    **{"step": 7, "taken": 7, "loss": 3.0, "embeddings_finite": True, "largest_embedding": 5.0},
    **{"weights_finite": True, "prototypes_finite": True, "gradient_norm": 1.0, "scale": 64.0},
    **{"learning_rate": 0.1, "precision": "float32", "places": ["a.jpg", "b.jpg"]},
}
NAN = {"loss": math.nan, "gradient_norm": math.nan}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


@pytest.mark.parametrize(
    ("seen", "what", "why"),
    [
        (
            NAN | {"weights_finite": False, "embeddings_finite": False, "taken": 0},
            *("the weights of the network are not finite", "begin with other weights"),
        ),
        (
            NAN | {"weights_finite": False, "embeddings_finite": False},
            *("the weights of the network are not finite", "lower optimizer.learning_rate"),
        ),
        (NAN | {"prototypes_finite": False}, "the prototypes are not finite", "the step before"),
        (NAN | {"embeddings_finite": False}, "embeddings are not finite", "pictures of the batch"),
        (
            NAN | {"embeddings_finite": False, "precision": "float16"},
            *("embeddings are not finite", "float16 overflows above 65,504"),
        ),
        (NAN, "the loss is nan", "lower head.scale"),
        (NAN | {"largest_embedding": 1e20}, "the loss is nan", "embeddings of length 1e+20"),
        ({"gradient_norm": math.inf}, "the gradient is inf", "lower optimizer.learning_rate"),
        (
            {"gradient_norm": math.inf, "precision": "float16"},
            *("the gradient is inf", "choose precision bfloat16"),
        ),
    ],
)
def test_what_was_not_finite_first_is_named_with_what_to_do(seen, what, why):
    said = diagnose(**(FINE | seen))
    assert said.startswith(f"Step 7: {what}; ")
    assert why in said
    assert said.endswith("The step was not taken. The batch: a.jpg; b.jpg.")
    assert "\n" not in said


def test_of_a_large_batch_the_first_five_are_named():
    said = diagnose(**(FINE | NAN | {"places": [f"{k}.jpg" for k in range(12)]}))
    assert said.endswith("The batch: 0.jpg; 1.jpg; 2.jpg; 3.jpg; 4.jpg and 7 more.")


# In a run


def ended(folder):
    """What the run says when it ends; the journal has it too, as its last entry."""
    with pytest.raises(NotFinite) as end:
        train(folder)
    said = str(end.value)
    event = entries(folder, "event")[-1]
    assert (event["event"], event["sentence"]) == ("failed", said)
    step = int(said.removeprefix("Step ").partition(":")[0])
    assert event["step"] == step == len(curve(folder))  # steps count from 0: those before are whole
    return step, said


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_absurd_learning_rate_is_called_the_cause(optimizer, tmp_path, monkeypatch):
    use_plain(monkeypatch)
    changes = {"optimizer__name": optimizer, "optimizer__learning_rate": 1e30}
    _, said = ended(prepared(tmp_path / "run", **PLAIN, **changes))
    assert "lower optimizer.learning_rate (now " in said
    assert "begin with other weights" not in said


class Breaks(Plain):
    """Gives a NaN at its fifth batch, out of weights that are fine."""

    batches = 0

    def forward(self, pictures):
        self.batches += self.training
        return super().forward(pictures) * (math.nan if self.batches == 5 else 1.0)


def test_a_network_that_gives_nan_ends_the_run_with_the_files_of_the_batch(tmp_path, monkeypatch):
    use_plain(monkeypatch, Breaks)
    faces = tmp_path / "people"
    write_folder(faces, open_corpus(NOISE))
    folder = prepared(tmp_path / "run", **PLAIN | {"data__train": str(faces)})
    step, said = ended(folder)
    assert step == 4
    assert "embeddings are not finite" in said
    corpus = open_corpus(faces)
    chosen = [corpus.place(int(index)) for index in Order(len(corpus), 8, 0).indices(4)]
    assert said.endswith(f"The batch: {'; '.join(chosen[:5])} and 3 more.")
    assert all(Path(place).is_file() for place in chosen)
    assert checkpoint.steps(folder / "checkpoints") == [3]


def test_the_step_is_not_taken(tmp_path, monkeypatch):
    """Neither weights nor what the optimizer remembers change by the step that ended the run."""
    use_plain(monkeypatch, Breaks)
    folder = prepared(tmp_path / "run", **PLAIN, follow__checkpoint_every=4)
    training = Training(folder, runs.read_config(folder), torch.device("cpu"))
    with pytest.raises(NotFinite):
        training.run()
    kept = weights(folder)  # after the fourth step
    for name, value in training.network.named_parameters():
        assert torch.equal(value, kept[f"network.{name}"])
    for name, value, _ in training.optimizers.states():
        assert torch.equal(value.view_as(kept[name]), kept[name])


class NoWayBack(Plain):
    """Its numbers are fine, their derivative is not: the root of 0."""

    def forward(self, pictures):
        zero = 0.0 * self.first.weight.square().sum()
        return super().forward(pictures) + zero.sqrt()


def test_a_gradient_that_is_no_number_ends_the_run(tmp_path, monkeypatch):
    use_plain(monkeypatch, NoWayBack)
    step, said = ended(prepared(tmp_path / "run", **PLAIN))
    assert step == 0
    assert said.startswith("Step 0: the gradient is nan; a layer divides by almost nothing")


class Large(Plain):
    """Its embeddings are beyond what float16 holds."""

    def forward(self, pictures):
        return self.features(1e3 * torch.tanh(self.first(pictures.flatten(1))) * 1e3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CPU computes here")
def test_float16_that_overflows_in_the_network_is_told_from_a_rate_too_high(tmp_path, monkeypatch):
    use_plain(monkeypatch, Large)
    changes = {"precision": "float16", "device": "auto"}
    _, said = ended(prepared(tmp_path / "half", **PLAIN, **changes))
    assert "float16 overflows above 65,504 inside the network: choose precision bfloat16" in said
    train(prepared(tmp_path / "brain", **PLAIN, precision="bfloat16", steps=2))


def test_a_run_that_ended_goes_on_from_its_checkpoint_when_the_cause_is_gone(tmp_path, monkeypatch):
    folder = prepared(tmp_path / "run", **PLAIN)
    with monkeypatch.context() as patch:
        use_plain(patch, Breaks)
        ended(folder)
    use_plain(monkeypatch)
    train(folder)
    whole = prepared(tmp_path / "whole", **PLAIN)
    train(whole)
    assert curve(folder) == curve(whole)
