"""Words on screen in English and Russian, from ``assets/strings``; it knows no Streamlit.

What is said of a wrong value is English that knows its key: a page says it in its language.
"""

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


class Said(str):
    """A sentence in English that can be said in another language.

    >>> sentence = Said("wrong_whole", name="steps", value=0, low=1, high=9)
    >>> print(sentence)
    steps is 0; give a whole number from 1 to 9.
    >>> print(told(translator("ru"), ValueError(sentence)))
    steps: 0 не подходит; нужно целое число от 1 до 9.
    """

    __slots__ = ("key", "values")
    key: str
    values: dict[str, object]

    def __new__(cls, key: str, **values: object) -> Said:
        """The words of ``key`` in English, with ``values`` in them."""
        said = super().__new__(cls, translator("en")(key, **values))
        said.key, said.values = key, values
        return said

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """As another process makes it."""
        return (self.key,), self.values


def told(t: Callable[..., str], said: object) -> str:
    """A sentence, or an error's, in the words of ``t``; what has no other words stays as it is."""
    if isinstance(said, Exception) and len(said.args) == 1:
        said = said.args[0]
    if not isinstance(said, Said):
        return str(said)
    return t(said.key, **{name: told(t, value) for name, value in said.values.items()})


def translator(language: str) -> Callable[..., str]:
    """A function from key and values to the words; an unknown key is a ``KeyError``.

    >>> translator("en")("own_loaded", images=40, classes=4, name="mine")
    '40 pictures of 4 classes from mine.'
    """
    words = strings(language)

    def translate(key: str, **values: object) -> str:
        return words[key].format(**values) if values else words[key]

    return translate
