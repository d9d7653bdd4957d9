"""The script that Streamlit runs: page settings, language, and which page is shown."""

from __future__ import annotations

import streamlit as st

from facevis.i18n import LANGUAGES, translator
from facevis.ui import state
from facevis.ui.pages import playground

st.set_page_config(page_title="facevis", page_icon="◐", layout="wide")
st.html("<style>.block-container{padding-top:3.2rem;padding-bottom:2rem;max-width:1720px}</style>")

ignored = state.begin()
t = translator(state.language())
with st.sidebar:
    st.segmented_control(t("language"), LANGUAGES, key="lang", format_func=str.upper, required=True)
if ignored:
    st.warning(t("link_ignored", reasons=" ".join(ignored)))
playground.page(t)
