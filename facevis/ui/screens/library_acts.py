"""Doing something with a run, and saying what came of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from facevis.ui import library_state as library
from facevis.ui import runs

Translate = Callable[..., str]


def tell(t: Translate) -> None:
    """What came of the last act."""
    said = library.said()
    if said is not None:
        (st.error if said[0] == "error" else st.success)(runs.plain(said[1]))


def act(work: Callable[[], str]) -> None:
    """Do something with a run, and draw the page anew."""
    library.do(work)
    st.rerun()
