"""``results.json``: what each benchmark last gave, when, on which machine and of which commit.

``{"head": {"status": "met", "figures": {...}, "seconds": 61, "date": ..., "commit": ..., ...}}``.
A benchmark is replaced by itself only, so that a part can be measured anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from machine import code, git

RESULTS = Path(__file__).with_name("results.json")

Entries = dict[str, dict[str, Any]]
_FIELDS = {"status", "seconds", "date", "commit", "dirty", "machine"}


def read(text: str, name: str) -> Entries:
    """The entries of a file of results; ``ValueError`` in words if it is none."""
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if not isinstance(entries, dict) or not all(map(_whole, entries.values())):
        raise ValueError(
            f"{name} holds no results; restore it (git checkout) or delete it, and start again."
        )
    return entries


def _whole(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.keys() >= _FIELDS


def lying(path: Path = RESULTS) -> Entries:
    """The results as they lie in the folder; none if there is no file."""
    return read(path.read_text(encoding="utf-8"), path.name) if path.exists() else {}


def committed(path: Path = RESULTS) -> Entries | None:
    """The results of the last commit; None without git, or if none were committed."""
    if code(path)["commit"] is None:
        return None
    text = git("show", f"HEAD:./{path.name}")
    return None if text is None else read(text, f"{path.name} of the last commit")


def keep(name: str, entry: dict[str, Any], path: Path = RESULTS) -> None:
    """Replace one entry and leave the others; the file is there as a whole at any moment."""
    entries = dict(sorted({**lying(path), name: entry}.items()))
    growing = path.with_name(f".{path.name}.part")
    growing.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    growing.replace(path)
