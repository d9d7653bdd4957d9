"""Putting a full-scale run together: recipe, pictures, any field; start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_origin

import streamlit as st

from facevis.fullscale import jobs, run_names
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.recipes import RECIPES
from facevis.ui import fullscale_state as fullscale
from facevis.ui import runs, state
from facevis.ui.fullscale_state import DRAWN, GROUPS, OPEN, SOURCES, Field
from facevis.ui.screens import fullscale_needs

Translate = Callable[..., str]

_WORDS = {
    "backbone.name": "network",
    "head.objective": "objective",
    "head.m1": "m1",
    "head.m2": "m2",
    "head.m3": "m3",
    "head.scale": "scale",
    "schedule.steps": "steps",
    "batch_size": "batch",
    "optimizer.learning_rate": "rate",
    "follow.checkpoint_every": "checkpoint_every",
    "follow.keep": "keep",
}
_SHORT = {"iresnet": "IResNet-", "mobilefacenet": "MobileFaceNet", "vit_": "ViT-"}


def draw(t: Translate) -> None:
    """The new run, in a frame; where it cannot be, why."""
    with st.container(border=True):
        _head(t)
        _pictures(t)
        _open_fields(t)
        _all_fields(t)
        columns = st.columns([3, 1])
        config = _checked()
        stem = config.recipe if isinstance(config, FullScaleConfig) else "run"
        free = run_names.free_name(jobs.runs_folder(), stem)
        columns[0].text_input(
            t("full_name"), key=state.key("name"), placeholder=free, help=t("full_name_help")
        )
        columns[1].number_input(
            t("full_processes"), 1, 1024, key=state.key("processes"), help=t("full_processes_help")
        )
        if isinstance(config, FullScaleConfig):
            fullscale_needs.draw(t, config)
        else:
            st.error(runs.plain(config))
        _start(t, config, free)


def _checked() -> FullScaleConfig | str:
    """The configuration, or in words why there is none."""
    try:
        return fullscale.configuration()
    except ValueError as error:
        return str(error)


def _head(t: Translate) -> None:
    row = st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    )
    row.markdown(f"**{t('full_new')}**", width="content")
    if row.button(t("full_close"), icon=":material/close:", type="tertiary"):
        fullscale_needs.end_probe()
        fullscale.drafting(False)
        st.rerun()
    st.selectbox(
        t("full_recipe"), list(RECIPES), key=state.key("recipe"), on_change=fullscale.take_recipe
    )
    st.caption(t(f"full_recipe_{state.read('recipe').replace('-', '_')}"))


# -- fields ---------------------------------------------------------------------------------------


def _pictures(t: Translate) -> None:
    st.segmented_control(
        t("full_source"),
        SOURCES,
        key=state.key("source"),
        format_func=lambda name: t(f"full_source_{name}"),
        required=True,
    )
    columns = st.columns(2)
    if state.read("source") == DRAWN:
        columns[0].number_input(t("full_people"), 2, 1_000_000, key=state.key("people"))
        columns[1].number_input(t("full_each"), 2, 1000, key=state.key("each"))
        st.caption(t("full_drawn_note", strangers=fullscale.STRANGERS))
        return
    columns[0].text_input(t("full_train"), key=state.key("data.train"), help=t("full_train_help"))
    columns[1].text_area(
        t("full_sets"), key=state.key("follow.sets"), help=t("full_sets_help"), height=100
    )


def _open_fields(t: Translate) -> None:
    """The fields that matter most, by their names in words."""
    known = fullscale.fields()
    margin = state.read("head.objective") not in ("softmax", "triplet", "contrastive")
    hidden = () if margin else ("head.m1", "head.m2", "head.m3")
    shown = [name for name in OPEN if name not in hidden]
    chosen = [name for name in shown if known[name].choices]
    of_loss = [name for name in shown if name.startswith("head.") and name not in chosen]
    others = [name for name in shown if name not in (*chosen, *of_loss)]
    for names in (chosen, of_loss, others):
        columns = st.columns(len(names), vertical_alignment="bottom")
        for column, name in zip(columns, names, strict=True):
            with column:
                _widget(t, known[name], t(f"full_{_WORDS[name]}"))


def _all_fields(t: Translate) -> None:
    """Every other field, by the names that the command line has."""
    with st.expander(t("full_all"), icon=":material/tune:"):
        st.caption(t("full_all_note"))
        tabs = st.tabs([t(f"full_group_{group}") for group in GROUPS])
        for tab, group in zip(tabs, GROUPS, strict=True):
            with tab:
                columns = st.columns(3)
                rest = [f for f in fullscale.fields().values() if f.group == group]
                for place, field in enumerate(f for f in rest if f.name not in OPEN):
                    with columns[place % 3]:
                        _widget(t, field, field.name.rpartition(".")[2])


def _widget(t: Translate, field: Field, label: str) -> None:
    """The widget that fits the type of a field."""
    shared: dict[str, Any] = {
        "key": state.key(field.name),
        "help": t(f"full_help_{field.name.replace('.', '_')}"),
    }
    if field.choices:
        st.selectbox(label, field.choices, format_func=lambda one: _named(t, field, one), **shared)
    elif field.kind is bool:
        st.checkbox(label, **shared)
    elif field.kind is int:
        st.number_input(label, step=1, **shared)
    elif field.kind is float:
        st.number_input(label, step=_step(field), format="%g", **shared)
    else:
        assert field.kind is str or get_origin(field.kind) is tuple
        st.text_input(label, **shared)


def _named(t: Translate, field: Field, choice: str) -> str:
    if field.name == "head.objective":
        return t(f"full_objective_{choice}")
    if field.name == "backbone.name":
        begin = next(start for start in _SHORT if choice.startswith(start))
        return _SHORT[begin] + choice.removeprefix(begin).upper()
    return choice


def _step(field: Field) -> float:
    """How far one press of an arrow moves a number."""
    return 0.05 if field.name.startswith("head.m") else abs(field.first) / 10 or 0.1


# -- start ----------------------------------------------------------------------------------------


def _start(t: Translate, config: FullScaleConfig | str, free: str) -> None:
    busy = any(job.alive or job.state == "queued" for job in jobs.find(jobs.runs_folder()))
    pressed = st.button(
        t("full_queue" if busy else "full_start"),
        type="primary",
        icon=":material/play_arrow:",
        disabled=isinstance(config, str),
        key="full:start",
    )
    if not pressed or isinstance(config, str):
        return
    name = (state.read("name") or "").strip() or free
    try:
        with st.spinner(t("full_opening")):
            fullscale.about(config)
            fullscale.check_sets(config)
        fullscale_needs.end_probe()
        jobs.submit(jobs.runs_folder(), name, config, state.read("processes"))
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    state.keep("full:next", name)
    fullscale.drafting(False)
    st.rerun()
