"""Folders and lists of picture files."""

import io
import os
import pickle

import numpy as np
import pytest
from PIL import Image

from facevis.corpora import (
    Corpus,
    DamagedPicture,
    FolderCorpus,
    ListCorpus,
    made_up,
    readable,
    write_folder,
    write_list,
)


def picture(colour=0, kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (16, 16), (colour, 90, 200)).save(file, kind)
    return file.getvalue()


def lay(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def contents(corpus):
    return [(corpus.identities[label], corpus.encoded(i)) for i, label in enumerate(corpus.labels)]


class Held(Corpus):
    """A set in memory, to be written."""

    def __init__(self, pictures, labels, identities):
        self.name, self.identities = "held", identities
        self.pictures, self.labels = pictures, np.array(labels, np.int64)

    def encoded(self, index):
        if self.pictures[index] is None:
            raise DamagedPicture(f"{self.place(index)} is lost.")
        return self.pictures[index]

    def place(self, index):
        return f"held, picture {index}"


# Folders


def test_each_subfolder_is_an_identity_in_the_order_of_names(tmp_path):
    lay(tmp_path, {"Noor/2.png": b"2", "Noor/1.JPG": b"1", "Ada/x.webp": b"x"})
    corpus = FolderCorpus(tmp_path)
    assert contents(corpus) == [("Ada", b"x"), ("Noor", b"1"), ("Noor", b"2")]
    assert corpus.labels.dtype == np.int64
    assert corpus.place(1) == str(tmp_path / "Noor" / "1.JPG")
    assert corpus.remarks == ()
    assert corpus.name == tmp_path.name


def test_numbered_folders_are_in_the_order_of_their_numbers(tmp_path):
    lay(tmp_path, {f"{k}/a.jpg": str(k).encode() for k in (10, 9, 100, 1)})
    assert FolderCorpus(tmp_path).identities == ("1", "9", "10", "100")


def test_what_is_no_picture_is_left_out_with_a_remark(tmp_path):
    lay(
        tmp_path,
        {
            **{"a/1.jpg": b"1", "a/notes.txt": b"", "a/deeper/2.jpg": b"2", "a/.DS_Store": b""},
            **{"b/readme.md": b"", "top.jpg": b"", ".git/3.jpg": b"", "__MACOSX/4.jpg": b""},
        },
    )
    corpus = FolderCorpus(tmp_path)
    assert contents(corpus) == [("a", b"1")]
    assert corpus.remarks == (
        "1 subfolders hold no picture (b).",
        "1 folders lie inside the folder of an identity and were not looked into (a/deeper).",
        "2 files are no pictures and were left out (a/notes.txt, b/readme.md).",
    )


@pytest.mark.parametrize("files", [{}, {"top.jpg": b""}, {"a/notes.txt": b""}])
def test_a_folder_without_pictures_in_subfolders_is_refused(tmp_path, files):
    lay(tmp_path, files)
    with pytest.raises(ValueError, match="has no picture in a subfolder; make one subfolder per"):
        FolderCorpus(tmp_path)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone cannot be read \(No such file or directory\)"):
        FolderCorpus(tmp_path / "gone")


def test_a_picture_that_vanished_or_is_broken_is_damaged_and_named(tmp_path):
    lay(tmp_path, {"a/1.png": picture(), "a/2.png": b"no picture", "a/3.png": b""})
    corpus = FolderCorpus(tmp_path)
    assert corpus.picture(0, 16).shape == (16, 16, 3)
    for index, name in ((1, "2.png"), (2, "3.png")):
        with pytest.raises(DamagedPicture, match=f"a/{name} cannot be read: it is .*[^.].$"):
            corpus.picture(index, 16)
    (tmp_path / "a/1.png").unlink()
    with pytest.raises(DamagedPicture, match=r"a/1\.png cannot be read \(No such file"):
        corpus.picture(0, 16)


def test_a_file_too_large_for_a_picture_is_damaged(tmp_path, monkeypatch):
    lay(tmp_path, {"a/1.png": picture()})
    for module in ("corpora.folders", "datasets.own"):
        monkeypatch.setattr(f"facevis.{module}.MAX_FILE_BYTES", 10)
    corpus = FolderCorpus(tmp_path)
    assert len(corpus.encoded(0)) == 11
    with pytest.raises(DamagedPicture, match="cannot be read: it is empty or larger than"):
        corpus.picture(0, 16)


def test_names_in_other_scripts_and_without_an_encoding_are_kept(tmp_path):
    lay(tmp_path, {"Zoë Müller/猫.png": b"1"})
    corpus = FolderCorpus(tmp_path)
    assert contents(corpus) == [("Zoë Müller", b"1")]
    try:
        with open(os.fsencode(tmp_path / "Zoë Müller") + b"/\xff.png", "wb") as file:  # noqa: PTH123
            file.write(b"2")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    assert [data for _, data in contents(FolderCorpus(tmp_path))] == [b"1", b"2"]


def test_a_set_of_files_travels_as_names(tmp_path):
    lay(tmp_path, {f"{k}/{i}.png": picture(k) * 9 for k in range(5) for i in range(4)})
    corpus = FolderCorpus(tmp_path)
    text = pickle.dumps(corpus)
    assert len(text) < 2000
    assert contents(pickle.loads(text)) == contents(corpus)


# Folders that we write


def test_a_folder_is_written_and_read_unchanged(tmp_path):
    pictures = [picture(k, kind) for k, kind in enumerate(["PNG", "JPEG", "WEBP", "GIF", "BMP"])]
    source = Held(pictures, [1, 0, 1, 2, 0], ("Ada", "Noor", "Zoë M"))
    seen = []
    assert write_folder(tmp_path / "out", source, seen.append) == ()
    corpus = FolderCorpus(tmp_path / "out")
    assert corpus.identities == source.identities
    assert contents(corpus) == [x for k in source.identities for x in contents(source) if x[0] == k]
    assert seen == [1, 2, 3, 4, 5]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("names", [("../x", "b"), ("Ada", "ADA"), ("", "b"), ("a/b", ".hidden")])
def test_names_that_are_no_folder_names_become_numbers(tmp_path, names):
    source = Held([picture(1), picture(2)], [0, 1], names)
    write_folder(tmp_path / "out", source)
    corpus = FolderCorpus(tmp_path / "out")
    assert corpus.identities == ("00000000", "00000001")
    assert [corpus.encoded(i) for i in range(2)] == source.pictures
    assert len(list(tmp_path.rglob("*.png"))) == 2


def test_pictures_that_cannot_be_written_are_left_out_with_a_sentence(tmp_path):
    source = Held([picture(), None, b"no picture"], [0, 0, 0], ("a",))
    expected = (
        "held, picture 1 is lost.",
        "held, picture 2 is no picture in a known format.",
    )
    assert write_folder(tmp_path / "out", source) == expected
    assert len(FolderCorpus(tmp_path / "out")) == 1
    left_out = []
    assert [index for index, _, _ in readable(source, left_out)] == [0]
    assert tuple(left_out) == expected


def test_a_folder_that_is_not_empty_is_not_written_into(tmp_path):
    lay(tmp_path, {"out/mine.txt": b"mine"})
    with pytest.raises(ValueError, match="out exists and is not empty; choose another name"):
        write_folder(tmp_path / "out", Held([picture()], [0], ("a",)))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


def test_a_writer_that_is_interrupted_leaves_nothing_behind(tmp_path):
    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "out", Held([picture()], [0], ("a",)), stop)
    assert list(tmp_path.iterdir()) == []


# Lists

FILES = {"a/1.jpg": b"one", "a/2.jpg": b"two", "b/3 x.jpg": b"three"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", "a/1.jpg 0\na/2.jpg 0\nb/3 x.jpg 1\n"),
        ("l.txt", "a/1.jpg\t0\r\na/2.jpg\t0\r\n\r\nb/3 x.jpg\t1"),
        ("l.csv", 'path,label\na/1.jpg,0\na/2.jpg,0\n"b/3 x.jpg",1\n'),
        ("l.csv", "a/1.jpg,0\na/2.jpg,0\nb/3 x.jpg,1\n"),
        ("l.csv", "\ufeffimage,identity\na/1.jpg,0\na/2.jpg,0\nb/3 x.jpg,1\n"),
        ("l.lst", "1\ta/1.jpg\t0\n1\ta/2.jpg\t0\n0\tb/3 x.jpg\t1\t10\t20\t30\t40\n"),
        ("l.lst", "5\t0.000000\ta/1.jpg\n9\t0.000000\ta/2.jpg\n2\t1.000000\tb/3 x.jpg\n"),
        ("l.lst", "5\t0\t7.5\ta/1.jpg\n9\t0\t7.5\ta/2.jpg\n2\t1\t7.5\tb/3 x.jpg\n"),
    ],
)
def test_lists_of_every_form_say_the_same(tmp_path, name, text):
    lay(tmp_path, FILES)
    (tmp_path / name).write_bytes(text.encode())
    corpus = ListCorpus(tmp_path / name)
    assert contents(corpus) == [("0", b"one"), ("0", b"two"), ("1", b"three")]
    assert corpus.remarks == ()


def test_labels_of_a_list_may_be_names(tmp_path):
    lay(tmp_path, FILES)
    (tmp_path / "l.tsv").write_text("b/3 x.jpg\tNoor A.\na/1.jpg\tAda\na/2.jpg\t7\n")
    corpus = ListCorpus(tmp_path / "l.tsv")
    assert contents(corpus) == [("Noor A.", b"three"), ("Ada", b"one"), ("7", b"two")]
    assert corpus.identities == ("7", "Ada", "Noor A.")


def test_numbers_in_a_list_are_renumbered_with_a_remark(tmp_path):
    lay(tmp_path, FILES)
    (tmp_path / "l.txt").write_text("a/1.jpg 12\na/2.jpg 2\n")
    corpus = ListCorpus(tmp_path / "l.txt")
    assert corpus.identities == ("2", "12")
    assert corpus.labels.tolist() == [1, 0]
    assert corpus.remarks == ("labels go from 0 to 12 and 11 are unused; they were renumbered.",)


def test_paths_are_below_the_root_that_is_given(tmp_path):
    lay(tmp_path, {f"data/{name}": data for name, data in FILES.items()})
    (tmp_path / "l.txt").write_text(f"a/1.jpg 0\n{tmp_path}/data/a/2.jpg 1\n")
    corpus = ListCorpus(tmp_path / "l.txt", root=tmp_path / "data")
    assert contents(corpus) == [("0", b"one"), ("1", b"two")]
    assert corpus.place(0) == str(tmp_path / "data/a/1.jpg")


def test_missing_files_are_named_and_left_out(tmp_path):
    lay(tmp_path, FILES)
    gone = "".join(f"gone{k}.jpg\t1\n" for k in range(5))
    (tmp_path / "l.txt").write_text("a/1.jpg\t0\n" + gone)
    corpus = ListCorpus(tmp_path / "l.txt")
    assert contents(corpus) == [("0", b"one")]
    assert corpus.remarks == (
        "5 of 6 files are missing and were left out (gone0.jpg, gone1.jpg, gone2.jpg …).",
    )
    (tmp_path / "l.txt").write_text(gone)
    with pytest.raises(ValueError, match=r"names no file that is there below .*gone0\.jpg.*root"):
        ListCorpus(tmp_path / "l.txt")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("l.txt", "a/1.jpg 0\nb/3\n", r"l\.txt, line 2 is 'b/3'; write the path and the label"),
        ("l.csv", "a/1.jpg,0\na/2.jpg,\n", r"l\.csv, line 2 is 'a/2\.jpg, '.*a comma between"),
        ("l.txt", "a/1.jpg 0\n\na/2.jpg -1\n", r"l\.txt, line 3 has the label -1"),
        ("l.txt", "a/1.jpg 0.5\n", r"line 1 has the label 0\.5; give whole numbers from 0, or nam"),
        ("l.txt", "", r"names no file that is there below .*; it has no lines"),
        ("l.txt", b"\xff\xfe\x00", r"cannot be read \(it is no text in UTF-8\)"),
        ("l.csv", b'a/1.jpg,"0\x00\n' + b"x" * 200_000, r"l\.csv"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path, name, text, sentence):
    lay(tmp_path, FILES)
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=sentence):
        ListCorpus(tmp_path / name)


def test_a_list_that_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.txt cannot be read \(No such file"):
        ListCorpus(tmp_path / "gone.txt")


@pytest.mark.parametrize("name", ["lists/l.txt", "lists/l.csv"])
def test_a_list_is_written_and_read_unchanged(tmp_path, name):
    lay(tmp_path, {"faces/Ada, L/1.jpg": b"1", "faces/Noor/2 b.jpg": b"2"})
    (tmp_path / "lists").mkdir()
    corpus = FolderCorpus(tmp_path / "faces")
    write_list(tmp_path / name, corpus)
    again = ListCorpus(tmp_path / name)
    assert contents(again) == contents(corpus)
    assert again.identities == corpus.identities
    assert str(tmp_path) not in (tmp_path / name).read_text()
    assert len(list((tmp_path / "lists").iterdir())) == 1


def test_a_list_of_pictures_that_are_no_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the pictures of noise are no files; write a folder"):
        write_list(tmp_path / "l.txt", made_up("noise:identities=2"))


def test_a_name_that_breaks_a_line_is_refused(tmp_path):
    try:
        lay(tmp_path, {"a/1\n.jpg": b"1"})
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(ValueError, match="holds a tab or an end of line; rename the file"):
        write_list(tmp_path / "l.txt", FolderCorpus(tmp_path))
    assert not (tmp_path / "l.txt").exists()
