"""Runs given away and taken in: files that are packed, and looked at before anything lands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from facevis.library import packing
from facevis.library.shelf import FULL, Entry
from facevis.ui import library_state as library
from facevis.ui import state
from facevis.ui.library_words import size
from facevis.ui.screens.library_acts import act, tell
from facevis.validation import path_of

Translate = Callable[..., str]


def export(t: Translate, entry: Entry, folder: Path) -> None:
    """One run as a file: to save from the browser, or to write on this machine."""
    weights = entry.kind == FULL and bool(entry.checkpoints)
    checkpoints = weights and st.toggle(
        t("runs_export_weights", size=size(t, entry.weights)),
        value=True,
        key=f"library:weights:{entry.name}",
    )
    sizes = [path.stat().st_size for path in _packed_files(folder, checkpoints)]
    key, file_name = f"library:packed:{entry.name}", f"{entry.name}{packing.SUFFIX}"
    if sum(sizes) <= library.LARGEST_UPLOAD:
        if st.button(t("runs_export_make"), key=f"library:make:{entry.name}"):
            with st.spinner(t("runs_exporting")):
                library.do(lambda: _make(t, key, folder, checkpoints))
            tell(t)
        packed = state.recall(key)
        if packed is not None and packed.of == (folder, checkpoints):
            st.download_button(
                t("runs_export_save", name=file_name, size=size(t, packed.path.stat().st_size)),
                data=packed.path.read_bytes,
                file_name=file_name,
                mime="application/zip",
                on_click="ignore",
                type="primary",
            )
    target = st.text_input(
        t("runs_export_here"),
        str(Path.home() / file_name),
        key=f"library:to:{entry.name}",
        help=t("runs_export_here_help"),
    )
    if st.button(t("runs_export_write"), key=f"library:write:{entry.name}"):
        with st.spinner(t("runs_exporting")):
            library.do(lambda: _write(t, folder, path_of(target), checkpoints))
        tell(t)


def _packed_files(folder: Path, checkpoints: bool) -> list[Path]:
    found = [folder / name for name in packing.members(folder, checkpoints)]
    return [path for path in found if path.is_file()]


def _make(t: Translate, key: str, folder: Path, checkpoints: bool) -> str:
    state.keep(key, None)
    state.keep(key, library.Packed(folder, checkpoints))
    return t("runs_export_made")


def _write(t: Translate, folder: Path, target: Path, checkpoints: bool) -> str:
    packing.pack(folder, target, checkpoints)
    return t("runs_export_written", path=str(target))


def take_in(t: Translate) -> None:
    """A run that was given away comes back: uploaded, or from a path on this machine."""
    with st.expander(t("runs_import"), icon=":material/unarchive:"):
        st.caption(t("runs_import_help"))
        st.file_uploader(
            t("runs_import_file"), type="zip", key="library:upload", on_change=lambda: _uploaded(t)
        )
        columns = st.columns([4, 1], vertical_alignment="bottom")
        path = columns[0].text_input(t("runs_import_path"), key=state.key("path"))
        if columns[1].button(t("runs_import_now"), key="library:import"):
            act(lambda: _taken(t, path))


def _uploaded(t: Translate) -> None:
    """Callback of the upload."""
    upload = state.recall("library:upload")
    if upload is not None:
        library.do(lambda: _taken(t, upload))


def _taken(t: Translate, source: str | BinaryIO) -> str:
    name = library.take_in(source)
    library.follow("", name)
    return t("runs_imported", name=name)
