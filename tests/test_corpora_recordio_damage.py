"""RecordIO files that are missing, cut off, overwritten, or belong to one another not at all."""

import pytest
from recordio_by_hand import MAGIC, PICTURES, contents, insightface, lay, packed

from facevis.corpora import DamagedPicture, RecordIO


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
