"""The playground: one run under the hand, on the circle or the sphere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from facevis.links import to_query
from facevis.live import Recording, RunConfig
from facevis.live.presets import PRESETS, shipped_recording
from facevis.live.trainer import LiveRun
from facevis.margins import GRADIENTS, TAILS
from facevis.mining import MINING
from facevis.objectives import MARGIN_FAMILY, OBJECTIVES
from facevis.ui import controls, runs, state, take_away
from facevis.ui import playground_state as playground
from facevis.ui.live_view import live_view, view_data

Translate = Callable[..., str]
Shown = tuple[str, RunConfig, LiveRun]

RANGES = {"m1": [1.0, 4.0, 0.05], "m2": [0.0, 1.2, 0.01], "m3": [0.0, 1.0, 0.01], "s": [1, 64, 0.5]}
"""What the sliders reach; links and the library take more."""


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Controls → configuration, open its run, draw the live view."""
    runs.begin(t, query, playground.begin)
    with st.sidebar:
        dataset = _sidebar(t)
    error = state.take("opened_error")
    if error:
        st.error(runs.plain(error))
    if dataset is None:
        st.info(t("own_waiting"))
        return
    opened = state.take("opened_recording")
    run = runs.open_run(
        t,
        lambda: playground.configuration(dataset),
        lambda config: opened or shipped_recording(config),
        anew=opened is not None,
    )
    with st.sidebar:
        _recording_controls(t, run)
    if run is not None:
        _draw(t, *run)


def _sidebar(t: Translate) -> str | None:
    """Draw all controls; the chosen dataset (a name or a path), None while it is being chosen."""
    changed = playground.touched
    controls.select(t, "preset", [*PRESETS, state.OWN], playground.take_preset)
    controls.select(t, "objective", OBJECTIVES, playground.take_objective)
    controls.dimension(t, playground.take_dimension)
    dataset = controls.data(t, changed)
    objective = state.read("objective")
    if objective in ("contrastive", "triplet"):
        controls.number(st, t, "distance_margin", 0.001, 10.0, 0.05, changed, format="%.2f")
    if objective == "triplet":
        controls.select(t, "mining", MINING, changed)
        st.toggle(t("squared"), key=state.key("squared"), on_change=changed)
    controls.training(t, changed)
    if objective in MARGIN_FAMILY:
        with st.expander(t("margin_details")):
            controls.select(t, "tail", TAILS, changed)
            controls.select(t, "gradient", GRADIENTS, changed)
            controls.number(st, t, "warmup", 0, 1_000_000, 50, changed)
    return dataset


def _draw(t: Translate, token: str, config: RunConfig, run: LiveRun) -> None:
    preset = state.read("preset")
    query = {"preset": preset} if preset in PRESETS else to_query(config)
    st.query_params.from_dict({**query, "lang": state.language()})
    st.caption(t(f"preset_note_{preset}") if preset in PRESETS else t("playground_lead"))
    _tell_about_own_pictures(t, config, run)
    live_view(
        view_data(
            token,
            "single",
            ranges=RANGES,
            steering=_steering(config),
            controls=["m1", "m2", "m3", "s"] if _has_margin(config) else [],
        ),
        key="live",
        on_steering=_steered,
        on_reseed=playground.take_seed,
    )
    take_away.section(t, run)


def _steered() -> None:
    steering: Any = (state.recall("live") or {}).get("steering")
    if isinstance(steering, Mapping):
        playground.take_steering(steering.get("margin"), steering.get("scale"))


def _steering(config: RunConfig) -> list[float]:
    """What the page knows of the sliders: m1, m2, m3 and the scale."""
    member = config.members[0]
    assert member.margin is not None
    return [*member.margin.as_tuple(), member.scale]


def _has_margin(config: RunConfig) -> bool:
    return config.members[0].objective in MARGIN_FAMILY


def _tell_about_own_pictures(t: Translate, config: RunConfig, run: LiveRun) -> None:
    dataset = run.material.dataset
    if state.read("dataset") != state.OWN:
        return
    st.caption(
        t(
            "own_loaded",
            images=len(dataset.labels),
            classes=dataset.num_classes,
            name=runs.plain(dataset.name),
        )
    )
    skipped = getattr(dataset, "skipped", ())
    if skipped:
        st.warning(t("own_skipped", count=len(skipped), first=runs.plain(skipped[0])))


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
        playground.show_recording(recording)
    except ValueError as error:
        state.keep("opened_error", str(error))
