"""What is said about a face set is so, whatever its form; its sheet shows what is in it."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from facevis.corpora import FolderCorpus, made_up, open_corpus, shards, write_shards
from facevis.corpora.bins import read_bin, write_bin
from facevis.corpora.converting import convert
from facevis.corpora.inspecting import inspect
from facevis.corpora.sheet import DIFFERENT, SAME, TILE, pairs_sheet, people_sheet, write_png


def encoded(kind="PNG", size=(16, 16), colour=(0, 90, 200)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def laid(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return FolderCorpus(folder)


@pytest.fixture
def mixed(tmp_path):
    """Three people, eight pictures of which two are damaged."""
    png, wide = encoded(), encoded("JPEG", (40, 30))
    files = {"a/1.png": png, "a/2.png": png, "a/3.jpg": wide, "a/4.jpg": wide[:-9], "a/5.gif": b"x"}
    files |= {"b/1.png": png, "b/2.webp": encoded("WEBP", (30, 40)), "c/1.jpg": wide}
    return laid(tmp_path / "mixed", files)


def test_everything_is_counted(mixed):
    found = inspect(mixed)
    assert (found.name, found.images, found.looked_at, found.pairs) == ("mixed", 8, 8, None)
    people = found.people
    assert (people.identities, people.fewest, people.median, people.most) == (3, 1, 2.0, 5)
    assert (people.mean, people.single) == (8 / 3, 1)
    assert people.histogram == ((1, 1, 1), (2, 2, 1), (5, 5, 1))
    assert found.formats == {"PNG": 3, "JPEG": 2, "WEBP": 1}
    assert found.sizes == ((16, 16, 3), (40, 30, 2), (30, 40, 1))
    assert found.distinct_sizes == 3
    assert found.bytes == sum(len(mixed.encoded(i)) for i in range(8))
    assert found.damaged == 2
    cut, text = found.damage
    assert "mixed/a/4.jpg cannot be read: it is damaged (Premature end of JPEG file)." in cut
    assert "mixed/a/5.gif cannot be read: it is no picture in a known format." in text


@pytest.mark.parametrize("format", ["recordio", "webdataset"])
def test_damaged_records_are_named_by_their_place(tmp_path, format):
    convert(made_up("faces:identities=4,images=3,size=32"), tmp_path / "set", format)
    corpus = open_corpus(tmp_path / "set")
    path = tmp_path / "set" / ("train.rec" if format == "recordio" else "shard-000000.tar")
    data = path.read_bytes()
    picture = corpus.encoded(7)
    at = data.index(picture)
    path.write_bytes(
        data[:at]
        + picture[: len(picture) // 2].ljust(len(picture), b"\0")
        + data[at + len(picture) :]
    )
    found = inspect(open_corpus(tmp_path / "set"))
    assert (found.images, found.damaged) == (12, 1)
    place = "train.rec, record 8" if format == "recordio" else "shard-000000.tar, 000000007.png"
    assert found.damage[0].startswith(f"{place} cannot be read: it is damaged")


def test_a_verification_set_is_counted(tmp_path):
    write_bin(tmp_path / "set.bin", [encoded()] * 5 + [b"x"], [True, False, True])
    found = inspect(read_bin(tmp_path / "set.bin"))
    assert (found.name, found.images, found.people) == ("set.bin", 6, None)
    pairs = found.pairs
    assert (pairs.pairs, pairs.same, pairs.different, pairs.folds) == (3, 2, 1, 3)
    assert found.damage == (
        "set.bin, picture 5 cannot be read: it is no picture in a known format.",
    )


def test_a_limit_decodes_a_part_and_counts_all(mixed):
    heard = []
    parts = [inspect(mixed, lambda *how_far: heard.append(how_far), limit=3) for _ in range(2)]
    assert parts[0] == parts[1]
    assert (parts[0].images, parts[0].looked_at, parts[0].people.identities) == (8, 3, 3)
    assert sum(parts[0].formats.values()) + parts[0].damaged == 3
    assert heard == [(3, 3)] * 2
    assert inspect(mixed, limit=8) == inspect(mixed, limit=9) == inspect(mixed)
    for limit in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match=r"limit is .*; give a whole number from 1"):
            inspect(mixed, limit=limit)


def test_the_first_fifty_damaged_pictures_are_named_in_their_order(tmp_path):
    corpus = laid(tmp_path, {f"a/{k:03d}.png": b"x" for k in range(120)})
    found = inspect(corpus, threads=7)
    assert (found.damaged, len(found.damage), found.formats, found.sizes) == (120, 50, {}, ())
    assert [sentence.split("/a/")[1][:3] for sentence in found.damage] == [
        f"{k:03d}" for k in range(50)
    ]


def test_only_the_ten_most_common_sizes_are_listed(tmp_path):
    files = {f"a/{k}.png": encoded(size=(16 + k // 2, 16)) for k in range(30)}
    found = inspect(laid(tmp_path, files))
    assert (len(found.sizes), found.distinct_sizes) == (10, 15)


def test_many_threads_find_what_one_finds(tmp_path, monkeypatch):
    """Also where shards are closed under the hands of other threads."""
    monkeypatch.setattr(shards, "_MOST_MAPPED", 1)
    write_shards(tmp_path / "set", made_up("faces:identities=50,images=4,size=16"), per_shard=2)
    corpus = open_corpus(tmp_path / "set")
    alone = inspect(corpus, threads=1)
    assert alone.damaged == 0
    for _ in range(3):
        assert inspect(corpus, threads=16) == alone


def test_a_ctrl_c_ends_it_at_once():
    corpus = made_up("noise:identities=100000,size=256")
    began = time.monotonic()

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inspect(corpus, interrupted, threads=2)
    assert time.monotonic() - began < 20  # 500,000 pictures would take an hour
    assert threading.active_count() < 10


# -- sheets ----------------------------------------------------------------------------------------


def colours(sheet):
    """The colours of a sheet, and how many pixels have each."""
    return {colour: count for count, colour in sheet.getcolors(1 << 20)}


def rgb(text):
    return tuple(bytes.fromhex(text[1:]))


def test_a_sheet_has_a_row_for_each_person_and_a_square_for_each_picture(tmp_path):
    shades = {
        f"{p}/{k}.png": encoded(colour=(p * 40, k * 40, 7)) for p in range(3) for k in range(4)
    }
    del shades["2/3.png"]
    sheet = people_sheet(laid(tmp_path, shades), "three people")
    found = colours(sheet)
    for person in range(3):
        for k in range(4):
            expected = TILE * TILE if (person, k) != (2, 3) else 0
            assert found.get((person * 40, k * 40, 7), 0) == expected
    pixels = np.asarray(sheet)
    rows = [int(np.argwhere((pixels == (p * 40, 0, 7)).all(-1))[0, 0]) for p in range(3)]
    assert rows == sorted(rows)
    assert np.ptp(np.diff(rows)) == 0


def test_a_large_set_is_shown_in_part_from_first_to_last(tmp_path):
    files = {
        f"{p:02d}/{k:02d}.png": encoded(colour=(p, k, 7)) for p in range(20) for k in range(20)
    }
    sheet = people_sheet(laid(tmp_path, files), "twenty people")
    shown = {colour for colour, count in colours(sheet).items() if count == TILE * TILE}
    assert len(shown) == 64
    assert {(0, 0, 7), (0, 19, 7), (19, 0, 7), (19, 19, 7)} <= shown


def test_a_damaged_picture_is_a_square_too(tmp_path):
    whole = people_sheet(laid(tmp_path, {"a/1.png": encoded(), "a/2.png": encoded()}), "a")
    (tmp_path / "a/2.png").write_bytes(b"x")
    sheet = people_sheet(FolderCorpus(tmp_path), "a")
    assert sheet.size == whole.size
    assert colours(sheet)[(0, 90, 200)] == TILE * TILE == colours(whole)[(0, 90, 200)] / 2
    assert colours(sheet)[rgb("#e4e4e4")] > TILE * TILE / 2


@pytest.mark.parametrize("flags", [[True] * 3 + [False] * 2, [True], [False] * 30, [True, False]])
def test_pairs_are_framed_as_what_they_are(tmp_path, flags):
    pictures = [
        encoded(colour=(k, 200 if flags[k // 2] else 100, 7)) for k in range(2 * len(flags))
    ]
    write_bin(tmp_path / "set.bin", pictures, flags)
    sheet = pairs_sheet(read_bin(tmp_path / "set.bin"), "pairs", "one person", "two people")
    pixels = np.asarray(sheet)
    for kind, frame, green in ((True, SAME, 200), (False, DIFFERENT, 100)):
        inside = (pixels[..., 1] == green) & (pixels[..., 2] == 7)
        assert inside.sum() == 2 * TILE * TILE * min(12, flags.count(kind))
        framed = np.argwhere((pixels == rgb(frame)).all(-1))
        if flags.count(kind):
            ends = np.argwhere(inside)
            assert (framed.min(0) <= ends.min(0)).all()  # the heading stands above
            assert (framed.max(0) == ends.max(0) + 4).all()
            half = sheet.width / 2
            assert ends[:, 1].max() < half if kind else ends[:, 1].min() > half


def test_names_in_any_script_are_written_and_long_ones_cut(tmp_path):
    names = ["Ольга", "Ada", "x" * 200, "\x1b[31m", "\n"]
    for name in names[:4]:
        sheet = people_sheet(laid(tmp_path / str(len(name)), {f"{name}/1.png": encoded()}), name)
        ink = (np.asarray(sheet).max(-1) < 80).sum()
        assert ink > 50
        assert sheet.width < 1000
    cyrillic, latin = (
        people_sheet(laid(tmp_path / name, {"a/1.png": encoded()}), name) for name in ("Ж", "Ф")
    )
    assert cyrillic.tobytes() != latin.tobytes()  # two letters, not twice the sign for none


def test_a_sheet_replaces_the_old_one_and_is_whole_or_not_there(tmp_path, monkeypatch):
    sheet = people_sheet(made_up("faces:identities=2,images=2,size=32"), "two")
    (tmp_path / "sheet.png").write_bytes(b"old")
    write_png(tmp_path / "sheet.png", sheet)
    with Image.open(tmp_path / "sheet.png") as written:
        assert written.tobytes() == sheet.tobytes()

    def full(self, file, *_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(ValueError, match=r"other\.png cannot be written \(No space left on device"):
        write_png(tmp_path / "other.png", sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
