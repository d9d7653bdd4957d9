"""A link is a state: a run's configuration as query parameters and back.

Only what differs from the default stands in the link. Reading never fails: what cannot be
understood is left at its default and said in a sentence. Knows no Streamlit. Folders and uploads
stay out of links: a link must not make the app read files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from facevis.datasets import DATASETS
from facevis.live import Member, RunConfig
from facevis.margins import Margin

# name in the link -> (field, how to read it)
_RUN_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "data": ("dataset", str),
    "n": ("identities", int),
    "per": ("images_per_class", int),
    "dim": ("embedding_dim", int),
    "net": ("network", str),
    "batch": ("batch_size", int),
    "lr": ("learning_rate", float),
    "seed": ("seed", int),
    "steps": ("steps", int),
}
_MEMBER_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "s": ("scale", float),
    "tail": ("tail", str),
    "grad": ("gradient", str),
    "mining": ("mining", str),
    "d": ("distance_margin", float),
    "sq": ("squared", lambda text: {"0": False, "1": True}[text]),
    "warm": ("warmup", int),
}
_MARGIN_FIELDS = ("m1", "m2", "m3")
DIMENSIONS_ON_SCREEN = (2, 3)


def to_query(config: RunConfig) -> dict[str, str]:
    """The link of a single run.

    >>> to_query(RunConfig(members=(Member(objective="cosface", scale=30.0),), seed=7))
    {'loss': 'cosface', 's': '30', 'seed': '7'}
    """
    member = config.members[0]
    query = {"loss": member.objective}
    classic = Member(objective=member.objective)
    assert member.margin is not None
    assert classic.margin is not None
    for name in _MARGIN_FIELDS:
        if getattr(member.margin, name) != getattr(classic.margin, name):
            query[name] = _text(getattr(member.margin, name))
    for fields, value, default in (
        (_MEMBER_FIELDS, member, classic),
        (_RUN_FIELDS, config, RunConfig()),
    ):
        for name, (field, _) in fields.items():
            if getattr(value, field) != getattr(default, field):
                query[name] = _text(getattr(value, field))
    if config.dataset not in DATASETS:
        query.pop("data", None)
    return query


def from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The configuration of a link, and a sentence for each part that was ignored.

    >>> from_query({"loss": "arcface", "m2": "nan"})[1]
    ['m2=nan was ignored: margin m2 is nan; give a number from 0 to 3.14159 (radians).']
    """
    ignored: list[str] = []
    member = _apply(Member(), {"loss": ("objective", str)}, query, ignored)
    member = Member(objective=member.objective)
    for name in _MARGIN_FIELDS:
        if name in query:
            try:
                margin = replace(member.margin or Margin(), **{name: float(query[name])})
                member = replace(member, margin=margin)
            except ValueError as error:
                ignored.append(_sentence(name, query[name], error))
    member = _apply(member, _MEMBER_FIELDS, query, ignored)
    config = _apply(RunConfig(members=(member,)), _RUN_FIELDS, query, ignored)
    if config.dataset not in DATASETS:
        ignored.append(_sentence("data", config.dataset, "choose one of " + ", ".join(DATASETS)))
        config = replace(config, dataset="digits")
    if config.embedding_dim not in DIMENSIONS_ON_SCREEN:
        ignored.append(_sentence("dim", str(config.embedding_dim), "the screen shows 2 or 3"))
        config = replace(config, embedding_dim=2)
    return config, ignored


def _apply(target: Any, fields: Mapping, query: Mapping[str, str], ignored: list[str]) -> Any:
    for name, (field, read) in fields.items():
        if name not in query:
            continue
        try:
            target = replace(target, **{field: read(query[name])})
        except (ValueError, KeyError) as error:
            ignored.append(_sentence(name, query[name], error))
    return target


def _sentence(name: str, text: str, reason: object) -> str:
    shown = text if len(text) <= 40 else text[:40] + "…"
    if isinstance(reason, KeyError):
        reason = "give 0 or 1"
    return f"{name}={shown} was ignored: {str(reason).rstrip('.')}."


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    # repr keeps every bit: a link must give the same picture.
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
