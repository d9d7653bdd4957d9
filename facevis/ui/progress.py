"""The bar of what is made on a thread, and a way to do without it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from facevis.atlas import Survey

Translate = Callable[..., str]

_POLL = 0.4


def follow(t: Translate, survey: Survey, cancel: Callable[[], None]) -> None:
    """Show how far a survey is until it ends; then the whole page is drawn again."""

    @st.fragment(run_every=_POLL)
    def show() -> None:
        if not survey.running:
            st.rerun()
        columns = st.columns([5, 1], vertical_alignment="center")
        share = survey.done / survey.total if survey.total else 0.0
        phase = survey.phase if survey.total else "preparing"
        text = t(f"dims_{phase}", done=survey.done, total=survey.total)
        columns[0].progress(min(1.0, share), text=text)
        if columns[1].button(t("dims_cancel"), key="survey_cancel"):
            cancel()
            st.rerun()

    show()
