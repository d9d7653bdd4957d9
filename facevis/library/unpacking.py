"""A run out of a file that somebody else made: everything is checked before anything is kept.

Which names, how many, how large, which checksums; then that every part is what it says
(``checks``). What is refused is refused in one sentence and leaves nothing behind. It knows
archives and folders.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from facevis.fullscale import run_names
from facevis.fullscale.journal import METRICS
from facevis.library import toys
from facevis.library.checks import CHECKPOINT_FILE, FULL_FILES, TOY_FILES, check_run
from facevis.library.notes import LONGEST, NOTES
from facevis.library.packing import BLOCK, FORMAT, MANIFEST
from facevis.validation import line, path_of
from facevis.writing import beside, bring_to_disk, clear

_KINDS = {"toy": TOY_FILES, "full-scale": FULL_FILES}
_MOST_MEMBERS = 20_000
_LARGEST = {NOTES: 4 * LONGEST, METRICS: 2**30, toys.RECORDING: 2**29, "log.txt": 2**25}
_LARGEST_TEXT = 2**22
"""Bytes of any other file that is no tensors."""
_UNREADABLE = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, struct.error, ValueError),
    *(zlib.error, OverflowError, KeyError, IndexError, TypeError, RecursionError, OSError),
)
"""What reading a damaged archive raises."""


def unpack(source: Path | BinaryIO, runs: Path) -> Path:
    """Take the run of a file into the folder of runs, under its own name or a free one like it.

    Raises ``ValueError`` in one sentence; then the folder of runs is as it was.
    """
    if isinstance(source, Path):
        if not path_of(source).is_file():
            raise ValueError(f"{source} is no file; check the path.")
        try:
            with source.open("rb") as file:
                return unpack(file, runs)
        except OSError as error:
            raise ValueError(
                f"{source} cannot be read ({error.strerror}); check the path."
            ) from error
    with _opened(source) as archive:
        manifest = _checked_names(archive, _size_of(source))
        try:
            _make_room(runs, sum(entry["size"] for entry in manifest["files"].values()))
            with beside(runs / manifest["name"]) as growing:
                growing.mkdir()
                for name, told in manifest["files"].items():
                    _extract(archive, name, told, growing)
                _check_run(growing, manifest)
                bring_to_disk(growing)
                return run_names.land(growing, runs, manifest["name"])
        except OSError as error:
            raise ValueError(
                f"the run could not be written to {runs} ({error.strerror or error}); make room or "
                "correct the permissions."
            ) from error


def _damaged(reason: object) -> ValueError:
    said = line(str(reason).rstrip("."), 300)  # names in the file may be endless
    return ValueError(f"this is no whole file of a run ({said}); export it anew.")


def _opened(source: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except _UNREADABLE as error:
        raise _damaged(error) from error


def _size_of(source: BinaryIO) -> int:
    return source.seek(0, 2)


# -- the archive ----------------------------------------------------------------------------------


def _checked_names(archive: zipfile.ZipFile, size: int) -> dict[str, Any]:
    """The manifest, once every member of the archive is one that it names and a run can have."""
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise _damaged(f"it has {len(infos):,} members; a run has {_MOST_MEMBERS:,} at most")
    seen: set[str] = set()
    for info in infos:
        _check_member(info, seen)
    if sum(info.file_size for info in infos) > size:
        raise _damaged("its members claim more bytes than the file has")
    if MANIFEST not in seen:
        raise _damaged(f"{MANIFEST} is missing")
    manifest = _manifest(archive)
    wanted = manifest["files"].keys()
    for name in sorted(seen - wanted - {MANIFEST}):
        raise _damaged(f"{name!r} is not in its {MANIFEST}")
    for name in sorted(wanted - seen):
        raise _damaged(f"{name!r} is missing")
    for info in infos:
        if info.filename != MANIFEST and info.file_size != manifest["files"][info.filename]["size"]:
            raise _damaged(f"{info.filename!r} is not as long as its {MANIFEST} says")
    return manifest


def _check_member(info: zipfile.ZipInfo, seen: set[str]) -> None:
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    fixed = {MANIFEST, *FULL_FILES, *TOY_FILES}
    if name != info.filename or not (name in fixed or CHECKPOINT_FILE.fullmatch(name)):
        raise _damaged(f"{name[:80]!r} is no file of a run")
    if name in seen:
        raise _damaged(f"{name!r} is in it twice")
    seen.add(name)
    if kind not in (0, stat.S_IFREG):
        raise _damaged(f"{name!r} is a link or no file")
    if info.flag_bits & 1:
        raise _damaged(f"{name!r} is encrypted")
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise _damaged(f"{name!r} is compressed; the files of a run are stored")
    if not name.endswith(".safetensors"):
        most = _LARGEST.get(name, _LARGEST_TEXT)
        if info.file_size > most:
            raise _damaged(f"{name!r} has {info.file_size:,} bytes; {most:,} are the most")


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        found = json.loads(archive.read(MANIFEST))
    except _UNREADABLE as error:
        raise _damaged(f"{MANIFEST} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        shown = repr(found.get("format") if isinstance(found, dict) else None)[:60]
        raise ValueError(
            f"the file of the run is of a version of facevis that this one does not know ({shown} "
            f"instead of {FORMAT!r}); export it anew."
        )
    if found.keys() != {"format", "name", "kind", "files"} or not isinstance(found["name"], str):
        raise _damaged(f"{MANIFEST} has other fields than it should")
    run_names.check_name(found["name"])
    allowed = _KINDS.get(found["kind"]) if isinstance(found["kind"], str) else None
    if allowed is None or not isinstance(found["files"], dict):
        raise _damaged(f"{MANIFEST} does not say what kind of run it is")
    for name, told in found["files"].items():
        checkpoint = found["kind"] == "full-scale" and CHECKPOINT_FILE.fullmatch(name)
        if name not in allowed and not checkpoint:
            raise _damaged(f"{name[:80]!r} is no file of a {found['kind']} run")
        right = isinstance(told, dict) and told.keys() == {"size", "sha256"}
        if not right or type(told["size"]) is not int or not isinstance(told["sha256"], str):
            raise _damaged(f"{MANIFEST} does not tell size and checksum of {name!r}")
    return found


def _extract(archive: zipfile.ZipFile, name: str, told: dict[str, Any], folder: Path) -> None:
    """Copy one member out, block by block, and compare its checksum."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as sink:
        for block in _blocks(archive, name):
            digest.update(block)
            size += len(block)
            sink.write(block)
    if (size, digest.hexdigest()) != (told["size"], told["sha256"]):
        raise _damaged(f"{name!r} is not what its checksum says")


def _blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as member:
            while block := member.read(BLOCK):
                yield block
    except _UNREADABLE as error:
        raise _damaged(f"{name!r} cannot be read: {error}") from error


# -- landing --------------------------------------------------------------------------------------


def _check_run(folder: Path, manifest: dict[str, Any]) -> None:
    """Every part is what it says; else nothing is kept."""
    try:
        check_run(folder, list(manifest["files"]))
    except ValueError as error:
        # Nobody knows the folder in which it was looked at.
        said = str(error).replace(f"{folder}/", "").replace(str(folder), manifest["name"])
        raise _damaged(said) from error


def _make_room(runs: Path, size: int) -> None:
    """The folder of runs is there and has room, also that of an import that was cut off."""
    runs.mkdir(parents=True, exist_ok=True)
    clear(runs)
    free = shutil.disk_usage(runs).free
    if size > free:
        raise ValueError(
            f"the run takes {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in {runs}; "
            "make room."
        )
