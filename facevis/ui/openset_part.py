"""A part of the open-set report as a Streamlit component: the browser asks for it and draws it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from facevis.i18n import browser_strings
from facevis.live.stream import BASE
from facevis.ui import state
from facevis.ui.live_view import browser_component


def openset_part(
    token: str, part: str, members: list[dict[str, Any]], key: str, *, shown: bool = False
) -> None:
    """Mount it; ``shown`` where the run is of models that were trained elsewhere."""
    words = browser_strings(state.language())
    data = {
        "token": token,
        "part": part,
        "base": BASE,
        "theme": st.context.theme.type or "light",
        "lang": state.language(),
        "shown": shown,
        "strings": {name: text for name, text in words.items() if not name.startswith(_OTHERS)},
        "members": members,
    }
    browser_component("facevis_openset", "openset/mount.js")(data=data, key=key, height="content")


_OTHERS = ("live_lesson_", "live_full_")
