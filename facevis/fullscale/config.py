"""What a full-scale run is: one frozen dataclass, written to the run's folder in full.

Its parts are in ``config_parts``; what needs more than one field to be refused is in ``check``.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Literal

from facevis.fullscale.config_parts import (
    MOST,
    PAIR_LOSSES,
    BackboneConfig,
    DataConfig,
    FollowConfig,
    HeadConfig,
    OptimizerConfig,
    ScheduleConfig,
)
from facevis.fullscale.plain import flat, from_plain
from facevis.validation import choice, line, whole


@dataclass(frozen=True, kw_only=True)
class FullScaleConfig:
    """A whole run.

    >>> config = FullScaleConfig(data=DataConfig(train="faces:identities=10"))
    >>> FullScaleConfig.from_json(config.to_json()) == config
    True
    """

    recipe: str = "custom"
    """Name of the recipe that it began as."""
    data: DataConfig = field(default_factory=DataConfig)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    follow: FollowConfig = field(default_factory=FollowConfig)
    batch_size: int = 512
    """Pictures of one step, over all processes and parts."""
    accumulate: int = 1
    """Parts in which each process goes through its share of a batch, one after the other. What
    follows the batches sees each part as one: batch norm, and AdaFace's and CurricularFace's means,
    which so move faster."""
    precision: Literal["float32", "bfloat16", "float16", "float64"] = "float32"
    """Precision of the network; the head's is float32, or float64, which is for checks."""
    channels_last: bool = False
    """Whether pictures lie with channels last in memory: quicker on most GPUs, and on CPUs."""
    compile: bool = False
    """Whether the network goes through torch.compile."""
    tf32: bool = True
    """Whether float32 products on NVIDIA GPUs may use TF32."""
    sync_batch_norm: bool = False
    """Whether batch norm looks at the batch of all processes; then their number changes nothing."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; auto takes GPUs where PyTorch sees some."""
    seed: int = 0
    """Seed of weights, order, mirroring and sampling."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        whole("batch_size", self.batch_size, 2, MOST)
        whole("accumulate", self.accumulate, 1, 4096)
        choice("precision", self.precision, ("float32", "bfloat16", "float16", "float64"))
        choice("device", self.device, ("auto", "cpu", "cuda"))
        whole("seed", self.seed, 0, MOST)

    def check(self, processes: int = 1) -> None:
        """Refuse what does not fit together; ``ValueError`` names the fields."""
        head, data = self.head, self.data
        if not data.train:
            raise ValueError(
                "data.train is empty; name the pictures that train, such as --data.train faces/."
            )
        if data.size % 16 and not self.backbone.name.startswith("vit"):
            raise ValueError(
                f"data.size is {data.size}, and {self.backbone.name} halves pictures four times; "
                "choose a multiple of 16."
            )
        parts = processes * self.accumulate
        if self.batch_size % parts or self.batch_size // parts < 2:
            raise ValueError(
                f"batch_size {self.batch_size} does not divide into {processes} processes times "
                f"{self.accumulate} parts of two pictures or more; choose a multiple of {parts}."
            )
        if head.objective in PAIR_LOSSES and not data.identities_per_batch:
            raise ValueError(
                f"head.objective {head.objective} compares pictures of the same identity; set "
                "data.identities_per_batch to batch_size / data.images_per_identity."
            )
        if head.objective in PAIR_LOSSES and self.accumulate > 1:
            raise ValueError(
                f"head.objective {head.objective} compares all pictures of a batch, and "
                "accumulate would cut it up; set accumulate to 1."
            )
        balanced = data.identities_per_batch * data.images_per_identity
        if data.identities_per_batch and balanced != self.batch_size:
            raise ValueError(
                f"data.identities_per_batch × data.images_per_identity is {balanced}, and "
                f"batch_size is {self.batch_size}; make them equal."
            )
        if head.objective == "softmax" and (head.sub_centers > 1 or head.sample_rate < 1):
            raise ValueError(
                "head.objective softmax has one prototype for each class and all classes in each "
                "step; leave head.sub_centers and head.sample_rate at 1."
            )
        if self.schedule.margin_warmup and head.objective != "margin":
            raise ValueError("schedule.margin_warmup is for head.objective margin; leave it at 0.")
        if self.precision == "float16" and self.device == "cpu":
            raise ValueError("precision float16 is for GPUs; choose bfloat16 or float32 on a CPU.")

    def to_json(self) -> str:
        """All fields, as text."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> FullScaleConfig:
        """Back from text; what it does not know, or what has another type, is named."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"the configuration is not JSON ({line(str(error))}); restore it from a copy."
            ) from error
        built: FullScaleConfig = from_plain(cls, found)
        return built

    def differences(self, other: FullScaleConfig) -> list[str]:
        """``field: this, not that`` for each field in which the other differs."""
        mine, theirs = flat(dataclasses.asdict(self)), flat(dataclasses.asdict(other))
        return [
            f"{name}: {value!r}, not {theirs.get(name)!r}"
            for name, value in mine.items()
            if theirs.get(name) != value
        ]
