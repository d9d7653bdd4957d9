"""Runs in a few words and numbers, as the page of all runs says them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from facevis.fullscale.config import FullScaleConfig
from facevis.library.shelf import HERE, Entry, losses_of
from facevis.live import RunConfig
from facevis.margins import Margin
from facevis.objectives import MARGIN_FAMILY, OBJECTIVES
from facevis.ui.quantities import spoken

Translate = Callable[..., str]

SHARES = ("accuracy", "tar")
_FEW = 3


def title(t: Translate, entry: Entry) -> str:
    """Its name, and that it lives in the app only."""
    if entry.kind != HERE:
        return entry.name
    return t("runs_here", name=entry.name, step=entry.step)


def what(t: Translate, entry: Entry) -> str:
    """Losses, margin, data and dimension."""
    config = entry.config
    if config is None:
        return ""
    if isinstance(config, FullScaleConfig):
        data, dimension = config.data.train, config.backbone.embedding_dim
    else:
        data, dimension = config.dataset, config.embedding_dim
    if len(data) > 40:
        data = "…" + data[-39:]
    return " · ".join([_losses(t, config), data, t("runs_dimension", n=dimension)])


def _losses(t: Translate, config: FullScaleConfig | RunConfig) -> str:
    names = [_loss(t, name) for name in losses_of(config)]
    if isinstance(config, FullScaleConfig):
        head = config.head
        if head.objective != "margin":
            return names[0]
        return with_margin(names[0], Margin(head.m1, head.m2, head.m3), head.scale)
    if len(names) > 1:
        different = list(dict.fromkeys(names))
        shown = ", ".join(different[:_FEW]) + (" …" if len(different) > _FEW else "")
        return t("runs_models", n=len(names), losses=shown)
    member = config.members[0]
    assert member.margin is not None
    in_family = member.objective in MARGIN_FAMILY
    return with_margin(names[0], member.margin, member.scale) if in_family else names[0]


def _loss(t: Translate, name: str) -> str:
    return t(f"objective_{name}") if name in OBJECTIVES else t(f"runs_loss_{name}")


def with_margin(name: str, margin: Margin, scale: float) -> str:
    """A loss and what was set."""
    values = dict(zip(("m1", "m2", "m3"), margin.as_tuple(), strict=True))
    parts = [f"{key} = {value:g}" for key, value in values.items() if value != (key == "m1")]
    return spoken(", ".join([name, *parts, f"s = {scale:g}"]), in_list=True)


def number(name: str, values: Sequence[float]) -> str:
    """A number of a run: one for each member, or from the least to the most of many."""
    known = [value for value in values if value == value]
    if not known:
        return ""
    if len(known) > _FEW:
        ends = dict.fromkeys(_text(name, end) for end in (min(known), max(known)))
        return spoken(" … ".join(ends))
    return spoken(" / ".join("–" if v != v else _text(name, v) for v in values))


def _text(name: str, value: float) -> str:
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:.3g}" if name == "loss" else f"{value:.1f}°"


def size(t: Translate, count: int) -> str:
    """Bytes in words, as disks count them."""
    if count >= 100_000:
        return t("megabytes", value=spoken(f"{count / 1e6:.1f}"))
    return t("kilobytes", value=spoken(f"{count / 1e3:.0f}"))
