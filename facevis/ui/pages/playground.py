"""The playground: one run under the hand, on the circle or the sphere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from facevis.live import Recording, RunConfig
from facevis.live.presets import PRESETS, shipped_recording
from facevis.live.rooms import rooms
from facevis.live.trainer import LiveRun
from facevis.objectives import MARGIN_FAMILY
from facevis.ui import controls, state
from facevis.ui.links import to_query
from facevis.ui.live_view import live_strings, live_view

Translate = Callable[..., str]
Shown = tuple[str, RunConfig, LiveRun]

RANGES = {"m1": [1.0, 4.0, 0.05], "m2": [0.0, 1.2, 0.01], "m3": [0.0, 1.0, 0.01], "s": [1, 64, 0.5]}
"""What the sliders reach; links and the library take more."""


def page(t: Translate) -> None:
    """Controls → configuration, open its run, draw the live view."""
    with st.sidebar:
        dataset = controls.sidebar(t)
    error = state.take("opened_error")
    if error:
        st.error(error)
    if dataset is None:
        st.info(t("own_waiting"))
        return
    run = _open_run(t, dataset)
    with st.sidebar:
        _recording_controls(t, run)
    if run is not None:
        _draw(t, *run)


def _open_run(t: Translate, dataset: str) -> Shown | None:
    """The run that the controls describe: the one on screen if it is the same, else a new one."""
    current = state.run_on_screen()
    try:
        config = state.configuration(dataset)
        opened = state.take("opened_recording")
        if current is None or config != current[1] or opened:
            recording = opened or shipped_recording(config)
            with st.spinner(t("loading")):
                token = rooms.open(config, recording)
            _leave(current)
            state.remember_run(token, config)
            current = state.run_on_screen()
            if recording is None and current is not None:
                current[2].play()
    except ValueError as error:
        st.error(t("not_changed", reason=str(error)) if current else str(error))
    return current


def _leave(current: Shown | None) -> None:
    """The run that was on screen need not go on: its only viewer looks at another now."""
    if current is not None and current[2].viewers <= 1:
        current[2].pause()


def _draw(t: Translate, token: str, config: RunConfig, run: LiveRun) -> None:
    preset = state.recall("preset")
    query = {"preset": preset} if preset in PRESETS else to_query(config)
    st.query_params.from_dict({**query, "lang": state.language()})
    st.caption(t(f"preset_note_{preset}") if preset in PRESETS else t("playground_lead"))
    _tell_about_own_pictures(t, config, run)
    live_view(
        {
            "token": token,
            "base": "/facevis",
            "theme": st.context.theme.type or "light",
            "lang": state.language(),
            "strings": live_strings(state.language()),
            "ranges": RANGES,
            "steering": _steering(config),
            "controls": ["m1", "m2", "m3", "s"] if _has_margin(config) else [],
            "autoplay": run.state == "recorded",
            "view": "normal",
            "project_to_circle": False,
        },
        on_steering=_steered,
        on_reseed=state.take_seed,
    )


def _steered() -> None:
    steering: Any = (state.recall("live") or {}).get("steering")
    if isinstance(steering, Mapping):
        state.take_steering(steering.get("margin"), steering.get("scale"))


def _steering(config: RunConfig) -> list[float]:
    """What the page knows of the sliders: m1, m2, m3 and the scale."""
    member = config.members[0]
    assert member.margin is not None
    return [*member.margin.as_tuple(), member.scale]


def _has_margin(config: RunConfig) -> bool:
    return config.members[0].objective in MARGIN_FAMILY


def _tell_about_own_pictures(t: Translate, config: RunConfig, run: LiveRun) -> None:
    dataset = run.material.dataset
    if state.recall("dataset") != state.OWN:
        return
    st.caption(
        t(
            "own_loaded",
            images=len(dataset.labels),
            classes=dataset.num_classes,
            name=dataset.name,
        )
    )
    skipped = getattr(dataset, "skipped", ())
    if skipped:
        st.warning(t("own_skipped", count=len(skipped), first=skipped[0]))


def _recording_controls(t: Translate, run: Shown | None) -> None:
    """Save the run on screen; open a saved one."""
    if run is not None:
        st.download_button(
            t("save_recording"),
            data=lambda: run[2].recording.to_bytes(),
            file_name="facevis-recording.npz",
            help=t("recording_help"),
            on_click="ignore",
        )
    st.file_uploader(t("open_recording"), type="npz", key="opened", on_change=_opened)


def _opened() -> None:
    """Callback of the upload: the widgets must take its settings before they are drawn."""
    upload = state.recall("opened")
    if upload is None:
        return
    try:
        recording = Recording.from_bytes(upload.getvalue(), upload.name)
        state.show_recording(recording)
    except ValueError as error:
        state.keep("opened_error", str(error))
