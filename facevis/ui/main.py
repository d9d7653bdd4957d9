"""The script that Streamlit runs: page settings, language, and which page is shown."""

from __future__ import annotations

import streamlit as st

from facevis.i18n import LANGUAGES, translator
from facevis.live.rooms import RoomFull
from facevis.ui import classroom_panel, classroom_state, runs, state, styles, windows
from facevis.ui.live_view import follow_theme
from facevis.ui.screens import (
    comparison,
    dimensions,
    fullscale,
    lecture,
    library,
    playground,
    strangers,
    sweep,
    yourself,
)

PAGES = {
    "playground": playground.page,
    "lecture": lecture.page,
    "compare": comparison.page,
    "scrub": sweep.page,
    "strangers": strangers.page,
    "fullscale": fullscale.page,
    "dimensions": dimensions.page,
    "runs": library.page,
    "yourself": yourself.page,
}
# Pages about networks of any size: they share one menu.
LARGE = ("fullscale", "dimensions", "runs", "yourself")

st.set_page_config(page_title="facevis", page_icon="🎯", layout="wide")
state.begin_language()
t = translator(state.language())
st.html(styles.sheet(t))
with st.sidebar:
    st.segmented_control(t("language"), LANGUAGES, key="lang", format_func=str.upper, required=True)
    beside = st.container()
    follow_theme()


def _show() -> None:
    """The page that the address names."""
    PAGES[name](t, query)


pages = {
    name: st.Page(
        _show,
        title=t(f"page_{name}"),
        url_path="" if name == "playground" else name,
        default=name == "playground",
    )
    for name in PAGES
}
sections = {
    "": [page for name, page in pages.items() if name not in LARGE],
    t("menu_large"): [pages[name] for name in LARGE if name in pages],
}
shown = st.navigation(sections, position="top")
windows.wait_for_place(t)
name = next(name for name, page in pages.items() if page.url_path == shown.url_path)
query = state.begin(name)
classroom_state.begin(name)
with beside:
    say_what_students_see = classroom_panel.panel(t)
try:
    shown.run()
except RoomFull as error:
    st.error(runs.plain(str(error)))
classroom_state.end()
say_what_students_see()
