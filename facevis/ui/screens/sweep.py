"""The sweep: one margin at many settings, trained as one run, and a slider through all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from facevis.links import sweep_to_query
from facevis.live import RunConfig
from facevis.live.sweep import POSTERIOR, SWEPT, sweep_bound, swept_values
from facevis.live.trainer import LiveRun
from facevis.margins import GRADIENTS, TAILS
from facevis.ui import controls, runs, state, take_away
from facevis.ui import sweep_state as sweep
from facevis.ui.live_view import live_view, view_data

Translate = Callable[..., str]


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Controls → configuration, open its run, draw the live view."""
    run = runs.page(t, query, sweep.begin, _sidebar, sweep.configuration, aligned=True)
    if run is not None:
        _draw(t, *run)


def _sidebar(t: Translate) -> str | None:
    st.segmented_control(
        t("swept"),
        SWEPT,
        key=state.key("swept"),
        format_func=lambda name: t(f"swept_{name}"),
        on_change=sweep.take_swept,
        required=True,
    )
    columns = st.columns(2)
    controls.number(columns[0], t, "from", 0.0, 1e3, 0.05)
    controls.number(columns[1], t, "to", 0.0, 1e3, 0.05)
    controls.number(st, t, "models", 2, 101, 1, help=t("models_help"))
    with st.expander(t("at_rest")):
        for name in (*sweep.MARGINS, "scale"):
            if name != state.read("swept"):
                controls.number(st, t, name, 0.0, 1e4, 1.0 if name == "scale" else 0.05)
        controls.select(t, "tail", TAILS)
        controls.select(t, "gradient", GRADIENTS)
    controls.dimension(t, sweep.take_dimension)
    dataset = controls.data(t)
    controls.training(t)
    return dataset


def _draw(t: Translate, token: str, config: RunConfig, run: LiveRun) -> None:
    st.query_params.from_dict({**sweep_to_query(config), "lang": state.language()})
    st.caption(t("sweep_lead"))
    name = config.swept or "m2"
    bound = sweep_bound(config, name, run.material.num_classes)
    values = swept_values(config, name)
    data = {
        "name": name,
        "values": values,
        "bound": bound,
        "posterior": POSTERIOR,
        "objective": config.members[0].objective,
    }
    live_view(view_data(token, "sweep", sweep=data), key="live_sweep", on_reseed=state.new_seed)
    take_away.section(t, run)
