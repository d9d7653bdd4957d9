"""Runs side by side on the page of all runs: settings that differ, and curves over steps."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facevis.figures.look import TEN
from facevis.library import comparing
from facevis.library.comparing import Curve
from facevis.library.shelf import FULL, NUMBERS, Entry
from facevis.ui import runs, state
from facevis.ui.library_words import SHARES, title

Translate = Callable[..., str]

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_FEW_POINTS = 12


def draw(t: Translate, chosen: Sequence[Entry]) -> None:
    """The settings, then the curves."""
    names = _names(t, chosen)
    mixed = len({entry.kind == FULL for entry in chosen}) == 2
    st.markdown(f"##### {t('runs_settings')}")
    everything = st.toggle(t("runs_all_fields"), key=state.key("all"))
    rows = comparing.table(chosen)
    rows = [row for row in rows if everything or row.differs]
    if mixed:
        st.caption(t("runs_mixed"))
    if rows:
        columns = {t("runs_field"): [row.field for row in rows]}
        for place, name in enumerate(names):
            columns[name] = [row.values[place] or "–" for row in rows]
        st.dataframe(pd.DataFrame(columns), hide_index=True)
    else:
        st.info(t("runs_same"))
    st.markdown(f"##### {t('runs_curves')}")
    try:
        curves = comparing.curves(chosen)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    _curves(t, names, curves)
    if mixed:
        st.caption(t("runs_mixed_accuracy"))


def _names(t: Translate, chosen: Sequence[Entry]) -> list[str]:
    """A name for each run, told apart where two have the same."""
    titles = [title(t, entry) for entry in chosen]
    return [
        name if titles.count(name) == 1 else f"{name} ({place + 1})"
        for place, name in enumerate(titles)
    ]


def _curves(t: Translate, names: Sequence[str], curves: dict[str, list[Curve]]) -> None:
    st.html(_legend(names))
    logarithmic = st.toggle(t("runs_logarithmic"), key=state.key("logarithmic"))
    shown = [name for name in NUMBERS if name in curves]
    for place, name in enumerate(shown):
        if place % 2 == 0:  # a row each, so that a narrow screen keeps the order
            columns = st.columns(2)
        figure = _figure(t, name, names, curves[name], logarithmic)
        columns[place % 2].plotly_chart(
            figure, key=f"library:chart:{name}", config={"displayModeBar": False}
        )


def _legend(names: Sequence[str]) -> str:
    parts = [
        "<span style='display:inline-flex;align-items:center;gap:.4rem;margin:0 1.1rem .2rem 0'>"
        f"<i style='width:1.4rem;height:.3rem;border-radius:2px;background:{TEN[place]}'></i>"
        f"{html.escape(name)}</span>"
        for place, name in enumerate(names)
    ]
    return f"<div style='display:flex;flex-wrap:wrap'>{''.join(parts)}</div>"


def _figure(
    t: Translate, name: str, names: Sequence[str], curves: Sequence[Curve], logarithmic: bool
) -> go.Figure:
    figure = go.Figure()
    share = name in SHARES
    for curve in curves:
        own = curve.title.partition(": ")[2]
        label = f"{names[curve.run]}: {own}" if own else names[curve.run]
        few = len(curve.steps) <= _FEW_POINTS
        figure.add_scatter(
            x=curve.steps,
            y=[None if v is None else 100 * v for v in curve.values] if share else curve.values,
            mode="lines+markers" if few else "lines",
            name=html.escape(label),
            line={"color": TEN[curve.run], "dash": _DASHES[curve.member % len(_DASHES)]},
            hovertemplate="%{y:.4g}, %{x}",
        )
    unit = "" if name == "loss" else " (%)" if share else " (°)"
    figure.update_layout(
        title={"text": t(f"runs_{name}") + unit, "font": {"size": 14}, "x": 0},
        height=250,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        showlegend=False,
        hovermode="closest",
        separators=", " if state.language() == "ru" else ".,",
    )
    figure.update_xaxes(title_text=t("runs_step"), type="log" if logarithmic else "linear")
    return figure
