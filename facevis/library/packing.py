"""A run as one file and back: a zip whose members are stored as they are, named in a manifest.

Nothing of a file lands before all of it was looked at: names, sizes and digests against the
manifest, then configuration, journal, checkpoints and recording as the readers of facevis see
them. No pickle is read or written.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from safetensors import SafetensorError, safe_open

from facevis.corpora.writing import new_file
from facevis.fullscale import checkpoint, jobs
from facevis.fullscale.journal import read_journal
from facevis.fullscale.runs import CHECKPOINTS, read_config
from facevis.library import catalogue, keeping

SUFFIX = ".facevis.zip"
FORMAT = "facevis-run-1"
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 4 * 2**20
_MOST_FILES = 20_000
_CHUNK = 2**20
_OF_SMALL = re.compile(r"recording\.npz|about\.json|notes\.txt")
_OF_FULL = re.compile(
    r"config\.json|environment\.json|metrics\.jsonl|notes\.txt|log\.txt"
    r"|checkpoints/step-\d{8}/(progress\.json|[\w\-]{1,120}\.safetensors)"
)
_NEEDED = {"small": {"recording.npz", "about.json"}, "full": {"config.json"}}
_AGAIN = "get the file again, or export the run again"

Progress = Callable[[int, int], None]


def export_run(
    folder: Path, path: Path, *, checkpoints: bool = True, progress: Progress | None = None
) -> None:
    """Write a run as one file; with its checkpoints, or without.

    Raises ``ValueError`` in words for a run that trains or is broken, and where nothing can be
    written; then no file is left. ``progress`` hears of bytes.
    """
    entry = catalogue.entry(folder)
    if entry.state in ("starting", "training", "stopping"):
        raise ValueError(f"{entry.name} is {entry.state}; export it when it rests.")
    if entry.state == "broken":
        raise ValueError(entry.sentence)
    files = list(_files(folder, entry.kind, checkpoints))
    total, done = sum(size for _, size in files), 0
    listed: dict[str, dict[str, Any]] = {}
    with new_file(path, replace=True) as partial:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for name, _ in files:
                digest, size = hashlib.sha256(), 0
                with (
                    (folder / name).open("rb") as source,
                    archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target,
                ):
                    while chunk := source.read(_CHUNK):
                        target.write(chunk)
                        digest.update(chunk)
                        size += len(chunk)
                        done += len(chunk)
                        if progress:
                            progress(done, total)
                listed[name] = {"size": size, "sha256": digest.hexdigest()}
            manifest = {"format": FORMAT, "kind": entry.kind, "name": entry.name, "files": listed}
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))


def import_run(path: Path, runs: Path, progress: Progress | None = None) -> Path:
    """Take in a run from a file that ``export_run`` wrote; its folder, under a free name.

    Raises ``ValueError`` in one sentence for a file that is anything else, is damaged or was
    changed; then nothing of it is left.
    """
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, name)
            return _take_in(archive, manifest, runs, name, progress)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {path}; check the path.") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{name} is not a whole run in a file ({error}); {_AGAIN}.") from error
    except OSError as error:
        raise ValueError(
            f"{name} cannot be taken in ({error.strerror or error}); make room, or correct the "
            f"permissions of it and of {runs}."
        ) from error


def _files(folder: Path, kind: str, checkpoints: bool) -> Iterator[tuple[str, int]]:
    """What of a run is exported, and how large it is."""
    allowed = _OF_SMALL if kind == "small" else _OF_FULL
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not allowed.fullmatch(name) or not path.is_file() or path.is_symlink():
            continue
        if checkpoints or not name.startswith(CHECKPOINTS):
            yield name, path.stat().st_size


def _manifest(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """What the file says it holds, and every member is as it says."""
    infos = archive.infolist()
    if len(infos) > _MOST_FILES:
        raise ValueError(f"{name} holds {len(infos)} files, which no run does; {_AGAIN}.")
    names = [info.filename for info in infos]
    if names.count(_MANIFEST) != 1 or len(set(names)) != len(names):
        raise ValueError(f"{name} is no run in a file (one {_MANIFEST} is missing); {_AGAIN}.")
    if archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
        raise ValueError(f"{name} has a {_MANIFEST} of absurd size; {_AGAIN}.")
    try:
        manifest = json.loads(archive.read(_MANIFEST))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the {_MANIFEST} of {name} is not JSON; {_AGAIN}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(
            f"{name} is of a version of facevis that this one does not know; export the run with "
            "this version."
        )
    kind, files = manifest.get("kind"), manifest.get("files")
    if kind not in _NEEDED or not isinstance(files, dict) or not _NEEDED[kind] <= set(files):
        raise ValueError(f"the {_MANIFEST} of {name} does not describe a run; {_AGAIN}.")
    allowed = _OF_SMALL if kind == "small" else _OF_FULL
    for info in infos:
        if info.filename == _MANIFEST:
            continue
        said = files.get(info.filename)
        if not allowed.fullmatch(info.filename) or not isinstance(said, dict):
            raise ValueError(
                f"{name} holds {info.filename[:80]!r}, which is no part of a run; {_AGAIN}."
            )
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise ValueError(f"{name} was packed anew; take the file as it was exported.")
        if said.get("size") != info.file_size or info.compress_size != info.file_size:
            raise ValueError(f"{info.filename} in {name} has another size than said; {_AGAIN}.")
    missing = set(files) - set(names)
    if missing:
        raise ValueError(f"{min(missing)[:80]} is missing in {name}; {_AGAIN}.")
    return manifest


def _take_in(
    archive: zipfile.ZipFile,
    manifest: dict[str, Any],
    runs: Path,
    name: str,
    progress: Progress | None,
) -> Path:
    files = manifest["files"]
    total, done = sum(said["size"] for said in files.values()), 0
    runs.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(runs).free
    if total > free:
        raise ValueError(
            f"{name} needs {total / 2**20:,.0f} MiB and {free / 2**20:,.0f} are free; make room."
        )
    growing = Path(tempfile.mkdtemp(prefix=".importing-", dir=runs))
    try:
        for member, said in files.items():
            target = growing / member
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as out:
                digest = _copy(source, out, said["size"])
            if digest != said.get("sha256"):
                raise ValueError(f"{member} in {name} was changed or damaged; {_AGAIN}.")
            done += said["size"]
            if progress:
                progress(done, total)
        _look_at(growing, manifest["kind"], name)
        growing.chmod(0o755)
        final = runs / jobs.free_name(runs, str(manifest.get("name", "run")))
        return growing.rename(final)
    finally:
        if growing.exists():
            shutil.rmtree(growing, ignore_errors=True)


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        size -= len(chunk)
        if size < 0:
            raise zipfile.BadZipFile("a member is longer than it says")
        target.write(chunk)
        digest.update(chunk)
    return digest.hexdigest()


def _look_at(folder: Path, kind: str, name: str) -> None:
    """All that a run is made of can be read; messages name the file that was to be taken in."""
    try:
        if kind == "small":
            keeping.about(folder)
            keeping.recording_of(folder)
            return
        read_config(folder)
        read_journal(folder)
        place = folder / CHECKPOINTS
        for step in checkpoint.steps(place):
            checkpoint.progress_of(place, step)
        for path in place.rglob("*.safetensors"):
            with safe_open(path, framework="np") as tensors:
                tensors.keys()
    except SafetensorError as error:
        raise ValueError(f"{name} holds a damaged checkpoint ({error}); {_AGAIN}.") from error
    except ValueError as error:
        said = str(error).replace(f"{folder}/", "").replace(str(folder), name)
        raise ValueError(f"{name} holds a run that cannot be read: {said}") from error
