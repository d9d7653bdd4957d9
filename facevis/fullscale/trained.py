"""A trained network from where it lies: the folder of a run, or a file with weights.

Weights that ``facevis export`` wrote say themselves which network they are of; of others, such as
InsightFace's ``backbone.pth``, it has to be named. What becomes of the network is unknown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import nn

from facevis.fullscale import checkpoint
from facevis.fullscale.networks import load_trained
from facevis.fullscale.runs import CHECKPOINTS, read_config
from facevis.models.backbones import (
    BACKBONES,
    WEIGHTS,
    build_backbone,
    load_backbone,
    read_backbone,
)
from facevis.models.described import Description


@dataclass(frozen=True, eq=False)
class Trained:
    """A network with its weights, in the mode of use, on the CPU."""

    network: nn.Module
    backbone: str
    path: Path
    name: str
    """What the run or the file is called."""
    step: int | None = None
    """Which step of a run this is."""
    data: str | None = None
    """What a run trains on, as its configuration names it."""

    @property
    def description(self) -> Description:
        """What a file with this network says of itself."""
        dim, size = self.network.embedding_dim, self.network.size
        return Description(self.backbone, int(dim), int(size))  # type: ignore[arg-type]


def open_trained(path: Path, backbone: str | None = None, step: int | None = None) -> Trained:
    """Read a network; ``step`` (of a run; left out, its last) and ``backbone`` (of weights).

    Raises ``ValueError`` in one sentence for a folder that is no run or has no checkpoint, for
    weights that do not fit or whose network nobody names, and for an option that has no place.

    >>> open_trained(Path("backbone.pth"))
    Traceback (most recent call last):
    ...
    ValueError: there is no file or folder backbone.pth; check the path.
    """
    if path.is_dir():
        return _of_run(path, backbone, step)
    if not path.exists():
        raise ValueError(f"there is no file or folder {path}; check the path.")
    if path.suffix.lower() not in WEIGHTS:
        raise ValueError(
            f"{path} is no trained network; name the folder of a training run, or weights "
            f"({', '.join(WEIGHTS)})."
        )
    if step is not None:
        raise ValueError(
            f"--step is for the folder of a run, and {path.name} holds one network; leave --step "
            "out."
        )
    return _of_weights(path, backbone)


def _of_run(folder: Path, backbone: str | None, step: int | None) -> Trained:
    config = read_config(folder)
    if backbone is not None:
        raise ValueError(
            f"--backbone is for weights, and the run {folder} knows its network "
            f"({config.backbone.name}); leave --backbone out."
        )
    if step is None:
        step = next(reversed(checkpoint.steps(folder / CHECKPOINTS)), None)
    network = load_trained(folder, step)
    name = folder.resolve().name
    return Trained(network, config.backbone.name, folder, name, step, config.data.train)


def _of_weights(path: Path, backbone: str | None) -> Trained:
    said = _description(path)
    if said is None and backbone is None:
        raise ValueError(
            f"{path.name} does not say which network its weights are of; name it, --backbone "
            f"{', '.join(BACKBONES[:-1])} or {BACKBONES[-1]}."
        )
    if said is None:
        assert backbone is not None
        return Trained(read_backbone(backbone, path).eval(), backbone, path, path.stem)
    said.refuse_others(path.name, backbone=backbone)
    network = build_backbone(said.backbone, said.embedding_dim, said.size)
    return Trained(load_backbone(network, path).eval(), said.backbone, path, path.stem)


def _description(path: Path) -> Description | None:
    """What the file says of itself; a file that cannot be read is refused when it is loaded."""
    if path.suffix.lower() != ".safetensors":
        return None
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
    except (SafetensorError, OSError, ValueError):
        return None
    return Description.from_texts(texts, path.name)
