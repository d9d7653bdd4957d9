"""The live view as a Streamlit component: a stub that imports the static module and mounts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from facevis.i18n import browser_strings
from facevis.live.stream import BASE
from facevis.ui import classroom_state, state


def browser_component(name: str, module: str, room: str = "") -> Callable[..., Any]:
    """A component that one of our static modules mounts; until then it keeps ``room`` free.

    The module and its style come from our own route: what stands here is sent with every update.
    """
    # The stub runs from a blob, where a path has no host to be relative to.
    stub = f"""
export default function (component) {{
  const ready = import(window.location.origin + "{BASE}/web/{module}");
  const place = component.parentElement;
  if ("{room}" && !place.textContent) {{
    const waiting = document.createElement("p");
    waiting.style.minHeight = "{room}";
    waiting.textContent = component.data.strings.live_loading;
    place.append(waiting);
    ready.finally(() => waiting.remove());
  }}
  ready.then((part) => part.mount(component));
  return () => ready.then((part) => part.unmount?.(component));
}}
"""
    return st.components.v2.component(name, js=stub, isolate_styles=False)


def follow_theme() -> None:
    """Draw the page anew when the machine turns from light to dark: views are told their theme."""
    component = browser_component("facevis_theme", "theme.js")
    component(key="theme", on_turned_change=lambda: None)


def live_view(
    data: dict[str, Any],
    key: str,
    on_reseed: Callable[[], None],
    on_steering: Callable[[], None] = lambda: None,
) -> None:
    """Mount the view (once; later calls update it); the callbacks hear the sliders and the seed."""
    classroom_state.show_run(data)
    component = browser_component("facevis_live", "live.js", room="70vh")
    component(
        data=data,
        key=key,
        on_steering_change=on_steering,
        on_reseed_change=on_reseed,
        on_forked_change=lambda: state.follow_fork((state.recall(key) or {}).get("forked")),
        height="content",
    )


def view_data(token: str, mode: str, **more: Any) -> dict[str, Any]:
    """What the view is told of a run: ``mode`` is "single", "compare" or "sweep"."""
    start = state.start_for(token)
    return {
        "token": token,
        "mode": mode,
        "base": BASE,
        "theme": st.context.theme.type or "light",
        "lang": state.language(),
        "strings": live_strings(state.language()),
        "ranges": {},
        "controls": [],
        "autoplay": state.was_complete(token),
        "view": "normal",
        "project_to_circle": start.get("project", False),
        "at": start.get("step"),
        "camera": start.get("camera"),
        "place": start.get("place"),
        **more,
    }


def live_strings(language: str) -> dict[str, str]:
    """The words of the live view; not what would be sent with every update for other components."""
    words = browser_strings(language)
    others = ("live_lesson_", "live_open_", "live_full_", "live_room_")
    return {key: text for key, text in words.items() if not key.startswith(others)}
