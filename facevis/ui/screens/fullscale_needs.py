"""What a full-scale run will need: counted at once, and measured by ten real steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import streamlit as st

from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.needs import Needs, needs
from facevis.fullscale.probe import Probe
from facevis.ui import fullscale_state as fullscale
from facevis.ui import runs, state
from facevis.ui.quantities import duration, grouped, millions, size

Translate = Callable[..., str]

_POLL = 0.5


@lru_cache(maxsize=16)
def _counted(config: FullScaleConfig, identities: int, processes: int) -> Needs:
    return needs(config, identities, processes)


def draw(t: Translate, config: FullScaleConfig) -> None:
    """Counted at once; speed and time after a measurement."""
    processes = state.read("processes")
    st.markdown(f"**{t('full_needs')}**")
    try:
        with st.spinner(t("full_opening")):
            about = fullscale.about(config)
            found = _counted(config, about.identities, processes)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    images, identities = grouped(about.images), grouped(about.identities)
    st.caption(t("full_corpus", name=runs.plain(about.name), images=images, identities=identities))
    columns = st.columns(5)
    network, head = found.network_parameters, found.head_parameters or 0
    columns[0].metric(
        t("full_parameters"),
        millions(t, network + head),
        help=t("full_parameters_help", network=millions(t, network), head=millions(t, head)),
    )
    columns[1].metric(
        t("full_memory"),
        size(t, found.device_bytes),
        help=t(
            "full_memory_help",
            exact=size(t, found.fixed_bytes),
            activations=size(t, found.activation_bytes),
        ),
    )
    kept = min(config.follow.keep, -(-config.schedule.steps // config.follow.checkpoint_every))
    columns[2].metric(
        t("full_checkpoint"),
        size(t, found.checkpoint_bytes),
        help=t("full_checkpoint_help", all=size(t, found.checkpoint_bytes * kept)),
    )
    _measured(t, config, processes, columns[3:])


def _measured(t: Translate, config: FullScaleConfig, processes: int, columns: Any) -> None:
    probe = _probe_of(config, processes)
    result = probe.result if probe is not None else None
    columns[0].metric(t("full_speed"), grouped(result["images_per_second"]) if result else "–")
    seconds = result["seconds_left_for_the_run"] if result else None
    columns[1].metric(t("full_time"), "–" if seconds is None else duration(t, seconds))
    if probe is not None and probe.running:
        _progress(t, probe)
        return
    if probe is not None and probe.error:
        st.error(runs.plain(probe.error))
    if result is None and st.button(
        t("full_probe"), icon=":material/speed:", help=t("full_probe_help")
    ):
        end_probe()
        state.keep("full:probe", ((config, processes), Probe(config, processes)))
        st.rerun()


def _probe_of(config: FullScaleConfig, processes: int) -> Probe | None:
    """The measurement of this very configuration, if there is one."""
    asked, probe = state.recall("full:probe", (None, None))
    return probe if asked == (config, processes) else None


def end_probe() -> None:
    """Nobody waits for the measurement any more."""
    _, probe = state.take("full:probe") or (None, None)
    if probe is not None and probe.running:
        probe.cancel()


def _progress(t: Translate, probe: Probe) -> None:
    @st.fragment(run_every=_POLL)
    def show() -> None:
        if not probe.running:
            st.rerun()
        columns = st.columns([5, 1], vertical_alignment="center")
        phase, share = probe.progress
        columns[0].progress(min(1.0, share), text=t(f"full_probe_phase_{phase}"))
        if columns[1].button(t("full_cancel"), key="full:cancel"):
            end_probe()
            st.rerun()

    show()
