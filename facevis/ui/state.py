"""The only module that touches ``st.session_state``: widgets, the run on screen, the language.

Every control of the playground is a widget whose key is the field's name; the configuration is read
off the widgets, and a link, a preset or a recording is written onto them before they are drawn.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import streamlit as st

from facevis.datasets import DATASETS
from facevis.i18n import LANGUAGES
from facevis.live import Member, Recording, RunConfig
from facevis.live.presets import CLASSIC_SCALE, PRESETS
from facevis.live.rooms import rooms
from facevis.live.trainer import LiveRun
from facevis.margins import Margin
from facevis.ui.links import from_query

OWN = "own"
_WIDGETS = (
    *("preset", "dataset", "identities", "images_per_class", "objective", "embedding_dim"),
    *("network", "batch_size", "learning_rate", "seed", "steps", "tail", "gradient", "mining"),
    *("squared", "warmup", "distance_margin"),
)


def begin() -> list[str]:
    """On a session's first run take the state from the link; returns what of it was ignored.

    Widgets of a page that is not drawn would be forgotten: naming them keeps them.
    """
    state = st.session_state
    if "margin" in state:
        for name in (*_WIDGETS, "lang"):
            if name in state:
                state[name] = state[name]
        return []
    query = st.query_params.to_dict()
    state["lang"] = query.get("lang") if query.get("lang") in LANGUAGES else "en"
    preset = query.get("preset", "arcface" if "loss" not in query else None)
    if preset in PRESETS:
        show(PRESETS[preset], preset)
        return []
    config, ignored = from_query(query)
    show(config, next((name for name, known in PRESETS.items() if known == config), OWN))
    return ignored


def show(config: RunConfig, preset: str = OWN) -> None:
    """Write a configuration onto the widgets."""
    state, member = st.session_state, config.members[0]
    state["preset"] = preset
    for name in ("network", "batch_size", "learning_rate", "seed", "steps", "embedding_dim"):
        state[name] = getattr(config, name)
    state["dataset"] = config.dataset
    state["identities"] = config.identities or 0
    state["images_per_class"] = config.images_per_class or 0
    for name in ("objective", "tail", "gradient", "mining", "squared", "warmup", "distance_margin"):
        state[name] = getattr(member, name)
    state["margin"], state["scale"] = member.margin, member.scale


def show_recording(recording: Recording) -> None:
    """Put an opened recording on screen, or say in a ``ValueError`` why this page cannot."""
    config = recording.config
    if len(config.members) != 1 or config.embedding_dim not in (2, 3):
        raise ValueError(
            f"the recording has {len(config.members)} members in {config.embedding_dim}-D; "
            "the playground shows one member in 2 or 3."
        )
    if config.dataset not in DATASETS:
        raise ValueError(
            f"the recording's pictures ({config.dataset}) are not among those of the app; "
            "open the pictures as your own first and train again."
        )
    show(config)
    keep("opened_recording", recording)


def take_preset() -> None:
    """Callback of the preset list."""
    name = st.session_state["preset"]
    if name in PRESETS:
        show(PRESETS[name], name)


def touched() -> None:
    """Callback of every other control: the settings are no preset any more."""
    st.session_state["preset"] = OWN


def take_objective() -> None:
    """Callback of the loss: each begins at its classic setting."""
    state = st.session_state
    member = Member(objective=state["objective"])
    state["margin"], state["distance_margin"] = member.margin, member.distance_margin
    touched()


def take_dimension() -> None:
    """Callback of the dimension: the scale that fits it."""
    state = st.session_state
    state["embedding_dim"] = state["embedding_dim"] or 2
    state["scale"] = CLASSIC_SCALE[state["embedding_dim"]]
    touched()


def take_steering(margin: Any, scale: Any) -> None:
    """The sliders of the live view were let go; what they say is already in the run."""
    state = st.session_state
    try:
        chosen, member = Margin(*margin), Member(scale=scale)
    except (TypeError, ValueError):
        return  # a browser's console can say anything; the sliders cannot
    if (chosen, member.scale) == (state["margin"], state["scale"]):
        return
    state["margin"], state["scale"] = chosen, member.scale
    token, config = state["run"]
    steered = replace(config.members[0], margin=chosen, scale=member.scale)
    state["run"] = (token, replace(config, members=(steered,)))
    touched()


def take_seed() -> None:
    """The live view asked for a new seed (callbacks run before the widgets are drawn again)."""
    st.session_state["seed"] = secrets.randbelow(10_000)
    touched()


def configuration(dataset: str) -> RunConfig:
    """The configuration that the widgets describe; ``ValueError`` if it cannot be."""
    state = st.session_state
    member = Member(
        objective=state["objective"],
        margin=state["margin"],
        scale=state["scale"],
        tail=state["tail"],
        gradient=state["gradient"],
        mining=state["mining"],
        squared=state["squared"],
        warmup=state["warmup"],
        distance_margin=state["distance_margin"],
    )
    return RunConfig(
        members=(member,),
        dataset=dataset,
        identities=state["identities"] or None,
        images_per_class=state["images_per_class"] or None,
        embedding_dim=state["embedding_dim"],
        network=state["network"],
        batch_size=state["batch_size"],
        learning_rate=state["learning_rate"],
        seed=state["seed"],
        steps=state["steps"],
    )


def language() -> str:
    """The language of this session."""
    return st.session_state["lang"]


def remember_run(token: str, config: RunConfig) -> None:
    """Make a run the one on screen."""
    st.session_state["run"] = (token, config)


def run_on_screen() -> tuple[str, RunConfig, LiveRun] | None:
    """The run on screen, if there is one and the room still has it."""
    token, config = st.session_state.get("run", (None, None))
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
