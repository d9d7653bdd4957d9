"""The parts of a full-scale configuration, each a frozen dataclass of plain values.

PyTorch is not loaded here, so that the command line answers quickly. A value that cannot be is
refused with its name; what needs more than one part is in ``config.FullScaleConfig.check``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facevis.validation import choice, flag, positive, whole, within

BACKBONE_NAMES = (
    *("iresnet18", "iresnet34", "iresnet50", "iresnet100", "iresnet200"),
    *("mobilefacenet", "vit_t", "vit_s", "vit_b"),
)

"""The networks, as a configuration names them."""

CLASSIFIERS = ("softmax", "margin", "adaface", "magface", "curricularface")

"""Objectives with a prototype for each training identity."""

PAIR_LOSSES = ("triplet", "contrastive")

"""Objectives without prototypes: they compare the pictures of a batch."""

MOST = 2**31 - 1
"""Largest whole number of a configuration."""

ObjectiveName = Literal[
    "softmax", "margin", "adaface", "magface", "curricularface", "triplet", "contrastive"
]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The pictures that train."""

    train: str = ""
    """A RecordIO (its folder or .rec), a folder with one subfolder for each identity, a list,
    shards (.tar), or made up: faces:identities=200,images=20,size=48 (drawn), noise:identities=1000
    (for speed)."""
    size: int = 112
    """Side of the pictures in pixels."""
    mirror: bool = True
    """Whether half of the pictures, by lot, are mirrored."""
    workers: int = 2
    """Processes that read and decode, beside each training process; 0 reads in it."""
    identities_per_batch: int = 0
    """P of P×K batches, for the whole batch; pair losses need it. 0 draws pictures as they come."""
    images_per_identity: int = 4
    """K of P×K batches."""
    most_damaged: int = 100
    """How many pictures may turn out damaged before the run stops."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        whole("data.size", self.size, 16, 512)
        flag("data.mirror", self.mirror)
        whole("data.workers", self.workers, 0, 256)
        whole("data.identities_per_batch", self.identities_per_batch, 0, MOST)
        whole("data.images_per_identity", self.images_per_identity, 2, 1024)
        whole("data.most_damaged", self.most_damaged, 0, MOST)


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """The network."""

    name: str = "iresnet50"
    """iresnet18, iresnet34, iresnet50, iresnet100, iresnet200, mobilefacenet, vit_t, vit_s or
    vit_b."""
    embedding_dim: int = 512
    """Dimensions of the embeddings."""
    dropout: float = 0.0
    """Share of values dropped before the last layer."""
    weights: str = ""
    """Weights to begin with: a .pth or .safetensors file of the same network."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        choice("backbone.name", self.name, BACKBONE_NAMES)
        whole("backbone.embedding_dim", self.embedding_dim, 2, 4096)
        within("backbone.dropout", self.dropout, 0.0, 0.9)


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The objective. Fields that an objective does not use stay at their defaults."""

    objective: ObjectiveName = "margin"
    """margin is the family s·(ψ(m1·θ + m2) − m3): SphereFace, CosFace, ArcFace, combined."""
    m1: float = 1.0
    """Multiplies the angle (SphereFace)."""
    m2: float = 0.5
    """Added to the angle, radians (ArcFace; also CurricularFace's)."""
    m3: float = 0.0
    """Taken off the cosine (CosFace)."""
    scale: float = 64.0
    """Radius s of the hypersphere."""
    tail: Literal["monotone", "raw", "linear", "easy"] = "monotone"
    """What happens past π; see facevis.margins."""
    gradient: Literal["exact", "detached"] = "exact"
    """The formula's derivative, or passed straight through as common trainers do."""
    sub_centers: int = 1
    """Prototypes for each class, of which the nearest counts (sub-centre ArcFace)."""
    sample_rate: float = 1.0
    """Share of the classes in each step (partial FC); 1 is the exact softmax."""
    distance: float = 0.35
    """Margin of the triplet loss (or of the contrastive one), a distance on the unit sphere."""
    mining: Literal["all", "semi-hard", "batch-hard"] = "semi-hard"
    """Which triplets count."""
    squared: bool = False
    """Squared distances in the triplet loss (FaceNet)."""
    adaface_m: float = 0.4
    """AdaFace's m."""
    adaface_h: float = 0.333
    """AdaFace's h: how far length spreads the margin."""
    magface_weight: float = 35.0
    """MagFace's λ: how much length is rewarded."""

    def __post_init__(self) -> None:
        """Refuse what cannot be; the margins' own limits are those of ``facevis.margins``."""
        choice("head.objective", self.objective, CLASSIFIERS + PAIR_LOSSES)
        positive("head.scale", self.scale)
        within("head.scale", self.scale, 0.0, 1e6)
        whole("head.sub_centers", self.sub_centers, 1, 64)
        within("head.sample_rate", self.sample_rate, 1e-6, 1.0)
        positive("head.distance", self.distance)
        within("head.adaface_m", self.adaface_m, 0.0, 1.0)
        positive("head.adaface_h", self.adaface_h)
        within("head.magface_weight", self.magface_weight, 0.0, 1e6)


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How weights move."""

    name: Literal["sgd", "adamw"] = "sgd"
    """sgd (with momentum) or adamw."""
    learning_rate: float = 0.1
    """The highest learning rate, after warm-up, for the whole batch."""
    weight_decay: float = 5e-4
    """Weight decay, on all weights."""
    momentum: float = 0.9
    """Momentum of sgd."""
    clip: float = 5.0
    """Longest gradient, over all weights together; 0 does not clip."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        choice("optimizer.name", self.name, ("sgd", "adamw"))
        positive("optimizer.learning_rate", self.learning_rate)
        within("optimizer.learning_rate", self.learning_rate, 0.0, 1e30)
        within("optimizer.weight_decay", self.weight_decay, 0.0, 10.0)
        within("optimizer.momentum", self.momentum, 0.0, 0.9999)
        within("optimizer.clip", self.clip, 0.0, 1e9)


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """How long, and how the learning rate goes."""

    steps: int = 32_000
    """Training steps; one step is one whole batch."""
    kind: Literal["polynomial", "cosine", "step"] = "polynomial"
    """polynomial and cosine fall to 0 at the end, step divides at the milestones."""
    warmup: int = 0
    """Steps in which the learning rate rises from 0."""
    power: float = 2.0
    """Power of the polynomial."""
    milestones: tuple[int, ...] = ()
    """Steps at which kind=step multiplies by factor."""
    factor: float = 0.1
    """What kind=step multiplies by."""
    margin_warmup: int = 0
    """Steps in which the margin grows from none to all of it (objective margin)."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        whole("schedule.steps", self.steps, 1, MOST)
        choice("schedule.kind", self.kind, ("polynomial", "cosine", "step"))
        whole("schedule.warmup", self.warmup, 0, MOST)
        positive("schedule.power", self.power)
        for step in self.milestones:
            whole("schedule.milestones", step, 1, MOST)
        within("schedule.factor", self.factor, 0.0, 1.0)
        whole("schedule.margin_warmup", self.margin_warmup, 0, MOST)


@dataclass(frozen=True, kw_only=True)
class FollowConfig:
    """What is written, measured and kept on the way."""

    every: int = 10
    """Steps between lines of metrics."""
    evaluate_every: int = 2000
    """Steps between evaluations; 0 evaluates at the end only."""
    sets: tuple[str, ...] = ()
    """Whom to be evaluated on: .bin sets, folders or other sets of people who do not train."""
    angle_identities: int = 200
    """Training identities of the angle table at each evaluation; 0 leaves it out."""
    checkpoint_every: int = 2000
    """Steps between checkpoints; there is always one at the end."""
    keep: int = 2
    """Checkpoints that are kept."""
    tensorboard: bool = False
    """Whether events for TensorBoard are written too."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name, low in (("every", 1), ("evaluate_every", 0), ("checkpoint_every", 1)):
            whole(f"follow.{name}", getattr(self, name), low, MOST)
        whole("follow.angle_identities", self.angle_identities, 0, 10_000)
        whole("follow.keep", self.keep, 1, 1000)
        flag("follow.tensorboard", self.tensorboard)
