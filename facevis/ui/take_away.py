"""Pictures, tables and films of the run on screen, to take away."""

from __future__ import annotations

from collections.abc import Callable

from facevis.live.trainer import LiveRun

Translate = Callable[..., str]


def section(t: Translate, run: LiveRun) -> None:
    """Nothing yet."""
