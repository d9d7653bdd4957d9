"""Embeddings on disk, so that a model sees the same pictures once. Plain arrays; no pickle.

A file is named by a digest of what it is made from; one that cannot be read is as if it was not
there. It knows arrays and files, not what they are.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np

from facevis.writing import growing

LARGEST = 2**30
"""Bytes that are kept; past them what was used longest ago goes first."""


def key_of(*parts: str | np.ndarray) -> str:
    """A name for what is made from these texts and arrays.

    >>> key_of("a", np.zeros(2)) == key_of("a", np.zeros(2)) != key_of("a", np.zeros(3))
    True
    """
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        if isinstance(part, str):
            digest.update(f"{len(part)}:{part}".encode())
        else:
            digest.update(f"{part.dtype}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def recall(folder: Path, key: str) -> np.ndarray | None:
    """What was kept under a key, None if nothing can be read there."""
    path = folder / f"{key}.npy"
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError):
        return None
    with contextlib.suppress(OSError):  # it can be read where nothing may be written
        os.utime(path)
    return found


def keep(folder: Path, key: str, array: np.ndarray) -> None:
    """Keep an array; where there is no room or no permission, it is not kept."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with growing(folder / f"{key}.npy") as partial, partial.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        _make_room(folder)


def size_of(folder: Path) -> int:
    """Bytes that are kept."""
    return sum(size for _, size, _ in _files(folder))


def clear(folder: Path) -> None:
    """Remove all that is kept."""
    for _, _, path in _files(folder):
        with contextlib.suppress(OSError):
            path.unlink()


def _make_room(folder: Path) -> None:
    files = sorted(_files(folder))
    total = sum(size for _, size, _ in files)
    for _, size, path in files[:-1]:
        if total <= LARGEST:
            return
        path.unlink(missing_ok=True)
        total -= size


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """(when it was used, bytes, path) of each file."""
    found = []
    for path in folder.glob("*.npy") if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            there = path.stat()
            found.append((there.st_mtime_ns, there.st_size, path))
    return found
