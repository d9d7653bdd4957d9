"""What the sweep's controls say, as a configuration, and the callbacks that change them."""

from __future__ import annotations

from collections.abc import Mapping

from facevis.links import sweep_from_query
from facevis.live import Member, RunConfig
from facevis.live.presets import COMPARISON_SCALE, COMPARISON_SEED
from facevis.live.sweep import sweep_config, swept_values
from facevis.margins import Margin
from facevis.ui import state

SPANS = {"m1": (1.0, 3.0), "m2": (0.0, 1.0), "m3": (0.0, 0.6), "scale": (4.0, 64.0)}
"""Where each sweep begins and ends unless told otherwise: past the bound of seven classes."""
BASE = RunConfig(
    members=(Member(objective="normalized_softmax", scale=COMPARISON_SCALE[2]),),
    identities=7,
    unseen=3,
    steps=1000,
)
DEFAULT = sweep_config(BASE, "m2", *SPANS["m2"])
MARGINS = ("m1", "m2", "m3")


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    config, ignored = sweep_from_query(query, DEFAULT)
    show(config)
    return ignored


def show(config: RunConfig) -> None:
    """Write a configuration onto the widgets."""
    name, member = config.swept or "m2", config.members[0]
    values = swept_values(config, name)
    state.write_run(config)
    state.write({"swept": name, "from": values[0], "to": values[-1], "models": len(values)})
    state.write({field: getattr(member.margin, field) for field in MARGINS})
    state.write({field: getattr(member, field) for field in ("scale", "tail", "gradient")})


def take_swept() -> None:
    """Callback of what is swept: its own span, the others at rest (ArcFace for the scale)."""
    name = state.read("swept") or "m2"
    low, high = SPANS[name]
    rest = {"m1": 1.0, "m2": 0.5 if name == "scale" else 0.0, "m3": 0.0}
    rest["scale"] = COMPARISON_SCALE[state.read("embedding_dim")]
    state.write({"swept": name, "from": low, "to": high, **rest})


def take_dimension() -> None:
    """Callback of the dimension: the scale and the seed that fit it."""
    dim = state.read("embedding_dim") or 2
    fitting = {"scale": COMPARISON_SCALE[dim], "seed": COMPARISON_SEED[dim]}
    state.write({"embedding_dim": dim, **fitting})


def configuration(dataset: str) -> RunConfig:
    """The sweep that the widgets describe; ``ValueError`` if it cannot be."""
    margin = Margin(*(state.read(name) for name in MARGINS))
    member = Member(
        objective="combined",
        margin=margin,
        scale=state.read("scale"),
        tail=state.read("tail"),
        gradient=state.read("gradient"),
    )
    config = RunConfig(members=(member,), **state.read_run(dataset))
    return sweep_config(
        *(config, state.read("swept"), state.read("from"), state.read("to")),
        count=state.read("models"),
    )
