"""Names of runs: which can be, and which are free."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_NAME = re.compile(r"[\w\-][\w\- .]{0,79}")
_TRIES = 5


def free_name(runs: Path, stem: str) -> str:
    """A name that no run has: ``demo``, else ``demo 2`` …"""
    stem = "".join(c if _NAME.fullmatch(f"a{c}") else " " for c in stem).strip(" .")[:60]
    stem = stem.encode()[:160].decode(errors="ignore").strip(" .") or "run"
    number, name = 1, stem
    while (runs / name).exists():
        number += 1
        name = f"{stem} {number}"
    return name


def land(growing: Path, runs: Path, stem: str, name: str = "") -> Path:
    """Give a folder that is whole its name, or a free one; others may take names meanwhile."""
    for _ in range(_TRIES if not name else 0):
        with contextlib.suppress(OSError):
            return growing.rename(runs / free_name(runs, stem))
    return growing.rename(runs / (name or free_name(runs, stem)))


def check_name(name: str) -> str:
    """The name, if a run can have it; ``ValueError`` says what it may be."""
    # File systems count bytes, and names of files in the making are longer.
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")) or len(name.encode()) > 180:
        raise ValueError(
            f"{name[:80]!r} cannot be the name of a run; take up to 80 letters, digits, spaces, "
            "hyphens and dots, and begin with a letter or digit."
        )
    return name
