"""What is kept for the page of all runs: which are looked at, what was said, a file in the making.

It knows runs and the session, and draws nothing.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlencode

from facevis.fullscale import jobs
from facevis.i18n import Said
from facevis.library import notes, packing, toys, unpacking
from facevis.library.comparing import MOST
from facevis.library.shelf import FULL, HERE, KINDS, ORDERS, TOY, Entry, entries
from facevis.link_parts import ignored_part
from facevis.links import (
    comparison_from_query,
    comparison_to_query,
    from_query,
    sweep_from_query,
    sweep_to_query,
    to_query,
)
from facevis.live import RunConfig
from facevis.live.presets import COMPARISONS
from facevis.live.rooms import rooms
from facevis.ui import state
from facevis.validation import path_of
from facevis.writing import scratch

LARGEST_UPLOAD = 200_000_000
"""Bytes that go through the browser; ``maxUploadSize`` of ``.streamlit/config.toml``."""


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    state.write({"chosen": [], "sought": "", "kinds": list(KINDS), "order": "newest", "all": False})
    wanted = [name for name in query.get("runs", "").split(",") if name]
    known = {entry.key for entry in entries(jobs.runs_folder())} if wanted else set()
    state.write({"chosen": [name for name in wanted if name in known][:MOST]})
    return [ignored_part("runs", name, Said("link_no_run")) for name in wanted if name not in known]


def shown(found: Sequence[Entry], described: Callable[[Entry], str]) -> list[Entry]:
    """Those that the filter leaves, in the order that is wished for."""
    sought = (state.read("sought") or "").casefold().split()
    kinds = state.read("kinds") or KINDS
    left = [
        entry
        for entry in found
        if entry.kind in kinds
        and all(word in f"{entry.name} {described(entry)}".casefold() for word in sought)
    ]
    order = state.read("order")
    if order in ORDERS:
        return sorted(left, key=ORDERS[order])
    return sorted(left, key=lambda entry: entry.name.casefold())


def do(work: Callable[[], str]) -> bool:
    """An action on a run; it gives what is said then. What cannot be done is said too."""
    try:
        said = ("done", work())
    except ValueError as error:
        said = ("error", str(error))
    state.keep("library:said", said)
    return said[0] == "done"


def said() -> tuple[str, str] | None:
    """What the last action had to say, once."""
    found: tuple[str, str] | None = state.take("library:said")
    return found


def follow(old: str, new: str | None) -> None:
    """A chosen run has another name now, or none; before the choice is drawn."""
    state.keep("library:follow", (old, new))


def chosen(found: Sequence[Entry]) -> tuple[list[str], list[str]]:
    """The runs that are looked at and are there; and those that are gone, by name."""
    old, new = state.take("library:follow") or ("", None)
    keys = [new if key == old else key for key in state.read("chosen") or []]
    if new and new not in keys:
        keys.append(new)
    wanted = [key for key in keys if key][-MOST:]
    known = {entry.key for entry in found}
    left = [key for key in wanted if key in known]
    state.write({"chosen": left})
    return left, [key for key in wanted if key not in known and not key.startswith("here:")]


# -- notes ----------------------------------------------------------------------------------------


def show_notes(folder: Path) -> None:
    """Write the notes on a run onto their widget, unless something unsaved stands there."""
    before = state.recall(f"library:before:{folder}", "")
    there = notes.read_notes(folder)
    if state.read(f"notes:{folder.name}") in (None, before):
        state.write({f"notes:{folder.name}": there})
        state.keep(f"library:before:{folder}", there)


def save_notes(folder: Path) -> None:
    """Callback of the notes."""
    text, before = state.read(f"notes:{folder.name}"), state.recall(f"library:before:{folder}", "")
    try:
        there = notes.write_notes(folder, text or "", before)
    except ValueError as error:
        state.keep("library:said", ("error", str(error)))
        return
    state.keep(f"library:before:{folder}", there)
    state.write({f"notes:{folder.name}": there})


# -- keeping, giving away, taking in --------------------------------------------------------------


def keep_living(entry: Entry, name: str) -> str:
    """Keep a toy run that lives in the app; its name."""
    run = rooms.find(entry.key.removeprefix("here:"))
    if run is None:
        raise ValueError(f"{entry.name} is no longer in the app; reload the page.")
    return toys.keep(toys.taken_from(run), jobs.runs_folder(), name.strip()).name


class Packed:
    """The file of a run, in a folder of its own that goes when nobody holds it."""

    def __init__(self, folder: Path, checkpoints: bool) -> None:
        place = scratch()
        self._gone = weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        self.of = (folder, checkpoints)
        self.path = place / f"{folder.name}{packing.SUFFIX}"
        packing.pack(folder, self.path, checkpoints)


def take_in(source: str | BinaryIO) -> str:
    """Take the run of a file in, an upload or a path on this machine; its name."""
    if not isinstance(source, str):
        return unpacking.unpack(source, jobs.runs_folder()).name
    if not source.strip():
        raise ValueError("no path was given; write where the file lies.")
    return unpacking.unpack(path_of(source.strip()), jobs.runs_folder()).name


# -- where a run can be opened --------------------------------------------------------------------


def links(entry: Entry) -> dict[str, str]:
    """Pages that show this run, by name, and their addresses."""
    lang = {"lang": state.language()}
    found = {}
    if entry.kind == FULL and entry.checkpoints and entry.config is not None:
        found["dimensions"] = f"dimensions?{urlencode({'run': entry.name, **lang})}"
        found["fullscale"] = f"fullscale?{urlencode({'run': entry.name, **lang})}"
    if entry.kind in (FULL, TOY) and entry.state == "finished":
        found["lecture"] = f"lecture?{urlencode({'lesson': 13, 'run': entry.name, **lang})}"
    if entry.kind in (TOY, HERE) and isinstance(entry.config, RunConfig):
        for page, query in _configured(entry.config).items():
            path = "./" if page == "playground" else page
            found[page] = f"{path}?{urlencode({**query, **lang})}"
    return found


def _configured(config: RunConfig) -> dict[str, dict[str, str]]:
    """Pages whose link says this very configuration."""
    if config.swept:
        query = sweep_to_query(config)
        return {"scrub": query} if sweep_from_query(query, RunConfig()) == (config, []) else {}
    if len(config.members) == 1:
        query = to_query(config)
        return {"playground": query} if from_query(query) == (config, []) else {}
    query = comparison_to_query(config)
    again = comparison_from_query(query, COMPARISONS["five"])
    return {"compare": query} if again == (config, []) else {}
