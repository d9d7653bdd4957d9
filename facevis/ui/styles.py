"""What our pages change of Streamlit's own look, and words that it has in English alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import streamlit as st

from facevis.i18n import LANGUAGES
from facevis.ui import state

Translate = Callable[..., str]

_DROPZONE = "[data-testid='stFileUploaderDropzone']"
_WORDS = (
    (f"{_DROPZONE} button [data-testid='stMarkdownContainer'] p", "upload_choose"),
    ("[data-testid='stFileUploaderDropzoneInstructions'] span", "upload_most"),
)
"""Where Streamlit says on every page in English what to do with a file."""


def sheet(t: Translate) -> str:
    """The style sheet of the page.

    Streamlit leaves a hand's breadth above the first line; the picture is what should be seen
    first. And its captions are too pale to read from the back.
    """
    dark = st.context.theme.type == "dark"
    caption = "#a6acba" if dark else "#5c6370"
    # White letters on the dark theme's pale primary colour could not be read.
    primary = (
        "[data-testid^='stBaseButton-primary']:not(:disabled) *,[data-tag],[data-tag] *"
        "{color:#12141c!important}"
    )
    return (
        "<style>.stMainBlockContainer{padding:3.6rem 2.4rem 2rem;max-width:1760px}"
        "@media(max-width:640px){.stMainBlockContainer{padding-left:1rem;padding-right:1rem}}"
        "[data-testid='stCaptionContainer']{opacity:1!important}"
        f"[data-testid='stCaptionContainer'] p{{color:{caption};opacity:1}}"
        f"{primary if dark else ''}{_words(t)}</style>"
    )


def _words(t: Translate) -> str:
    """Words in the language of the page to be seen in place of Streamlit's."""
    if state.language() == LANGUAGES[0]:
        return ""
    most = st.get_option("server.maxUploadSize")
    rules = (
        f"{place}{{font-size:0!important}}"
        f"{place}::after{{font-size:.875rem;"
        f"content:{json.dumps(t(key, most=most), ensure_ascii=False)}}}"
        for place, key in _WORDS
    )
    return "".join(rules)
