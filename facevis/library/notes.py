"""What people do with a run on the shelf: note, rename, delete, make room.

Notes are plain text in ``notes.txt``. It knows folders and no screen.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from facevis.fullscale import jobs
from facevis.fullscale.runs import CHECKPOINTS
from facevis.library import toys
from facevis.library.shelf import entry_of, size_of
from facevis.writing import write_whole

NOTES = "notes.txt"
LONGEST = 20_000
"""Characters of a note."""
_PATIENCE = 5.0
"""Seconds that another writer is waited for."""


def read_notes(folder: Path) -> str:
    """The notes on a run, empty where there are none; ``ValueError`` if they cannot be read."""
    path = folder / NOTES
    try:
        with path.open("rb") as file:
            return file.read(8 * LONGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}); correct its permissions."
        ) from error


def write_notes(folder: Path, text: str, before: str) -> str:
    """Write the notes on a run; what stands there then.

    ``before`` is what the writer had read: where somebody else wrote meanwhile, both texts stay,
    be they together longer than what one may write.
    """
    entry_of(folder)
    if len(text) > LONGEST:
        raise ValueError(f"the notes have {len(text):,} characters; {LONGEST:,} are kept at most.")
    try:
        # Between reading and writing nobody else writes: another window, another app.
        with FileLock(folder.parent / ".notes.lock", timeout=_PATIENCE):
            there = read_notes(folder)
            both = text if there in (before, text, "") else f"{there}\n\n{text}"
            write_whole(folder / NOTES, both)
    except OSError as error:
        raise ValueError(
            f"the notes on {folder.name} could not be written ({error.strerror or error}); make "
            f"room or correct the permissions of {folder}. The text is still on the page."
        ) from error
    return both


def rename(folder: Path, name: str) -> Path:
    """Give a run another name, which is that of its folder; the new folder."""
    return jobs.move(folder, name) if toys.is_toy(folder) else jobs.rename(folder, name)


def delete(folder: Path) -> None:
    """Remove a run with all it holds; a removal that was cut off is finished by the next."""
    if toys.is_toy(folder):
        jobs.discard(folder)
    else:
        jobs.delete(folder)


def free_checkpoints(folder: Path) -> int:
    """Remove all checkpoints of a run but the last; the bytes that are free now."""
    entry = entry_of(folder)
    if entry.busy:
        raise ValueError(f"{entry.name} is {entry.state}; stop it before you remove checkpoints.")
    there = folder / CHECKPOINTS
    freed = 0
    for step in entry.checkpoints[:-1]:
        path = there / f"step-{step:08d}"
        size = size_of(path)
        jobs.discard(path)
        freed += size
    return freed
