"""A face set in another form is the same set, whole or not there."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from facevis.corpora import FolderCorpus, ListCorpus, open_corpus
from facevis.corpora.bins import read_bin, write_bin
from facevis.corpora.converting import FORMATS, Prepared, convert, prepared, unpack_bin
from facevis.datasets.pair_lists import read_pairs

ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "PPM": "pgm"}


def encoded(kind="JPEG", colour=0, size=(20, 24), mode="RGB"):
    pixels = np.random.default_rng(colour).integers(0, 255, (*size[::-1], 3)).astype(np.uint8)
    file = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def laid(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def opened(picture):
    return Image.open(io.BytesIO(picture))


def contents(corpus):
    names = [corpus.identities[label] for label in corpus.labels]
    return sorted((name, corpus.encoded(i)) for i, name in enumerate(names))


def target(folder, format):
    return folder / ("out.txt" if format == "list" else "out")


@pytest.fixture
def people(tmp_path):
    """Three people with six pictures in three formats."""
    kinds = ("JPEG", "PNG", "WEBP")
    files = {
        f"{person}/{k}.{ENDINGS[kind]}": encoded(kind, 10 * k + len(person))
        for person, count in (("Ada", 3), ("Ольга", 2), ("Noor B", 1))
        for k, kind in enumerate(kinds[:count])
    }
    return FolderCorpus(laid(tmp_path / "people", files))


# -- every form into every form --------------------------------------------------------------------


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("then", FORMATS)
def test_every_form_into_every_form_keeps_people_and_bytes(people, tmp_path, first, then):
    heard = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    done = convert(people, target(tmp_path / "a", first), first)
    assert (done.written, done.left_out, done.sentences) == (6, 0, ())
    middle = open_corpus(target(tmp_path / "a", first))
    place = target(tmp_path / "b", then)
    if then == "list" and first not in ("folder", "list"):
        with pytest.raises(ValueError, match="are no files; write a folder first"):
            convert(middle, place, then)
        assert list((tmp_path / "b").iterdir()) == []
        return
    convert(middle, place, then, progress=lambda *how_far: heard.append(how_far))
    again = open_corpus(place)
    assert contents(again) == contents(middle) == contents(people)
    assert tuple(again.identities) == people.identities
    assert again.remarks == ()
    assert heard == [(k, 6) for k in range(1, 7)]


def test_pictures_stay_in_their_order_in_folders_and_shards(people, tmp_path):
    backwards = Prepared(people, rows=np.arange(6)[::-1])
    for format in ("folder", "webdataset"):
        convert(backwards, tmp_path / format, format)
    shards = open_corpus(tmp_path / "webdataset")
    assert [shards.encoded(i) for i in range(6)] == [people.encoded(5 - i) for i in range(6)]
    names = sorted(path.name for path in (tmp_path / "folder").glob("*/*"))
    assert names[0] == "00000000.png"  # Olga's second, the last of all
    assert [name[:8] for name in names] == [f"{k:08d}" for k in range(6)]


def test_recordio_is_written_identity_by_identity(people, tmp_path):
    mixed = Prepared(people, rows=np.array([5, 0, 3, 1, 4, 2]))
    convert(mixed, tmp_path / "out", "recordio")
    again = open_corpus(tmp_path / "out")
    assert (np.diff(again.labels) >= 0).all()
    assert contents(again) == contents(people)
    assert (tmp_path / "out/property").read_text() == "3,24,24\n"


def test_shards_hold_as_many_pictures_as_asked_for(people, tmp_path):
    convert(people, tmp_path / "out", "webdataset", per_shard=4)
    names = sorted(path.name for path in (tmp_path / "out").glob("*.tar"))
    assert names == ["shard-000000.tar", "shard-000001.tar"]
    assert contents(open_corpus(tmp_path / "out")) == contents(people)


def test_a_list_whose_first_label_looks_like_a_heading_loses_no_line(tmp_path):
    files = {f"{name}/1.png": encoded("PNG", k) for k, name in enumerate(("id", "person"))}
    corpus = FolderCorpus(laid(tmp_path / "people", files))
    for name in ("list.txt", "list.csv"):
        convert(corpus, tmp_path / name, "list")
        assert contents(ListCorpus(tmp_path / name)) == contents(corpus)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [" Ada/1.png", "Ada /1.png", "A\tda/1.png", b"\xff/1.png"])
def test_a_name_that_would_be_read_otherwise_is_not_listed(tmp_path, name):
    folder = os.fsdecode(name) if isinstance(name, bytes) else name
    corpus = FolderCorpus(laid(tmp_path / "people", {folder: encoded("PNG")}))
    with pytest.raises(ValueError, match=r"^'.*' (holds|begins|is no text).*; rename the file\.$"):
        convert(corpus, tmp_path / "list.txt", "list")
    assert not (tmp_path / "list.txt").exists()
    convert(corpus, tmp_path / "out", "recordio")  # whose names are JSON, which holds any
    assert contents(open_corpus(tmp_path / "out")) == contents(corpus)


def test_names_that_fit_no_record_are_ignored_with_a_remark(people, tmp_path):
    convert(people, tmp_path / "out", "recordio")
    for text in ('["Ada"]', "[1, 2, 3]", "{", "[" * 100_000):
        (tmp_path / "out/identities.json").write_text(text)
        corpus = open_corpus(tmp_path / "out")
        assert corpus.identities == ("0", "1", "2")
        assert corpus.remarks == (
            "identities.json does not fit the labels of the set and was ignored.",
        )


# -- pictures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["BMP", "PPM"])
def test_a_rare_format_becomes_png_and_loses_nothing(tmp_path, kind):
    mode = "L" if kind == "PPM" else "RGB"
    data = encoded(kind, 3, mode=mode)
    files = {f"a/1.{ENDINGS[kind]}": data}
    corpus = FolderCorpus(laid(tmp_path / "people", files))
    convert(corpus, tmp_path / "out", "folder")
    picture = opened((tmp_path / "out/a/00000000.png").read_bytes())
    assert (picture.format, picture.mode) == ("PNG", mode)
    assert (np.asarray(picture) == np.asarray(opened(data))).all()


@pytest.mark.parametrize("png", [False, True])
def test_with_a_size_only_pictures_of_another_size_are_saved_anew(tmp_path, png):
    files = {"a/1.jpg": encoded("JPEG", 1, (16, 16)), "a/2.png": encoded("PNG", 2, (16, 16))}
    files |= {"a/3.jpg": encoded("JPEG", 3, (30, 20)), "a/4.bmp": encoded("BMP", 4, (16, 16))}
    corpus = FolderCorpus(laid(tmp_path / "people", files))
    convert(corpus, tmp_path / "out", "recordio", size=16, png=png)
    again = open_corpus(tmp_path / "out")
    pictures = [again.encoded(i) for i in range(4)]
    assert pictures[:2] == list(files.values())[:2]
    kinds = [opened(picture).format for picture in pictures]
    assert kinds == ["JPEG", "PNG", *["PNG" if png else "JPEG"] * 2]
    assert {opened(picture).size for picture in pictures} == {(16, 16)}
    if png:  # no pixel is changed but by scaling
        for index in (2, 3):
            assert (again.picture(index, 16) == corpus.picture(index, 16)).all()
    else:
        far = np.abs(again.picture(3, 16).astype(int) - corpus.picture(3, 16))
        assert far.mean() < 12
    assert (tmp_path / "out/property").read_text() == "1,16,16\n"


def test_a_picture_that_is_turned_by_its_own_word_stays_or_is_turned(tmp_path):
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    opened(encoded("PNG", 1, (20, 20))).save(file, "TIFF", exif=exif)
    turned = np.asarray(opened(encoded("PNG", 1, (20, 20))).rotate(-90))
    assert (np.asarray(opened(prepared(file.getvalue()))) == turned).all()
    assert (np.asarray(opened(prepared(file.getvalue(), 20, png=True))) == turned).all()


# -- what cannot be read or written ----------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_pictures_are_left_out_and_named(tmp_path, format):
    good = encoded("JPEG", 1)
    files = {"a/1.jpg": good, "a/2.jpg": good[:-9], "a/3.png": b"text", "b/1.jpg": b""}
    files |= {"b/2.png": encoded("PNG", 2), "c/1.jpg": good[:40]}
    corpus = FolderCorpus(laid(tmp_path / "people", files))
    done = convert(corpus, target(tmp_path, format), format)
    assert (done.written, done.left_out) == (2, 4)
    for sentence, name in zip(
        done.sentences, ("a/2.jpg", "a/3.png", "b/1.jpg", "c/1.jpg"), strict=True
    ):
        assert f"{name} cannot be read: it is " in sentence
        assert sentence.endswith(".")
    again = open_corpus(target(tmp_path, format))
    assert contents(again) == [("a", good), ("b", files["b/2.png"])]


@pytest.mark.parametrize("format", FORMATS)
def test_a_set_of_which_nothing_can_be_read_is_not_written(tmp_path, format):
    corpus = FolderCorpus(laid(tmp_path / "people", {"a/1.jpg": b"text"}))
    with pytest.raises(ValueError, match=r"no picture of people can be read; first problem: .*jpg"):
        convert(corpus, target(tmp_path, format), format)
    assert [path.name for path in tmp_path.iterdir()] == ["people"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_target_that_exists_is_refused_and_stays(people, tmp_path, format):
    place = target(tmp_path, format)
    mine = place if format == "list" else place / "mine"
    laid(mine.parent, {mine.name: b"mine"})
    with pytest.raises(ValueError, match=r"exists.*; choose another name"):
        convert(people, place, format)
    assert mine.read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["people", place.name])


@pytest.mark.parametrize("format", FORMATS)
def test_a_ctrl_c_leaves_nothing(people, tmp_path, format):
    def interrupted(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(people, target(tmp_path, format), format, progress=interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["people"]
    assert convert(people, target(tmp_path, format), format).written == 6


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_is_named_and_leaves_nothing(people, tmp_path, format, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    place = target(tmp_path, format)
    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(ValueError, match=r"out.* cannot be written \(No space left on device\)"):
        convert(people, place, format)
    assert [path.name for path in tmp_path.iterdir()] == ["people"]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            {"format": "mxnet"},
            "format is 'mxnet'; choose one of recordio, folder, list, webdataset",
        ),
        ({"format": "folder", "size": 7}, "size is 7; give a whole number from 8 to 512"),
        ({"format": "folder", "size": 513}, "size is 513"),
        ({"format": "webdataset", "per_shard": 0}, "per_shard is 0; give a whole number from 1"),
        ({"format": "list", "size": 16}, "a list leaves the files as they are; leave out the size"),
        ({"format": "list", "png": True}, "a list leaves the files as they are"),
        ({"format": "list"}, "out is no name of a list; give one that ends in .lst, .txt, .tsv"),
    ],
)
def test_an_impossible_wish_is_refused(people, tmp_path, options, fault):
    with pytest.raises(ValueError, match=fault):
        convert(people, tmp_path / "out", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["people"]


# -- verification sets -----------------------------------------------------------------------------


def test_a_verification_set_becomes_a_folder_whose_pairs_are_the_same(tmp_path):
    pictures = [encoded(kind, k) for k, kind in enumerate(("JPEG", "PNG", "BMP", "WEBP") * 2)]
    pictures[5] = b"damaged"
    write_bin(tmp_path / "set.bin", pictures, [True, False, True, False])
    done = unpack_bin(read_bin(tmp_path / "set.bin"), tmp_path / "out")
    assert (done.written, done.left_out) == (7, 1)
    assert done.sentences == (
        "set.bin, picture 5 cannot be read: it is no picture in a known format.",
    )
    pairs = read_pairs(tmp_path / "out/pairs.txt")
    assert pairs.same.tolist() == [True, False, False]
    names = [
        pairs.files[k].name for pair in zip(pairs.first, pairs.second, strict=True) for k in pair
    ]
    assert names == [
        *("000000.jpg", "000001.png", "000002.png", "000003.webp", "000006.png", "000007.webp")
    ]
    assert (tmp_path / "out/000000.jpg").read_bytes() == pictures[0]


def test_a_verification_set_of_which_nothing_can_be_read_is_refused(tmp_path):
    write_bin(tmp_path / "set.bin", [b"x", encoded()], [True])
    with pytest.raises(
        ValueError, match=r"no pair of set\.bin can be read; first problem: set\.bi"
    ):
        unpack_bin(read_bin(tmp_path / "set.bin"), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]


def test_the_names_in_a_set_are_those_of_its_file(people, tmp_path):
    convert(people, tmp_path / "out", "webdataset")
    names = json.loads((tmp_path / "out/identities.json").read_text(encoding="utf-8"))
    assert names == ["Ada", "Noor B", "Ольга"]
