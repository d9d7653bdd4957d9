"""RecordIO as MXNet and InsightFace write it, read by us; the oracle is a writer of its own."""

import multiprocessing
import os
import pickle
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordio_by_hand import MAGIC, PICTURES, contents, framed, insightface, lay, packed

from facevis.corpora import RecordIO, write_recordio
from facevis.corpora import recordio_scan as scanning


def test_a_set_of_insightface_is_read_without_its_notes(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3))
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == PICTURES
    assert corpus.labels.dtype == np.int64
    assert corpus.identities == ("0", "1", "2")
    assert corpus.remarks == ()
    assert corpus.place(2) == "train.rec, record 3"
    assert corpus.name == tmp_path.name


def test_a_set_without_the_record_about_the_set_is_all_pictures(tmp_path):
    lay(tmp_path, [packed(label, data) for data, label in PICTURES], keys=[5, 0, 7, 1])
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == PICTURES
    assert corpus.place(0) == "train.rec, record 5"


def test_the_first_of_several_labels_counts(tmp_path):
    lay(tmp_path, [packed((3.0, 0.5), b"a"), packed((0.0, 9.0, 9.0), b"b"), packed(1.0, b"c")])
    assert contents(RecordIO(tmp_path)) == [(b"a", 3), (b"b", 0), (b"c", 1)]


@pytest.mark.parametrize("given_as", ["train.rec", "train.idx", ""])
def test_the_rec_the_idx_and_the_folder_name_one_set(tmp_path, given_as):
    lay(tmp_path, insightface(PICTURES, 3))
    assert contents(RecordIO(tmp_path / given_as)) == PICTURES


def test_another_name_is_found_and_two_are_asked_about(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3), name="val")
    assert contents(RecordIO(tmp_path)) == PICTURES
    lay(tmp_path, insightface(PICTURES, 3), name="test")
    with pytest.raises(ValueError, match=r"several \.rec files \(test\.rec, val\.rec\); name the"):
        RecordIO(tmp_path)


def test_the_order_of_the_index_is_the_order_of_the_set(tmp_path):
    lay(tmp_path, [packed(label, data) for data, label in PICTURES])
    lines = (tmp_path / "train.idx").read_text().splitlines(keepends=True)
    (tmp_path / "train.idx").write_text("".join(reversed(lines)))
    assert contents(RecordIO(tmp_path)) == PICTURES[::-1]


chunks = st.lists(st.one_of(st.just(MAGIC), st.binary(max_size=9)), max_size=8).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(payloads=st.lists(chunks.filter(len), min_size=1, max_size=6))
def test_pictures_that_contain_the_magic_survive(tmp_path_factory, payloads):
    """Both ways: their writer and our reader, and our writer byte for byte as theirs."""
    folder = tmp_path_factory.mktemp("rec")
    pictures = [(data, 0) for data in payloads]
    bodies = insightface(pictures, 1)
    lay(folder, bodies)
    assert contents(RecordIO(folder)) == pictures
    (folder / "train.idx").unlink()
    assert contents(RecordIO(folder)) == pictures  # the walk does not take a part for a record
    write_recordio(folder / "ours", pictures, 1, 112)
    expected = [bodies[0], *(packed(0, d, key) for key, d in enumerate(payloads, 1)), bodies[-1]]
    assert (folder / "ours/train.rec").read_bytes() == b"".join(map(framed, expected))


def test_the_magic_was_really_cut(tmp_path):
    lay(tmp_path, [packed(0, MAGIC + b"ab" + MAGIC + b"xx" + MAGIC)])
    marks = [
        struct.unpack("<I", (tmp_path / "train.rec").read_bytes()[at + 4 : at + 8])[0] >> 29
        for at in (0, 32)
    ]
    assert marks == [1, 2]
    assert RecordIO(tmp_path).encoded(0) == MAGIC + b"ab" + MAGIC + b"xx" + MAGIC


# Written by us


def test_what_we_write_is_laid_out_as_insightface_lays_it_out(tmp_path):
    seen = []
    assert write_recordio(tmp_path, iter(PICTURES), 3, 112, seen.append) == 4
    bodies = insightface(PICTURES, 3)
    with_keys = [packed(label, data, key) for key, (data, label) in enumerate(PICTURES, 1)]
    offsets = lay(tmp_path, [bodies[0], *with_keys, *bodies[5:]], name="theirs")
    assert (tmp_path / "train.rec").read_bytes() == (tmp_path / "theirs.rec").read_bytes()
    assert (tmp_path / "train.idx").read_bytes() == (tmp_path / "theirs.idx").read_bytes()
    assert len(offsets) == 8
    assert (tmp_path / "property").read_text().strip() == "3,112,112"
    assert seen == [1, 2, 3, 4]
    assert contents(RecordIO(tmp_path / "train.rec")) == PICTURES


def test_labels_of_numpy_are_written_too(tmp_path):
    write_recordio(tmp_path, zip([b"a", b"b"], np.array([1, 0]), strict=True), 2, 112)
    assert contents(RecordIO(tmp_path)) == [(b"a", 1), (b"b", 0)]


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ([], "there is no picture to write"),
        ([(b"a", 0), (b"b", 3)], "the label of picture 2 is 3; give a whole number from 0 to 2"),
        ([(b"a", -1)], "the label of picture 1 is -1"),
    ],
)
def test_a_set_that_cannot_be_written_leaves_nothing_behind(tmp_path, pictures, sentence):
    with pytest.raises(ValueError, match=sentence):
        write_recordio(tmp_path, pictures, 3, 112)
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_is_there_is_not_overwritten(tmp_path):
    write_recordio(tmp_path, PICTURES, 3, 112)
    before = (tmp_path / "train.rec").read_bytes()
    with pytest.raises(ValueError, match=r"holds a train\.rec already; choose another folder"):
        write_recordio(tmp_path, [(b"other", 0)], 1, 112)
    assert (tmp_path / "train.rec").read_bytes() == before


def test_a_writer_that_is_interrupted_leaves_nothing_behind(tmp_path):
    def pictures():
        yield b"a", 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_recordio(tmp_path, pictures(), 1, 112)
    assert list(tmp_path.iterdir()) == []


# What is said about a set


def test_labels_with_gaps_are_renumbered_and_keep_their_names(tmp_path):
    lay(tmp_path, [packed(label, b"x") for label in (9999, 4, 0, 4)])
    corpus = RecordIO(tmp_path)
    assert corpus.labels.tolist() == [2, 1, 0, 1]
    assert corpus.identities == ("0", "4", "9999")
    assert corpus.remarks == (
        "labels go from 0 to 9999 and 9997 are unused; they were renumbered.",
    )


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("3,112,112", None),
        ("85742,112,112\n", "speaks of 85742 identities, the records hold 3"),
        ("oops", "says 'oops' instead of classes,height,width"),
    ],
)
def test_a_property_that_disagrees_is_remarked(tmp_path, text, remark):
    lay(tmp_path, insightface(PICTURES, 3))
    (tmp_path / "property").write_text(text)
    remarks = RecordIO(tmp_path).remarks
    assert remarks == () if remark is None else remark in remarks[0]


# Processes, threads, the cache


def read_all(corpus):
    return [corpus.encoded(i) for i in range(len(corpus))]


def test_two_processes_and_many_threads_read_the_same(tmp_path):
    pictures = [(bytes([k]) * (k + 1), k % 3) for k in range(200)]
    write_recordio(tmp_path, pictures, 3, 112)
    corpus = RecordIO(tmp_path)
    expected = [data for data, _ in pictures]
    assert read_all(corpus) == expected  # the file is held open when it is sent
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(read_all, [corpus, corpus]) == [expected, expected]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(corpus.encoded, range(200))) == expected


def test_a_pickle_carries_no_picture(tmp_path):
    write_recordio(tmp_path, [(b"z" * 500_000, 0)], 1, 112)
    corpus = RecordIO(tmp_path)
    corpus.encoded(0)
    text = pickle.dumps(corpus)
    assert len(text) < 2000
    assert pickle.loads(text).encoded(0) == b"z" * 500_000


def test_the_cache_is_used_and_not_trusted_when_the_file_changes(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    lay(tmp_path, insightface(PICTURES, 3))
    assert contents(RecordIO(tmp_path, cache)) == PICTURES
    (kept,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.delattr(scanning, "_heads")  # reading the heads would now fail
        assert contents(RecordIO(tmp_path, cache)) == PICTURES
    kept.write_bytes(kept.read_bytes()[:40])
    assert contents(RecordIO(tmp_path, cache)) == PICTURES
    other = [(data, 2 - label) for data, label in PICTURES]
    lay(tmp_path, insightface(other, 3))
    rec = tmp_path / "train.rec"
    stamp = rec.stat().st_mtime_ns + 10**9
    os.utime(rec, ns=(stamp, stamp))
    assert contents(RecordIO(tmp_path, cache)) == other


def test_a_cache_that_cannot_be_written_is_remarked(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3))
    (tmp_path / "cache").write_text("a file, no folder")
    corpus = RecordIO(tmp_path, tmp_path / "cache")
    assert contents(corpus) == PICTURES
    assert "could not keep the labels" in corpus.remarks[0]


def test_more_pictures_than_float32_counts_are_told_by_their_emptiness(tmp_path):
    """The number in record 0 is rounded up then, past the last picture; notes stay out."""
    bodies = insightface(PICTURES, 3)
    rounded = struct.pack("=IfQQ2f", 2, 0.0, 0, 0, 2.0**24 + 2, 2.0**24 + 6)
    lay(tmp_path, [rounded, *bodies[1:]])
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == PICTURES
    assert corpus.remarks == ()
