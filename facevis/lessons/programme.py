"""The thirteen lessons: their figures, controls, recordings, and where one goes on trying.

What a lesson says lies in ``texts``; here is what it shows. A control's values are checked here,
whether they come from a link or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facevis.lessons.controls import Choice, Range
from facevis.lessons.tapes import SEEDS, SOFTMAX_CLASSES, STRANGER_LOSSES, TRIPLET_MARGINS
from facevis.link_parts import ignored_part
from facevis.margins import TAILS
from facevis.mining import MINING
from facevis.objectives import MARGIN_FAMILY

FARTHEST_POWER = 7.0


@dataclass(frozen=True)
class Lesson:
    """What one lesson shows."""

    number: int
    slug: str
    figure: str
    """Its name in ``assets/web/lesson/figures.js``."""
    controls: tuple[Range | Choice, ...]
    tapes: tuple[str, ...]
    page: str
    """The app's page to go on with, by its path."""
    query: Mapping[str, str]
    """That page's link; ``{name}`` is a control's value, ``{name:a=b|c=d}`` what stands for it."""

    @property
    def name(self) -> str:
        """Number and slug, as its files are called."""
        return f"{self.number:02}-{self.slug}"


def _m1(value: float = 1.0, scene: str | None = None) -> Range:
    return Range("m1", 1.0, 3.0, 0.05, value, scene)


def _m2(value: float = 0.0, scene: str | None = None) -> Range:
    return Range("m2", 0.0, 1.2, 0.01, value, scene)


def _m3(value: float = 0.0, scene: str | None = None) -> Range:
    return Range("m3", 0.0, 1.0, 0.01, value, scene)


_CLASSES = tuple(map(str, SOFTMAX_CLASSES))
_SEED = Choice("seed", tuple(map(str, SEEDS)), "0")

LESSONS: tuple[Lesson, ...] = (
    Lesson(
        *(1, "softmax", "softmax"),
        controls=(Choice("classes", _CLASSES, "10"), _SEED),
        tapes=tuple(f"softmax-{n}-{seed}" for n in _CLASSES for seed in _SEED.options),
        page="",
        query={"loss": "softmax", "n": "{classes}", "seed": "{seed}", "steps": "800"},
    ),
    Lesson(
        *(2, "open-set", "stranger"),
        controls=(
            Choice("stranger", ("all", "7", "8", "9"), "all"),
            Range("threshold", 0.5, 0.999, 0.001, 0.9),
        ),
        tapes=("stranger",),
        page="",
        query={"loss": "softmax", "n": "7", "unseen": "3", "steps": "800"},
    ),
    Lesson(
        *(3, "siamese", "siamese"),
        controls=(
            Choice("scene", ("pair", "training"), "pair"),
            Choice("pair", ("same", "different"), "different", "pair"),
            Range("distance", 0.0, 2.0, 0.01, 0.6, "pair"),
            Range("margin", 0.1, 2.0, 0.05, 1.0, "pair"),
        ),
        tapes=("contrastive",),
        page="",
        query={"loss": "contrastive", "d": "{margin}", "steps": "800"},
    ),
    Lesson(
        *(4, "triplet", "triplet"),
        controls=(
            Choice("scene", ("zones", "training"), "zones"),
            Range("margin", 0.05, 1.0, 0.05, 0.2, "zones"),
            Range("positive", 0.1, 1.2, 0.01, 0.5, "zones"),
            Range("negative", 0.0, 2.4, 0.01, 0.6, "zones"),
            Choice("mining", MINING, "semi-hard", "training"),
            Choice("distance_margin", tuple(map(str, TRIPLET_MARGINS)), "0.2", "training"),
            Range("identities", 1.0, 6.0, 0.1, 1.0, power=True, scene="training"),
            Range("images", 2, 200, 1, 180, "training"),
        ),
        tapes=("triplet",),
        page="",
        query={"loss": "triplet", "mining": "{mining}", "d": "{distance_margin}", "steps": "800"},
    ),
    Lesson(
        *(5, "two-approaches", "costs"),
        controls=(
            Range("identities", 1.0, FARTHEST_POWER, 0.1, 6.0, power=True),
            Range("images", 2, 100, 1, 20),
            Range("dim", 64, 1024, 64, 512),
        ),
        tapes=(),
        page="compare",
        query={"losses": "five"},
    ),
    Lesson(
        *(6, "sphere", "sphere"),
        controls=(Range("s", 1.0, 64.0, 0.5, 1.0), Range("count", 2, 100, 1, 10)),
        tapes=("softmax-10-0",),
        page="",
        query={"loss": "normalized_softmax", "s": "{s}"},
    ),
    Lesson(
        *(7, "arcface", "arc"),
        controls=(
            Range("m2", 0.0, 1.0, 0.01, 0.5),
            Range("theta", 0, 90, 1, 24),
            Range("s", 1.0, 64.0, 0.5, 16.0),
        ),
        tapes=(),
        page="",
        query={"loss": "arcface", "m2": "{m2}", "s": "{s}"},
    ),
    Lesson(
        *(8, "effect-of-the-margin", "effect"),
        controls=(Range("m2", 0.0, 1.0, 0.01, 0.0), _SEED),
        tapes=("margin-0", "margin-1", "margin-2"),
        page="scrub",
        query={
            **{"sweep": "m2", "from": "0", "to": "1", "s": "24", "n": "7", "unseen": "3"},
            **{"per": "100", "steps": "1000", "seed": "{seed}"},
        },
    ),
    Lesson(
        *(9, "one-formula", "formula"),
        controls=(
            Choice("preset", MARGIN_FAMILY, "arcface"),
            _m1(),
            _m2(0.5),
            _m3(),
            Choice("tail", TAILS, "monotone"),
        ),
        tapes=("family",),
        page="",
        query={
            **{"loss": "combined", "m1": "{m1}", "m2": "{m2}", "m3": "{m3}"},
            **{"tail": "{tail}", "s": "24", "n": "7", "steps": "1000"},
        },
    ),
    Lesson(
        *(10, "on-a-circle", "circle"),
        controls=(
            Choice("scene", ("circle", "loss"), "circle"),
            Range("count", 2, 24, 1, 10, "circle"),
            _m1(scene="circle"),
            _m2(scene="circle"),
            _m3(0.35, scene="circle"),
        ),
        tapes=("cosface",),
        page="",
        query={"loss": "cosface", "m3": "{m3}"},
    ),
    Lesson(
        *(11, "one-more-dimension", "dimension"),
        controls=(Range("count", 2, 24, 1, 10), Choice("dim", ("2", "3"), "3")),
        tapes=(),
        page="",
        query={"preset": "{dim:2=arcface|3=arcface_sphere}"},
    ),
    Lesson(
        *(12, "strangers", "strangers"),
        controls=(
            Choice("loss", STRANGER_LOSSES, "normalized_softmax"),
            Range("threshold_angle", 5, 90, 1, 40),
            Range("people", 2, 24, 1, 24),
        ),
        tapes=("strangers",),
        page="strangers",
        query={
            "members": "softmax,normalized_softmax,triplet,sphereface,cosface,arcface",
            **{"data": "faces", "n": "48", "unseen": "24", "dim": "16", "steps": "1000"},
        },
    ),
    Lesson(
        *(13, "full-scale", "fullscale"),
        controls=(
            Choice("loss", ("normalized_softmax", "cosface", "arcface"), "arcface"),
            Range("first", 0, 93, 1, 0),
        ),
        tapes=("fullscale",),
        page="strangers",
        query={
            "members": "normalized_softmax:s=32,cosface:s=32,arcface:s=32",
            **{"data": "faces", "n": "96", "unseen": "24", "dim": "512", "steps": "800"},
            "part": "landing",
        },
    ),
)
"""In the order of the lecture."""


WITH_RUN = 13
"""The lesson in which a run of one's own may stand in for the recording."""


def controls_of_run(members: int, classes: int, embedding_dim: int) -> tuple[Range | Choice, ...]:
    """That lesson's controls where such a run is shown.

    >>> [control.name for control in controls_of_run(1, 24, 512)]
    ['first']
    """
    numbers = tuple(str(k + 1) for k in range(members))
    which = (Choice("member", numbers, "1"),) if members > 1 else ()
    three = (Range("first", 0, classes - 1, 1, 0),) if embedding_dim > 3 and classes > 3 else ()
    return (*which, *three)


def lesson(number: int) -> Lesson:
    """A lesson by its number; ``ValueError`` in words if there is none.

    >>> lesson(8).name
    '08-effect-of-the-margin'
    """
    if not 1 <= number <= len(LESSONS):
        raise ValueError(f"there is no lesson {number}; choose one from 1 to {len(LESSONS)}.")
    return LESSONS[number - 1]


def values_from_query(
    one: Lesson, query: Mapping[str, str]
) -> tuple[dict[str, float | str], list[str]]:
    """The controls of a link, and a sentence for each that was ignored.

    >>> values_from_query(lesson(6), {"s": "400"})[1]
    ['s=400 was ignored: give a number from 1 to 64.']
    """
    values: dict[str, float | str] = {control.name: control.value for control in one.controls}
    ignored: list[str] = []
    for control in one.controls:
        if control.name not in query:
            continue
        text = query[control.name]
        try:
            values[control.name] = control.read(text)
        except ValueError as error:
            ignored.append(ignored_part(control.name, text, error))
    return values, ignored
