"""The live view as a Streamlit component: a stub that imports the static module and mounts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from facevis.i18n import strings
from facevis.live.stream import BASE

# The module and its style come from our own route: what stands here is sent with every update.
_STUB = f"""
export default function (component) {{
  // The stub runs from a blob, where a path has no host to be relative to.
  const ready = import(window.location.origin + "{BASE}/web/live.js");
  ready.then((live) => live.mount(component));
  return () => ready.then((live) => live.unmount?.(component));
}}
"""


def live_view(
    data: dict[str, Any],
    on_steering: Callable[[], None],
    on_reseed: Callable[[], None],
    key: str = "live",
) -> None:
    """Mount the view (once; later calls update it); the callbacks hear the sliders and the seed."""
    component = st.components.v2.component("facevis_live", js=_STUB, isolate_styles=False)
    component(
        data=data,
        key=key,
        on_steering_change=on_steering,
        on_reseed_change=on_reseed,
        height="content",
    )


def live_strings(language: str) -> dict[str, str]:
    """The words of the live view, which speaks for itself in the browser."""
    return {key: text for key, text in strings(language).items() if key.startswith("live_")}
