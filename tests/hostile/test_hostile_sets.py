"""Hostile and broken face sets: RecordIO, lists, shards, verification sets, lists of pairs."""

import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest
from hostile.judging import Trap, harmless, refused, table
from hostile.test_hostile_pictures import GOOD, png
from recordio_by_hand import MAGIC, framed, insightface, lay, packed

from facevis.corpora import open_corpus
from facevis.corpora.bins import read_bin
from facevis.datasets.pair_lists import read_pairs, read_pictures

# -- RecordIO -------------------------------------------------------------------------------------

BODIES = insightface([(GOOD, 0), (GOOD, 0), (GOOD, 1)], 2)


def recordio(rec=None, idx=None, bodies=BODIES, keys=None):
    """A set whose files are then changed; None leaves one, and "" takes the index away."""

    def make(folder):
        lay(folder, bodies, keys)
        for name, change in (("train.rec", rec), ("train.idx", idx)):
            path = folder / name
            if change == "":
                path.unlink()
            elif change is not None:
                path.write_bytes(change(path.read_bytes()) if callable(change) else change)
        return folder / "train.rec"

    return make


def labelled(*labels):
    return [packed(label, GOOD) for label in labels]


RECORDS = table(
    ("no records", recordio(rec=b""), "holds none of the 6 records"),
    ("no records, no index", recordio(rec=b"", idx=""), "holds no record"),
    ("words", recordio(rec=b"a letter, " * 60), "no record begins at byte 0"),
    ("words, no index", recordio(rec=b"a letter, " * 60, idx=""), "is no RecordIO file"),
    ("magic only, no index", recordio(rec=MAGIC, idx=""), "is no RecordIO file"),
    ("half a head", recordio(rec=lambda data: data[:20]), "holds none of the 6 records"),
    ("an index of nothing", recordio(idx=b""), "train.idx is empty"),
    ("an index of blanks", recordio(idx=b" \n \n"), "train.idx is empty"),
    ("an index of marks that are no letters", recordio(idx=b"\x1d\x1d\n"), "train.idx is empty"),
    ("an index of 5,000 blanks", recordio(idx=b" " * 5000), "train.idx is empty"),
    ("an index of words", recordio(idx=b"zero\tone\n"), "train.idx cannot be read"),
    ("an index of zeros", recordio(idx=bytes(300)), "train.idx cannot be read"),
    ("an index that is no text", recordio(idx=b"\xff\xfe0\t0\n"), "train.idx cannot be read"),
    ("an index of one column", recordio(idx=b"0\n1\n2\n"), "is no list of whole keys"),
    ("an index of three columns", recordio(idx=b"0\t0\t0\n"), "is no list of whole keys"),
    ("an index of uneven lines", recordio(idx=b"0\t0\n1\n"), "train.idx cannot be read"),
    ("negative offsets", recordio(idx=b"1\t-8\n"), "is no list of whole keys"),
    ("offsets of NaN", recordio(idx=b"1\tnan\n"), "is no list of whole keys"),
    ("offsets without end", recordio(idx=b"1\tinf\n"), "is no list of whole keys"),
    ("offsets of 10^300", recordio(idx=b"1\t1e300\n"), "is no list of whole keys"),
    ("offsets of a petabyte", recordio(idx=b"1\t1000000000000000\n"), "holds none of the 1"),
    ("offsets between records", recordio(idx=b"1\t4\n"), "no record begins at byte 4"),
    ("offsets at odd bytes", recordio(idx=b"1\t1\n"), "no record begins at byte 1"),
    ("an index of another set", recordio(idx=b"1\t0\n2\t96\n"), "does not belong to train.rec"),
    ("labels of NaN", recordio(bodies=labelled(0.0, float("nan"))), "has the label nan"),
    ("labels without end", recordio(bodies=labelled(0.0, float("inf"))), "has the label inf"),
    ("negative labels", recordio(bodies=labelled(0.0, -1.0)), "has the label -1"),
    ("half labels", recordio(bodies=labelled(0.0, 0.5)), "has the label 0.5"),
    ("labels of 10^30", recordio(bodies=labelled(0.0, 1e30)), "has the label 1e+30"),
    ("records without pictures", recordio(bodies=[packed(0, b"")] * 3), "holds no picture"),
    ("2^32 − 1 labels each", recordio(bodies=[struct.pack("<IfQQ", 2**32 - 1, 0, 0, 0) + GOOD]),
     "holds no picture"),
    ("a record 0 of NaN", recordio(bodies=[packed((float("nan"), 9.0), b""), *BODIES[1:]]),
     "record 0 says that the pictures end at nan"),
    ("a record 0 of −1", recordio(bodies=[packed((-1.0, 9.0), b""), *BODIES[1:]]), "end at -1"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "says"), RECORDS)
def test_a_record_set_is_refused_with_a_sentence(make, says, tmp_path):
    refused(tmp_path, open_corpus, make(tmp_path), says=("train.", says))


def _overwritten(data):
    at = data.rindex(framed(BODIES[2]))
    return data[: at + 4] + struct.pack("<I", 0x1FFFFFFF) + data[at + 8 :]


PICTURES = table(
    ("a length beyond the file", recordio(rec=_overwritten), "record 2 is cut off or overwritten"),
    ("a part without an end",
     recordio(bodies=[*BODIES[:2], BODIES[2][:32] + MAGIC + BODIES[2][32:], *BODIES[3:]],
              rec=lambda data: data.replace(b"\0\0\0\x60", b"\0\0\0\x40")),
     "record 2 "),
    ("a picture that is words", recordio(bodies=[*BODIES[:2], packed(0, b"a letter"), *BODIES[3:]]),
     "record 2 cannot be read: it is no picture"),
    ("a picture of a huge size",
     recordio(bodies=[*BODIES[:2], packed(0, png(2**31 - 1, 9)), *BODIES[3:]]),
     "record 2 cannot be read: it is too large"),
)  # fmt: skip


@pytest.mark.parametrize(("make", "says"), PICTURES)
def test_a_damaged_record_says_which_one_it_is(make, says, tmp_path):
    corpus = open_corpus(make(tmp_path))
    refused(tmp_path, corpus.picture, 1, 16, says=("train.rec, ", says))
    assert corpus.picture(0, 16).shape == (16, 16, 3)


# -- lists and shards -----------------------------------------------------------------------------


def listing(name, data):
    def make(folder):
        (folder / "1.png").write_bytes(GOOD)
        (folder / name).write_bytes(data)
        return folder / name

    return make


LISTS = table(
    ("nothing", listing("set.lst", b""), "set.lst names no file"),
    ("zeros", listing("set.lst", bytes(500)), "set.lst"),
    ("no text", listing("set.lst", b"\xff\xfe1\x00"), "it is no text in UTF-8"),
    ("a picture by the name of a list", listing("set.txt", GOOD), "set.txt"),
    ("one column", listing("set.lst", b"1.png\n"), "line 1 is '1.png'"),
    ("one column of a table", listing("set.csv", b"1.png\n"), "with a comma between them"),
    ("files that are not there", listing("set.lst", b"2.png\t0\n3.png\t1\n"), "names no file"),
    ("a folder for a file", listing("set.lst", b".\t0\n"), "names no file that is there"),
    ("names with a zero", listing("set.lst", b"1.png\0.txt\t0\n"), "set.lst"),
    ("a name of 5,000 letters", listing("set.lst", b"x" * 5000 + b"\t0\n"), "names no file"),
    ("negative labels", listing("set.lst", b"1.png\t-1\n"), "line 1 has the label -1"),
    ("labels of NaN", listing("set.lst", b"1.png\tnan\n"), "line 1 has the label nan"),
    ("labels of 10^40", listing("set.lst", b"1.png\t1" + b"0" * 40 + b"\n"), "has the label 1000"),
    ("a quote that does not end", listing("set.csv", b'"1.png,0\n'), "set.csv"),
    ("a field of a megabyte", listing("set.csv", b'"' + b"x" * 2**20 + b'",0\n'), "set.csv"),
)


@pytest.mark.parametrize(("make", "says"), LISTS)
def test_a_list_is_refused_with_a_sentence(make, says, tmp_path):
    refused(tmp_path, open_corpus, make(tmp_path), says=(says,))


def tarred(*members, kind=tarfile.REGTYPE, change=lambda data: data):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(data) if kind == tarfile.REGTYPE else 0, kind
            info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return listing("set.tar", change(buffer.getvalue()))


PAIR = (("1.png", GOOD), ("1.cls", b"0"))
SHARDS = table(
    ("nothing", listing("set.tar", b""), "holds no sample"),
    ("words", listing("set.tar", b"a letter " * 99), "is no tar archive"),
    ("compressed", listing("set.tar", b"\x1f\x8b" + bytes(600)), "is no tar archive"),
    ("cut in its head", tarred(*PAIR, change=lambda data: data[:300]), "holds no sample"),
    (
        "a size of 8 GiB",
        tarred(*PAIR, change=lambda d: d[:124] + b"77777777777\0" + d[136:]),
        "set",
    ),
    ("links", tarred(*PAIR, kind=tarfile.SYMTYPE), "holds no sample"),
    ("hard links", tarred(*PAIR, kind=tarfile.LNKTYPE), "holds no sample"),
    ("devices", tarred(*PAIR, kind=tarfile.BLKTYPE), "holds no sample"),
    ("paths above it", tarred(("../1.png", GOOD), ("../1.cls", b"0")), "holds no sample"),
    ("paths from the root", tarred(("/1.png", GOOD), ("/1.cls", b"0")), "holds no sample"),
    ("no labels", tarred(("1.png", GOOD)), "holds no sample"),
    ("labels of zeros", tarred(PAIR[0], ("1.cls", bytes(9))), "holds no sample"),
    ("labels that are no text", tarred(PAIR[0], ("1.txt", b"\xff\xfe")), "holds no sample"),
    ("labels that are nested", tarred(PAIR[0], ("1.json", b"[" * 99_999)), "holds no sample"),
    ("labels that steer a screen", tarred(PAIR[0], ("1.txt", b"\x1b[2J")), "holds no sample"),
    ("negative labels", tarred(PAIR[0], ("1.cls", b"-4")), "has the label -4"),
    ("a pickle for a label", tarred(PAIR[0], ("1.pyd", b"cos\nsystem\n.")), "holds no sample"),
)


@pytest.mark.parametrize(("make", "says"), SHARDS)
def test_a_shard_is_refused_with_a_sentence(make, says, tmp_path):
    refused(tmp_path, open_corpus, make(tmp_path), says=(says,))


# -- verification sets ----------------------------------------------------------------------------


def pickled(content, protocol=3, change=lambda data: data):
    return lambda folder: change(pickle.dumps(content, protocol))


def trapped(where):
    """A set with a trap in it, of which no other reader would be spared."""
    return lambda folder: pickle.dumps(where(Trap(folder)), 4)


WHOLE = ([GOOD, GOOD], [True])
BINS = table(
    ("nothing", lambda folder: b"", "is empty"),
    ("words", lambda folder: b"a letter", "set.bin"),
    ("zeros", lambda folder: bytes(400), "set.bin"),
    ("a picture", lambda folder: GOOD, "set.bin"),
    ("a call instead of a set", trapped(lambda trap: trap), "asks for posix.mkdir"),
    ("a call as a picture", trapped(lambda trap: ([trap, GOOD], [True])), "asks for posix.mkdir"),
    ("a call as a boolean", trapped(lambda trap: ([GOOD, GOOD], [trap])), "asks for posix.mkdir"),
    ("a call beside the set", trapped(lambda trap: (*WHOLE, trap)), "asks for posix.mkdir"),
    ("a call in a table", trapped(lambda trap: {"a": trap}), "holds the instruction"),
    ("a call behind its end", lambda f: pickle.dumps(([], [])) + pickle.dumps(Trap(f)), "is empty"),
    ("cut in the middle", pickled(WHOLE, change=lambda d: d[: len(d) // 2]), "is cut off"),
    ("its last byte missing", pickled(WHOLE, change=lambda d: d[:-1]), "is cut off"),
    (
        "a length beyond the file",
        pickled(WHOLE, change=lambda d: d.replace(b"B", b"\x8e", 1)),
        "cut",
    ),
    ("no pairs", pickled(([], [])), "holds no pair"),
    ("one list", pickled([GOOD]), "is no verification set"),
    ("three lists", pickled((*WHOLE, [])), "is no verification set"),
    ("a number", pickled(7), "is no verification set"),
    ("a number of many digits", pickled(10**400), "set.bin"),
    ("texts for pictures", pickled((["a", "b"], [True])), "picture 0"),
    ("empty pictures", pickled(([b"", b""], [True])), "picture 0 is empty"),
    ("pictures within pictures", pickled(([[GOOD], [GOOD]], [True])), "picture 0"),
    ("one picture too few", pickled(([GOOD], [True])), "1 pictures and 1 booleans"),
    ("booleans too many", pickled(([GOOD, GOOD], [True] * 3)), "2 pictures and 3 booleans"),
    ("numbers for booleans", pickled(([GOOD, GOOD], [1])), "whether it is one person"),
    ("arrays of objects", pickled((np.array([GOOD], object), [True])), "set.bin"),
    ("arrays of decimals", pickled(([np.ones(9)] * 2, [True])), "set.bin"),
    ("pictures that are words", pickled(([GOOD, b"a letter"], [True])), "picture 1 cannot be read"),
    ("pictures of a huge size", pickled(([png(2**31 - 1, 9), GOOD], [True])), "it is too large"),
    ("pictures that are cut", pickled(([GOOD[:60], GOOD], [True])), "picture 0 cannot be read"),
    ("a list in itself", lambda folder: b"]\x94h\0a.", "set.bin"),
    ("a memo of nothing", lambda folder: b"\x80\x04h\x07.", "is cut off or damaged"),
    ("a stack of nothing", lambda folder: b"\x80\x04a.", "is cut off or damaged"),
    (
        "a frame of 2^60",
        lambda folder: b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"]",
        "set.bin",
    ),
)


@pytest.mark.parametrize(("make", "says"), BINS)
def test_a_verification_set_is_refused_with_a_sentence(make, says, tmp_path):
    path = tmp_path / "set.bin"
    path.write_bytes(make(tmp_path))
    refused(tmp_path, read_bin, path, 16, says=("set.bin", says))


# -- pairs ----------------------------------------------------------------------------------------

PAIRS = table(
    ("nothing", b"", "has no pairs"),
    ("blanks and notes", b"\n# a note\n \n", "has no pairs"),
    ("zeros", bytes(99), "line 1 of pairs.txt"),
    ("no text", b"\xff\xfea\0", "is not a text file in UTF-8"),
    ("a pickle", pickle.dumps(WHOLE), "is not a text file in UTF-8"),
    ("two columns", b"a/1.png a/2.png", "write two paths and 1"),
    ("four columns", b"a/1.png a/2.png 1 1", "write two paths and 1"),
    ("a third answer", b"a/1.png a/2.png 2", "write two paths and 1"),
    ("an open quote", b'"a/1.png a/2.png 1', "opens a quote and does not close it"),
    ("a name with a zero", b"a/1.png\0 a/2.png 1", "line 1 of pairs.txt"),
    ("one picture twice", b"a/1.png a/1.png 1", "with itself"),
    ("one picture twice, hidden", b"a/1.png b/../a/1.png 1", "with itself"),
    ("both answers", b"a/1.png a/2.png 1\na/2.png a/1.png 0", "lines 1 and 2"),
    ("files that are not there", b"a/7.png a/8.png 1", "2 of the 2 pictures"),
    ("a name of 5,000 letters", b"a/1.png " + b"x" * 5000 + b" 1", "are missing"),
    ("a folder", b"a b 0", "are missing"),
    ("a file of the system", b"a/1.png /etc/hostname.png 0", "are missing"),
    ("LFW: names that leave", b"10\n../../etc 1 2", "after a line of counts"),
    ("LFW: numbers below 0", b"10\na -1 2", "after a line of counts"),
    ("LFW: numbers of 30 digits", b"10\na 1 " + b"9" * 30, "after a line of counts"),
    ("LFW: numbers of other scripts", "10\na ١ ٢".encode(), "after a line of counts"),
    ("LFW: one name as two", b"10\na 1 a 2", "lists a as two people"),
    ("LFW: counts only", b"10\t300\n", "has no pairs"),
    ("pictures that are words", b"b/1.png b/2.png 1", "has two readable pictures"),
)


@pytest.mark.parametrize(("data", "says"), PAIRS)
def test_a_list_of_pairs_is_refused_with_a_sentence(data, says, tmp_path):
    for name, picture in (
        ("a/1.png", GOOD),
        ("a/2.png", GOOD),
        ("b/1.png", b"?"),
        ("b/2.png", b""),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture)
    path = tmp_path / "pairs.txt"
    path.write_bytes(data)
    refused(tmp_path, lambda: read_pictures(read_pairs(path), 16), says=("pairs.txt", says))


def test_names_of_identities_are_only_words(tmp_path):
    """Beside a set; whatever is wrong with it costs a remark and no more."""
    for data in (b"[", b"\xff", b"{}", json.dumps(["../../x"] * 9).encode(), b"[" * 99_999):
        recordio()(tmp_path)
        (tmp_path / "identities.json").write_bytes(data)
        with harmless(tmp_path):
            corpus = open_corpus(tmp_path)
        assert len(corpus) == 3
        assert all(remark.endswith(".") for remark in corpus.remarks)
