"""``facevis compare`` as it is typed: which losses, over how many seeds, and what is written.

It is light: PyTorch is loaded when training begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from facevis.arguments import WHOLE_FILES, in_one_sentence


@dataclass(frozen=True)
class Compare:
    """Train losses side by side over several seeds; a table, and files to take away."""

    out: Path
    """Folder for the files; files of other names in it stay as they are."""
    losses: tuple[str, ...] = ()
    """2 to 6 losses, a margin after a colon: arcface cosface:0.2 sphereface:1.5 combined:1,0.3,0.2
    triplet:0.2; left out, softmax triplet sphereface cosface arcface."""
    seeds: int = 5
    """How often each loss is trained, from other initial weights."""
    dataset: str = "digits"
    """Name of a dataset, or path of a folder or zip."""
    identities: int | None = 7
    """Number of classes in training."""
    unseen: int = 3
    """Number of classes beside those that are never trained on."""
    images_per_class: int | None = None
    """Training images per class; the others are held out. Left out, all train."""
    dim: tuple[int, ...] = (2,)
    """Dimension of the embeddings, one for all losses; pictures need 2 or 3."""
    scale: float | None = None
    """Scale s, one for all losses; left out, 8 in three dimensions, else 24."""
    steps: int = 1000
    """Training steps."""
    seed: int = 0
    """The first seed; it also deals out images and batches."""
    sweep: str | None = None
    """Instead of losses: one value to sweep, m1, m2, m3 or scale."""
    low: Annotated[float, tyro.conf.arg(name="from")] = 0.0
    """First value of the sweep."""
    high: Annotated[float, tyro.conf.arg(name="to")] = 1.0
    """Last value of the sweep."""
    count: int = 21
    """How many values the sweep has."""
    formats: tuple[str, ...] = ("png", "csv")
    """What to write: png svg csv gif mp4."""
    lang: str = "en"
    """Language of table and pictures, en or ru."""
    theme: str = "light"
    """Colours of the pictures, light or dark."""

    def run(self) -> None:
        """Train, write and print; every fault ends in one sentence."""
        from facevis.compare import Order, compare, configured

        order = Order(self.seeds, self.out, self.formats, self.lang, self.theme)
        with in_one_sentence(WHOLE_FILES):
            config = configured(
                losses=self.losses,
                dim=self.dim,
                scale=self.scale,
                sweep=(self.sweep, self.low, self.high, self.count) if self.sweep else None,
                dataset=self.dataset,
                identities=self.identities,
                unseen=self.unseen,
                images_per_class=self.images_per_class,
                steps=self.steps,
                seed=self.seed,
            )
            compare(config, order)
