"""Files and folders that appear whole or not at all, whatever happens meanwhile.

They grow under another name in the same folder, are brought to the disk, and are renamed: a full
disk or a killed process leaves what was there. What a killed process began is cleared away by the
next write beside it, as long as it is of this machine: others may be at work in a shared folder.
Only what grows line by line (a journal, a log, the table of votes) is written elsewhere.
"""

from __future__ import annotations

import atexit
import errno
import itertools
import os
import platform
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
_GROWING = re.compile(r"\.facevis-([0-9a-f]{8})-(\d+)-\d+-([0-9a-f]{8})\.partial")
_SCRATCH = re.compile(r"facevis-([0-9a-f]{8})-(\d+)-\w+")
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What a disk says that did not keep what it was given; others just know no fsync."""
_MANY = 200
"""Files of a folder that are brought to the disk one by one."""

_count = itertools.count()
_mine: set[str] = set()
"""What grows in this process: a number of a process is used again."""


@contextmanager
def growing(path: Path) -> Iterator[Path]:
    """A name for a file or a folder to fill, which becomes ``path`` when the block ends well.

    It is gone otherwise. ``OSError`` as it comes; a file that is there stays until it is replaced.
    """
    path = path.resolve() if path.is_symlink() else path  # the link stays
    with beside(path) as partial:
        yield partial
        bring_to_disk(partial)
        partial.replace(path)


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A free name in the same folder; what bears it when the block ends is removed.

    For those who find out last what it shall be called, and rename it then.
    """
    clear(path.parent)
    partial = path.with_name(
        f".facevis-{_MACHINE}-{os.getpid()}-{next(_count)}-{_mark(path)}.partial"
    )
    _mine.add(partial.name)
    try:
        yield partial
    finally:
        _remove(partial)
        _mine.discard(partial.name)


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file whole or not at all; ``OSError`` as it comes.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "notes.txt", "Ada")
    ...     [(path.name, path.read_text()) for path in Path(folder).iterdir()]
    [('notes.txt', 'Ada')]
    """
    with growing(path) as partial:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)


def write_in_words(
    path: Path, data: str | bytes, remedy: str = "make room or choose another place"
) -> None:
    """``write_whole``; what keeps the file from being written is a ``ValueError`` in words."""
    with in_words(path, remedy):
        write_whole(path, data)


def take_files(folder: Path) -> None:
    """Make a folder and see that it takes files, before hours of work are done for it.

    ``ValueError`` in words if it does not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError as error:
        raise ValueError(f"{folder} is a file; name a folder.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"{folder} takes no files ({reason}); name another folder.") from error


@contextmanager
def new_file(path: Path, replace: bool = False) -> Iterator[Path]:
    """A file to write, which gets its name when the block ends well and vanishes otherwise.

    ``ValueError`` in words, also if the name is taken, unless an old file may be replaced.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with new_file(Path(folder) / "list.txt") as partial:
    ...         _ = partial.write_text("Ada/1.jpg")
    ...     [path.name for path in Path(folder).iterdir()]
    ['list.txt']
    """
    with in_words(path):
        if not replace and path.exists():
            raise ValueError(f"{path} exists already; choose another name.")
        with growing(path) as partial:
            yield partial


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when the block ends well and vanishes otherwise.

    ``ValueError`` in words, also if it is there and not empty, or another process fills it.
    """
    with in_words(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder} exists and is not empty; choose another name.")
        with growing(folder) as partial:
            partial.mkdir(parents=True)
            _refuse_company(folder, partial)
            yield partial
            if folder.exists():
                folder.rmdir()


@contextmanager
def in_words(path: Path, remedy: str = "make room or choose another place") -> Iterator[None]:
    """What keeps a path from being written, as a ``ValueError`` with what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ValueError(f"{path} cannot be written ({reason}); {remedy}.") from error


def clear(folder: Path) -> None:
    """Remove what processes of this machine that are gone left half written in a folder."""
    for entry in _leftovers(folder, _GROWING):
        _remove(entry)


def scratch() -> Path:
    """A folder that goes with this process; if it is killed, with the next that asks for one."""
    place = Path(tempfile.gettempdir())
    for entry in _leftovers(place, _SCRATCH):
        _remove(entry)
    folder = Path(tempfile.mkdtemp(prefix=f"facevis-{_MACHINE}-{os.getpid()}-"))
    _mine.add(folder.name)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _leftovers(folder: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            found = pattern.fullmatch(entry.name)
            if found and found[1] == _MACHINE and not _at_work(entry.name, int(found[2])):
                yield entry


def _at_work(name: str, process: int) -> bool:
    return name in _mine if process == os.getpid() else psutil.pid_exists(process)


def _refuse_company(folder: Path, own: Path) -> None:
    for entry in folder.parent.iterdir():
        found = _GROWING.fullmatch(entry.name)
        if found and found[3] == _mark(folder) and entry != own:
            raise ValueError(
                f"another process writes {folder} just now; wait for it, choose another name, or "
                f"delete {entry} if it was left by a machine that is gone."
            )


def _mark(path: Path) -> str:
    return f"{zlib.crc32(os.fsencode(path.name)):08x}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def bring_to_disk(path: Path) -> None:
    """Before it gets its name: else a loss of power could leave the name and no content."""
    files = [path]
    if path.is_dir():
        files = [Path(place, name) for place, _, names in os.walk(path) for name in names]
    if len(files) > _MANY and hasattr(os, "sync"):
        os.sync()  # one by one they would take minutes
        return
    for file in files:
        _sync(file)


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        try:
            os.fsync(opened.fileno())
        except OSError as error:
            if error.errno in _LOST:
                raise
