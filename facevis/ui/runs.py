"""Opening the run that a page's controls describe, and saying in words what cannot be opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from facevis.i18n import LANGUAGES, Said, told
from facevis.link_parts import ignored_part
from facevis.links import start_from_query
from facevis.live import Recording, RunConfig
from facevis.live.rooms import rooms
from facevis.live.trainer import LiveRun
from facevis.ui import state

Translate = Callable[..., str]
Shown = tuple[str, RunConfig, LiveRun]


def open_run(
    t: Translate,
    configure: Callable[[], RunConfig],
    recorded: Callable[[RunConfig], Recording | None] = lambda config: None,
    *,
    anew: bool = False,
    aligned: bool = False,
) -> Shown | None:
    """The run that the controls describe: the one on screen if it is the same, else another.

    The same configuration is one run, whoever asks for it; ``anew`` makes one of its own. A run
    without a recording trains. What cannot be configured or opened is said, and the run on screen
    stays.
    """
    current = state.run_on_screen()
    try:
        config = configure()
        if current is None or config != current[1] or anew:
            recording = recorded(config)
            with st.spinner(t("loading")):
                opened = rooms.open if anew else rooms.share
                token = opened(config, recording, aligned=aligned)
            if current is not None:
                rooms.leave(current[0])
            state.remember_run(token, config)
            current = state.run_on_screen()
    except ValueError as error:
        reason = plain(told(t, error))
        st.error(t("not_changed", reason=reason) if current else reason)
    return current


def page(
    t: Translate,
    query: Mapping[str, str] | None,
    take: Callable[[Mapping[str, str]], list[str]],
    sidebar: Callable[[Translate], str | None],
    configuration: Callable[[str], RunConfig],
    *,
    aligned: bool = False,
) -> Shown | None:
    """A page of one run: its link, its controls, which give the dataset, and the run that they
    describe; None while there is nothing to draw."""
    begin(t, query, take)
    with st.sidebar:
        dataset = sidebar(t)
    if dataset is None:
        st.info(t("own_waiting"))
        return None
    return open_run(t, lambda: configuration(dataset), aligned=aligned)


def begin(
    t: Translate,
    query: Mapping[str, str] | None,
    take: Callable[[Mapping[str, str]], list[str]],
) -> None:
    """On the first visit of a page: ``take`` its state from the link, and say what was ignored."""
    if query is None:
        return
    ignored = take(query)
    state.begin_at(start_from_query(query, ignored))
    tell_ignored(t, ignored)


def plain(text: str) -> str:
    """Text from outside, as it is: Streamlit would read Markdown in it, and fetch its pictures.

    >>> print(plain("![x](https://example.org)"))
    \\!\\[x\\]\\(https\\://example.org\\)
    >>> print(plain("<b>"))
    \\<b\\>
    """
    text = text.encode("utf-8", "replace").decode()  # names of files may hold what is no letter
    return re.sub(r"([\\`*_{}\[\]()#+!|<>$~:])", r"\\\1", text)


def tell_ignored(t: Translate, reasons: Sequence[str]) -> None:
    """What of a link was not understood."""
    language = state.take("lang_ignored")
    if language is not None:
        choices = ", ".join(LANGUAGES)
        reasons = [
            ignored_part("lang", language, Said("link_choose", choices=choices)),
            *reasons,
        ]
    if reasons:
        st.warning(
            t("link_ignored", reasons=plain(" ".join(told(t, reason) for reason in reasons)))
        )
