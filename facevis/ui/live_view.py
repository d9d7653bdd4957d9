"""The live view as a Streamlit component: a stub that imports the static module and mounts it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from facevis.live.stream import BASE

# The module and its style come from our own route: what stands here is sent with every update.
_STUB = f"""
export default function (component) {{
  const ready = import("{BASE}/web/live.js");
  ready.then((live) => live.mount(component));
  return () => ready.then((live) => live.unmount?.(component));
}}
"""


def live_view(data: dict[str, Any], key: str = "live") -> Any:
    """Mount the view (once; later calls update it) and return its state: steering and reseed."""
    component = st.components.v2.component("facevis_live", js=_STUB, isolate_styles=False)
    return component(
        data=data,
        key=key,
        on_steering_change=lambda: None,
        on_reseed_change=lambda: None,
        height="content",
    )
