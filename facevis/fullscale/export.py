"""A trained network as a file for others: ONNX for any runtime, safetensors for PyTorch.

The ONNX file takes ``input`` (N, 3, S, S), RGB from −1 to 1, for any N, and gives ``embedding``
(N, D), not normalised. Before it gets its name it is read back as ``facevis evaluate`` reads it,
and has to give the embeddings that PyTorch gives. Both kinds of files say of themselves what they
are (``models.described``), and nothing of the machine that they were made on.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import nn

from facevis.embedders import OnnxEmbedder, OnnxOptions
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.trained import Trained
from facevis.writing import in_words, new_file, write_in_words

FORMATS = (".onnx", ".safetensors")
"""Suffixes of the files that can be written."""
BATCHES = (1, 2, 5)
"""How many pictures at a time are tried."""
TOLERANCE = 1e-4
"""Largest difference between ONNX and PyTorch, as a share of an embedding's length."""


@dataclass(frozen=True)
class Parity:
    """How far ONNX and PyTorch are apart."""

    difference: float
    """Largest |a − b| / |b| of an embedding."""
    pictures: int
    """Random pictures that were tried."""


def export(trained: Trained, path: Path) -> Parity | None:
    """Write the network in the format that the suffix names; for ONNX, what the check found.

    Raises ``ValueError`` for another suffix and for whatever keeps the file from being written.

    >>> check_target(Path("model.pth"))
    Traceback (most recent call last):
    ...
    ValueError: model.pth would be a .pth file; end --out in .onnx or .safetensors.
    """
    check_target(path)
    if path.suffix.lower() == ".onnx":
        return export_onnx(trained, path)
    export_weights(trained, path)
    return None


def check_target(path: Path) -> None:
    """Refuse what cannot be written, before any work is done for it."""
    if path.suffix.lower() not in FORMATS:
        kind = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
        raise ValueError(f"{path} would be {kind}; end --out in {' or '.join(FORMATS)}.")
    with in_words(path, "name another --out"):  # a name may be too long to be asked for
        if not path.parent.is_dir():
            raise ValueError(f"there is no folder {path.parent}; make it, or name another --out.")
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name a file for --out.")


def export_onnx(trained: Trained, path: Path) -> Parity:
    """Write the network as ONNX, once it gives the embeddings that PyTorch gives.

    Raises ``ValueError`` where it does not, or where the file cannot be written; what was there
    under this name then stays.
    """
    trained.network.eval()
    with new_file(path, replace=True) as growing:
        program = _traced(trained.network)
        _describe(program.model, trained.description.to_texts())
        program.save(str(growing))
        return _parity(trained.network, growing, path.name)


def export_weights(trained: Trained, path: Path) -> None:
    """Write the state dict as safetensors; the names of IResNets and ViTs are InsightFace's."""
    state = {
        name: w.detach().cpu().contiguous() for name, w in trained.network.state_dict().items()
    }
    # Not save_file: its files are for their owner's eyes only.
    write_in_words(path, safetensors.torch.save(state, trained.description.to_texts()))


def _traced(network: nn.Module) -> Any:
    """The network as a graph in which the number of pictures is free."""
    size = int(network.size)  # type: ignore[arg-type]
    with _quiet():
        try:
            return torch.onnx.export(
                network,
                (torch.zeros(2, 3, size, size),),
                dynamo=True,
                input_names=["input"],
                output_names=["embedding"],
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = " ".join(str(error).split())[:160].rstrip(".")
            raise ValueError(
                f"this {type(network).__name__} cannot be written as ONNX ({reason}); write its "
                "weights as .safetensors instead."
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without two remarks of PyTorch's to itself: on torchvision, and on a name it gave up."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            yield
    finally:
        log.setLevel(level)


def _describe(model: Any, texts: dict[str, str]) -> None:
    """Say what it is, and leave out where its lines of code lay when it was traced."""
    model.metadata_props.clear()
    model.metadata_props.update(texts)
    graph = model.graph
    nodes = list(graph)
    values = [*graph.inputs, *graph.initializers.values(), *(v for n in nodes for v in n.outputs)]
    for part in (graph, *nodes, *values):
        part.metadata_props.clear()
        part.doc_string = None


def _parity(network: nn.Module, file: Path, name: str) -> Parity:
    model, size = OnnxEmbedder(file, OnnxOptions()), int(network.size)  # type: ignore[arg-type]
    random, largest = np.random.default_rng(0), 0.0
    for count in BATCHES:
        pictures = random.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        found = model.embed(pictures)[0].astype(np.float64)
        with torch.no_grad():
            wanted = network(as_tensor(torch.from_numpy(pictures))).numpy().astype(np.float64)
        if not np.isfinite(wanted).all():
            raise ValueError(
                f"the network's embeddings of random pictures are not finite, so {name} was not "
                "written; train it, or take an earlier --step."
            )
        length = np.linalg.norm(wanted, axis=1)
        apart = np.linalg.norm(found - wanted, axis=1) / np.maximum(length, 1e-30)
        largest = max(largest, float(apart.max()))
    if not largest <= TOLERANCE:
        raise ValueError(
            f"{name} was not written, since ONNX and PyTorch differ by {largest:.1e} of an "
            f"embedding's length (at most {TOLERANCE:g}); write .safetensors instead."
        )
    return Parity(largest, sum(BATCHES))
