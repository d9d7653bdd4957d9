"""Face sets that are files: a folder with one subfolder per identity. Lists are in ``lists``.

Folders are looked through once, their pictures are read when they are asked for. It decodes
nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from facevis.corpora.corpus import Corpus, DamagedPicture
from facevis.corpora.packing import Packed
from facevis.corpora.writing import readable
from facevis.datasets.own import MAX_FILE_BYTES
from facevis.writing import new_folder

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")


class FileCorpus(Corpus):
    """Pictures that are files: ``names`` of files, as seen from the folder ``root``."""

    root: str
    names: Packed

    def path(self, index: int) -> Path:
        """The file of a picture."""
        return Path(os.path.join(self.root, self.names[index]))  # noqa: PTH118 - it is faster

    def encoded(self, index: int) -> bytes:
        """The file's bytes."""
        path = os.path.join(self.root, self.names[index])  # noqa: PTH118
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                return file.read(MAX_FILE_BYTES + 1)  # one more: the decoder refuses it
        except OSError as error:
            raise DamagedPicture(f"{path} cannot be read ({error.strerror}).") from error

    def place(self, index: int) -> str:
        """The path."""
        return str(self.path(index))


class FolderCorpus(FileCorpus):
    """A folder with one subfolder per identity, in the order of their names, or of their numbers.

    Subfolders without a picture, folders inside them and files of other kinds are left out with a
    remark. ``ValueError`` in one sentence if there is no picture at all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("10/b.jpg", "9/a.png"):
    ...         (Path(folder) / name).parent.mkdir()
    ...         _ = (Path(folder) / name).write_bytes(b"")
    ...     FolderCorpus(folder).identities
    ('9', '10')
    """

    def __init__(self, path: str | Path) -> None:
        root = Path(path)
        self.name, self.root = root.name, str(root)
        others: dict[str, list[str]] = {"empty": [], "deeper": [], "other": []}
        found: list[tuple[str, list[str]]] = []
        try:
            for person in _in_order(entry.name for entry in os.scandir(root) if _folder(entry)):
                files = _pictures(os.path.join(root, person), person, others)  # noqa: PTH118
                if files:
                    found.append((person, files))
                else:
                    others["empty"].append(person)
        except OSError as error:
            raise ValueError(
                f"{str(error.filename or root)[-80:]} cannot be read ({error.strerror}); check its "
                "name and permissions."
            ) from error
        if not found:
            raise ValueError(
                f"{str(root)[-80:]} has no picture in a subfolder; make one subfolder per identity "
                f"and put its pictures ({', '.join(SUFFIXES[:4])} …) there."
            )
        self.identities = tuple(person for person, _ in found)
        counts = [len(files) for _, files in found]
        self.labels = np.repeat(np.arange(len(found), dtype=np.int64), counts)
        self.names = Packed(f"{person}/{file}" for person, files in found for file in files)
        self.remarks = tuple(_sentences(others))


def _folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith((".", "__MACOSX")) and entry.is_dir()


def _in_order(names: Iterable[str]) -> list[str]:
    """By number if all are numbers, so that 10 comes after 9; by name otherwise."""
    names = sorted(names)
    numbers = all(name.isascii() and name.isdigit() for name in names)
    return sorted(names, key=int) if numbers else names


def _pictures(folder: str, person: str, others: dict[str, list[str]]) -> list[str]:
    files = []
    for entry in os.scandir(folder):
        if entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith("."):
            if entry.is_file():
                files.append(entry.name)
        elif not entry.name.startswith("."):
            others["deeper" if entry.is_dir() else "other"].append(f"{person}/{entry.name}")
    return sorted(files)


def _sentences(others: dict[str, list[str]]) -> Iterator[str]:
    words = {
        "empty": ("subfolder", "hold no picture"),
        "deeper": ("folder", "lie inside the folder of an identity and were not looked into"),
        "other": ("file", "are no pictures and were left out"),
    }
    for kind, (noun, verb) in words.items():
        names = others[kind]
        if names:
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            yield f"{len(names)} {noun}s {verb} ({shown})."


def write_folder(
    folder: str | Path, corpus: Corpus, progress: Callable[[int], None] | None = None
) -> tuple[str, ...]:
    """Write each picture as a file, unchanged, into its identity's subfolder.

    Returns sentences about what was left out. Subfolders have the identities' names, or numbers
    where one of the names is no plain file name. Raises ``ValueError``, and leaves nothing behind,
    if the folder exists and is not empty.
    """
    folder = Path(folder)
    people = _folder_names(corpus.identities)
    left_out: list[str] = []
    with new_folder(folder) as partial:
        for done, (index, data, suffix) in enumerate(readable(corpus, left_out), 1):
            place = partial / people[int(corpus.labels[index])]
            place.mkdir(exist_ok=True)
            # Numbered through, so that the order of the names is the order of the pictures.
            (place / f"{index:08d}{suffix}").write_bytes(data)
            if progress:
                progress(done)
    return tuple(left_out)


def _folder_names(identities: Iterable[str]) -> list[str]:
    names = list(identities)
    plain = all(re.fullmatch(r"\w([\w .-]{0,98}\w)?", name) for name in names)
    apart = len({name.casefold() for name in names}) == len(names)
    return names if plain and apart else [f"{label:08d}" for label in range(len(names))]
