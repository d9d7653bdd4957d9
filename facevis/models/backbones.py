"""The networks of full-scale training by their names, and their weights in files.

A backbone maps pictures (B, 3, S, S), RGB from −1 to 1, to embeddings (B, D) and says its
``embedding_dim`` D and ``size`` S. Weights are read from .pth, .pt (state dicts only: whatever else
a pickle may want to do is refused, nothing in it is executed) and .safetensors. Losses, training
and runs are unknown here.
"""

from __future__ import annotations

import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from facevis.models.iresnet import LAYERS, IResNet
from facevis.models.mobilefacenet import MobileFaceNet
from facevis.models.vit import PATCH, WIDTHS, VisionTransformer
from facevis.validation import choice, line, whole, within

BACKBONES = (*LAYERS, "mobilefacenet", *WIDTHS)
WEIGHTS = (".pth", ".pt", ".safetensors")
"""Suffixes of files with weights."""

_SMALLEST, _LARGEST, _STEP = 16, 512, 16
_LARGEST_DIM = 8192
_PLACES = ("state_dict", "model", "state_dict_backbone")
"""Where training programs put the state dict among other things (the last: arcface_torch)."""
_SHOWN = 3
_REMEDY = "name the network that it was saved from"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
"""How files of torch.save begin; the second before version 1.6."""
_WANTED = re.compile(r"unsupported (?:(?:global:? )+([^\s;]+)|(operand \d+))", re.IGNORECASE)
"""What torch says that a pickle asked for."""

State = dict[str, Tensor]


def build_backbone(
    name: str, embedding_dim: int = 512, size: int = 112, dropout: float = 0.0
) -> nn.Module:
    """A network with new weights, from torch's generator, for pictures of S = ``size`` pixels.

    ``size`` is 16 to 512, for the convolutional ones a multiple of 16. ``dropout`` is the share
    that is dropped before the embedding's layer. ``ValueError`` names what is out of range.

    >>> backbone = build_backbone("mobilefacenet", embedding_dim=64, size=32).eval()
    >>> backbone(torch.zeros(2, 3, 32, 32)).shape, backbone.embedding_dim, backbone.size
    (torch.Size([2, 64]), 64, 32)
    >>> build_backbone("resnet50")
    Traceback (most recent call last):
    ...
    ValueError: backbone is 'resnet50'; choose one of iresnet18, iresnet34, ..., vit_s, vit_b.
    """
    choice("backbone", name, BACKBONES)
    whole("embedding_dim", embedding_dim, 2, _LARGEST_DIM)
    whole("size", size, _SMALLEST, _LARGEST)
    within("dropout", dropout, 0.0, 0.9)
    if name in WIDTHS:
        return VisionTransformer(*WIDTHS[name], embedding_dim, size, dropout)
    if size % _STEP:
        raise ValueError(
            f"size is {size}; {name} halves it four times, so give a multiple of {_STEP}."
        )
    if name in LAYERS:
        return IResNet(LAYERS[name], embedding_dim, size, dropout)
    return MobileFaceNet(embedding_dim, size, dropout)


def count_parameters(module: nn.Module) -> int:
    """How many numbers its parameters are, learned or fixed; buffers do not count.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters())


def load_backbone(backbone: nn.Module, path: Path) -> nn.Module:
    """Put the weights of a file into a network, all of them, and give it back.

    The state dict may lie under "state_dict" or "model", its names may begin with "module.".
    ``ValueError`` for a file that is damaged, is more than weights, or does not fit; the network
    then stays as it was.
    """
    _fill(backbone, read_weights(path), path.name, _REMEDY)
    return backbone


def read_backbone(name: str, path: Path) -> nn.Module:
    """The network of this name as its file describes it: D and S are read off the weights.

    A transformer's S cannot be told from pictures a few pixels larger; 112 goes before others.
    ``ValueError`` as ``load_backbone``.
    """
    choice("backbone", name, BACKBONES)
    state = read_weights(path)
    embedding_dim, size = _dimensions(name, state, path)
    return build_filled(name, embedding_dim, size, state, path.name, _REMEDY)


def build_filled(
    name: str, embedding_dim: int, size: int, state: State, where: str, remedy: str
) -> nn.Module:
    """The network with these weights; ``ValueError`` says ``where`` they are and the ``remedy``.

    It takes no more memory than the weights do: two small ones can ask for a network of gigabytes.
    """
    if _numbers(name, embedding_dim, size) > sum(weight.numel() for weight in state.values()):
        raise ValueError(
            f"{where} does not fit {name} of D = {embedding_dim}, S = {size}: it has fewer "
            f"numbers than the largest layer; {remedy}."
        )
    try:
        backbone = build_backbone(name, embedding_dim, size)
    except ValueError as error:
        raise ValueError(
            f"{where} fits no {name} that facevis knows ({str(error).rstrip('.')}); {remedy}."
        ) from error
    _fill(backbone, state, where, remedy)
    return backbone


def read_weights(path: Path) -> State:
    """The state dict in a .pth, .pt or .safetensors file; ``ValueError`` in words."""
    if path.suffix.lower() not in WEIGHTS:
        raise ValueError(f"{path.name} holds no weights; name a file {', '.join(WEIGHTS)}.")
    if not path.is_file():
        raise ValueError(f"there is no file {path}; check the path of the weights.")
    read = _safetensors if path.suffix.lower() == ".safetensors" else _torch
    found = read(path)
    for place in _PLACES:
        if isinstance(found, Mapping) and isinstance(found.get(place), Mapping):
            found = found[place]
    if not isinstance(found, Mapping) or not found or not all(map(_is_weight, found.items())):
        raise ValueError(
            f"{path.name} holds no state dict; save the network's state_dict(), alone or under "
            '"state_dict".'
        )
    for name, weight in found.items():
        if weight.numel() * weight.element_size() > weight.untyped_storage().nbytes():
            raise ValueError(
                f"{line(name)} in {path.name} claims more numbers than the file holds; save the "
                "network's state_dict() again."
            )
    wrapped = all(name.startswith("module.") for name in found)
    return {name.removeprefix("module.") if wrapped else name: w for name, w in found.items()}


def _is_weight(item: tuple[Any, Any]) -> bool:
    name, weight = item
    return isinstance(name, str) and isinstance(weight, Tensor)


def _safetensors(path: Path) -> Any:
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error


def _torch(path: Path) -> Any:
    _check_container(path)
    try:
        with warnings.catch_warnings():
            # It wonders aloud about pickles of others, and fails where it cannot read them.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = _WANTED.search(str(error))
        if wanted is None:
            raise _damaged(path, "its pickle is none of weights") from error
        asked = line(wanted[1] or wanted[2])
        raise ValueError(
            f"{path.name} wants more than weights ({asked}), and facevis executes nothing in a "
            "file; save the state_dict() alone, or as .safetensors."
        ) from error
    # What torch makes of a file that ends early or was never one depends on where it ends.
    except Exception as error:
        raise _damaged(path, error) from error


def _check_container(path: Path) -> None:
    """Refuse what ``torch.save`` does not write: torch would try its oldest reader, of tars, and
    unpack whatever a compressed member swells to."""
    members = []
    try:
        with path.open("rb") as file:
            beginning = file.read(4)
        if beginning == _ZIP:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _damaged(path, error) from error
    if not beginning.startswith((_ZIP, _PICKLE)):
        raise ValueError(f"{path.name} is no file of torch.save; copy or save it again.")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError(f"{path.name} is compressed, which torch.save never does; save it again.")


def _damaged(path: Path, error: Exception | str) -> ValueError:
    reason = (" ".join(str(error).split())[:80] or type(error).__name__).rstrip(". ")
    return ValueError(
        f"{path.name} cannot be read as weights ({reason}); copy or save the file again."
    )


# -- what fits ------------------------------------------------------------------------------------


def _fill(backbone: nn.Module, state: State, where: str, remedy: str) -> None:
    wanted = backbone.state_dict()
    other = [
        f"{name} {_sides(state[name])} instead of {_sides(weight)}"
        for name, weight in wanted.items()
        if name in state and state[name].shape != weight.shape
    ]
    parts = [
        _listed("missing", [name for name in wanted if name not in state]),
        _listed("unexpected", [name for name in state if name not in wanted]),
        _listed("of another shape", other),
    ]
    if any(parts):
        raise ValueError(
            f"{where} does not fit {type(backbone).__name__} of D = {backbone.embedding_dim}, "
            f"S = {backbone.size}: {'; '.join(filter(None, parts))}; {remedy}."
        )
    backbone.load_state_dict(state, strict=True)


def _listed(what: str, names: list[str]) -> str:
    """``2 missing (a, b)``, at most three of them by name."""
    if not names:
        return ""
    more = ", …" if len(names) > _SHOWN else ""
    return f"{len(names)} {what} ({', '.join(map(line, names[:_SHOWN]))}{more})"


def _sides(weight: Tensor) -> str:
    return "×".join(map(str, weight.shape)) or "1"


def _dimensions(name: str, state: State, path: Path) -> tuple[int, int]:
    """D and S, from the layers of each family that depend on them."""
    last, first, size = _SIGNS["vit" if name in WIDTHS else name if name in _SIGNS else "iresnet"]
    if last not in state or first not in state or state[first].dim() < 2 or not state[last].dim():
        raise ValueError(
            f"{path.name} is no {name}, since it has no {last} and {first}; name the network that "
            "it was saved from with --backbone."
        )
    return len(state[last]), size(state[first])


def _numbers(name: str, embedding_dim: int, size: int) -> int:
    """How many the layer has that grows with D and S."""
    if name in WIDTHS:
        return int(WIDTHS[name][0] ** 2 * (size // PATCH) ** 2)
    return 512 * embedding_dim * ((size // _STEP) ** 2 if name in LAYERS else 1)


def _size_of_patches(position: Tensor) -> int:
    side = math.isqrt(position.shape[1])
    return 112 if side == 112 // PATCH else side * PATCH


_SIGNS: dict[str, tuple[str, str, Callable[[Tensor], int]]] = {
    "iresnet": ("features.bias", "fc.weight", lambda w: 16 * math.isqrt(w.shape[1] // 512)),
    "mobilefacenet": ("features.bias", "whole.0.weight", lambda w: 16 * w.shape[-1]),
    "vit": ("feature.3.bias", "pos_embed", _size_of_patches),
}
"""Of each family: a weight of length D, another that tells S, and how."""
