"""Windows of the app (Streamlit's sessions): so many at once; others wait in a line.

A window has its place until it is closed. Nothing tells when that is: it is looked for when
another asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from facevis.classroom.limits import limits

Translate = Callable[..., str]

_ASK_SECONDS = 2.0


class Windows:
    """Who has a place, in the order of coming."""

    def __init__(self) -> None:
        self._all: dict[str, None] = {}
        self._lock = threading.Lock()

    def place(self, window: str, limit: int, opened: Callable[[str], bool]) -> int:
        """0 for the first ``limit`` windows that are open, then the place in the line.

        >>> windows = Windows()
        >>> [windows.place(name, 2, lambda name: True) for name in "abcda"]
        [0, 0, 1, 2, 0]
        >>> windows.place("d", 2, lambda name: name in "bd")
        0
        """
        with self._lock:
            self._all.setdefault(window)
            self._all = {name: None for name in self._all if name == window or opened(name)}
            return max(0, list(self._all).index(window) + 1 - limit)


_windows = Windows()


def this_window() -> str:
    """The window for which the script runs."""
    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


def is_open(window: str) -> bool:
    """Whether somebody has it before them."""
    return not runtime.exists() or runtime.get_instance().is_active_session(window)


def wait_for_place(t: Translate) -> None:
    """Go on with a place; else say how long the line is, and go on by itself."""
    if not _place():
        return

    @st.fragment(run_every=_ASK_SECONDS)
    def ask() -> None:
        place = _place()
        if not place:
            st.rerun()
        st.info(t("room_windows_full", limit=limits().sessions, place=place))

    ask()
    st.stop()


def _place() -> int:
    return _windows.place(this_window(), limits().sessions, is_open)
