"""Face sets that are a list of files with their labels.

Lines are ``path label`` or ``path<TAB>label``; CSV is ``path,label``; three or more columns are
InsightFace's ``flag path label`` (insightface ``face_preprocess``) or MXNet's ``index label path``
(mxnet ``im2rec.py``), told apart by where the number stands. It decodes nothing.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from facevis.corpora.corpus import Corpus
from facevis.corpora.folders import FileCorpus
from facevis.corpora.labelling import by_text
from facevis.corpora.packing import Packed
from facevis.writing import new_file

SUFFIXES = (".lst", ".txt", ".tsv", ".csv")
_HEADINGS = ("label", "identity", "class", "person", "id")


class ListCorpus(FileCorpus):
    """The pictures of a list, in its order; paths are below ``root``, or below the list's folder.

    Labels are whole numbers or names. Files that are missing are left out and named in a remark.
    ``ValueError`` in one sentence for a line that is none, for a label that is no whole number
    where all others are numbers, and if no file is there.
    """

    def __init__(self, path: str | Path, root: str | Path | None = None) -> None:
        path = Path(path)
        self.name = path.stem
        self.root = str(path.parent if root is None else root)
        lines, names, texts = [], [], []
        missing: list[str] = []
        try:
            for line, name, text in _rows(path):
                if os.path.isfile(os.path.join(self.root, name)):  # noqa: PTH113, PTH118
                    lines.append(line)
                    names.append(name)
                    texts.append(text)
                else:
                    missing.append(name)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{str(path)[-80:]} cannot be read ({_reason(error)}.") from error
        shown = ", ".join(map(_shown, missing[:3])) + (" …" if len(missing) > 3 else "")
        if not names:
            raise ValueError(
                f"{path.name} names no file that is there below {self.root[-80:]}"
                + (
                    f" ({shown}); give the folder as root."
                    if missing
                    else "; it has no lines: write a path and a label into each."
                )
            )
        place = lambda row: f"{path.name}, line {lines[row]}"  # noqa: E731
        self.labels, self.identities, remarks = by_text(texts, place)
        self.names = Packed(names)
        if missing:
            remarks += (
                f"{len(missing)} of {len(missing) + len(names)} files are missing and were left "
                f"out ({shown}).",
            )
        self.remarks = remarks


def _reason(error: Exception) -> str:
    """Why a list is none, and what to do."""
    if isinstance(error, OSError):
        return f"{error.strerror}); check its name and permissions"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8); save it as UTF-8"
    return f"{error}); write a path and a label into each line"


def _shown(name: str) -> str:
    return name if name.isprintable() and len(name) <= 80 else repr(name[:80])


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, path and label of every line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        comma = path.suffix.lower() == ".csv"
        rows = csv.reader(file) if comma else (_columns(line) for line in file)
        for line, row in enumerate(rows, 1):
            if not row or not any(row):
                continue
            if line == 1 and row[-1].strip().lower() in _HEADINGS:
                continue
            name, label = _path_and_label([column.strip() for column in row])
            if not name or not label:
                raise ValueError(
                    f"{path.name}, line {line} is {', '.join(row)[:60]!r}; write the path and the "
                    f"label, with a {'comma' if comma else 'tab'} between them."
                )
            yield line, name, label


def _columns(line: str) -> list[str]:
    line = line.strip()
    return line.split("\t") if "\t" in line else line.rsplit(None, 1)


def _path_and_label(row: list[str]) -> tuple[str, str]:
    if len(row) == 2:
        return row[0], row[1]
    if len(row) < 2:
        return "", ""
    try:
        float(row[1])
    except ValueError:
        return row[1], row[2]  # InsightFace: flag, path, label, and perhaps where the face is
    return row[-1], row[1]  # MXNet: index, label, perhaps more labels, path


def write_list(path: str | Path, corpus: Corpus) -> None:
    """Write ``path<TAB>identity`` for each picture that is a file, seen from the list's folder.

    A ``.csv`` gets commas and a heading, another list only where its first line would be taken for
    one. ``ValueError`` if the pictures are no files, or if a name cannot stand in a list.
    """
    path = Path(path)
    if not isinstance(corpus, FileCorpus):
        raise ValueError(f"the pictures of {corpus.name} are no files; write a folder first.")
    names, people = Seen(path, corpus), [listable(name) for name in corpus.identities]
    rows = [(names[index], people[label]) for index, label in enumerate(corpus.labels.tolist())]
    comma = path.suffix.lower() == ".csv"
    if comma or (rows and rows[0][1].lower() in _HEADINGS):
        rows.insert(0, ("path", "label"))
    with (
        new_file(path, replace=True) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        if comma:
            csv.writer(file, lineterminator="\n").writerows(rows)
        else:
            file.writelines(f"{name}\t{identity}\n" for name, identity in rows)


class Seen:
    """The files of a corpus as a list names them, from its own folder."""

    def __init__(self, path: Path, corpus: FileCorpus) -> None:
        self._here, self._root = os.path.realpath(path.parent), os.path.realpath(corpus.root)
        self._names = corpus.names

    def __getitem__(self, index: int) -> str:
        name = os.path.join(self._root, self._names[index])  # noqa: PTH118
        with suppress(ValueError):  # on another drive: the whole path stays
            name = os.path.relpath(name, self._here)
        return listable(name.replace(os.sep, "/"))


def listable(text: str) -> str:
    """A path or a label that is read from a line as it was written there; ``ValueError`` if not.

    >>> listable("Ada/1.jpg ")
    Traceback (most recent call last):
    ...
    ValueError: 'Ada/1.jpg ' begins or ends with a space; rename the file.
    """
    reason = None
    if "\t" in text or text.splitlines() != [text]:
        reason = "holds a tab or an end of line"
    elif text != text.strip():
        reason = "begins or ends with a space"
    elif text != os.fsencode(text).decode("utf-8", "replace"):
        reason = "is no text in UTF-8"
    if reason:
        raise ValueError(f"{text!r} {reason}; rename the file.")
    return text
