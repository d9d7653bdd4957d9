"""Which pictures a step sees: a permutation addressed by its place, on any number of processes."""

from collections import Counter

import numpy as np
import pytest
import torch

from facevis.corpora import DamagedPicture, open_corpus
from facevis.fullscale.batches import BalancedOrder, Order, Plan, read_ahead


@pytest.mark.parametrize(("count", "batch"), [(103, 8), (8, 8), (5, 12), (64, 16)])
def test_each_epoch_is_a_permutation_of_its_own(count, batch):
    order = Order(count, batch, seed=3)
    steps = -(-3 * count // batch)
    seen = np.concatenate([order.indices(step) for step in range(steps)])[: 3 * count]
    epochs = seen.reshape(3, count)
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(count))
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 3


def test_a_step_follows_from_seed_and_number_alone():
    forward, anew = Order(103, 8, seed=3), Order(103, 8, seed=3)
    steps = [forward.indices(step).tolist() for step in range(40)]
    assert [anew.indices(step).tolist() for step in range(39, -1, -1)] == steps[::-1]
    assert Order(103, 8, seed=4).indices(0).tolist() != steps[0]


def plan(order, rank=0, world=1, accumulate=1, first=0, last=6, mirror=True):
    return Plan(order, mirror, 3, first, last, rank, world, accumulate)


@pytest.mark.parametrize(("world", "accumulate"), [(1, 4), (2, 1), (4, 1), (2, 2)])
def test_processes_and_parts_cut_the_same_batch(world, accumulate):
    order = Order(103, 8, seed=3)
    whole = list(plan(order))
    plans = [plan(order, rank, world, accumulate) for rank in range(world)]
    parts = [list(each) for each in plans]
    assert [len(each) for each in plans] == [6 * accumulate] * world == [len(p) for p in parts]
    for step in range(6):
        own = slice(step * accumulate, (step + 1) * accumulate)
        together = [row for part in parts for rows in part[own] for row in rows]
        assert together == whole[step]


def test_a_run_that_goes_on_has_the_pictures_that_it_would_have_had():
    order = Order(103, 8, seed=3)
    whole = list(plan(order, last=20))
    assert list(plan(order, first=13, last=20)) == whole[13:]


def test_half_of_the_pictures_are_mirrored_by_lot():
    order = Order(10_000, 100, seed=3)
    mirrored = np.array([[lot for _, lot in rows] for rows in plan(order, last=100)])
    assert abs(mirrored.mean() - 0.5) < 0.02  # four standard deviations
    assert not np.array_equal(mirrored[0], mirrored[1])
    assert not any(lot for rows in plan(order, mirror=False) for _, lot in rows)


# P×K


def labels(counts, seed=0):
    """Identity k has counts[k] pictures, in any order."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@pytest.mark.parametrize(("identities", "images"), [(4, 3), (5, 2), (13, 6)])
def test_a_balanced_batch_has_p_identities_with_k_pictures_each(identities, images):
    owners = labels([6] * 13)
    order = BalancedOrder(owners, identities, images, seed=1)
    for step in range(30):
        chosen = order.indices(step)
        assert len(set(chosen.tolist())) == identities * images
        assert list(Counter(owners[chosen].tolist()).values()) == [images] * identities


def test_a_balanced_epoch_goes_through_the_identities_up_to_a_rest():
    owners = labels([6] * 13)
    order = BalancedOrder(owners, 4, 3, seed=1)
    assert order.steps_per_epoch == 3
    epochs = []
    for first in range(0, 60, 3):
        people = [owners[order.indices(step)][::3] for step in range(first, first + 3)]
        epochs.append(Counter(np.concatenate(people).tolist()))
    assert all(max(epoch.values()) == 1 and len(epoch) == 12 for epoch in epochs)
    assert sum(epochs, Counter()).keys() == set(range(13))  # the rest is another each time


def test_balanced_steps_follow_from_seed_and_number_alone():
    owners = labels([6] * 13)
    one, other = (BalancedOrder(owners, 4, 3, seed=1) for _ in range(2))
    steps = [one.indices(step).tolist() for step in range(20)]
    assert [other.indices(step).tolist() for step in range(19, -1, -1)] == steps[::-1]
    assert BalancedOrder(owners, 4, 3, seed=2).indices(0).tolist() != steps[0]


def test_of_identities_with_few_pictures_all_come_and_lonely_ones_are_left_out():
    owners = labels([1, 2, 3, 9, 1])
    order = BalancedOrder(owners, 3, 4, seed=1)
    assert order.remarks[0].startswith("2 identities have one picture each")
    in_pairs = owners[(owners > 0) & (owners < 4)]
    assert BalancedOrder(in_pairs, 3, 4, seed=1).remarks == ()
    for step in range(20):
        pictures = Counter(order.indices(step).tolist())
        by_owner = {k: [n for p, n in pictures.items() if owners[p] == k] for k in range(5)}
        assert by_owner[0] == by_owner[4] == []
        assert sorted(by_owner[1]) == [2, 2]
        assert sorted(by_owner[2]) == [1, 1, 2]
        assert by_owner[3] == [1, 1, 1, 1]


def test_more_identities_than_have_pairs_are_refused():
    with pytest.raises(ValueError, match=r"3 identities have two .+ each batch needs 4; choose"):
        BalancedOrder(labels([1, 2, 3, 9, 1]), 4, 2, seed=1)


# Reading


class Broken:
    """A corpus some of whose pictures cannot be read."""

    name = "broken"

    def __init__(self, damaged):
        self.corpus = open_corpus("noise:identities=4,images=5,size=16")
        self.labels, self.damaged = self.corpus.labels, damaged

    def __len__(self):
        return len(self.corpus)

    def prepare(self, rows):
        pass

    def picture(self, index, size):
        if index in self.damaged:
            raise DamagedPicture(f"picture {index} cannot be read.")
        return self.corpus.picture(index, size)


def read(corpus, workers=0, last=5):
    order = Order(len(corpus), 4, seed=3)
    return list(read_ahead(corpus, 16, plan(order, last=last), workers, pin=False))


def test_a_picture_comes_as_it_is_or_mirrored_with_its_label():
    corpus = Broken(())
    lots = list(plan(Order(20, 4, seed=3), last=5))
    for batch, rows in zip(read(corpus), lots, strict=True):
        assert batch.indices.tolist() == [index for index, _ in rows]
        assert batch.labels.tolist() == corpus.labels[batch.indices].tolist()
        for picture, (index, mirrored) in zip(batch.pictures, rows, strict=True):
            pixels = torch.from_numpy(corpus.picture(index, 16))
            assert torch.equal(picture, pixels.flip(1) if mirrored else pixels)


def test_workers_read_the_same():
    one, two = read(Broken((2,))), read(Broken((2,)), workers=2)
    assert len(one) == len(two) == 5
    for first, second in zip(one, two, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first[:3], second[:3], strict=True))
        assert first.damaged == second.damaged


def test_a_damaged_picture_is_named_and_the_next_whole_one_comes_instead():
    corpus = Broken((7, 8, 19))
    found = read(corpus)
    order = Order(20, 4, seed=3)
    instead = {7: 9, 8: 9, 19: 0}
    for step, batch in enumerate(found):
        asked = order.indices(step).tolist()
        assert batch.indices.tolist() == [instead.get(index, index) for index in asked]
        assert batch.labels.tolist() == corpus.labels[batch.indices].tolist()
    named = {index: said for batch in found for index, said in batch.damaged.items()}
    assert named == {index: f"picture {index} cannot be read." for index in (7, 8, 19)}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_set_of_damaged_pictures_alone_ends_in_one_sentence(workers):
    with pytest.raises(ValueError, match=r"^20 pictures in a row of broken cannot be read; look"):
        read(Broken(range(20)), workers, last=1)
