"""A step is the gradient of the whole batch's loss, in any parts, precision and layout."""

import shutil

import pytest
import torch
from network_files import one_thread
from plain_network import NOISE, Plain, in_single_steps, use_plain
from runs import curve, entries, prepared, weights

from facevis.corpora import open_corpus
from facevis.fullscale import runs
from facevis.fullscale.batches import Order
from facevis.fullscale.checkpoint import progress_of
from facevis.fullscale.heads import build_objective
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.train import train
from facevis.fullscale.training import Training
from facevis.margins import Margin, target_cosine
from facevis.models.backbones import build_backbone

CPU = torch.device("cpu")
ONE = {"data__train": NOISE, "sync_batch_norm": False}


@pytest.fixture(autouse=True, scope="module")
def alone():
    with one_thread():
        yield


def trained(folder, **changes):
    """The run of a folder, in this process and on the CPU whatever its configuration says."""
    prepared(folder, **{**ONE, **changes})
    Training(folder, runs.read_config(folder), CPU).run()
    return folder


def same(first, second, tolerance):
    first, second = weights(first), weights(second)
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=tolerance, atol=tolerance, msg=name)


# A step


@pytest.mark.parametrize("accumulate", [1, 2, 4])
def test_a_step_is_the_gradient_of_the_formula(accumulate, tmp_path, monkeypatch):
    """Plain SGD, one step: the formula written out, and autograd over all of it."""
    use_plain(monkeypatch)
    rate = 0.05
    folder = trained(
        tmp_path / "run",
        **{"steps": 1, "accumulate": accumulate, "precision": "float64", "data__mirror": False},
        **{"optimizer__momentum": 0.0, "optimizer__weight_decay": 0.0, "optimizer__clip": 0.0},
        **{"optimizer__learning_rate": rate, "head__m1": 0.9, "head__m2": 0.4, "head__m3": 0.15},
    )
    config = runs.read_config(folder)
    corpus = open_corpus(NOISE)
    chosen = Order(len(corpus), 8, config.seed).indices(0)
    pixels = torch.stack([torch.from_numpy(corpus.picture(int(i), 16)) for i in chosen])
    labels = torch.from_numpy(corpus.labels[chosen])
    torch.manual_seed(config.seed)
    network = Plain(16, 16).double()
    head = build_objective(config.head, 13, 16, config.seed)
    w = head.weight.detach().double().requires_grad_()
    x = network(as_tensor(pixels, dtype=torch.float64)).double()
    cosines = torch.nn.functional.normalize(x) @ torch.nn.functional.normalize(w).T
    own = cosines.gather(1, labels[:, None])
    target = target_cosine(torch.arccos(own), Margin(0.9, 0.4, 0.15))
    logits = 16.0 * cosines.scatter(1, labels[:, None], target)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    found = weights(folder)
    assert curve(folder)[1] == pytest.approx(loss.item(), rel=1e-10)
    (seen,) = entries(folder)
    gradients = [w.grad, *(p.grad for p in network.parameters())]
    norm = torch.cat([g.flatten() for g in gradients]).norm().item()
    assert seen["gradient_norm"] == pytest.approx(norm, rel=1e-10)
    assert seen["angle_deg"] == pytest.approx(torch.arccos(own).mean().rad2deg().item(), rel=1e-10)
    moved = {"head.weight": (w - rate * w.grad).detach().unsqueeze(1)}
    for name, p in network.named_parameters():
        moved[f"network.{name}"] = (p - rate * p.grad).detach()
    for name, value in moved.items():
        torch.testing.assert_close(found[name], value, rtol=1e-10, atol=1e-12, msg=name)


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"head__objective": "softmax"},
        {"head__objective": "magface", "optimizer__name": "adamw", "head__magface_weight": 1.0},
        {"head__sample_rate": 0.5, "head__sub_centers": 2},
    ],
    ids=["margin", "softmax", "magface, adamw", "sampled sub-centres"],
)
def test_parts_are_the_whole_batch(changes, precision, tolerance, tmp_path, monkeypatch):
    use_plain(monkeypatch)
    settings = {"steps": 6, "precision": precision, "optimizer__learning_rate": 0.01, **changes}
    whole = trained(tmp_path / "whole", **settings)
    parts = trained(tmp_path / "parts", accumulate=4, **settings)
    same(whole, parts, tolerance)
    assert curve(parts) == pytest.approx(curve(whole), rel=tolerance)


def test_channels_last_are_the_same_numbers(tmp_path):
    """The curve in float64; in float32 the first step, before rounding has grown."""
    for precision, steps, tolerance in (("float64", 4, 1e-8), ("float32", 1, 1e-4)):
        found = []
        for last in (False, True):
            folder = tmp_path / f"{precision}-{last}"
            trained(folder, steps=steps, precision=precision, channels_last=last)
            found.append([(e["loss"], e["gradient_norm"]) for e in entries(folder)])
        assert len(found[0]) == steps
        for one, other in zip(*found, strict=True):
            assert one == pytest.approx(other, rel=tolerance)


@pytest.mark.parametrize("name", ["vit_t", "iresnet18", "mobilefacenet"])
def test_networks_of_all_kinds_compute_in_float64_for_checks(name):
    network = build_backbone(name, 16, 16).double()
    assert network(torch.zeros(2, 3, 16, 16, dtype=torch.float64)).dtype == torch.float64


# Half precision


def test_under_bfloat16_the_head_computes_in_float32(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    seen = []
    forward = ShardedObjective.forward

    def spied(head, embeddings, labels):
        loss = forward(head, embeddings, labels)
        seen.append((embeddings.detach(), labels, head.weight.detach().clone(), loss.detach()))
        return loss

    monkeypatch.setattr(ShardedObjective, "forward", spied)
    folder = trained(tmp_path / "run", precision="bfloat16", steps=5)
    assert len(seen) == 5
    for embeddings, labels, table, loss in seen:
        assert embeddings.dtype == torch.bfloat16  # the network did compute in it
        assert loss.dtype == torch.float32
        x, w = (torch.nn.functional.normalize(t.double()) for t in (embeddings, table))
        cosines = x @ w.T
        target = torch.cos(torch.arccos(cosines.gather(1, labels[:, None])) + 0.3)
        logits = 16.0 * cosines.scatter(1, labels[:, None], target)
        exact = torch.nn.functional.cross_entropy(logits, labels)
        assert loss.item() == pytest.approx(exact.item(), rel=1e-5)
    assert {value.dtype for value in weights(folder).values()} == {torch.float32}


def test_under_float16_an_overflow_halves_the_scale_and_leaves_all_as_it_was(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    folder = prepared(tmp_path / "run", **ONE, precision="float16", device="auto", steps=12)
    training = Training(folder, runs.read_config(folder), CPU)
    step, seen = training.step, []

    def watched(number, parts):
        before = [p.detach().clone() for p in training.network.parameters()]
        before.append(training.head.weight.detach().clone())
        scale = training.loss_scale.value
        found = step(number, parts)
        after = [*training.network.parameters(), training.head.weight]
        still = all(torch.equal(b, a) for b, a in zip(before, after, strict=True))
        seen.append((scale, training.loss_scale.value, still, found["gradient_norm"]))
        return found

    monkeypatch.setattr(training, "step", watched)
    training.run()
    assert [still for *_, still, _ in seen] == [not norm < float("inf") for *_, norm in seen]
    for before, after, still, _ in seen:
        assert after == (before / 2 if still else before)
    skipped = sum(still for *_, still, _ in seen)
    assert 0 < skipped < 12  # it begins too high for these gradients, and is found
    assert progress_of(folder / "checkpoints", 12)["loss_scale"] == [
        2.0**16 / 2**skipped,
        12 - 1 - max(k for k, (*_, still, _) in enumerate(seen) if still),
    ]
    # None stands for what is no number.
    norms = [entry["gradient_norm"] for entry in entries(folder)]
    assert [norm is None for norm in norms] == [still for *_, still, _ in seen]


def test_the_loss_scale_goes_on_from_the_checkpoint(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    monkeypatch.setattr("facevis.fullscale.optimizers._STEPS_TO_GROW", 2)
    settings = {"precision": "float16", "device": "auto", "steps": 9}
    whole = trained(tmp_path / "whole", **settings)
    cut = in_single_steps(prepared(tmp_path / "cut", **ONE, **settings))
    same(whole, cut, 0.0)
    kept = [progress_of(folder / "checkpoints", 9)["loss_scale"] for folder in (whole, cut)]
    assert kept[0] == kept[1]


def test_float16_gradients_are_those_of_float32(tmp_path, monkeypatch):
    """The scale is taken out again: where nothing overflows, the step is nearly the same."""
    use_plain(monkeypatch)
    monkeypatch.setattr("facevis.fullscale.training.LossScale.__init__", lowered)
    norms = []
    for precision in ("float32", "float16"):
        folder = trained(tmp_path / precision, precision=precision, device="auto", steps=1)
        norms.append(entries(folder)[0]["gradient_norm"])
    assert norms[1] == pytest.approx(norms[0], rel=0.01)
    assert norms[1] != norms[0]


def lowered(scale, active):
    scale.active, scale.value, scale.good = active, 128.0 if active else 1.0, 0


# Weights to begin with, and a compiler


def test_a_run_begins_with_given_weights_and_goes_on_without_them(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    given = Plain(16, 16).state_dict()
    torch.save(given, tmp_path / "given.pth")
    folder = prepared(tmp_path / "run", **ONE, backbone__weights=str(tmp_path / "given.pth"))
    config = runs.read_config(folder)
    training = Training(folder, config, CPU)
    for name, value in training.network.state_dict().items():
        assert torch.equal(value, given[name])
    training.asked_to_stop = True
    training.run()
    (tmp_path / "given.pth").unlink()
    train(folder)
    assert sorted(curve(folder)) == list(range(1, 13))


@pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "c++", "cl"))), reason="no C++ compiler is here"
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_a_compiled_network_trains_alike(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    plain, compiled = (
        trained(tmp_path / str(flag), compile=flag, steps=3) for flag in (False, True)
    )
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    same(plain, compiled, 1e-4)
    assert curve(compiled) == pytest.approx(curve(plain), rel=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_without_a_compiler_the_run_says_so(tmp_path, monkeypatch):
    use_plain(monkeypatch)
    torch._dynamo.reset()
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("no-such-compiler",))
    monkeypatch.setattr("torch._inductor.config.force_disable_caches", True)
    with pytest.raises(ValueError, match=r"could not be compiled \(.+\); install a C\+\+ compiler"):
        trained(tmp_path / "run", compile=True, steps=3)
    torch._dynamo.reset()


def test_memory_that_ran_out_is_said_with_what_helps(tmp_path, monkeypatch):
    def greedy(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    use_plain(monkeypatch)
    monkeypatch.setattr(Plain, "forward", greedy)
    with pytest.raises(ValueError, match=r"memory ran out \(CUDA.+20.00 GiB\); lower batch_size"):
        trained(tmp_path / "run")
    assert entries(tmp_path / "run", "event")[-1]["event"] == "failed"


def test_another_fault_stays_what_it_is(tmp_path, monkeypatch):
    def wrong(*_):
        raise RuntimeError("a fault of the program")

    use_plain(monkeypatch)
    monkeypatch.setattr(Plain, "forward", wrong)
    with pytest.raises(RuntimeError, match="a fault of the program"):
        trained(tmp_path / "run")
