"""Pairs for verification are drawn fairly, and written as others read them."""

import io

import numpy as np
import pytest
from PIL import Image

from facevis.corpora import DamagedPicture, FolderCorpus, made_up
from facevis.corpora.bins import read_bin
from facevis.corpora.building import (
    readable_pairs,
    sample_verification_pairs,
    write_pair_list,
    write_pairs_bin,
)
from facevis.corpora.converting import Prepared, convert
from facevis.datasets.pair_lists import read_pairs

LABELS = np.repeat(np.arange(40), np.arange(40) % 7 + 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("folds", [2, 10])
def test_pairs_are_fair(seed, folds):
    """Half genuine in each fold, none twice, none of a picture with itself, nobody in two folds."""
    first, second, same = sample_verification_pairs(LABELS, 6 * folds, folds, seed)
    assert (same == np.tile([True] * 3 + [False] * 3, folds)).all()
    assert ((LABELS[first] == LABELS[second]) == same).all()
    assert (first != second).all()
    assert len({frozenset(pair) for pair in zip(first, second, strict=True)}) == len(first)
    people = [
        {*LABELS[first[part]].tolist(), *LABELS[second[part]].tolist()}
        for part in np.array_split(np.arange(len(first)), folds)
    ]
    assert sum(map(len, people)) == len(set.union(*people))


def test_a_seed_gives_the_same_pairs_and_another_others():
    one, again, other = (sample_verification_pairs(LABELS, 80, 4, seed) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert not (one[0] == other[0]).all()


def test_all_pairs_can_be_asked_for_and_not_one_more():
    labels = np.repeat(range(8), 4)  # two people with four pictures each in each of four folds
    first, second, same = sample_verification_pairs(labels, 96, 4)
    genuine = {frozenset(pair) for pair in zip(first[same], second[same], strict=True)}
    assert len(genuine) == 48 == 8 * 6
    with pytest.raises(ValueError, match="12 genuine and 16 impostor pairs, but no 13 genuine"):
        sample_verification_pairs(labels, 104, 4)


def test_each_pair_of_a_fold_is_as_likely_as_another():
    """Somebody with four pictures makes six pairs, somebody with two makes one: it is a seventh."""
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3])
    sizes = np.array([4, 2, 4, 2])
    drawn = []
    for seed in range(1000):
        first, second, _ = sample_verification_pairs(labels, 4, 2, seed)
        for genuine, impostor in ((0, 1), (2, 3)):
            there = {int(sizes[labels[side[impostor]]]) for side in (first, second)}
            if there == {2, 4}:  # both people of a fold are in its impostor pair
                drawn.append(sizes[labels[first[genuine]]] == 2)
    assert len(drawn) > 500
    assert np.mean(drawn) == pytest.approx(1 / 7, abs=4 * np.sqrt(6 / 49 / len(drawn)))


def test_neither_picture_of_a_pair_is_always_the_earlier_one():
    first, second, same = sample_verification_pairs(np.repeat(range(40), 5), 400, 4)
    for kind in (same, ~same):
        assert 70 < (first[kind] < second[kind]).sum() < 130


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"pairs": 30}, "pairs is 30; give a multiple of 20, so that each of 10 folds has as many"),
        ({"pairs": 2}, "pairs is 2; give a whole number from 20"),
        ({"pairs": 20, "folds": 1}, "folds is 1; give a whole number from 2"),
        ({"pairs": 84, "folds": 21}, "there are 40 identities; 21 folds need at least 42, two"),
        ({"pairs": 20_000}, "fold 1 has .* impostor pairs, but no 1,000 genuine and 1,000"),
    ],
)
def test_pairs_that_cannot_be_drawn_are_refused(asked, fault):
    with pytest.raises(ValueError, match=fault):
        sample_verification_pairs(LABELS, **asked)


class SomeDamaged(Prepared):
    """A corpus of which every picture of the rows ``lost`` is damaged."""

    lost = ()

    def encoded(self, index):
        if index in self.lost:
            raise DamagedPicture(f"{self.place(index)} is lost.")
        return super().encoded(index)


def test_no_damaged_picture_is_in_a_pair():
    corpus = SomeDamaged(made_up("faces:identities=8,images=4,size=32"))
    corpus.lost = {0, 5, 6, 7, 17, 30}
    (first, second, same), sentences = readable_pairs(corpus, 32, 4)
    assert not corpus.lost & {*first.tolist(), *second.tolist()}
    assert ((corpus.labels[first] == corpus.labels[second]) == same).all()
    assert sentences
    assert all("is lost." in sentence for sentence in sentences)


def test_pairs_become_a_bin_and_a_list_of_the_same(tmp_path):
    convert(made_up("faces:identities=8,images=4,size=32"), tmp_path / "people", "folder")
    corpus = FolderCorpus(tmp_path / "people")
    pairs = sample_verification_pairs(corpus.labels, 32, 4)
    write_pairs_bin(tmp_path / "set.bin", corpus, pairs, None)
    write_pair_list(tmp_path / "pairs.txt", corpus, pairs)
    found, listed = read_bin(tmp_path / "set.bin"), read_pairs(tmp_path / "pairs.txt")
    assert (found.same == pairs[2]).all()
    assert (listed.same == pairs[2]).all()
    for pair, (one, other) in enumerate(zip(*pairs[:2], strict=True)):
        pictures = [corpus.encoded(int(row)) for row in (one, other)]
        assert found.encoded[2 * pair : 2 * pair + 2] == pictures
        files = [listed.files[side[pair]] for side in (listed.first, listed.second)]
        assert [file.read_bytes() for file in files] == pictures
    write_pairs_bin(tmp_path / "small.bin", corpus, pairs, 16)
    small = read_bin(tmp_path / "small.bin")
    sizes = {Image.open(io.BytesIO(picture)).size for picture in small.encoded}
    assert sizes == {(16, 16)}


def test_a_list_of_pairs_needs_files_with_plain_names(tmp_path):
    drawn = made_up("faces:identities=4,images=2,size=32")
    pairs = sample_verification_pairs(drawn.labels, 4, 2)
    with pytest.raises(ValueError, match=r"the pictures of faces are no files; write a \.bin"):
        write_pair_list(tmp_path / "pairs.txt", drawn, pairs)
    names = ['say "hi"', "b", "c", "d"]
    for name in names:
        (tmp_path / name).mkdir()
        for k in range(2):
            Image.new("L", (16, 16)).save(tmp_path / name / f"{k}.png")
    corpus = FolderCorpus(tmp_path)
    with pytest.raises(ValueError, match="holds a quote or begins with #; rename the file"):
        write_pair_list(tmp_path / "pairs.txt", corpus, pairs)
    assert not (tmp_path / "pairs.txt").exists()
