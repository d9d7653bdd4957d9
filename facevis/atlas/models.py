"""Trained networks to be surveyed: every checkpoint of a run, or one file that was brought along.

A ``Moment`` is one set of weights: it opens when it is needed and says by a digest which it is. It
knows networks and their files; what is made of the embeddings it does not know.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from facevis.embedders import PACKAGED, Embedder, OnnxOptions, open_model
from facevis.fullscale import checkpoint, networks, runs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import HeadConfig
from facevis.fullscale.embedding import NetworkEmbedder
from facevis.fullscale.heads import build_objective
from facevis.fullscale.journal import read_journal
from facevis.fullscale.prototypes import ShardedObjective
from facevis.fullscale.trained import Trained, open_trained
from facevis.live.config import Member
from facevis.margins import Margin
from facevis.models.backbones import WEIGHTS, load_backbone
from facevis.photographs.packaged import DIGESTS, SFACE

Prototypes = Callable[[np.ndarray, int], np.ndarray | None]

_MOST_BYTES = 2**30
"""Prototypes of more than this are not loaded; class means stand in."""
_HEAD = "head.weight"


@dataclass(frozen=True, eq=False)
class Moment:
    """One set of weights."""

    step: int
    digest: str
    """Which weights these are: the same digest, the same embeddings."""
    open: Callable[[], Embedder]
    """The network; ``ValueError`` in words where its file is damaged."""
    prototypes: Prototypes
    """(K, sub-centres, D) of classes (K,) among so many, None where there are none."""
    loss: float = math.nan


@dataclass(frozen=True, eq=False)
class Model:
    """A network, at one or several moments of its training, in their order."""

    name: str
    detail: str
    """Its settings, for a caption."""
    member: Member
    """The loss that it was trained with; the normalised softmax where nobody says."""
    moments: tuple[Moment, ...]
    trained_on: str = ""
    """What it was trained on, as its configuration names it; empty where nobody says."""
    sets: tuple[str, ...] = ()
    """The sets of strangers that it is evaluated on."""
    drawn: Path | None = None
    """Where a run keeps what it drew."""

    def at(self, moments: Sequence[Moment]) -> Model:
        """The same at some of its moments."""
        return dataclasses.replace(self, moments=tuple(moments))


def model_of_run(folder: Path, until: int | None = None) -> Model:
    """All checkpoints of a full-scale run up to step ``until``, and its untrained network.

    Raises ``ValueError`` in words for a folder that is no run or has no checkpoint.
    """
    config = runs.read_config(folder)
    there = [s for s in checkpoint.steps(folder / runs.CHECKPOINTS) if until is None or s <= until]
    if not there:
        which = "" if until is None else f" up to step {until}"
        raise ValueError(f"{folder.name} has no checkpoint{which} yet; let it train until one.")
    losses = _losses(folder)
    moments = [_checkpoint(folder, step, losses.get(step, math.nan)) for step in there]
    # Weights that it began with may have gone; what it learned is there nonetheless.
    if not config.backbone.weights or Path(config.backbone.weights).is_file():
        moments.insert(0, _untrained(folder, config))
    return Model(
        folder.resolve().name,
        _settings(config),
        member_of(config.head),
        tuple(moments),
        config.data.train,
        config.follow.sets,
        folder / "cache",
    )


def model_of_file(
    path: Path, backbone: str | None = None, options: OnnxOptions | None = None
) -> Model:
    """A network brought along: ``.onnx``, weights (``.pth``, ``.pt``, ``.safetensors``), ``sface``.

    ``backbone`` names the network of weights that do not say it. Raises ``ValueError`` in words.
    """
    suffix = path.suffix.lower()
    packaged = str(path) == PACKAGED and not path.exists()
    if not packaged and suffix not in (".onnx", *WEIGHTS):
        raise ValueError(
            f"{path.name or path} is no network; name the folder of a run, an .onnx file, or "
            f"weights ({', '.join(WEIGHTS)})."
        )
    if not packaged and not path.is_file():
        raise ValueError(f"there is no file {path}; check the path.")
    if packaged or suffix == ".onnx":
        embedder: Embedder = open_model(path, options or OnnxOptions())
    else:
        embedder = NetworkEmbedder(open_trained(path, backbone))
    said = DIGESTS[SFACE] if packaged else repr(_file_digest(path))
    digest = _digest(f"{said}{backbone}{options}".encode())
    about = embedder.about()
    detail = " · ".join(
        str(part) for part in (about.get("backbone"), f"{embedder.size}×{embedder.size}") if part
    )
    moment = Moment(0, digest, lambda: embedder, lambda classes, count: None)
    return Model(path.stem, detail, Member(objective="normalized_softmax"), (moment,))


def member_of(head: HeadConfig) -> Member:
    """The loss of a full-scale run by the names of the small ones.

    Losses whose margin depends on the sample stand as what they are without it, ArcFace or CosFace.

    >>> member_of(HeadConfig(m2=0.0, m3=0.35)).objective
    'cosface'
    """
    if head.objective in ("softmax", "contrastive", "triplet"):
        return Member(objective=head.objective)
    margin = Margin(head.m1, head.m2, head.m3)
    acts = (margin.m1 != 1.0, margin.m2 != 0.0, margin.m3 != 0.0)
    if head.objective != "margin":
        return Member(objective="normalized_softmax", scale=head.scale)
    named = {
        (False, False, False): "normalized_softmax",
        (True, False, False): "sphereface",
        (False, True, False): "arcface",
        (False, False, True): "cosface",
    }
    objective = named.get(acts, "combined")
    if objective == "normalized_softmax":
        return Member(objective=objective, scale=head.scale)
    return Member(objective=objective, margin=margin, scale=head.scale, tail=head.tail)


def _settings(config: FullScaleConfig) -> str:
    head = config.head
    parts = [config.backbone.name, head.objective]
    if head.objective == "margin":
        values = {"m1": head.m1, "m2": head.m2, "m3": head.m3}
        kept = {n: v for n, v in values.items() if v != (n == "m1")}
        parts = [config.backbone.name, *(f"{name} = {value:g}" for name, value in kept.items())]
    if head.objective not in ("softmax", "contrastive", "triplet"):
        parts.append(f"s = {head.scale:g}")
    return " · ".join(parts)


def _losses(folder: Path) -> dict[int, float]:
    """Losses by steps, as far as the journal can be read: they are an ornament here."""
    try:
        return {
            entry["step"]: float(entry["loss"])
            for entry in read_journal(folder)
            if entry["kind"] == "train" and isinstance(entry.get("loss"), int | float)
        }
    except (ValueError, OSError):
        return {}


def _checkpoint(folder: Path, step: int, loss: float) -> Moment:
    return Moment(
        step,
        _digest_of_checkpoint(folder, step),
        lambda: NetworkEmbedder(open_trained(folder, step=step)),
        lambda classes, _: _kept_prototypes(folder, step, classes),
        loss,
    )


def _untrained(folder: Path, config: FullScaleConfig) -> Moment:
    """The network before its first step, which follows from the configuration."""

    def network() -> Embedder:
        torch.manual_seed(config.seed)
        built = networks.build_network(config)
        if config.backbone.weights:
            load_backbone(built, Path(config.backbone.weights))
        name = folder.resolve().name
        return NetworkEmbedder(Trained(built.eval(), config.backbone.name, folder, name, 0))

    def prototypes(classes: np.ndarray, count: int) -> np.ndarray | None:
        dim = config.backbone.embedding_dim
        if 4 * count * dim * config.head.sub_centers > _MOST_BYTES:
            return None
        objective = build_objective(config.head, count, dim, config.seed)
        if not isinstance(objective, ShardedObjective):
            return None
        table = objective.weight.detach().view(count, config.head.sub_centers, dim)
        return table[torch.from_numpy(classes)].numpy()

    weights = Path(config.backbone.weights) if config.backbone.weights else None
    begun = _file_digest(weights) if weights else b""
    said = f"{config.to_json()}{torch.__version__}{begun!r}"
    return Moment(0, _digest(said.encode()), network, prototypes)


def _kept_prototypes(folder: Path, step: int, classes: np.ndarray) -> np.ndarray | None:
    place = folder / runs.CHECKPOINTS
    shape, dtype = checkpoint.shapes(place, step).get(_HEAD, ((0,), torch.float32))
    if not math.prod(shape) or math.prod(shape) * dtype.itemsize > _MOST_BYTES:
        return None
    if classes.max() >= shape[0]:
        raise ValueError(
            f"the checkpoint of step {step} has prototypes of {shape[0]} identities, and the set "
            f"has more; choose the set that {folder.name} was trained on, or another as strangers."
        )
    table = checkpoint.read_whole(place, step, lambda name: name == _HEAD)[_HEAD]
    return table[torch.from_numpy(classes)].float().numpy()


def _digest_of_checkpoint(folder: Path, step: int) -> str:
    path = folder / runs.CHECKPOINTS / f"step-{step:08d}"
    checkpoint.progress_of(folder / runs.CHECKPOINTS, step)  # whole, and of a known version
    files = sorted(file for file in path.iterdir() if file.is_file())
    return _digest(b"".join(file.name.encode() + _file_digest(file) for file in files))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def _file_digest(path: Path) -> bytes:
    """A digest of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
