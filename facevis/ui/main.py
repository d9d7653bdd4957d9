"""The script that Streamlit runs: page settings, language, and which page is shown."""

from __future__ import annotations

import streamlit as st

from facevis.i18n import LANGUAGES, translator
from facevis.ui import state
from facevis.ui.pages import playground

st.set_page_config(page_title="facevis", page_icon="🎯", layout="wide")
# Streamlit leaves a hand's breadth above the first line; the picture is what should be seen first.
st.html("<style>.stMainBlockContainer{padding:3.6rem 2.4rem 2rem;max-width:1760px}</style>")

ignored = state.begin()
t = translator(state.language())
with st.sidebar:
    st.segmented_control(t("language"), LANGUAGES, key="lang", format_func=str.upper, required=True)
if ignored:
    st.warning(t("link_ignored", reasons=" ".join(ignored)))
pages = [st.Page(lambda: playground.page(t), title=t("page_playground"), url_path="", default=True)]
st.navigation(pages, position="hidden").run()
