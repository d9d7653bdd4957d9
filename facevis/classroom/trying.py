"""A student's own small run: only what is small, and of the pictures that come with the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.links import from_query
from facevis.live import RunConfig

DATASET = "digits"
"""Others take a hundred times the memory, or half a minute to draw."""
STEPS, BATCH = 3000, 256


def small_run(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The run of a link, made small, and a sentence for all that was not taken as it was.

    >>> config, ignored = small_run({"loss": "arcface", "steps": "9000", "data": "lfw"})
    >>> config.steps, config.dataset
    (3000, 'digits')
    >>> ignored[1]
    'steps=9000 was ignored: in the classroom it is at most 3000.'
    """
    config, ignored = from_query(query)
    if config.dataset != DATASET:
        said = Said("link_classroom", value=DATASET)
        ignored.append(ignored_part("data", config.dataset, said))
        config = replace(config, dataset=DATASET, identities=None, unseen=0)
    bounds = {"steps": STEPS, "batch_size": BATCH}
    smaller: dict[str, Any] = {}
    for name, most in bounds.items():
        value = getattr(config, name)
        if value is not None and value > most:
            smaller[name] = most
            ignored.append(ignored_part(name, str(value), Said("link_classroom_most", most=most)))
    return replace(config, **smaller), ignored
