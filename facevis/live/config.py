"""What a small training run is: its members and everything they share, validated.

A ``RunConfig`` decides a run completely: the same configuration gives the same recording. Nothing
here trains.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from facevis.margins import Margin, check_gradient, check_tail
from facevis.mining import MINING
from facevis.models import NETWORKS
from facevis.objectives import MARGIN_FAMILY, OBJECTIVES
from facevis.validation import choice, flag, shown, whole, within, written

MOST_MEMBERS = 256
SWEPT = ("m1", "m2", "m3", "scale")
PAIRWISE = ("contrastive", "triplet")
"""Losses without prototypes: they compare samples."""
# The classic setting of each loss (CVPR papers; distances: FaceNet and Hadsell et al.).
CLASSIC_MARGIN = {
    "sphereface": Margin.sphereface(),
    "cosface": Margin.cosface(),
    "arcface": Margin.arcface(),
    "combined": Margin(1.0, 0.3, 0.2),
}
# Which margins a loss of the family is about.
OPEN_MARGINS = {
    "sphereface": ("m1",),
    "arcface": ("m2",),
    "cosface": ("m3",),
    "combined": ("m1", "m2", "m3"),
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One objective of an ensemble with its margin and scale."""

    objective: str = "arcface"
    margin: Margin | None = None
    """m1, m2, m3; left out, the classic setting of the objective."""
    scale: float = 16.0
    """Radius s of the hypersphere, > 0."""
    tail: str = "monotone"
    gradient: str = "exact"
    mining: str = "semi-hard"
    distance_margin: float | None = None
    """Margin of the contrastive (1.0) and the triplet loss (0.2), a distance on the sphere."""
    squared: bool = False
    warmup: int = 0
    """Steps over which the margin grows from none to all of it."""
    seed: int | None = None
    """Seed of the initial weights; left out, the run's."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, in one sentence."""
        choice("objective", self.objective, OBJECTIVES)
        check_tail(self.tail)
        check_gradient(self.gradient)
        choice("mining", self.mining, MINING)
        if self.margin is not None and not isinstance(self.margin, Margin):
            raise ValueError(f"margin is {shown(self.margin)}; give a Margin(m1, m2, m3).")
        if self.margin is None:
            margin = CLASSIC_MARGIN.get(self.objective, Margin())
            object.__setattr__(self, "margin", margin)
        object.__setattr__(self, "scale", within("scale", self.scale, 1e-3, 1e4))
        if self.distance_margin is None:
            distance = 1.0 if self.objective == "contrastive" else 0.2
            object.__setattr__(self, "distance_margin", distance)
        distance = within("distance_margin", self.distance_margin, 1e-3, 10.0)
        object.__setattr__(self, "distance_margin", distance)
        whole("warmup", self.warmup, 0, 1_000_000)
        flag("squared", self.squared)
        if self.seed is not None:
            whole("seed", self.seed, 0, 2**31 - 1)

    def margin_at(self, step: int) -> Margin:
        """The margin in force at a step: none at the start of the warm-up, all of it after."""
        assert self.margin is not None
        return self.margin if step >= self.warmup else self.margin.scaled(step / self.warmup)

    @property
    def in_margin_family(self) -> bool:
        """Whether m1, m2, m3 and the scale act in this objective."""
        return self.objective in MARGIN_FAMILY

    @property
    def pairwise(self) -> bool:
        """Whether samples are compared with one another: then the margin is a distance."""
        return self.objective in PAIRWISE

    @property
    def spherical(self) -> bool:
        """Whether its embeddings live on the hypersphere (all but the plain softmax)."""
        return self.objective != "softmax"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """An ensemble's members and what they share: data, network, batches, seed."""

    members: tuple[Member, ...] = (Member(),)
    dataset: str = "digits"
    identities: int | None = None
    """Number of classes taken from the dataset; left out, all of them (24 procedural faces)."""
    images_per_class: int | None = None
    """Training images per class; the others are held out. Left out, all train."""
    unseen: int = 0
    """Identities beside those that are never in training: shown, measured, without a prototype."""
    embedding_dim: int = 2
    network: str = "mlp"
    batch_size: int = 128
    learning_rate: float = 0.003
    seed: int = 0
    steps: int = 1500
    swept: str | None = None
    """The value that the members sweep; ``sweep.sweep_config`` sets it."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, in one sentence."""
        if not isinstance(self.members, tuple) or not all(
            isinstance(member, Member) for member in self.members
        ):
            raise ValueError(f"members is {shown(self.members)}; give a tuple of Member.")
        if not isinstance(self.dataset, str):
            raise ValueError(f"dataset is {shown(self.dataset)}; give a name or a path as text.")
        written("dataset", self.dataset)
        if not 1 <= len(self.members) <= MOST_MEMBERS:
            raise ValueError(f"a run has 1 to {MOST_MEMBERS} members, not {len(self.members)}.")
        choice("network", self.network, NETWORKS)
        whole("embedding_dim", self.embedding_dim, 2, 4096)
        whole("batch_size", self.batch_size, 2, 8192)
        whole("seed", self.seed, 0, 2**31 - 1)
        whole("steps", self.steps, 1, 1_000_000)
        if self.swept is not None:
            choice("swept", self.swept, SWEPT)
        within("learning_rate", self.learning_rate, 1e-7, 10.0)
        whole("unseen", self.unseen, 0, 1000)
        if self.unseen == 1:
            raise ValueError("unseen is 1; one identity has no other to be told from: give 0 or 2.")
        if self.identities is not None:
            whole("identities", self.identities, 2, 1000)
        if self.images_per_class is not None:
            whole("images_per_class", self.images_per_class, 1, 100_000)

    def to_json(self) -> dict[str, Any]:
        """Plain types only; ``from_json`` gives it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RunConfig:
        """Build and validate a configuration from plain types.

        >>> config = RunConfig(members=(Member(objective="cosface"),), seed=3)
        >>> RunConfig.from_json(config.to_json()) == config
        True
        """
        if not isinstance(data, dict) or not isinstance(data.get("members"), list | tuple):
            raise ValueError("a configuration needs a list of members.")
        try:
            members = tuple(
                Member(**{**member, "margin": Margin(**member["margin"])})
                for member in data["members"]
            )
            return cls(**{**data, "members": members})
        except (TypeError, KeyError) as error:
            raise ValueError(f"the configuration has a wrong or missing field: {error}.") from error
