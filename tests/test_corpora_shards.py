"""WebDataset shards, written with tarfile, tar and our own writer."""

import io
import json
import multiprocessing
import pickle
import shutil
import subprocess
import tarfile

import numpy as np
import pytest

from facevis.corpora import DamagedPicture, FolderCorpus, made_up, write_folder, write_shards
from facevis.corpora import shards as reading
from facevis.corpora.shards import ShardCorpus


def archive(path, members, kind=tarfile.USTAR_FORMAT, mode="w"):
    """A tar of (name, bytes), or of a TarInfo by itself."""
    with tarfile.open(path, mode, format=kind) as tar:
        for name, data in members:
            if isinstance(name, tarfile.TarInfo):
                tar.addfile(name)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def contents(corpus):
    return [(corpus.encoded(i), corpus.identities[label]) for i, label in enumerate(corpus.labels)]


SAMPLES = [("0.jpg", b"zero"), ("0.cls", b"1"), ("1.png", b"one"), ("1.cls", b"0\n")]


def test_a_picture_and_its_label_share_a_name(tmp_path):
    archive(tmp_path / "s.tar", SAMPLES)
    corpus = ShardCorpus(tmp_path / "s.tar")
    assert contents(corpus) == [(b"zero", "1"), (b"one", "0")]
    assert corpus.labels.dtype == np.int64
    assert corpus.remarks == ()
    assert corpus.place(1) == "s.tar, 1.png"


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_tar_and_long_names_are_read(tmp_path, kind):
    long = "a" * 90 + "/" + "b" * 90
    members = [(f"{long}/k.jpg", b"picture"), (f"{long}/k.cls", b"3"), ("x.cls", b"3")]
    archive(tmp_path / "s.tar", [*members, ("x.webp", b"other")], kind)
    assert contents(ShardCorpus(tmp_path / "s.tar")) == [(b"picture", "3"), (b"other", "3")]


def test_a_tar_of_the_system_is_read(tmp_path):
    if not shutil.which("tar"):
        pytest.skip("there is no tar")
    for name, data in SAMPLES:
        (tmp_path / name).write_bytes(data)
    names = [name for name, _ in SAMPLES]
    subprocess.run(["tar", "-cf", "s.tar", *names], cwd=tmp_path, check=True)
    assert contents(ShardCorpus(tmp_path / "s.tar")) == [(b"zero", "1"), (b"one", "0")]


@pytest.mark.parametrize(
    ("ending", "text", "label"),
    [
        ("cls", "7", "7"),
        ("txt", " Noor \n", "Noor"),
        ("json", '{"label": 7, "identity": "x"}', "7"),
        ("json", '{"identity": "Ada", "age": 3}', "Ada"),
        ("json", '{"label": 7.0}', "7"),
        ("json", '{"label": null, "identity": "Ada"}', "Ada"),
        ("CLS", "7", "7"),
    ],
)
def test_labels_stand_in_one_of_three_places(tmp_path, ending, text, label):
    archive(tmp_path / "s.tar", [("a.jpg", b"p"), (f"a.{ending}", text.encode())])
    assert contents(ShardCorpus(tmp_path / "s.tar")) == [(b"p", label)]


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        ("json", b"{broken"),
        ("json", b'{"label": true}'),
        ("json", b"[" * 100_000),
        ("json", b"7"),
        ("cls", b""),
        ("txt", b"\xff\xfe"),
        ("txt", b"a caption\nof two lines"),
        ("txt", b"a" * 300),
        ("npy", b"7"),
    ],
)
def test_a_sample_without_a_label_is_left_out(tmp_path, ending, data):
    archive(tmp_path / "s.tar", [("a.jpg", b"p"), (f"a.{ending}", data), *SAMPLES])
    corpus = ShardCorpus(tmp_path / "s.tar")
    assert len(corpus) == 2
    assert corpus.remarks == ("1 samples of s.tar have no picture or no label and were left out.",)


def test_a_sample_without_a_picture_is_left_out(tmp_path):
    archive(tmp_path / "s.tar", [*SAMPLES, ("9.cls", b"5"), ("README", b""), ("._0.jpg", b"")])
    corpus = ShardCorpus(tmp_path / "s.tar")
    assert [data for data, _ in contents(corpus)] == [b"zero", b"one"]
    assert "1 samples of s.tar have no picture" in corpus.remarks[0]


def test_another_member_says_the_label_when_the_first_says_none(tmp_path):
    archive(tmp_path / "s.tar", [("a.jpg", b"p"), ("a.json", b"{}"), ("a.txt", b"Ada")])
    assert contents(ShardCorpus(tmp_path / "s.tar")) == [(b"p", "Ada")]


def test_links_and_paths_that_leave_are_ignored(tmp_path):
    link, hard = tarfile.TarInfo("l.jpg"), tarfile.TarInfo("h.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard.type, hard.linkname = tarfile.LNKTYPE, "0.jpg"
    bad = [(link, b""), (hard, b""), ("l.cls", b"0"), ("h.cls", b"0")]
    bad += [("/abs/a.jpg", b"x"), ("../b.jpg", b"x"), ("c/../../d.jpg", b"x")]
    archive(tmp_path / "s.tar", [*bad, *SAMPLES])
    corpus = ShardCorpus(tmp_path / "s.tar")
    assert [data for data, _ in contents(corpus)] == [b"zero", b"one"]
    assert "5 links or paths that leave s.tar were ignored." in corpus.remarks


# Several shards


def numbered(folder, count):
    for k in range(count):
        archive(folder / f"t-{k:03d}.tar", [("a.jpg", b"%d" % k), ("a.cls", b"%d" % (k % 2))])


def test_a_folder_of_shards_is_one_set(tmp_path):
    numbered(tmp_path, 4)
    assert [data for data, _ in contents(ShardCorpus(tmp_path))] == [b"0", b"1", b"2", b"3"]


def test_braces_name_some_of_the_shards(tmp_path):
    numbered(tmp_path, 12)
    corpus = ShardCorpus(tmp_path / "t-{009..011}.tar")
    assert [data for data, _ in contents(corpus)] == [b"9", b"10", b"11"]
    with pytest.raises(ValueError, match=r"t-012\.tar cannot be read \(No such file"):
        ShardCorpus(tmp_path / "t-{009..012}.tar")


@pytest.mark.parametrize("braces", ["{5..3}", "{0..999999999}"])
def test_braces_without_sense_are_refused(tmp_path, braces):
    with pytest.raises(ValueError, match=r"shards; write \{first\.\.last\} for at most 100000"):
        ShardCorpus(tmp_path / f"t-{braces}.tar")


def test_more_shards_than_may_be_open_are_read(tmp_path, monkeypatch):
    numbered(tmp_path, 12)
    monkeypatch.setattr(reading, "_MOST_MAPPED", 3)
    corpus = ShardCorpus(tmp_path)
    for index in np.random.default_rng(0).permutation(np.repeat(range(12), 5)):
        assert corpus.encoded(index) == b"%d" % index
        assert sum(file.mapped for file in corpus._files) <= 3


# Damage


@pytest.mark.parametrize("cut", [0, 100, 1024, 1500, 1536])
def test_a_shard_that_is_cut_off_keeps_what_is_whole(tmp_path, cut):
    members = [(f"{k}.{end}", b"%d" % k) for k in range(4) for end in ("jpg", "cls")]
    archive(tmp_path / "whole.tar", members)
    data = (tmp_path / "whole.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(data[: 2 * 2048 + cut])
    (tmp_path / "whole.tar").unlink()
    corpus = ShardCorpus(tmp_path / "t.tar")
    assert [x for x, _ in contents(corpus)] == [b"0", b"1"]
    assert "t.tar is cut off or damaged at byte" in corpus.remarks[0]


def test_a_damaged_header_ends_the_shard_with_a_remark(tmp_path):
    archive(tmp_path / "s.tar", SAMPLES)
    data = bytearray((tmp_path / "s.tar").read_bytes())
    data[2048:2100] = b"x" * 52
    (tmp_path / "s.tar").write_bytes(data)
    corpus = ShardCorpus(tmp_path / "s.tar")
    assert contents(corpus) == [(b"zero", "1")]
    assert "s.tar is cut off or damaged at byte 2048; the 1 samples" in corpus.remarks[0]


@pytest.mark.timeout(20)
def test_a_header_with_a_negative_size_does_not_read_in_circles(tmp_path):
    archive(tmp_path / "s.tar", [*SAMPLES, ("2.jpg", b"")])
    data = bytearray((tmp_path / "s.tar").read_bytes())
    size = b"\xff" * 10 + (-1024 & 0xFFFF).to_bytes(2, "big")  # in the two's complement of GNU tar
    head = data[4096:4608]
    head[124:136], head[148:156] = size, b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    data[4096:4608] = head
    (tmp_path / "s.tar").write_bytes(data)
    assert [x for x, _ in contents(ShardCorpus(tmp_path / "s.tar"))] == [b"zero", b"one"]


def test_a_shard_that_shrinks_later_has_a_damaged_picture(tmp_path):
    archive(tmp_path / "s.tar", SAMPLES)
    corpus = ShardCorpus(tmp_path / "s.tar")
    (tmp_path / "s.tar").write_bytes((tmp_path / "s.tar").read_bytes()[:2562])
    corpus = pickle.loads(pickle.dumps(corpus))
    assert corpus.encoded(0) == b"zero"
    with pytest.raises(DamagedPicture, match=r"s\.tar, 1\.png is cut off; fetch the shard again"):
        corpus.encoded(1)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no tar" * 200, r"s\.tar is no tar archive, or a compressed one"),
        (b"", r"s holds no sample"),
        (bytes(10240), r"s holds no sample, a picture \(\.jpg, \.jpeg, \.png, \.webp\) and a"),
    ],
)
def test_a_file_that_is_no_shard_is_refused(tmp_path, data, sentence):
    (tmp_path / "s.tar").write_bytes(data)
    with pytest.raises(ValueError, match=sentence):
        ShardCorpus(tmp_path / "s.tar")


def test_a_compressed_shard_is_refused(tmp_path):
    noise = np.random.default_rng(0).bytes(5000)
    archive(tmp_path / "s.tar", [*SAMPLES, ("2.jpg", noise)], mode="w:gz")
    with pytest.raises(ValueError, match=r"compressed one; unpack a \.tar\.gz to a \.tar first"):
        ShardCorpus(tmp_path / "s.tar")


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no \.tar file"):
        ShardCorpus(tmp_path)


# The cache


def test_the_cache_is_used_and_not_trusted_when_a_shard_changes(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    numbered(tmp_path, 3)
    archive(tmp_path / "t-001.tar", [*SAMPLES, ("9.cls", b"5")])
    first = ShardCorpus(tmp_path, cache)
    (kept,) = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(reading, "samples", None)  # walking the archives would now fail
        again = ShardCorpus(tmp_path, cache)
    assert contents(again) == contents(first)
    assert again.remarks == first.remarks != ()
    kept.write_bytes(kept.read_bytes()[:100])
    assert contents(ShardCorpus(tmp_path, cache)) == contents(first)
    numbered(tmp_path, 4)
    assert len(ShardCorpus(tmp_path, cache)) == 4
    assert not list(cache.glob("*.tmp"))


# Written by us


@pytest.fixture
def people(tmp_path):
    faces = made_up("faces:identities=3,images=4,size=16")
    write_folder(tmp_path / "people", faces)
    return FolderCorpus(tmp_path / "people")


def test_shards_are_written_and_read_unchanged(tmp_path, people):
    seen = []
    assert write_shards(tmp_path / "out", people, per_shard=5, progress=seen.append) == ()
    corpus = ShardCorpus(tmp_path / "out")
    assert contents(corpus) == contents(people)
    assert corpus.identities == people.identities == ("face 1", "face 2", "face 3")
    assert corpus.labels.tolist() == people.labels.tolist()
    assert seen == list(range(1, 13))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("identities.json", "shard-000000.tar", "shard-000001.tar", "shard-000002.tar"),
    ]
    with tarfile.open(tmp_path / "out/shard-000002.tar") as tar:
        assert tar.getnames() == [
            "000000010.png",
            "000000010.cls",
            "000000011.png",
            "000000011.cls",
        ]
        assert tar.extractfile("000000011.cls").read() == b"2"


def test_a_part_of_the_shards_keeps_the_names(tmp_path, people):
    write_shards(tmp_path / "out", people, per_shard=4)
    corpus = ShardCorpus(tmp_path / "out/shard-000001.tar")
    assert contents(corpus) == contents(people)[4:8]
    assert corpus.identities == ("face 2",)


@pytest.mark.parametrize("text", ['["one"]', "{}", "broken", "[1, 2, 3]"])
def test_names_that_do_not_fit_are_ignored_with_a_remark(tmp_path, people, text):
    write_shards(tmp_path / "out", people)
    (tmp_path / "out/identities.json").write_text(text)
    corpus = ShardCorpus(tmp_path / "out")
    assert corpus.identities == ("0", "1", "2")
    assert corpus.remarks == (
        "identities.json does not fit the labels of the set and was ignored.",
    )


def test_plain_numbers_need_no_names(tmp_path):
    archive(tmp_path / "s.tar", [("0.jpg", b"\xff\xd8a"), ("0.cls", b"0")])
    write_shards(tmp_path / "out", ShardCorpus(tmp_path / "s.tar"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["shard-000000.tar"]
    assert contents(ShardCorpus(tmp_path / "out")) == [(b"\xff\xd8a", "0")]


def test_shards_are_the_same_bytes_every_time(tmp_path, people):
    for name in ("one", "two"):
        write_shards(tmp_path / name, people)
    one, two = ((tmp_path / n / "shard-000000.tar").read_bytes() for n in ("one", "two"))
    assert one == two


def test_a_writer_that_is_interrupted_leaves_nothing_behind(tmp_path, people):
    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(tmp_path / "out", people, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["people"]
    with pytest.raises(ValueError, match="per_shard is 0; give a whole number from 1"):
        write_shards(tmp_path / "out", people, per_shard=0)


def read_all(corpus):
    return [corpus.encoded(i) for i in range(len(corpus))]


def test_two_processes_read_the_same(tmp_path, people):
    write_shards(tmp_path / "out", people, per_shard=5)
    corpus = ShardCorpus(tmp_path / "out")
    expected = read_all(people)
    assert read_all(corpus) == expected
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(read_all, [corpus, corpus]) == [expected, expected]
    assert json.loads((tmp_path / "out/identities.json").read_text()) == list(people.identities)
