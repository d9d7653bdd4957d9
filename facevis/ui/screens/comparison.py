"""The comparison: two to six losses side by side, from the same weights on the same batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import streamlit as st

from facevis.links import MEMBERS_ON_SCREEN, comparison_to_query
from facevis.live import RunConfig
from facevis.live.config import OPEN_MARGINS
from facevis.live.presets import COMPARISONS
from facevis.live.trainer import LiveRun
from facevis.margins import GRADIENTS, TAILS
from facevis.mining import MINING
from facevis.objectives import MARGIN_FAMILY, OBJECTIVES
from facevis.ui import comparison_state as comparison
from facevis.ui import controls, runs, state, take_away
from facevis.ui.live_view import live_view, view_data
from facevis.ui.screens import seeds

Translate = Callable[..., str]

SCALES = (1e-3, 1e4)
"""As wide as the core allows: a link may ask for any of it."""


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Controls → configuration, open its run, draw the live view."""
    run = runs.page(t, query, comparison.begin, _sidebar, comparison.configuration)
    if run is not None:
        _draw(t, *run)


def _sidebar(t: Translate) -> str | None:
    changed = comparison.touched
    controls.select(
        t, "preset", [*COMPARISONS, state.OWN], comparison.take_preset, words="comparison"
    )
    for place in range(state.read("count")):
        member(t, place)
    count = comparison.take_count
    controls.number(st, t, "count", *MEMBERS_ON_SCREEN, 1, count, words="members")
    st.toggle(t("equal_scale"), key=state.key("equal_scale"), on_change=changed)
    if state.read("equal_scale"):
        controls.number(st, t, "scale", *SCALES, 1.0, changed, help=t("scale_help"))
    controls.dimension(t, comparison.take_dimension)
    dataset = controls.data(t, changed)
    controls.training(t, changed)
    return dataset


def member(t: Translate, place: int) -> None:
    """The controls of one loss."""
    field, changed = comparison.field_of, comparison.touched
    objective = state.read(field(place, "objective"))
    with st.expander(f"{place + 1} · {t(f'objective_{objective}')}"):
        controls.select(
            t,
            field(place, "objective"),
            OBJECTIVES,
            lambda: comparison.take_objective(place),
            words="objective",
        )
        limits = {"m1": (1e-3, 10.0, 0.05), "m2": (0.0, math.pi, 0.05), "m3": (0.0, 2.0, 0.05)}
        for name in OPEN_MARGINS.get(objective, ()):
            controls.number(st, t, field(place, name), *limits[name], changed, words=name)
        if objective in ("contrastive", "triplet"):
            controls.number(
                *(st, t, field(place, "distance_margin"), 0.001, 10.0, 0.05, changed),
                words="distance_margin",
            )
        if objective == "triplet":
            controls.select(t, field(place, "mining"), MINING, changed, words="mining")
        if objective in MARGIN_FAMILY:
            if not state.read("equal_scale"):
                controls.number(st, t, field(place, "scale"), *SCALES, 1.0, changed, words="scale")
            controls.select(t, field(place, "tail"), TAILS, changed, words="tail")
            controls.select(t, field(place, "gradient"), GRADIENTS, changed, words="gradient")


def _draw(t: Translate, token: str, config: RunConfig, run: LiveRun) -> None:
    preset = state.read("preset")
    query = {"losses": preset} if preset in COMPARISONS else comparison_to_query(config)
    st.query_params.from_dict({**query, "lang": state.language()})
    if comparison.scales_differ(config):
        st.warning(t("scales_differ"))
        notes = []
    else:
        known = preset in COMPARISONS
        notes = [t(f"comparison_note_{preset}" if known else "comparison_lead")]
    if config.unseen and preset != comparison.DEFAULT:
        notes.append(t("hollow_note"))
    st.caption(" ".join(notes))
    live_view(view_data(token, "compare"), key="live_compare", on_reseed=comparison.take_seed)
    seeds.section(t, config)
    take_away.section(t, run)
