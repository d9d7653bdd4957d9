"""What a run needs, against what it then has; the probe takes real steps and leaves nothing."""

import tempfile
import time

import psutil
import pytest
import torch
from runs import refused, small

from facevis.fullscale import networks
from facevis.fullscale.heads import build_objective
from facevis.fullscale.needs import needs
from facevis.fullscale.optimizers import Optimizers
from facevis.fullscale.probe import Probe
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.recipes import RECIPES


def _taken(config, identities):
    """Bytes of weights, buffers, gradients and optimizer, and of activations, after a real step."""
    network = networks.build_network(config).train()
    objective = build_objective(config.head, identities, config.backbone.embedding_dim, 0)
    head = objective if isinstance(objective, ShardedObjective) else None
    optimizers = Optimizers(config.optimizer, network, head)
    own = {t.untyped_storage().data_ptr() for t in network.parameters()}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    size = config.data.size
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        points = network(torch.zeros(config.batch_size, 3, size, size))
    objective(points, torch.arange(config.batch_size) % identities).backward()
    optimizers.step(0.1, 1.0, 1.0)
    weights = [*network.parameters(), *objective.parameters()]
    held = [*weights, *network.buffers(), *(p.grad for p in weights if p.requires_grad)]
    held += [value for _, value, _ in optimizers.states()]
    saved = [*network.state_dict().values(), *objective.parameters()]
    saved += [value for _, value, _ in optimizers.states()]
    return (
        sum(t.nbytes for t in held),
        sum(storage.nbytes() for storage in kept.values()),
        sum(t.nbytes for t in saved),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer__name": "adamw", "head__sub_centers": 3},
        {"optimizer__momentum": 0.0, "backbone__name": "iresnet18"},
        {"backbone__name": "vit_t", "head__objective": "softmax"},
        {"head__objective": "triplet", "data__identities_per_batch": 2},
    ],
    ids=str,
)
def test_what_is_counted_is_what_a_step_takes(changes):
    config = small(**changes)
    found = needs(config, 13)
    fixed, activations, saved = _taken(config, 13)
    assert found.fixed_bytes == pytest.approx(fixed, rel=0.001)
    assert found.checkpoint_bytes == pytest.approx(saved, rel=0.001)
    # Beside it the head has room of its own, which is small here.
    assert activations * 0.98 <= found.activation_bytes <= activations * 1.02 + 50_000
    assert found.device_bytes == found.fixed_bytes + found.activation_bytes


def test_nothing_of_that_size_is_held_and_the_numbers_are_those_of_the_papers():
    before = psutil.Process().memory_info().rss
    found = needs(RECIPES["casia-arcface"](), 10_572)
    assert psutil.Process().memory_info().rss - before < 2**28
    assert found.network_parameters == 43_590_848  # InsightFace's r50
    assert found.head_parameters == 10_572 * 512
    assert found.device_bytes > 10 * 2**30


def test_half_precision_parts_and_processes_take_less_on_each_device():
    whole = needs(small(batch_size=64))
    half = needs(small(batch_size=64, precision="bfloat16"))
    assert half.activation_bytes < 0.7 * whole.activation_bytes
    for parts in (
        needs(small(batch_size=64, accumulate=4)),
        needs(small(batch_size=64), processes=4),
    ):
        assert parts.activation_bytes < 0.35 * whole.activation_bytes
    double = needs(small(batch_size=64, precision="float64"))
    assert double.fixed_bytes == 2 * whole.fixed_bytes


def test_identities_are_known_of_made_up_sets_and_else_asked_for():
    assert needs(small()).identities == 13
    assert needs(small(data__train="noise:identities=100000000")).identities == 100_000_000
    unknown = needs(small(data__train="faces/"))
    assert (unknown.identities, unknown.head_parameters) == (None, None)
    assert needs(small(data__train="faces/"), 7).head_parameters == 7 * 16
    assert "identities" in refused(needs, small(), 1)
    assert "data.train is empty" in refused(needs, small(data__train=""))
    assert "no setting" in refused(needs, small(data__train="faces:people=3"))


# The probe


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Where temporary files go."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_probe_takes_real_steps_and_leaves_nothing(places):
    probe = Probe(small(1000))
    assert probe.progress == ("starting", 0.0)
    probe.wait(60)
    assert (probe.error, probe.running) == ("", False)
    assert probe.progress == ("measuring", 1.0)
    speed = probe.result["images_per_second"]
    assert speed > 0
    assert probe.result["seconds_left_for_the_run"] == pytest.approx(1000 * 8 / speed)
    assert (probe.result["identities"], probe.result["pictures"]) == (13, 78)
    assert probe.result["peak_bytes"] > 2**26
    assert list(places.iterdir()) == []


def test_a_probe_that_cannot_be_says_so_in_the_trainers_words(places):
    probe = Probe(small(data__train=str(places / "nowhere")))
    probe.wait(60)
    assert probe.result is None
    assert "there is no" in probe.error
    assert "\n" not in probe.error
    assert "data.train is empty" in refused(Probe, small(data__train=""))
    assert list(places.iterdir()) == []


def test_a_cancelled_probe_is_gone_with_all_it_started(places):
    probe = Probe(small(data__workers=2, data__train="noise:identities=50,images=400,size=256"))
    end = time.monotonic() + 60
    while probe.progress[0] != "measuring":
        assert time.monotonic() < end
        assert probe.running, probe.error
        time.sleep(0.02)
    family = psutil.Process(probe._process.pid).children(recursive=True)
    assert family
    probe.cancel()
    probe.cancel()
    assert not probe.running
    assert probe.result is None
    assert "cancelled" in probe.error
    assert not [one for one in psutil.wait_procs(family, 5)[1] if one.is_running()]
    assert list(places.iterdir()) == []
