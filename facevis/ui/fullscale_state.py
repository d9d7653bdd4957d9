"""What the full-scale page's controls say: every field of a configuration as a widget, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from facevis.corpora.opening import open_corpus
from facevis.corpora.synthetic import KINDS
from facevis.fullscale import jobs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import BACKBONE_NAMES
from facevis.fullscale.heads import rule_of
from facevis.fullscale.plain import flat, from_plain
from facevis.fullscale.recipes import RECIPES
from facevis.fullscale.strangers import open_sets
from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.ui import state
from facevis.validation import path_of

DRAWN, OWN = "drawn", "own"
SOURCES = (DRAWN, OWN)
GROUPS = ("data", "backbone", "head", "optimizer", "schedule", "follow", "rest")
OPEN = (
    *("backbone.name", "head.objective", "head.m1", "head.m2", "head.m3", "head.scale"),
    *("schedule.steps", "batch_size", "optimizer.learning_rate"),
    *("follow.checkpoint_every", "follow.keep"),
)
"""The fields that matter most; they stand openly."""
_ELSEWHERE = ("recipe", "data.train", "follow.sets")
"""Fields with controls of their own."""
STRANGERS = 60
_DEMO = "demo"
_WATCHED = {"follow.checkpoint_every": 20, "follow.keep": 1000, "follow.evaluate_every": 20}
"""The demo is over soon: it keeps and measures more, so that there is learning to be watched."""


@dataclass(frozen=True)
class Field:
    """One field of a configuration: its full name, its type, and between what it chooses."""

    name: str
    kind: Any
    first: Any
    """What it is where nothing is said."""
    choices: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The table it stands in."""
        return self.name.rpartition(".")[0] or "rest"


@lru_cache(maxsize=1)
def fields() -> dict[str, Field]:
    """All fields that have a widget made from their type, by name."""
    found = _fields_of(FullScaleConfig, "")
    return {field.name: field for field in found if field.name not in _ELSEWHERE}


def _fields_of(kind: Any, before: str) -> list[Field]:
    hints = get_type_hints(kind)
    found: list[Field] = []
    for one in dataclasses.fields(kind):
        hint, name = hints[one.name], before + one.name
        if dataclasses.is_dataclass(hint):
            found += _fields_of(hint, f"{name}.")
            continue
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        if name == "backbone.name":
            choices = BACKBONE_NAMES
        found.append(Field(name, hint, one.default, choices))
    return found


def write_recipe(name: str) -> None:
    """Write all fields of a recipe onto the widgets."""
    config = RECIPES[name]()
    values = flat(dataclasses.asdict(config)) | (_WATCHED if name == _DEMO else {})
    made_up = config.data.train.partition(":")[0] in KINDS
    write = {field.name: _shown(values[field.name]) for field in fields().values()}
    write |= {
        "recipe": name,
        "source": DRAWN if made_up else OWN,
        "people": 300,
        "each": 20,
        "data.train": config.data.train,
        "follow.sets": "\n".join(config.follow.sets),
    }
    state.write(write)


def take_recipe() -> None:
    """Callback of the recipe."""
    write_recipe(state.read("recipe"))


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    write_recipe(_DEMO)
    state.write({"processes": 1, "name": ""})
    wanted = query.get("run")
    names = [job.name for job in jobs.find(jobs.runs_folder())]
    drafting(not names)
    if wanted is None or wanted in names:
        state.write({"run": wanted})
        return []
    return [ignored_part("run", wanted, Said("link_no_run"))]


def drafting(value: bool | None = None) -> bool:
    """Whether a new run is being put together; with a value, say so."""
    if value is not None:
        state.keep("full:drafting", value)
    found: bool = state.recall("full:drafting", False)
    return found


# -- the configuration ----------------------------------------------------------------------------


def configuration() -> FullScaleConfig:
    """What the widgets describe; ``ValueError`` names the field that cannot be."""
    tree: dict[str, Any] = {"recipe": state.read("recipe")}
    values = {field.name: _value(field, state.read(field.name)) for field in fields().values()}
    values |= _pictures(values["data.size"])
    for name, value in values.items():
        group, _, last = name.rpartition(".")
        (tree.setdefault(group, {}) if group else tree)[last] = value
    config: FullScaleConfig = from_plain(FullScaleConfig, tree)
    rule_of(config.head)  # the limits of margins are known there
    config.check(state.read("processes"))
    return config


def _pictures(size: int) -> dict[str, Any]:
    if state.read("source") == DRAWN:
        people, each = state.read("people"), state.read("each")
        others = f"faces:identities={STRANGERS},images=10,size={size},seed=1"
        drawn = f"faces:identities={people},images={each},size={size}"
        return {"data.train": drawn, "follow.sets": [others]}
    lines = (state.read("follow.sets") or "").splitlines()
    sets = [placed(line) for line in lines if line.strip()]
    return {"data.train": placed(state.read("data.train") or ""), "follow.sets": sets}


def placed(path: str) -> str:
    """A path that holds wherever the run goes on; what is made up stays as it is.

    >>> placed(" faces:identities=3 ")
    'faces:identities=3'
    """
    path = path.strip()
    made_up = path.partition(":")[0] in KINDS
    return path if made_up or not path else str(path_of(path).absolute())


def _shown(value: Any) -> Any:
    """A value as its widget has it."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _value(field: Field, shown: Any) -> Any:
    """The value of a widget, as JSON has it."""
    if get_origin(field.kind) is not tuple:
        return float(shown) if field.kind is float and shown is not None else shown
    try:
        return [int(part) for part in str(shown or "").replace(",", " ").split()]
    except ValueError:
        raise ValueError(
            f"{field.name} is {shown[:60]!r}; give whole numbers with commas between them."
        ) from None


@dataclass(frozen=True)
class About:
    """What is known of a set of pictures."""

    name: str
    images: int
    identities: int


def about(config: FullScaleConfig) -> About:
    """Look into the pictures that train; ``ValueError`` in words where there are none."""
    return _about(config.data.train, _changed(config.data.train))


@lru_cache(maxsize=32)
def _about(train: str, changed: float) -> About:
    corpus = open_corpus(train)
    return About(corpus.name, len(corpus), corpus.num_classes)


def check_sets(config: FullScaleConfig) -> None:
    """Open the evaluation sets; ``ValueError`` names one that cannot be."""
    for spec in config.follow.sets:
        _open_set(spec, _changed(spec))


@lru_cache(maxsize=32)
def _open_set(spec: str, changed: float) -> None:
    open_sets([spec])


def _changed(path: str) -> float:
    """When a path changed last: what was found out about it holds as long."""
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
