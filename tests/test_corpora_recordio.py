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

from facevis.corpora import DamagedPicture, RecordIO, write_recordio
from facevis.corpora import recordio_scan as scanning

MAGIC = b"\x0a\x23\xd7\xce"


def packed(label, picture, key=0):
    """MXNet's ``pack``: one label in the header, several behind it."""
    if isinstance(label, tuple):
        return (
            struct.pack("=IfQQ", len(label), 0.0, key, 0)
            + struct.pack(f"={len(label)}f", *label)
            + picture
        )
    return struct.pack("=IfQQ", 0, label, key, 0) + picture


def framed(body):
    """dmlc-core's ``WriteRecord``, word by word: parts end where an aligned word is the magic."""
    words = [body[at : at + 4] for at in range(0, len(body), 4)]
    parts, current = [], b""
    for word in words:
        if word == MAGIC:
            parts.append(current)
            current = b""
        else:
            current += word
    parts.append(current)
    marks = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    record = b""
    for mark, part in zip(marks, parts, strict=True):
        record += MAGIC + struct.pack("<I", (mark << 29) + len(part)) + part
        record += b"\0" * ((4 - len(part)) % 4)
    return record


def lay(folder, bodies, keys=None, name="train"):
    """Write ``name.rec`` and ``name.idx``; the offsets of the records."""
    rec, lines, offsets = b"", [], []
    for key, body in zip(keys or range(len(bodies)), bodies, strict=True):
        lines.append(f"{key}\t{len(rec)}\n")
        offsets.append(len(rec))
        rec += framed(body)
    (folder / f"{name}.rec").write_bytes(rec)
    (folder / f"{name}.idx").write_text("".join(lines))
    return offsets


def insightface(pictures, classes):
    """The bodies of a set as InsightFace lays it out: about the set, pictures, identities."""
    count = len(pictures)
    bodies = [packed((count + 1, count + 1 + classes), b"")]
    bodies += [packed(label, data) for data, label in pictures]
    for k in range(classes):
        places = [i for i, (_, label) in enumerate(pictures, 1) if label == k] or [0, -1]
        bodies.append(packed((places[0], places[-1] + 1), b""))
    return bodies


PICTURES = [(b"first", 0), (b"second!", 0), (b"third picture", 1), (b"4", 2)]


def contents(corpus):
    return [
        (corpus.encoded(i), int(corpus.identities[label])) for i, label in enumerate(corpus.labels)
    ]


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


def test_a_missing_index_is_rebuilt(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3))
    (tmp_path / "train.idx").unlink()
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == PICTURES
    assert corpus.remarks == ("there is no train.idx; it was rebuilt from train.rec.",)


def test_a_walk_goes_on_after_damage_and_counts_it(tmp_path):
    offsets = lay(tmp_path, [packed(label, data * 9) for data, label in PICTURES])
    data = bytearray((tmp_path / "train.rec").read_bytes())
    data[offsets[1] : offsets[1] + 8] = b"garbage!"
    (tmp_path / "train.rec").write_bytes(data)
    with pytest.raises(ValueError, match=rf"no record begins at byte {offsets[1]} \(key 1\)"):
        RecordIO(tmp_path)
    (tmp_path / "train.idx").unlink()
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == [(data * 9, k) for data, k in PICTURES if data != b"second!"]
    assert corpus.remarks[1] == f"{offsets[2] - offsets[1]} bytes of train.rec belong to no record."


def test_records_without_a_picture_are_left_out(tmp_path):
    lay(tmp_path, [packed(0, b"a"), packed(1, b""), packed(1, b"c")])
    corpus = RecordIO(tmp_path)
    assert contents(corpus) == [(b"a", 0), (b"c", 1)]
    assert corpus.remarks == ("1 records of train.rec hold no picture and were left out.",)


def test_a_short_index_is_noticed_by_the_record_about_the_set(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3))
    lines = (tmp_path / "train.idx").read_text().splitlines(keepends=True)
    (tmp_path / "train.idx").write_text("".join(lines[:3]))
    assert RecordIO(tmp_path).remarks == ("record 0 speaks of 4 pictures, 2 are missing.",)


# Damage


def test_a_cut_off_file_keeps_what_is_whole_and_counts_the_rest(tmp_path):
    offsets = lay(tmp_path, insightface([(b"picture" * 10, k) for k in (0, 0, 1, 1)], 2))
    whole = (tmp_path / "train.rec").read_bytes()
    (tmp_path / "train.rec").write_bytes(whole[: offsets[3] + 60])
    corpus = RecordIO(tmp_path)
    assert corpus.remarks[0] == "train.rec is cut off: 4 of 7 records are lost."
    assert corpus.labels.tolist() == [0, 0, 1]
    assert [corpus.encoded(i) for i in (0, 1)] == [b"picture" * 10] * 2
    with pytest.raises(DamagedPicture, match=r"train\.rec, record 3 is cut off or overwritten"):
        corpus.encoded(2)
    with pytest.raises(DamagedPicture, match="record 3"):
        corpus.picture(2, 112)


def test_a_file_in_parts_that_is_cut_off_is_damaged(tmp_path):
    lay(tmp_path, [packed(0, b"ok"), packed(1, b"abcd" + MAGIC + b"efgh")])
    whole = (tmp_path / "train.rec").read_bytes()
    (tmp_path / "train.rec").write_bytes(whole[:-4])
    corpus = RecordIO(tmp_path)
    with pytest.raises(DamagedPicture, match="record 1 is cut off"):
        corpus.encoded(1)


def test_a_file_that_is_lost_is_refused(tmp_path):
    lay(tmp_path, insightface(PICTURES, 3))
    (tmp_path / "train.rec").write_bytes(b"")
    with pytest.raises(ValueError, match=r"train\.rec holds none of the 8 records that train\.idx"):
        RecordIO(tmp_path)


def test_the_index_of_another_file_is_refused(tmp_path):
    lay(tmp_path, [packed(0, b"x" * 400) for _ in range(5)], name="other")
    lay(tmp_path, [packed(0, b"y" * 100) for _ in range(40)])
    (tmp_path / "other.idx").replace(tmp_path / "train.idx")
    with pytest.raises(ValueError, match=r"train\.idx does not belong to train\.rec: no record"):
        RecordIO(tmp_path / "train.rec")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0\t0\n1\tabc\n", r"train\.idx cannot be read \(could not convert string 'abc'.*row 1"),
        ("0\t0\n1\n", r"train\.idx cannot be read"),
        ("", r"train\.idx is empty"),
        ("  \n\n", r"train\.idx is empty"),
        ("0\n40\n", r"is no list of whole keys and offsets"),
        ("0\t0.5\n", r"is no list of whole keys and offsets"),
        ("0\t-8\n", r"is no list of whole keys and offsets"),
        ("0\tnan\n", r"is no list of whole keys and offsets"),
        ("0\t2\n", r"no record begins at byte 2 \(key 0\)"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path, text, sentence):
    lay(tmp_path, [packed(0, b"picture")])
    (tmp_path / "train.idx").write_text(text)
    with pytest.raises(ValueError, match=sentence) as refusal:
        RecordIO(tmp_path)
    assert str(refusal.value).endswith("delete train.idx to have it rebuilt.")


@pytest.mark.parametrize("label", [-1.0, float("nan"), 1.5, float("inf"), 2.0**30])
def test_a_label_that_is_no_whole_number_is_refused(tmp_path, label):
    lay(tmp_path, [packed(0, b"a"), packed(label, b"b")], keys=[3, 17])
    with pytest.raises(ValueError, match=r"train\.rec, record 17 has the label .*whole numbers"):
        RecordIO(tmp_path)


def test_a_set_without_pictures_is_refused(tmp_path):
    lay(tmp_path, insightface([], 0))
    with pytest.raises(ValueError, match=r"train\.rec holds no picture"):
        RecordIO(tmp_path)


def test_a_file_that_is_no_recordio_is_refused(tmp_path):
    (tmp_path / "train.rec").write_bytes(b"not at all a record" * 9)
    with pytest.raises(ValueError, match=r"train\.rec is no RecordIO file"):
        RecordIO(tmp_path)


@pytest.mark.parametrize("name", ["gone.rec", "gone.idx"])
def test_a_file_that_is_missing_is_named(tmp_path, name):
    with pytest.raises(ValueError, match=r"there is no file .*gone\.rec"):
        RecordIO(tmp_path / name)


def test_a_record_that_was_overwritten_later_is_damaged(tmp_path):
    offsets = lay(tmp_path, [packed(0, b"a"), packed(1, b"b" * 30)])
    corpus = RecordIO(tmp_path)
    assert corpus.encoded(1) == b"b" * 30
    with (tmp_path / "train.rec").open("r+b") as file:
        file.seek(offsets[1])
        file.write(b"????")
    with pytest.raises(DamagedPicture, match="record 1 is cut off or overwritten"):
        corpus.encoded(1)
    assert corpus.encoded(0) == b"a"


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
