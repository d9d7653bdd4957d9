"""Pairs and triplets: counted and mined as by hand, and as pytorch-metric-learning does."""

import itertools

import numpy as np
import pytest
import torch
from pytorch_metric_learning import distances, losses, miners

from facevis.mining import MINING, count_pairs, count_triplets, triplet_losses
from facevis.objectives import TripletObjective, pairwise_distances, triplet_loss


def by_hand(matrix, labels, margin, mining):
    """Loss, valid and teaching share from loops over every triplet."""
    size = range(len(labels))
    triplets = [
        (matrix[a][p], matrix[a][n], a)
        for a, p, n in itertools.product(size, repeat=3)
        if a != p and labels[a] == labels[p] != labels[n]
    ]
    violating = sum(positive + margin > negative for positive, negative, _ in triplets)
    mined = triplets
    if mining == "semi-hard":
        mined = [t for t in triplets if t[0] < t[1] < t[0] + margin]
    if mining == "batch-hard":
        by_anchor = {a: [t for t in triplets if t[2] == a] for a in size}
        mined = [
            (max(t[0] for t in own), min(t[1] for t in own), a)
            for a, own in by_anchor.items()
            if own
        ]
    terms = [p - n + margin for p, n, _ in mined if p - n + margin > 0]
    share = violating / len(triplets) if triplets else 0.0
    return (sum(terms) / len(terms) if terms else 0.0), len(triplets), share


@pytest.mark.parametrize("labels", [[0], [3, 3], [0, 1, 2], [0, 0, 1, 1, 1, 2], list(range(9)) * 3])
def test_counts_match_enumeration(labels):
    pairs = list(itertools.combinations(labels, 2))
    same = sum(a == b for a, b in pairs)
    assert count_pairs(labels) == (same, len(pairs) - same)
    assert count_triplets(labels) == by_hand(np.zeros((27, 27)), labels, 1.0, "all")[1]


def test_counts_do_not_overflow_at_ten_million_faces():
    labels = np.repeat(np.arange(2, dtype=np.int32), 5_000_000)
    n = 5_000_000
    assert count_triplets(labels) == 2 * n * (n - 1) * n > 2**63
    assert sum(count_pairs(labels)) == 2 * n * (2 * n - 1) // 2


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("margin", [0.05, 0.3, 3.0])
def test_terms_match_loops_over_every_triplet(mining, margin):
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 4, (19,), generator=generator)
    labels[0] = 9  # a class with a single sample has no positives
    matrix = pairwise_distances(torch.randn(19, 3, generator=generator, dtype=torch.float64))
    terms = triplet_losses(matrix, labels, margin, mining)
    loss, valid, teaching = by_hand(matrix.tolist(), labels.tolist(), margin, mining)
    assert terms.loss.item() == pytest.approx(loss, abs=1e-12)
    assert int(terms.valid) == valid == count_triplets(labels)
    assert terms.teaching.item() == pytest.approx(teaching, abs=1e-12)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("mining", MINING)
def test_triplet_loss_and_gradient_match_pytorch_metric_learning(mining, squared):
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(64, 2, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 10, (64,), generator=generator)
    distance = distances.LpDistance(power=2 if squared else 1)
    kind = {"all": "all", "semi-hard": "semihard"}.get(mining)
    miner = (
        miners.TripletMarginMiner(margin=0.2, type_of_triplets=kind, distance=distance)
        if kind
        else miners.BatchHardMiner(distance=distance)
    )
    theirs = start.clone().requires_grad_()
    reference = losses.TripletMarginLoss(margin=0.2, distance=distance)
    expected = reference(theirs, labels, miner(theirs, labels))
    expected.backward()
    ours = start.clone().requires_grad_()
    loss = TripletObjective(0.2, mining, squared)(ours, labels)
    loss.backward()
    assert loss.item() > 0.01
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize("mining", MINING)
def test_stacked_members_equal_single_members(mining):
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(3, 40, 2, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 5, (40,), generator=generator)
    margins = torch.tensor([0.1, 0.4, 0.9], dtype=torch.float64)
    together = triplet_loss(embeddings, labels, margins.view(3, 1, 1), mining)
    for member in range(3):
        alone = triplet_loss(embeddings[member], labels, margins[member].item(), mining)
        for stacked, single in zip(together, alone, strict=True):
            torch.testing.assert_close(stacked[member], single)


@pytest.mark.parametrize("mining", MINING)
def test_gradient_matches_finite_differences(mining):
    generator = torch.Generator().manual_seed(1)
    embeddings = torch.randn(12, 3, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.arange(12) % 3
    assert triplet_loss(embeddings, labels, 0.5, mining).loss.item() > 0
    assert torch.autograd.gradcheck(
        lambda x: triplet_loss(x, labels, 0.5, mining).loss, (embeddings,)
    )


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("labels", [[0], [0, 0, 0], [0, 1, 2], [0, 0, 1]])
def test_batches_without_violating_triplets_give_zero_loss_and_zero_gradient(mining, labels):
    angles = torch.tensor(labels) * 2.0
    embeddings = torch.stack([angles.cos(), angles.sin()], 1).requires_grad_()
    terms = triplet_loss(embeddings, torch.tensor(labels), 0.1, mining)
    terms.loss.backward()
    assert terms.loss.item() == 0.0
    assert terms.teaching.item() == 0.0
    assert int(terms.valid) == count_triplets(labels)
    assert not embeddings.grad.any()


@pytest.mark.parametrize("mining", MINING)
def test_a_collapsed_batch_has_a_finite_gradient(mining):
    embeddings = torch.ones(8, 2, requires_grad=True)
    terms = triplet_loss(embeddings, torch.arange(8) % 2, 0.2, mining)
    terms.loss.backward()
    # Everything in one place: no negative is farther than the positive, so none is semi-hard.
    assert terms.loss.item() == pytest.approx(0.0 if mining == "semi-hard" else 0.2)
    assert terms.teaching.item() == 1.0
    assert torch.isfinite(embeddings.grad).all()


def test_unknown_mining_is_refused_by_name():
    with pytest.raises(ValueError, match="mining is 'hardest'; choose one of all, semi-hard"):
        triplet_losses(torch.zeros(2, 2), torch.tensor([0, 1]), 0.2, "hardest")


@pytest.mark.parametrize("mining", MINING)
def test_blocks_of_anchors_give_what_one_block_gives(mining, monkeypatch):
    torch.manual_seed(0)
    distances = torch.rand(3, 40, 40).double()
    labels = torch.randint(5, (40,))
    margin = torch.tensor([0.05, 0.2, 0.6]).double().view(3, 1, 1)
    whole = triplet_losses(distances, labels, margin, mining)
    monkeypatch.setattr("facevis.mining._BLOCK", 3 * 40 * 12 * 7)
    parts = triplet_losses(distances, labels, margin, mining)
    for expected, found in zip(whole, parts, strict=True):
        torch.testing.assert_close(found, expected)
