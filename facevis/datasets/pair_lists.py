"""Lists of pairs of pictures: which two are compared, and whether they show one person.

Two forms: lines ``path path 1`` (or 0), and LFW's pairs.txt, ``name n m`` and ``name n name m``
below a line that counts. A list that cannot be evaluated as it stands is refused in one sentence;
a damaged picture is left out, together with its pairs. It knows no network.

Source of pairs.txt: Huang et al., "Labeled Faces in the Wild", 2007.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from facevis.datasets.own import MAX_FILE_BYTES, MAX_IMAGES, MAX_SENTENCES, decode

MAX_PAIRS = 1_000_000
_LARGEST_LIST = 256 * 2**20
_FOLDS = 10
_SUFFIXES = (".jpg", ".png")
_COUNTS = re.compile(r"\d{1,9}(\s+\d{1,9})?")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class PairList:
    """Pairs in the order of their list; P pairs of K different files."""

    name: str
    files: tuple[Path, ...]
    first: np.ndarray
    """(P,) places in ``files``."""
    second: np.ndarray
    same: np.ndarray
    """(P,) booleans: one person or two."""
    folds: int
    """Equal runs of the list for cross-validation: ten, or what LFW's first line says."""


@dataclass(frozen=True, eq=False)
class PairPictures:
    """The pictures of a list, and its pairs as far as both pictures could be read."""

    images: np.ndarray
    """uint8 (N, size, size, 3)."""
    files: tuple[Path, ...]
    """(N,)"""
    first: np.ndarray
    """(P,) rows of ``images``."""
    second: np.ndarray
    same: np.ndarray
    lost_pairs: int
    """Pairs that were left out because of a picture."""
    unreadable: int
    skipped: tuple[str, ...]
    """A sentence for each of the first unreadable pictures."""


def read_pairs(path: Path, root: Path | None = None) -> PairList:
    """Read a list; ``root`` is where relative paths begin, left out, the folder of the list.

    Raises ``ValueError`` in one sentence for a line of neither form, a pair of a picture with
    itself, a pair listed both ways, files that are missing, and two files of one name.
    """
    lines = list(_lines(path))
    root = path.parent if root is None else root
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; name the folder of the pictures with --root.")
    folds, place = _FOLDS, f"{path.name} has no pairs"
    if lines and _COUNTS.fullmatch(lines[0][1]):
        counts = lines[0][1].split()
        folds = int(counts[0]) if len(counts) == 2 else _FOLDS
        if folds < 2:
            raise ValueError(
                f"{path.name} begins with {lines[0][1]}, and {folds} is no number of folds to "
                "be judged on; write 2 or more."
            )
        named = _Named(root)
        pairs = [(number, *named.pair(path, number, line)) for number, line in lines[1:]]
        _refuse_collisions(path.name, named.collisions)
    else:
        pairs = [(number, *_listed(path, number, line, root)) for number, line in lines]
    if not pairs:
        raise ValueError(f"{place}; write lines like: anna/1.jpg anna/2.jpg 1.")
    return _checked(path, pairs, folds)


def read_pictures(pairs: PairList, size: int, progress: Progress | None = None) -> PairPictures:
    """Read the pictures of a list, cropped to a centred square of ``size`` pixels.

    Raises ``ValueError`` where no pair is left.
    """
    images: list[np.ndarray] = []
    skipped: list[str] = []
    row = np.full(len(pairs.files), -1)
    for k, file in enumerate(pairs.files):
        try:
            # A file too large for a picture is not read; the decoder then says so.
            small = file.stat().st_size <= MAX_FILE_BYTES
            images.append(decode(file.read_bytes() if small else b"", size))
            row[k] = len(images) - 1
        except (ValueError, OSError) as error:
            reason = (error.strerror or "unreadable") if isinstance(error, OSError) else error
            skipped.append(f"{file} was left out: {reason}.")
        if progress:
            progress(k + 1, len(pairs.files))
    kept = (row[pairs.first] >= 0) & (row[pairs.second] >= 0)
    if not kept.any():
        raise ValueError(
            f"no pair of {pairs.name} has two readable pictures; check the files. "
            f"First problem: {skipped[0]}"
        )
    return PairPictures(
        images=np.stack(images),
        files=tuple(file for k, file in enumerate(pairs.files) if row[k] >= 0),
        first=row[pairs.first[kept]],
        second=row[pairs.second[kept]],
        same=pairs.same[kept],
        lost_pairs=int((~kept).sum()),
        unreadable=len(skipped),
        skipped=tuple(skipped[:MAX_SENTENCES]),
    )


def check_names(folder: Path) -> None:
    """Refuse a folder in which one class has two pictures whose names differ in the suffix only."""
    if not folder.is_dir():
        return
    stems: dict[tuple[str, str], str] = {}
    collisions = []
    for file in sorted(folder.glob("*/*")):
        key = (file.parent.name, file.stem)
        if file.name.startswith(".") or not file.is_file():
            continue
        if key in stems:
            collisions.append((f"{key[0]}/{stems[key]}", f"{key[0]}/{file.name}"))
        stems[key] = file.name
    _refuse_collisions(folder.name, collisions)


# -- lines ----------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with something in them, with their numbers."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} is no file; name a text file with a pair in each line.")
        if path.stat().st_size > _LARGEST_LIST:
            raise ValueError(f"{path} is larger than {_LARGEST_LIST >> 20} MiB; split the list.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8; save the list as UTF-8.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.strip()
        if number > MAX_PAIRS:
            raise ValueError(f"{path} has more than {MAX_PAIRS} lines; split the list.")


def _listed(path: Path, number: int, line: str, root: Path) -> tuple[Path, Path, bool]:
    """A line ``path path 1``; with tabs, spaces belong to the names."""
    try:
        if "\t" in line:
            parts = [part.strip().strip('"') for part in line.split("\t") if part.strip()]
        else:
            lexer = shlex.shlex(line, posix=True)
            lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
            parts = list(lexer)
    except ValueError as error:
        raise ValueError(
            f"line {number} of {path.name} opens a quote and does not close it; close it."
        ) from error
    if len(parts) != 3 or parts[2] not in ("0", "1") or "\0" in line:
        raise ValueError(
            f"line {number} of {path.name} is {line[:80]!r}; write two paths and 1 (one person) or "
            "0 (two), paths with spaces in quotes."
        )
    return _inside(root, parts[0]), _inside(root, parts[1]), parts[2] == "1"


def _inside(root: Path, name: str) -> Path:
    # Written differently, it is still one picture: a/../b.png is b.png.
    return Path(os.path.normpath(root / name))


class _Named:
    """Files of LFW: ``name/name_0001.jpg`` below a root, whichever suffix is there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.collisions: list[tuple[str, str]] = []
        self._known: dict[tuple[str, int], Path] = {}

    def pair(self, path: Path, number: int, line: str) -> tuple[Path, Path, bool]:
        """A line ``name n m`` or ``name n name m``."""
        parts = line.split("\t") if "\t" in line else line.split()
        parts = [part.strip() for part in parts]
        places = {3: (1, 2), 4: (1, 3)}.get(len(parts), ())
        numbers = [parts[k] for k in places]
        # A name is a name and no way out of the folder.
        plain = all(PurePosixPath(p).name == p and "\0" not in p and p != ".." for p in parts)
        if not numbers or not plain or not all(re.fullmatch(r"[0-9]{1,9}", n) for n in numbers):
            raise ValueError(
                f"line {number} of {path.name} is {line[:80]!r}; after a line of counts, write "
                "a name and two numbers, or a name and a number twice."
            )
        other = parts[0] if len(parts) == 3 else parts[2]
        if len(parts) == 4 and other == parts[0]:
            raise ValueError(
                f"line {number} of {path.name} lists {other} as two people; write the name once."
            )
        first, second = self._file(parts[0], numbers[0]), self._file(other, numbers[1])
        return first, second, len(parts) == 3

    def _file(self, name: str, number: str) -> Path:
        key = name, int(number)
        if key not in self._known:
            bare = f"{name}_{key[1]:04d}"
            suffixes = [*_SUFFIXES, *(s.upper() for s in _SUFFIXES)]
            candidates = [self.root / name / (bare + suffix) for suffix in suffixes]
            there = [file for file in candidates if _there(file)]
            if len(there) > 1 and not there[0].samefile(there[1]):
                self.collisions.append((f"{name}/{there[0].name}", f"{name}/{there[1].name}"))
            self._known[key] = there[0] if there else candidates[0]
        return self._known[key]


# -- what a list must be --------------------------------------------------------------------------


def _checked(path: Path, pairs: list[tuple[int, Path, Path, bool]], folds: int) -> PairList:
    place: dict[Path, int] = {}
    said: dict[frozenset[Path], tuple[int, bool]] = {}
    for number, first, second, same in pairs:
        if first == second:
            raise ValueError(
                f"line {number} of {path.name} pairs {first.name} with itself; leave that line out."
            )
        line, before = said.setdefault(frozenset((first, second)), (number, same))
        if before != same:
            raise ValueError(
                f"lines {line} and {number} of {path.name} call the same two pictures one person "
                "and two people; leave the wrong line out."
            )
        place.setdefault(first, len(place))
        place.setdefault(second, len(place))
    files = tuple(place)
    missing = [file for file in files if not _there(file)]
    if missing:
        raise ValueError(
            f"{len(missing)} of the {len(files)} pictures in {path.name} are missing, the first is "
            f"{str(missing[0])[-160:]}; name the folder of the pictures with --root, or correct "
            "the list."
        )
    if len(files) > MAX_IMAGES:
        raise ValueError(f"{path.name} names {len(files)} pictures; at most {MAX_IMAGES} fit.")
    bare = Counter(file.with_suffix("") for file in files)
    twice: dict[Path, list[Path]] = {}
    for file in files:
        if bare[file.with_suffix("")] > 1:
            twice.setdefault(file.with_suffix(""), []).append(file)
    _refuse_collisions(path.name, [(str(a), str(b)) for a, b, *_ in twice.values()])
    return PairList(
        path.name,
        files,
        np.array([place[first] for _, first, _, _ in pairs]),
        np.array([place[second] for _, _, second, _ in pairs]),
        np.array([same for *_, same in pairs]),
        folds,
    )


def _refuse_collisions(where: str, collisions: list[tuple[str, str]]) -> None:
    if collisions:
        first, second = collisions[0]
        more = f" ({len(collisions)} such names in all)" if len(collisions) > 1 else ""
        raise ValueError(
            f"{where} has two files of one name, {first} and {second}{more}; rename or remove one."
        )


def _there(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a name that is too long for the system
        return False
