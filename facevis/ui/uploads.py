"""Uploaded pictures: where they lie until the app ends, and how much there may be in all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from facevis.classroom.limits import limits
from facevis.writing import in_words, scratch, write_whole

_lock = threading.Lock()


def keep(number: str, name: str, size: int, data: Callable[[], bytes]) -> Path:
    """The path of an upload; ``ValueError`` in words if there is no room for it.

    Each lies in a folder of its own: the same file is read once, another one is another dataset.
    """
    path = uploads() / Path(number).name / Path(name).name
    with _lock:
        if path.exists():
            return path
        taken = sum(other.stat().st_size for other in uploads().rglob("*") if other.is_file())
        most = limits().uploads_mib
        if taken + size > most * 2**20:
            raise ValueError(
                f"{path.name} has {_mib(size)} MiB, but of {most} MiB for all uploads "
                f"{_mib(taken)} are taken; unpack it and name its folder, which takes none."
            )
        with in_words(path, "make room for temporary files"):
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data())
        return path


@lru_cache(maxsize=1)
def uploads() -> Path:
    """The folder of all of them."""
    return scratch()


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f}"
