"""A run as one file, ``NAME.facevis.zip``, to be given away and taken in elsewhere.

A zip archive, stored and not compressed: first the files of the run as they are, then
``manifest.json`` with their sizes and SHA-256. What another machine could not use (process, lock,
caches, TensorBoard's events) stays behind. No pickle. It knows folders and archives.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

from facevis.fullscale.runs import CHECKPOINTS
from facevis.library import toys
from facevis.library.checks import CHECKPOINT_FILE, FULL_FILES, TOY_FILES, check_run
from facevis.library.shelf import entry_of
from facevis.validation import path_of
from facevis.writing import growing

SUFFIX = ".facevis.zip"
MANIFEST, FORMAT = "manifest.json", "facevis-run-1"
BLOCK = 2**20


def members(folder: Path, checkpoints: bool = True) -> list[str]:
    """The files of a run that are packed, in order, by their names below its folder."""
    names = TOY_FILES if toys.is_toy(folder) else FULL_FILES
    found = [name for name in names if _is_file(folder / name)]
    if checkpoints and names is FULL_FILES:
        below = sorted((folder / CHECKPOINTS).glob("step-*/*"))
        inside = (path.relative_to(folder).as_posix() for path in below if _is_file(path))
        found += [name for name in inside if CHECKPOINT_FILE.fullmatch(name)]
    return found


def pack(folder: Path, target: Path, checkpoints: bool = True) -> None:
    """Write the file of a run; it is there as a whole or not at all.

    ``ValueError`` in words for a run that is at work, is broken or goes meanwhile, for a file that
    is there already, and for a disk that is full.
    """
    entry = entry_of(folder)
    if entry.busy:
        raise ValueError(f"{entry.name} is {entry.state}; stop it or wait before you export it.")
    if entry.state == "broken":
        raise ValueError(f"{entry.name} cannot be exported: {entry.sentence}")
    if path_of(target).exists():
        raise ValueError(f"{target} is there already; choose another name.")
    names = members(folder, checkpoints)
    try:
        check_run(folder, names)
    except ValueError as error:
        raise ValueError(f"{entry.name} cannot be exported: {error}") from error
    try:
        with growing(target) as partial:
            _write(folder, partial, names)
    except OSError as error:
        where = error.filename or target
        raise ValueError(
            f"{entry.name} could not be exported ({error.strerror}: {where}); make room, correct "
            "the permissions, or choose another place."
        ) from error


def _write(folder: Path, path: Path, names: list[str]) -> None:
    files = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            files[name] = _add(archive, folder, name)
        kind = "toy" if toys.is_toy(folder) else "full-scale"
        manifest = {"format": FORMAT, "name": folder.name, "kind": kind, "files": files}
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))


def _add(archive: zipfile.ZipFile, folder: Path, name: str) -> dict[str, int | str]:
    """Copy one file in, block by block; its size and checksum."""
    digest, size = hashlib.sha256(), 0
    with (
        (folder / name).open("rb") as source,
        archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as sink,
    ):
        while block := source.read(BLOCK):
            digest.update(block)
            size += len(block)
            sink.write(block)
    return {"size": size, "sha256": digest.hexdigest()}


def _is_file(path: Path) -> bool:
    return os.path.lexists(path) and path.is_file() and not path.is_symlink()
