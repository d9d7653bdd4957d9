"""The classroom beside the lecturer's pages: how to come in, who is there, and what they see."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable

import streamlit as st

from facevis.classroom.room import Classroom, current
from facevis.lessons.routes import qr_svg
from facevis.ui import classroom_state

Translate = Callable[..., str]

_LOOK_SECONDS = 2.0


def panel(t: Translate) -> Callable[[], None]:
    """Draw it, if there is a classroom; what is returned says, after the page, what students see.

    A page may compute for a while: the way in is there at once.
    """
    room = current()
    if room is None:
        return lambda: None
    with st.container(border=True, gap="xsmall"):
        _way_in(t, room)
        _who(t, room)
        if classroom_state.led() is None:
            st.caption(t("room_other_leads"))
            st.button(t("room_lead"), on_click=classroom_state.take_lead, key="room_lead")
            return lambda: None
        place = st.empty()
    place.caption(t(classroom_state.said_before()))

    def say() -> None:
        place.caption(t(classroom_state.said()))

    return say


def _way_in(t: Translate, room: Classroom) -> None:
    code, places = html.escape(room.door.code), "<br>".join(map(html.escape, room.addresses))
    st.html(
        f"<div style='line-height:1.35'>{html.escape(t('room_join'))}<br>"
        f"<span style='overflow-wrap:anywhere'>{places or html.escape(t('room_no_address'))}</span>"
        f"<br><b style='font:700 1.7rem/1.4 monospace;letter-spacing:.12em'>{code}</b></div>"
    )
    if room.addresses:
        with st.popover(t("room_qr"), width="stretch"):
            for address in room.addresses:
                st.caption(html.escape(address))
                st.html(_qr(t, f"{address}/#{room.door.code}"))


def _qr(t: Translate, text: str) -> str:
    picture = base64.b64encode(qr_svg(text)).decode()
    name = html.escape(t("room_qr"), quote=True)
    return f"<img style='width:100%' alt='{name}' src='data:image/svg+xml;base64,{picture}'>"


def _who(t: Translate, room: Classroom) -> None:
    @st.fragment(run_every=_LOOK_SECONDS)
    def look() -> None:
        joined, waiting = room.seats.numbers()
        words = t("room_joined", joined=joined, limit=room.limits.students)
        st.markdown(words + (t("room_waiting", waiting=waiting) if waiting else ""))

    look()
