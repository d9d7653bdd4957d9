"""The page of all runs: listed, compared, annotated, renamed and deleted."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from facevis.fullscale import jobs
from facevis.i18n import told
from facevis.library import comparing, notes
from facevis.library.shelf import HERE, KINDS, ORDERS, Entry, entries
from facevis.ui import library_state as library
from facevis.ui import runs, state
from facevis.ui.library_words import number, size, title, what
from facevis.ui.screens import library_comparison, library_files
from facevis.ui.screens.library_acts import act, tell

Translate = Callable[..., str]

_ROWS, _ROW, _WIDTH = 10, 35, 250
"""Runs that are seen without scrolling; pixels of a row, and of the column that says what it is."""


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """What there is, what is chosen of it, and what can be done with that."""
    runs.begin(t, query, library.begin)
    st.caption(t("runs_lead"))
    found = entries(jobs.runs_folder())
    tell(t)
    keys, gone = library.chosen(found)
    if gone:
        st.warning(t("runs_gone", names=runs.plain(", ".join(gone))))
    if not found:
        library_files.take_in(t)
        st.query_params.from_dict({"lang": state.language()})
        st.info(t("runs_none", folder=runs.plain(str(jobs.runs_folder()))))
        return
    _shelf(t, found)
    library_files.take_in(t)
    by_key = {entry.key: entry for entry in found}
    st.multiselect(
        t("runs_chosen"),
        list(by_key),
        key=state.key("chosen"),
        format_func=lambda key: title(t, by_key[key]),
        max_selections=comparing.MOST,
        placeholder=t("runs_choose", most=comparing.MOST),
        help=t("runs_chosen_help"),
    )
    keys = state.read("chosen")
    named = ",".join(key for key in keys if by_key[key].kind != HERE)
    st.query_params.from_dict({**({"runs": named} if named else {}), "lang": state.language()})
    chosen = [by_key[key] for key in keys]
    if len(chosen) > 1:
        library_comparison.draw(t, chosen)
    for entry in chosen:
        with st.expander(runs.plain(title(t, entry)), expanded=len(chosen) == 1):
            _one(t, entry)


# -- the list -------------------------------------------------------------------------------------


def _shelf(t: Translate, found: Sequence[Entry]) -> None:
    above = st.columns([3, 5, 3], vertical_alignment="bottom")
    above[0].text_input(t("runs_seek"), key=state.key("sought"), help=t("runs_seek_help"))
    above[1].pills(
        t("runs_kinds"),
        KINDS,
        selection_mode="multi",
        key=state.key("kinds"),
        format_func=lambda kind: t(f"runs_kind_{kind}"),
    )
    above[2].selectbox(
        t("runs_order"),
        [*ORDERS, "name"],
        key=state.key("order"),
        format_func=lambda name: t(f"runs_order_{name}"),
    )
    left = library.shown(found, lambda entry: what(t, entry))
    if not left:
        st.info(t("runs_filtered"))
    else:
        columns = {t("runs_what"): st.column_config.TextColumn(width=_WIDTH)}
        rows = min(len(left), _ROWS) + 1
        st.dataframe(
            _table(t, left), hide_index=True, column_config=columns, height=_ROW * rows + 3
        )
    st.caption(
        t(
            "runs_total",
            count=len(found),
            size=size(t, sum(entry.size for entry in found)),
            weights=size(t, sum(entry.weights for entry in found)),
            folder=runs.plain(str(jobs.runs_folder())),
        )
    )


def _table(t: Translate, found: Sequence[Entry]) -> pd.DataFrame:
    columns: dict[str, list[str]] = {
        t("runs_name"): [entry.name for entry in found],
        t("runs_kind"): [t(f"runs_kind_{entry.kind}") for entry in found],
        t("runs_what"): [what(t, entry) for entry in found],
        t("runs_state"): [t(f"runs_state_{entry.state}") for entry in found],
        t("runs_step"): [f"{entry.step} / {entry.steps}" if entry.steps else "" for entry in found],
    }
    for name in ("loss", "accuracy", "tar", "w_ec", "w_inter"):
        cells = [number(name, entry.numbers.get(name, ())) for entry in found]
        if any(cells):
            columns[t(f"runs_{name}")] = cells
    columns[t("runs_when")] = [_when(t, entry) for entry in found]
    columns[t("runs_size")] = [size(t, entry.size) if entry.size else "" for entry in found]
    columns[t("runs_weights")] = [size(t, e.weights) if e.weights else "" for e in found]
    return pd.DataFrame(columns)


def _when(t: Translate, entry: Entry) -> str:
    if not entry.changed:
        return t("runs_now")
    return datetime.datetime.fromtimestamp(entry.changed).strftime("%Y-%m-%d %H:%M")


# -- one run --------------------------------------------------------------------------------------


def _one(t: Translate, entry: Entry) -> None:
    state_of = [t(f"runs_state_{entry.state}"), what(t, entry)]
    st.markdown(runs.plain(" · ".join(part for part in state_of if part)))
    if entry.sentence:
        st.warning(runs.plain(told(t, entry.sentence)))
    row = st.container(horizontal=True, vertical_alignment="center")
    for page, link in library.links(entry).items():
        row.link_button(t(f"runs_open_{page}"), link)
    if entry.folder is None:
        _keep(t, entry)
        return
    _notes(t, entry.folder)
    actions = st.container(horizontal=True, vertical_alignment="center")
    if entry.state != "broken" and not entry.busy:
        with actions.popover(t("runs_export"), icon=":material/archive:"):
            library_files.export(t, entry, entry.folder)
    if entry.busy:
        st.caption(t("runs_busy"))
        return
    with actions.popover(t("runs_rename"), icon=":material/edit:"):
        _rename(t, entry.name, entry.folder)
    if len(entry.checkpoints) > 1:
        with actions.popover(t("runs_free"), icon=":material/cleaning_services:"):
            _free(t, entry, entry.folder)
    with actions.popover(t("runs_delete"), icon=":material/delete:"):
        _delete(t, entry, entry.folder)


def _keep(t: Translate, entry: Entry) -> None:
    st.caption(t("runs_here_note"))
    columns = st.columns([3, 1], vertical_alignment="bottom")
    name = state.key(f"keep:{entry.key}")
    wanted = columns[0].text_input(t("runs_keep_as"), key=name, placeholder=entry.name)
    if columns[1].button(t("runs_keep"), type="primary", key=f"library:keep:{entry.key}"):

        def work() -> str:
            kept = library.keep_living(entry, wanted or "")
            library.follow(entry.key, kept)
            return t("runs_kept", name=kept)

        act(work)


def _notes(t: Translate, folder: Path) -> None:
    try:
        library.show_notes(folder)
    except ValueError as error:
        st.warning(runs.plain(str(error)))
        return
    st.text_area(
        t("runs_notes"),
        key=state.key(f"notes:{folder.name}"),
        max_chars=notes.LONGEST,
        help=t("runs_notes_help"),
        on_change=lambda: library.save_notes(folder),
    )


def _rename(t: Translate, old: str, folder: Path) -> None:
    name = st.text_input(t("runs_rename_to"), old, key=f"library:name:{old}")
    if st.button(t("runs_rename"), type="primary", key=f"library:rename:{old}"):

        def work() -> str:
            new = notes.rename(folder, name.strip()).name
            library.follow(old, new)
            return t("runs_renamed", old=old, new=new)

        act(work)


def _free(t: Translate, entry: Entry, folder: Path) -> None:
    st.markdown(t("runs_free_sure", count=len(entry.checkpoints) - 1))
    if st.button(t("runs_free_now"), type="primary", key=f"library:free:{entry.name}"):
        act(lambda: t("runs_freed", size=size(t, notes.free_checkpoints(folder))))


def _delete(t: Translate, entry: Entry, folder: Path) -> None:
    name = f"**{runs.plain(entry.name)}**"
    st.markdown(t("runs_delete_sure", name=name, size=size(t, entry.size)))
    if st.button(t("runs_delete_now"), type="primary", key=f"library:delete:{entry.name}"):

        def work() -> str:
            notes.delete(folder)
            library.follow(entry.key, None)
            return t("runs_deleted", name=entry.name)

        act(work)
