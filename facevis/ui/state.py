"""The only module that touches ``st.session_state``: widgets, runs on screen, the language.

Every control is a widget; its key is the page's name and the field's. A page's configuration is
read off its widgets, and a link, a preset or a recording is written onto them before they are
drawn.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import streamlit as st

from facevis.i18n import LANGUAGES
from facevis.live import RunConfig
from facevis.live.rooms import rooms
from facevis.live.trainer import LiveRun

OWN = "own"
RUN_FIELDS = (
    *("dataset", "identities", "images_per_class", "unseen", "embedding_dim"),
    *("network", "batch_size", "learning_rate", "seed", "steps"),
)
"""What a configuration's members share, by the widgets' names."""
_ABSENT_IS_ZERO = ("identities", "images_per_class")
_PAGE = "page"
_WIDGET = "widget:"
_KEPT = "kept"


def begin(page: str) -> dict[str, Any] | None:
    """Enter a page: its query on the first visit of a session, later None.

    Widgets that are not drawn are forgotten, whenever a part of another page runs by itself: what
    they said is kept beside them.
    """
    state = st.session_state
    state[_PAGE] = page
    kept = state.setdefault(_KEPT, {})
    kept |= {n: state[n] for n in state if isinstance(n, str) and n.startswith(_WIDGET)}
    for name, value in kept.items():
        state[name] = value
    if f"begun:{page}" in state:
        return None
    state[f"begun:{page}"] = True
    query = st.query_params
    return {name: query[name] for name in query}


def begin_language() -> None:
    """The language of the link, else English."""
    state = st.session_state
    if "lang" in state:
        state["lang"] = state["lang"]
    else:
        wanted = st.query_params.get("lang")
        state["lang"] = wanted if wanted in LANGUAGES else LANGUAGES[0]
        if wanted is not None and wanted not in LANGUAGES:
            state["lang_ignored"] = wanted


def language() -> str:
    """The language of this session."""
    return str(st.session_state["lang"])


def key(name: str) -> str:
    """The key of the present page's widget for a field."""
    return f"{_WIDGET}{st.session_state[_PAGE]}:{name}"


def own_key(name: str) -> str:
    """The key of what the present page keeps beside its settings: an upload, a run, a button."""
    return f"{st.session_state[_PAGE]}:{name}"


def read(name: str, default: Any = None) -> Any:
    """What the present page's widget for a field says."""
    return st.session_state.get(key(name), default)


def write(values: Mapping[str, Any]) -> None:
    """Set the present page's widgets; before they are drawn."""
    for name, value in values.items():
        st.session_state[key(name)] = value


def write_run(config: RunConfig) -> None:
    """Write what a configuration's members share onto the widgets."""
    write({name: getattr(config, name) or 0 for name in _ABSENT_IS_ZERO})
    write({name: getattr(config, name) for name in RUN_FIELDS if name not in _ABSENT_IS_ZERO})


def read_run(dataset: str) -> dict[str, Any]:
    """The fields of a ``RunConfig`` that the widgets describe, but for the members."""
    fields = {name: read(name) for name in RUN_FIELDS}
    absent = {name: fields[name] or None for name in _ABSENT_IS_ZERO}
    return {**fields, **absent, "dataset": dataset}


def begin_at(start: Mapping[str, Any]) -> None:
    """Where the present page's first picture begins, as its link says."""
    st.session_state[own_key("start")] = dict(start)


def start_for(token: str) -> dict[str, Any]:
    """The same, for the first run that asks; other runs begin as runs begin."""
    start = st.session_state.get(own_key("start"), {})
    return start if start.setdefault("token", token) == token else {}


def fresh_number() -> int:
    """A number that this session has not had: it tells one opening of a link from the next."""
    return secrets.randbelow(2**48)


def new_seed() -> None:
    """The live view asked for a new seed (callbacks run before the widgets are drawn again)."""
    write({"seed": secrets.randbelow(10_000)})


def remember_run(token: str, config: RunConfig, name: str = "run") -> None:
    """Make a run the present page's."""
    st.session_state[own_key(name)] = (token, config)
    run = rooms.find(token)
    complete = run is not None and run.state in ("recorded", "finished")
    st.session_state[own_key(f"{name}:complete")] = token if complete else None


def was_complete(token: str) -> bool:
    """Whether the page's run was there whole when the page took it up."""
    return st.session_state.get(own_key("run:complete")) == token


def follow_fork(token: Any) -> None:
    """The run on screen was steered and goes on as another: it is the page's now."""
    _, config = st.session_state.get(own_key("run"), (None, None))
    if config is not None and isinstance(token, str) and rooms.find(token) is not None:
        st.session_state[own_key("run")] = (token, config)


def run_on_screen(name: str = "run") -> tuple[str, RunConfig, LiveRun] | None:
    """The present page's run, if there is one and the room still has it."""
    token, config = st.session_state.get(own_key(name), (None, None))
    run = rooms.find(token) if token else None
    return (token, config, run) if run else None


def recall(name: str, default: Any = None) -> Any:
    """A value kept for this session."""
    return st.session_state.get(name, default)


def keep(name: str, value: Any) -> None:
    """Keep a value for this session."""
    st.session_state[name] = value


def take(name: str) -> Any:
    """A value kept for this session, once."""
    return st.session_state.pop(name, None)
