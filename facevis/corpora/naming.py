"""The identities' names beside a set whose format holds numbers only: ``identities.json``.

A list of texts; the number of an identity is a place in it. It is facevis's own addition, which
other readers of RecordIO and of shards pass by.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

IDENTITIES = "identities.json"


def write_names(folder: Path, identities: Sequence[str]) -> None:
    """Write the names into ``folder``, unless they are the numbers from 0 anyway."""
    names = list(identities)
    if names != [str(label) for label in range(len(names))]:
        text = json.dumps(names, ensure_ascii=False)
        # The name of a folder may hold bytes that are no text; JSON has a way to write them.
        (folder / IDENTITIES).write_text(text, encoding="utf-8", errors="backslashreplace")


def read_names(folder: Path, numbers: tuple[str, ...], remarks: list[str]) -> tuple[str, ...]:
    """The names of the identities ``numbers``, or the numbers where no list fits them.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_names(Path(folder), ["Ada", "Noor"])
    ...     read_names(Path(folder), ("1",), [])
    ('Noor',)
    """
    path = folder / IDENTITIES
    if not path.is_file():
        return numbers
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return tuple(names[int(number)] for number in numbers)
    except (OSError, ValueError, IndexError, RecursionError):
        pass  # said below
    remarks.append(f"{path.name} does not fit the labels of the set and was ignored.")
    return numbers
