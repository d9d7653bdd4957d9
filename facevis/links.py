"""A link is a state: a run's configuration as query parameters and back.

Only what differs from the default stands in the link. Reading never fails: what cannot be
understood is left at its default and said in a sentence. Knows no Streamlit. Folders and uploads
stay out of links: a link must not make the app read files.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from facevis.datasets import DATASETS
from facevis.i18n import Said
from facevis.link_parts import (
    camera,
    ignored_part,
    number,
    place,
    step,
    text_of,
    whole,
    yes_or_no,
)
from facevis.live import Member, RunConfig
from facevis.live.sweep import MODELS, SWEPT, sweep_config, swept_values
from facevis.margins import Margin
from facevis.objectives import MARGIN_FAMILY
from facevis.validation import choice, shown

_Target = TypeVar("_Target", Member, RunConfig)
# name in the link -> (field, how to read it)
_RUN_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "data": ("dataset", str),
    "n": ("identities", whole),
    "unseen": ("unseen", whole),
    "per": ("images_per_class", whole),
    "dim": ("embedding_dim", whole),
    "net": ("network", str),
    "batch": ("batch_size", whole),
    "lr": ("learning_rate", number),
    "seed": ("seed", whole),
    "steps": ("steps", whole),
}
_MEMBER_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "s": ("scale", number),
    "tail": ("tail", str),
    "grad": ("gradient", str),
    "mining": ("mining", str),
    "d": ("distance_margin", number),
    "sq": ("squared", yes_or_no),
    "warm": ("warmup", whole),
}
_MARGIN_FIELDS = ("m1", "m2", "m3")
DIMENSIONS_ON_SCREEN = (2, 3)
DIMENSIONS_OF_STRANGERS = range(2, 513)
MEMBERS_ON_SCREEN = (2, 6)


def to_query(config: RunConfig) -> dict[str, str]:
    """The link of a single run.

    >>> to_query(RunConfig(members=(Member(objective="cosface", scale=30.0),), seed=7))
    {'loss': 'cosface', 's': '30', 'seed': '7'}
    """
    return {**_member_query(config.members[0]), **_run_query(config)}


def from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The configuration of a link, and a sentence for each part that was ignored.

    >>> from_query({"loss": "arcface", "m2": "nan"})[1]
    ['m2=nan was ignored: margin m2 is nan; give a number from 0 to 3.14159 (radians).']
    """
    ignored: list[str] = []
    member = _read_member(query, ignored)
    return _read_run(RunConfig(members=(member,)), query, ignored), ignored


def comparison_to_query(config: RunConfig) -> dict[str, str]:
    """The link of a comparison: its members in one parameter, what they share beside it.

    >>> members = (Member(objective="softmax"), Member(margin=Margin.arcface(0.3), scale=24.0))
    >>> comparison_to_query(RunConfig(members=members))
    {'members': 'softmax,arcface:m2=0.3:s=24'}
    """
    texts = []
    for member in config.members:
        loss, *fields = _member_query(member).items()
        texts.append(":".join([loss[1], *(f"{name}={value}" for name, value in fields)]))
    return {"members": ",".join(texts), **_run_query(config)}


def comparison_from_query(
    query: Mapping[str, str],
    default: RunConfig,
    dimensions: Container[int] = DIMENSIONS_ON_SCREEN,
) -> tuple[RunConfig, list[str]]:
    """The comparison of a link, what it leaves open as in ``default``; and what was ignored.

    >>> from facevis.live.presets import COMPARISONS
    >>> query = {"members": "arcface:dim=3,softmax"}
    >>> print(comparison_from_query(query, COMPARISONS["five"])[1][0])
    dim=3 was ignored: members share one dimension; give dim beside members.
    """
    ignored: list[str] = []
    members = [_read_listed(text, ignored) for text in query.get("members", "").split(",") if text]
    least, most = MEMBERS_ON_SCREEN
    if members and not least <= len(members) <= most:
        reason = Said("link_members", least=least, most=most)
        ignored.append(ignored_part("members", f"{len(members)} losses", reason))
    if least <= len(members) <= most:
        default = replace(RunConfig(), members=tuple(members))
    return _read_run(default, query, ignored, dimensions), ignored


def sweep_to_query(config: RunConfig) -> dict[str, str]:
    """The link of a sweep.

    >>> plain = RunConfig(members=(Member(objective="normalized_softmax"),))
    >>> sweep_to_query(sweep_config(plain, "m3", 0.0, 0.4))
    {'sweep': 'm3', 'from': '0', 'to': '0.4'}
    """
    name = choice("the swept value", config.swept, SWEPT)
    values = swept_values(config, name)
    query = {"sweep": name, "from": text_of(values[0]), "to": text_of(values[-1])}
    if len(values) != MODELS:
        query["models"] = str(len(values))
    own = _member_query(config.members[0])
    for field in ("loss", "s" if name == "scale" else name):
        own.pop(field, None)
    others = {
        field: text_of(getattr(config.members[0].margin, field))
        for field in _MARGIN_FIELDS
        if field != name and getattr(config.members[0].margin, field) != getattr(Margin(), field)
    }
    return {**query, **own, **others, **_run_query(config)}


def sweep_from_query(query: Mapping[str, str], default: RunConfig) -> tuple[RunConfig, list[str]]:
    """The sweep of a link, or ``default``; and a sentence for each part that was ignored."""
    ignored: list[str] = []
    if "sweep" not in query:
        return default, ignored
    base = _read_run(RunConfig(), query, ignored)
    loss = query.get("loss", "normalized_softmax")
    if loss not in MARGIN_FAMILY:
        reason = Said("link_sweep", choices=", ".join(MARGIN_FAMILY))
        ignored.append(ignored_part("loss", loss, reason))
        loss = "normalized_softmax"
    member = _read_member({**query, "loss": loss}, ignored)
    base = replace(base, members=(member,))
    try:
        low, high = _end(query, "from", "0", number), _end(query, "to", "1", number)
        count = _end(query, "models", str(MODELS), whole)
        return sweep_config(base, query["sweep"], low, high, count), ignored
    except ValueError as error:
        ignored.append(ignored_part("sweep", query["sweep"], error))
        return default, ignored


def _end(query: Mapping[str, str], name: str, default: str, read: Callable[[str], Any]) -> Any:
    """One of the numbers that make a sweep; who wrote a wrong one is told which."""
    text = query.get(name, default)
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(
            Said("link_value", name=name, value=shown(text), reason=error.args[0])
        ) from error


def start_from_query(query: Mapping[str, str], ignored: list[str]) -> dict[str, Any]:
    """Where the picture of a link begins: its step, its camera, the place of a sweep's slider, and
    whether open space is put onto the sphere. What is no such thing is said in ``ignored``.

    >>> ignored = []
    >>> start_from_query({"step": "100", "cam": "left"}, ignored)
    {'step': 100}
    >>> ignored
    ['cam=left was ignored: give the 4 or 7 numbers of a camera.']
    """
    start: dict[str, Any] = {}
    for name, (field, read) in _START_FIELDS.items():
        if name not in query:
            continue
        try:
            start[field] = read(query[name])
        except ValueError as error:
            ignored.append(ignored_part(name, query[name], error))
    return start


_START_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "step": ("step", step),
    "cam": ("camera", camera),
    "at": ("place", place),
    "project": ("project", yes_or_no),
}


def _member_query(member: Member) -> dict[str, str]:
    query = {"loss": member.objective}
    classic = Member(objective=member.objective)
    assert member.margin is not None
    assert classic.margin is not None
    for name in _MARGIN_FIELDS:
        if getattr(member.margin, name) != getattr(classic.margin, name):
            query[name] = text_of(getattr(member.margin, name))
    return query | _differing(_MEMBER_FIELDS, member, classic)


def _run_query(config: RunConfig) -> dict[str, str]:
    query = _differing(_RUN_FIELDS, config, RunConfig())
    if config.dataset not in DATASETS:
        query.pop("data", None)
    return query


def _differing(fields: Mapping[str, Any], value: Any, default: Any) -> dict[str, str]:
    return {
        name: text_of(getattr(value, field))
        for name, (field, _) in fields.items()
        if getattr(value, field) != getattr(default, field)
    }


def _read_member(query: Mapping[str, str], ignored: list[str]) -> Member:
    member = _apply(Member(), {"loss": ("objective", str)}, query, ignored)
    member = Member(objective=member.objective)
    for name in _MARGIN_FIELDS:
        if name in query:
            try:
                margin = replace(member.margin or Margin(), **{name: number(query[name])})
                member = replace(member, margin=margin)
            except ValueError as error:
                ignored.append(ignored_part(name, query[name], error))
    return _apply(member, _MEMBER_FIELDS, query, ignored)


def _read_listed(text: str, ignored: list[str]) -> Member:
    """One of a comparison's members: ``arcface:m2=0.3:s=24``."""
    loss, *parts = text.split(":")
    query = {"loss": loss}
    for part in parts:
        name, _, value = part.partition("=")
        if name == "dim":
            reason = Said("link_dim_shared")
            ignored.append(ignored_part(name, value, reason))
        elif name in _MARGIN_FIELDS or name in _MEMBER_FIELDS:
            query[name] = value
        else:
            known = ", ".join((*_MARGIN_FIELDS, *_MEMBER_FIELDS))
            ignored.append(ignored_part(name, value, Said("link_choose", choices=known)))
    return _read_member(query, ignored)


def _read_run(
    config: RunConfig,
    query: Mapping[str, str],
    ignored: list[str],
    dimensions: Container[int] = DIMENSIONS_ON_SCREEN,
) -> RunConfig:
    config = _apply(config, _RUN_FIELDS, query, ignored)
    if config.dataset not in DATASETS:
        ignored.append(
            ignored_part("data", config.dataset, Said("link_choose", choices=", ".join(DATASETS)))
        )
        config = replace(config, dataset="digits")
    if config.embedding_dim not in dimensions:
        reason = Said("link_dim_many" if 4 in dimensions else "link_dim_screen")
        ignored.append(ignored_part("dim", str(config.embedding_dim), reason))
        config = replace(config, embedding_dim=2)
    return config


def _apply(
    target: _Target, fields: Mapping[str, Any], query: Mapping[str, str], ignored: list[str]
) -> _Target:
    for name, (field, read) in fields.items():
        if name not in query:
            continue
        try:
            target = replace(target, **{field: read(query[name])})
        except ValueError as error:
            ignored.append(ignored_part(name, query[name], error))
    return target
