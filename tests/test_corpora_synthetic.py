"""Drawn faces, noise, and the one word that opens every set."""

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facevis.corpora import (
    FolderCorpus,
    ListCorpus,
    RecordIO,
    decode_picture,
    made_up,
    open_corpus,
    synthetic,
    write_folder,
    write_list,
    write_recordio,
    write_shards,
)
from facevis.corpora.shards import ShardCorpus
from facevis.datasets import procedural_faces


def pictures(corpus, size=16):
    return np.stack([corpus.picture(index, size) for index in range(len(corpus))])


def test_the_faces_are_those_of_the_small_datasets():
    corpus = made_up("faces:identities=5,images=7,size=20,seed=3")
    dataset = procedural_faces(5, 7, 20, 3)
    assert (pictures(corpus, 20) == dataset.images).all()
    assert (corpus.labels == dataset.labels).all()
    assert tuple(corpus.identities) == dataset.class_names


def test_an_identity_is_the_same_person_in_any_set():
    many = made_up("faces:identities=9,images=3,size=16,seed=4")
    late = made_up("faces:identities=2,images=2,size=16,seed=4,first=6")
    assert late.identities[0] == many.identities[6] == "face 7"
    for person in range(2):
        for place in range(2):
            theirs = many.picture((person + 6) * 3 + place, 16)
            assert (late.picture(person * 2 + place, 16) == theirs).all()
    other = made_up("faces:identities=2,images=2,size=16,seed=5,first=6")
    assert not (other.picture(0, 16) == late.picture(0, 16)).all()


def test_unseen_people_are_others():
    seen = made_up("faces:identities=4,images=1,size=16")
    unseen = made_up("faces:identities=4,images=1,size=16,first=4")
    assert not set(seen.identities) & set(unseen.identities)
    assert len(np.unique(np.concatenate([pictures(seen), pictures(unseen)]), axis=0)) == 8


def test_faces_do_not_depend_on_the_order_in_which_they_are_asked_for():
    spec = "faces:identities=4,images=20,size=16"
    forward, backward = made_up(spec), made_up(spec)
    reverse = np.stack([backward.picture(i, 16) for i in reversed(range(80))])[::-1]
    assert (pictures(forward) == reverse).all()
    with ThreadPoolExecutor(4) as threads:
        corpus = made_up(spec)
        together = list(threads.map(lambda i: corpus.picture(i, 16), range(80)))
    assert (np.stack(together) == reverse).all()


def test_only_what_is_asked_for_is_drawn(monkeypatch):
    drawn = []
    real = synthetic.draw_faces
    monkeypatch.setattr(
        synthetic, "draw_faces", lambda *args: drawn.append(len(args[0])) or real(*args)
    )
    corpus = made_up("faces:identities=10,images=10,size=16")
    assert drawn == []
    for index in (30, 31, 30, 99):
        corpus.picture(index, 16)
    corpus.prepare([31, 32, 33, 99])
    assert drawn == [1, 1, 1, 2]


def test_a_picture_belongs_to_the_caller():
    corpus = made_up("faces:identities=2,images=2,size=16")
    first = corpus.picture(0, 16)
    kept = first.copy()
    first[:] = 0
    assert (corpus.picture(0, 16) == kept).all()


@pytest.mark.parametrize("spec", ["faces:identities=2,images=2,size=16", "noise:size=16"])
def test_the_encoded_picture_has_the_same_pixels(spec):
    corpus = made_up(spec)
    assert (decode_picture(corpus.encoded(3), 16) == corpus.picture(3, 16)).all()
    assert (decode_picture(corpus.encoded(3), 24) == corpus.picture(3, 24)).all()
    assert corpus.place(3) == f"{corpus.name}, picture 3"


def test_a_place_beyond_the_set_is_an_index_error():
    for corpus in (made_up("faces:identities=2,images=2,size=16"), made_up("noise:")):
        with pytest.raises(IndexError):
            corpus.picture(len(corpus), 16)
        assert (corpus.picture(-1, 16) == corpus.picture(len(corpus) - 1, 16)).all()


# On disk, in other processes


def test_the_cache_is_used_the_next_time_and_not_believed_when_it_is_cut_off(tmp_path, monkeypatch):
    spec = "faces:identities=3,images=9,size=16"
    expected = pictures(made_up(spec))
    corpus = made_up(spec, tmp_path / "c")
    corpus.prepare()
    assert (pictures(corpus) == expected).all()
    (kept,) = (tmp_path / "c").iterdir()
    assert (np.load(kept, allow_pickle=False) == expected).all()
    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "draw_faces", None)  # drawing would now fail
        assert (pictures(made_up(spec, tmp_path / "c")) == expected).all()
    for damage in (kept.read_bytes()[:300], b"", b"something else"):
        kept.unlink()
        kept.write_bytes(damage)
        corpus = made_up(spec, tmp_path / "c")
        corpus.prepare()
        assert (pictures(corpus) == expected).all()
    assert len(list((tmp_path / "c").iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"file cannot keep the drawn faces .* choose another"):
        made_up("faces:identities=2,images=2,size=16", tmp_path / "file").prepare()


def test_what_is_drawn_ahead_is_what_is_drawn_when_asked_for(monkeypatch):
    spec = "faces:identities=5,images=7,size=16"
    expected, corpus = pictures(made_up(spec)), made_up(spec)
    corpus.prepare([30, 3, 3, 17])
    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "draw_faces", None)  # drawing would now fail
        assert all((corpus.pixels(k) == expected[k]).all() for k in (3, 17, 30))
    corpus.prepare()
    assert (pictures(corpus) == expected).all()


def read_all(corpus):
    return pictures(corpus)


@pytest.mark.parametrize("cached", [False, True])
def test_two_processes_see_the_same_faces(tmp_path, cached):
    corpus = made_up("faces:identities=2,images=13,size=16", tmp_path if cached else None)
    expected = pictures(corpus)
    assert len(pickle.dumps(corpus)) < 2000
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert all((seen == expected).all() for seen in pool.map(read_all, [corpus, corpus]))


# Noise


def test_noise_is_made_from_the_seed_and_the_place():
    one, two = made_up("noise:identities=50,images=3"), made_up("noise:identities=9,images=3")
    assert (one.picture(20, 112) == two.picture(20, 112)).all()
    assert one.picture(20, 112).shape == (112, 112, 3)
    other = made_up("noise:identities=50,images=3,seed=1")
    assert not (one.picture(20, 112) == other.picture(20, 112)).all()


def test_a_million_people_cost_little():
    corpus = made_up("noise:")
    assert (len(corpus), corpus.num_classes) == (5_000_000, 1_000_000)
    assert corpus.identities[-1] == "nobody 1000000"
    assert corpus.identities[:2] == ("nobody 1", "nobody 2")
    assert int(corpus.labels[-1]) == 999_999


def test_the_class_shows_in_noise_but_faintly():
    """Pictures of one identity correlate more than others do, and every pixel is mostly noise."""
    corpus = made_up("noise:identities=6,images=4,size=48")
    flat = pictures(corpus, 48).reshape(24, -1).astype(float)
    table = np.corrcoef(flat)
    same = corpus.labels[:, None] == corpus.labels
    apart = table[~same]
    alike = table[same & ~np.eye(24, dtype=bool)]
    assert alike.min() > apart.max()
    assert 0.02 < alike.mean() < 0.3


# What is asked for


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("faces:people=3", "faces has no setting 'people'; choose among identities, images, size"),
        ("noise:first=3", "noise has no setting 'first'; choose among identities, images, size, s"),
        ("faces:size", "size is ''; give a whole number from 16 to 256"),
        ("faces:size=big", "size is 'big'; give a whole number from 16 to 256"),
        ("faces:size=8", "size is 8; give a whole number from 16 to 256"),
        ("faces:identities=0", "identities is 0; give a whole number from 1 to 10000000"),
        ("noise:seed=-1", "seed is -1; give a whole number from 0"),
        ("faces:identities=1000000,size=112", "pixels; ask for at most 2,000,000,000"),
        ("noise:identities=10000000,images=100", "pictures; ask for at most 100,000,000"),
        ("paintings:size=3", "'paintings' is no made-up set; choose one of faces, noise"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(spec, sentence):
    with pytest.raises(ValueError, match=sentence):
        made_up(spec)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """One small set in every form."""
    root = tmp_path_factory.mktemp("sets")
    faces = made_up("faces:identities=2,images=2,size=16")
    write_folder(root / "folder", faces)
    write_list(root / "list.txt", FolderCorpus(root / "folder"))
    write_list(root / "list.csv", FolderCorpus(root / "folder"))
    write_shards(root / "shards", faces, per_shard=3)
    labelled = ((faces.encoded(i), int(k)) for i, k in enumerate(faces.labels))
    write_recordio(root / "rec", labelled, 2, 16)
    return root


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("folder", FolderCorpus),
        ("list.txt", ListCorpus),
        ("list.csv", ListCorpus),
        ("rec", RecordIO),
        ("rec/train.rec", RecordIO),
        ("rec/train.idx", RecordIO),
        ("shards", ShardCorpus),
        ("shards/shard-{000000..000001}.tar", ShardCorpus),
    ],
)
def test_every_form_is_opened_by_what_is_there(places, tmp_path, name, kind):
    expected = pictures(made_up("faces:identities=2,images=2,size=16"))
    for spec in (places / name, str(places / name)):
        corpus = open_corpus(spec, tmp_path)
        assert isinstance(corpus, kind)
        assert (pictures(corpus) == expected).all()
        assert corpus.labels.tolist() == [0, 0, 1, 1]


def test_the_made_up_sets_are_opened_by_their_words(tmp_path):
    assert open_corpus("noise:identities=3").num_classes == 3
    assert len(open_corpus("faces")) == 4000
    open_corpus("faces:identities=2,images=2,size=16", tmp_path).prepare()
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_no_set_is_refused_with_the_choices(tmp_path):
    (tmp_path / "paper.pdf").write_bytes(b"%PDF")
    for spec, start in (("paper.pdf", "paper.pdf is no face set"), ("gone", "there is no .*gone")):
        with pytest.raises(ValueError, match=start + r".*train\.rec.*\.tar.*\.lst.*faces:… or noi"):
            open_corpus(tmp_path / spec)
    with pytest.raises(ValueError, match="has no picture in a subfolder"):
        open_corpus(tmp_path)
