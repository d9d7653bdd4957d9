"""Kept embeddings: found again, bounded, and as if not there where they cannot be read."""

import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facevis.atlas import cache


def test_what_is_kept_is_found_again(tmp_path):
    array = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    cache.keep(tmp_path / "new", "key", array)
    assert np.array_equal(cache.recall(tmp_path / "new", "key"), array)
    assert cache.recall(tmp_path / "new", "other") is None
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["key.npy"]


def test_a_damaged_file_or_a_pickle_is_as_if_not_there(tmp_path):
    cache.keep(tmp_path, "key", np.ones(9))
    whole = (tmp_path / "key.npy").read_bytes()
    for damaged in (b"", whole[:20], whole[:-8], b"\x93NUMPY\x09\x00", b"\x80\x04."):
        (tmp_path / "key.npy").write_bytes(damaged)
        assert cache.recall(tmp_path, "key") is None
    np.save(tmp_path / "key.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert cache.recall(tmp_path, "key") is None


def test_what_was_used_longest_ago_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 2500)  # two of them
    for hour, name in enumerate("abc"):
        cache.keep(tmp_path, name, np.ones(100))
        os.utime(tmp_path / f"{name}.npy", (3600 * hour, 3600 * hour))
    assert cache.recall(tmp_path, "a") is None
    cache.recall(tmp_path, "b")
    cache.keep(tmp_path, "d", np.ones(100))
    assert [cache.recall(tmp_path, name) is not None for name in "bcd"] == [True, False, True]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("no folder")
    cache.keep(tmp_path / "file", "key", np.ones(3))
    assert cache.recall(tmp_path / "file", "key") is None
    assert cache.size_of(tmp_path / "file") == 0


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_keys_tell_parts_apart(one, other):
    assert (cache.key_of(*one) == cache.key_of(*other)) == (one == other)
