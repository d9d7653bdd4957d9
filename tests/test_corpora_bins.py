"""Verification sets: read as they were written by whatever wrote them, and never run."""

import io
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from facevis.corpora import bins
from facevis.corpora.bins import read_bin, write_bin
from facevis.corpora.pickled import read_plain

PICTURES = [
    b"\xff\xd8 one",
    b'it\'s "two"\n\\',
    b"\x00\x80\xfe",
    b"\xff\xd8 one",
    b"5",
    b"six" * 90,
]
SAME = [True, False, True]


def laid(folder, data, name="set.bin"):
    path = folder / name
    path.write_bytes(data)
    return path


def refused(folder, data):
    """The sentence with which a file is refused."""
    with pytest.raises(ValueError) as error:
        read_bin(laid(folder, data))
    said = str(error.value)
    assert said.startswith(("set.bin ", "set.bin, "))
    assert said.endswith(".")
    assert "\n" not in said
    return said


def contents(pairs):
    return pairs.encoded, pairs.same.tolist()


# -- as others write them --------------------------------------------------------------------------


def python2(pictures, flags, protocol):
    """What Python 2's ``pickle.dump((bins, issame_list), f, protocol)`` writes for str and bool."""
    yes, no = (b"I01\n", b"I00\n") if protocol < 2 else (b"\x88", b"\x89")

    def text(data):
        if protocol == 0:
            return b"S" + repr(data)[1:].encode() + b"\n"
        long = len(data) > 255
        return (b"T" + struct.pack("<i", len(data)) if long else b"U" + bytes([len(data)])) + data

    def listed(items, place):
        if protocol == 0:
            return b"(lp%d\n" % place + b"".join(item + b"a" for item in items)
        return b"]q" + bytes([place]) + b"(" + b"".join(items) + b"e"

    texts = [text(data) for data in pictures]
    put = b"p%d\n" if protocol == 0 else b"q%c"
    texts = [item + put % (place + 10) for place, item in enumerate(texts)]
    both = listed(texts, 1) + listed([yes if flag else no for flag in flags], 2)
    head = b"\x80\x02" if protocol == 2 else b""
    return head + (both + b"\x86q\x03." if protocol == 2 else b"(" + both + b"tq\x03.")


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_what_python_2_wrote_is_read(tmp_path, protocol):
    data = python2(PICTURES, SAME, protocol)
    assert pickle.loads(data, encoding="bytes") == (PICTURES, SAME)  # the writer above is right
    assert contents(read_bin(laid(tmp_path, data))) == (PICTURES, SAME)


def rows(pictures):
    return [np.frombuffer(data, np.uint8) for data in pictures]


PICTURE_FORMS = {
    "bytes": list,
    "tuple of bytes": tuple,
    "arrays": lambda pictures: [row.copy() for row in rows(pictures)],
    "arrays that cannot be written to": rows,
    "columns, as OpenCV encodes": lambda pictures: [row.copy()[:, None] for row in rows(pictures)],
    "parts of larger arrays": lambda pictures: [np.repeat(row, 2)[::2] for row in rows(pictures)],
    "both": lambda pictures: [*pictures[:3], *rows(pictures[3:])],
}
FLAG_FORMS = {
    "list": list,
    "tuple": tuple,
    "array": lambda flags: np.array(flags),
    "NumPy's booleans": lambda flags: [np.bool_(flag) for flag in flags],
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("pictures", PICTURE_FORMS)
@pytest.mark.parametrize("flags", FLAG_FORMS)
def test_what_python_3_wrote_is_read(tmp_path, protocol, pictures, flags):
    made = PICTURE_FORMS[pictures](PICTURES), FLAG_FORMS[flags](SAME)
    data = pickle.dumps(made, protocol)
    assert contents(read_bin(laid(tmp_path, data))) == (PICTURES, SAME)
    data = pickle.dumps(list(made), protocol)
    assert contents(read_bin(laid(tmp_path, data))) == (PICTURES, SAME)


@pytest.mark.parametrize("protocol", range(4))
def test_what_was_written_before_numpy_2_is_read(tmp_path, protocol):
    data = pickle.dumps((rows(PICTURES), np.array(SAME)), protocol)
    older = data.replace(b"numpy._core.", b"numpy.core.")
    assert older != data
    assert contents(read_bin(laid(tmp_path, older))) == (PICTURES, SAME)


def test_the_pairs_of_a_set_are_neighbours_in_ten_folds(tmp_path):
    write_bin(tmp_path / "set.bin", [b"x"] * 40, [True, False] * 10)
    pairs = read_bin(tmp_path / "set.bin")
    assert pairs.first.tolist() == list(range(0, 40, 2))
    assert (pairs.second == pairs.first + 1).all()
    assert pairs.folds == 10
    assert pairs.place(7) == "set.bin, picture 7"


# -- written ---------------------------------------------------------------------------------------


def test_what_is_written_is_read_back_and_insightface_reads_it(tmp_path):
    write_bin(tmp_path / "set.bin", PICTURES, SAME)
    assert contents(read_bin(tmp_path / "set.bin")) == (PICTURES, SAME)
    with (tmp_path / "set.bin").open("rb") as file:  # as insightface's eval/verification.py does
        assert pickle.load(file, encoding="bytes") == (PICTURES, SAME)


@pytest.mark.parametrize(
    ("pictures", "flags", "fault"),
    [
        ([b"1", b"2", b"3"], [True], "there are 3 pictures and 1 booleans; give two pictures"),
        ([b"1", b"2"], [True, False], "there are 2 pictures and 2 booleans"),
        ([], [], "the number of pairs is 0; give a whole number from 1"),
    ],
)
def test_what_makes_no_pairs_is_not_written(tmp_path, pictures, flags, fault):
    with pytest.raises(ValueError, match=fault):
        write_bin(tmp_path / "set.bin", pictures, flags)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_stays(tmp_path):
    path = laid(tmp_path, b"mine")
    with pytest.raises(ValueError, match=r"set\.bin exists already; choose another name\."):
        write_bin(path, PICTURES, SAME)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("place", ["gone/set.bin", "file/set.bin", "x" * 300 + ".bin"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path, place):
    laid(tmp_path, b"", "file")
    with pytest.raises(ValueError, match=r"set\.bin|x+\.bin") as error:
        write_bin(tmp_path / place, PICTURES, SAME)
    assert "cannot be written (" in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_file_vanishes(tmp_path, monkeypatch):
    def interrupted(content, file, protocol):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(pickle, "dump", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bin(tmp_path / "set.bin", PICTURES, SAME)
    assert list(tmp_path.iterdir()) == []


# -- damage ----------------------------------------------------------------------------------------

WRITTEN = {
    **{f"bytes, {p}": pickle.dumps((PICTURES[:4], SAME[:2]), p) for p in range(6)},
    **{
        f"arrays, {p}": pickle.dumps((rows(PICTURES[:2]), np.array(SAME[:1])), p) for p in (0, 2, 5)
    },
    **{f"Python 2, {p}": python2(PICTURES[:4], SAME[:2], p) for p in range(3)},
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, form):
    data = WRITTEN[form]
    for end in range(len(data)):
        said = refused(tmp_path, data[:end])
        # "I00" is a whole number like any other until its line has ended.
        assert "is cut off or damaged at byte" in said or end == 0


@pytest.mark.parametrize("form", WRITTEN)
def test_a_file_with_a_changed_byte_is_read_or_refused(form):
    """In memory: only the reader of the pickle is asked, and what it gives is looked at."""
    data = WRITTEN[form]
    for at in range(len(data)):
        for byte in (0, 0x2E, 0x28, 0x80, 0xFF, data[at] ^ 1):
            survives(data[:at] + bytes([byte]) + data[at + 1 :])


def survives(data):
    try:
        found = read_plain(data, "set.bin")
        if isinstance(found, tuple | list) and len(found) == 2:
            bins._pictures("set.bin", found[0])
            bins._booleans("set.bin", found[1])
    except ValueError as error:
        said = str(error)
        assert type(error) is ValueError
        assert said.startswith(("set.bin ", "set.bin, "))
        assert "\n" not in said


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_read_or_refused(data):
    survives(data)


FRAGMENTS = [
    *(bytes([code]) for code in range(256)),
    *(b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n", b"c__builtin__\nbytes\n"),
    *(b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy._core.multiarray\nscalar\n"),
    *(b"cnumpy._core.numeric\n_frombuffer\n", b"U\x02u1", b"Vlatin1\n", b"I01\n", b"I5\n"),
    *(b"p0\n", b"g0\n", b"q\x01", b"h\x01", b"U\x03abc", b"C\x03abc", b"(", b"t", b"R", b"b"),
    *(b"l", b"]", b"e", b"a", b"\x85", b"\x86", b"\x87", b"K\x03", b"N", b"\x93", b"\x8c\x05numpy"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40))
@settings(max_examples=500, deadline=None)
def test_random_instructions_are_followed_or_refused(parts):
    survives(b"".join(parts) + b".")


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.binary(max_size=9)
    | st.text("aé"),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=12,
)


@given(PLAIN, st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_plain_data_is_what_python_says_it_is(data, protocol):
    assert read_plain(pickle.dumps(data, protocol), "set.bin") == data


# -- no verification set ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "is no verification set; a verification set is two lists, 2P pictures and P"),
        ([b"1", b"2"], r"begins with something that is no list of pictures"),
        ((PICTURES, SAME, []), "is no verification set"),
        (([], []), "is empty: it holds no pair"),
        (([b"1", b"2", b"3"], [True]), "holds 3 pictures and 1 booleans, but a verification set"),
        (([b"1", b""], [True]), "picture 1 is empty, larger than 32 MiB, or no row of bytes"),
        (([b"1", "two"], [True]), "picture 1 is empty, larger than 32 MiB, or no row of bytes"),
        (([b"1", [b"2"]], [True]), "picture 1 is empty"),
        (([b"1", np.array([True])], [True]), "picture 1 is empty"),
        (([b"1", b"2"], [1]), "does not say of each pair whether it is one person"),
        (([b"1", b"2"], np.array([1], np.uint8)), "does not say of each pair"),
        (([b"1", b"2"], b"\x01"), "does not say of each pair"),
    ],
)
def test_what_is_no_set_of_pairs_is_refused(tmp_path, content, fault):
    assert fault in refused(tmp_path, pickle.dumps(content))


def test_an_empty_a_missing_and_a_huge_file_are_named(tmp_path, monkeypatch):
    assert "is empty; get the file again" in refused(tmp_path, b"")
    for path, reason in ((tmp_path / "gone.bin", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ValueError, match=rf"cannot be read \({reason}.*\); check its name"):
            read_bin(path)
    monkeypatch.setattr(bins, "MAX_BYTES", 3)
    assert "is larger than 0 GiB; split it" in refused(tmp_path, b"four")


def test_with_a_size_every_picture_is_decoded_and_a_damaged_one_is_named(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (9, 90, 200)).save(file, "PNG")
    png = file.getvalue()
    write_bin(tmp_path / "good.bin", [png, png], [True])
    assert read_bin(tmp_path / "good.bin", 16).picture(1, 16)[0, 0].tolist() == [9, 90, 200]
    write_bin(tmp_path / "bad.bin", [png, png[:40]], [True])
    assert len(read_bin(tmp_path / "bad.bin").encoded) == 2
    with pytest.raises(ValueError, match=r"bad\.bin, picture 1 cannot be read: it is no picture"):
        read_bin(tmp_path / "bad.bin", 16)


def test_only_the_pictures_take_memory(tmp_path):
    pictures = [os.urandom(10_000) for _ in range(400)]
    write_bin(tmp_path / "set.bin", pictures, [True] * 200)
    tracemalloc.start()
    try:
        found = read_bin(tmp_path / "set.bin")
        assert tracemalloc.get_traced_memory()[1] < 4_000_000 * 1.2
    finally:
        tracemalloc.stop()
    assert found.encoded == pictures
