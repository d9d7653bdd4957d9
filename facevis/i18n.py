"""Words on screen in English and Russian, from ``assets/strings``; it knows no Streamlit."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import lru_cache

from facevis.assets import asset_path

LANGUAGES = ("en", "ru")


@lru_cache(maxsize=len(LANGUAGES))
def strings(language: str) -> dict[str, str]:
    """All words of a language; an unknown language is read as English."""
    known = language if language in LANGUAGES else "en"
    return tomllib.loads(asset_path("strings", f"{known}.toml").read_text(encoding="utf-8"))


def browser_strings(language: str) -> dict[str, str]:
    """What speaks for itself in the browser: its own words, and the names of losses and mining."""
    words = strings(language)
    shared = {
        f"live_{key}": text
        for key, text in words.items()
        if key.startswith(("objective_", "mining_"))
    }
    return shared | {key: text for key, text in words.items() if key.startswith("live_")}


def translator(language: str) -> Callable[..., str]:
    """A function from key and values to the words; an unknown key is a ``KeyError``.

    >>> translator("en")("own_loaded", images=40, classes=4, name="mine")
    '40 pictures of 4 classes from mine.'
    """
    words = strings(language)

    def translate(key: str, **values: object) -> str:
        return words[key].format(**values) if values else words[key]

    return translate
