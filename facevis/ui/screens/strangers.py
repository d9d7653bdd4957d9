"""The open-set page: losses trained on some identities, judged by others that they never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from facevis.links import MEMBERS_ON_SCREEN, comparison_to_query
from facevis.live import RunConfig
from facevis.live.frames import describe_member
from facevis.live.trainer import LiveRun
from facevis.ui import comparison_state as comparison
from facevis.ui import controls, runs, state, take_away
from facevis.ui import strangers_state as strangers
from facevis.ui.live_view import live_view, view_data
from facevis.ui.openset_part import openset_part
from facevis.ui.projection_state import CHOSEN
from facevis.ui.screens.comparison import SCALES, member

Translate = Callable[..., str]


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Controls → configuration, open its run, draw the part that is looked at."""
    run = runs.page(t, query, strangers.begin, _sidebar, strangers.configuration)
    if run is not None:
        _draw(t, *run)


def _sidebar(t: Translate) -> str | None:
    dataset = controls.data(t, chosen=strangers.take_dataset)
    dim = strangers.take_dimension
    controls.number(st, t, "embedding_dim", 2, 512, 1, dim, help=t("open_dim_help"))
    if state.read("embedding_dim") > 3:
        _projection(t)
    count = comparison.take_count
    controls.number(st, t, "count", *MEMBERS_ON_SCREEN, 1, count, words="members")
    for place in range(state.read("count")):
        member(t, place)
    st.toggle(t("equal_scale"), key=state.key("equal_scale"))
    if state.read("equal_scale"):
        controls.number(st, t, "scale", *SCALES, 1.0, help=t("scale_help"))
    controls.training(t)
    return dataset


def _projection(t: Translate) -> None:
    controls.projection_kind(t, st)
    if state.read("kind") == "span":
        columns = st.columns(3)
        for column, name in zip(columns, CHOSEN, strict=True):
            controls.number(column, t, name, 0, 999, 1, words=f"open_{name}")


def _draw(t: Translate, token: str, config: RunConfig, run: LiveRun) -> None:
    st.caption(t(f"open_lead_{state.read('part') or strangers.PARTS[0]}"))
    part = st.segmented_control(
        t("open_part"),
        strangers.PARTS,
        key=state.key("part"),
        format_func=lambda name: t(f"open_part_{name}"),
        required=True,
        label_visibility="collapsed",
    )
    assert part is not None
    query = {**comparison_to_query(config), "part": part}
    projection = strangers.projection()
    if projection:
        query["proj"] = projection
    st.query_params.from_dict({**query, "lang": state.language()})
    if comparison.scales_differ(config):
        st.warning(t("scales_differ"))
    if part == "landing":
        data = view_data(token, "compare", projection=projection)
        live_view(data, key="live_strangers", on_reseed=state.new_seed)
        take_away.section(t, run)
        return
    openset_part(token, part, [describe_member(member) for member in config.members], "openset")
    st.download_button(
        t("open_save"),
        data=lambda: run.recording.to_bytes(),
        file_name="facevis-recording.npz",
        help=t("open_save_help"),
        on_click="ignore",
    )
    take_away.keep(t, run)
