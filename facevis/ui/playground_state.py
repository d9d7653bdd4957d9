"""What the playground's controls say, as a configuration, and the callbacks that change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from facevis.datasets import DATASETS
from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.links import from_query, to_query
from facevis.live import Member, Recording, RunConfig
from facevis.live.presets import CLASSIC_SCALE, PRESETS
from facevis.margins import Margin
from facevis.ui import state

_MEMBER_FIELDS = (
    *("objective", "margin", "scale", "tail", "gradient", "mining"),
    *("squared", "warmup", "distance_margin"),
)


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link, what it leaves open from a preset; returns what was ignored."""
    preset = query.get("preset", "" if "loss" in query else "arcface")
    begun = to_query(PRESETS[preset]) if preset in PRESETS else {}
    config, ignored = from_query({**begun, **query})
    if preset and not begun:
        reason = Said("link_choose", choices=", ".join(PRESETS))
        ignored.append(ignored_part("preset", preset, reason))
    show(config, next((name for name, known in PRESETS.items() if known == config), state.OWN))
    return ignored


def show(config: RunConfig, preset: str = state.OWN) -> None:
    """Write a configuration onto the widgets."""
    member = config.members[0]
    state.write_run(config)
    state.write({name: getattr(member, name) for name in _MEMBER_FIELDS})
    state.write({"preset": preset})


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
    state.keep("opened_recording", recording)


def take_preset() -> None:
    """Callback of the preset list."""
    name = state.read("preset")
    if name in PRESETS:
        show(PRESETS[name], name)


def touched() -> None:
    """Callback of every other control: the settings are no preset any more."""
    state.write({"preset": state.OWN})


def take_objective() -> None:
    """Callback of the loss: each begins at its classic setting."""
    member = Member(objective=state.read("objective"))
    state.write({"margin": member.margin, "distance_margin": member.distance_margin})
    touched()


def take_dimension() -> None:
    """Callback of the dimension: the scale that fits it, where none was chosen by hand."""
    dim = state.read("embedding_dim") or 2
    state.write({"embedding_dim": dim})
    if state.read("scale") in CLASSIC_SCALE.values():
        state.write({"scale": CLASSIC_SCALE[dim]})
    touched()


def take_steering(margin: Any, scale: Any) -> None:
    """The sliders of the live view were let go; what they say is already in the run."""
    try:
        chosen, member = Margin(*margin), Member(scale=scale)
    except (TypeError, ValueError):
        return  # a browser's console can say anything; the sliders cannot
    current = state.run_on_screen()
    if current is None or (chosen, member.scale) == (state.read("margin"), state.read("scale")):
        return
    state.write({"margin": chosen, "scale": member.scale})
    token, config, _ = current
    steered = replace(config.members[0], margin=chosen, scale=member.scale)
    state.remember_run(token, replace(config, members=(steered,)))
    touched()


def take_seed() -> None:
    """The live view asked for a new seed."""
    state.new_seed()
    touched()


def configuration(dataset: str) -> RunConfig:
    """The configuration that the widgets describe; ``ValueError`` if it cannot be."""
    member = Member(**{name: state.read(name) for name in _MEMBER_FIELDS})
    return RunConfig(members=(member,), **state.read_run(dataset))
