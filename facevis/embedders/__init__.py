"""Trained models as functions from pictures to embeddings: recordings, ONNX files, packaged SFace.

Everything runs on the CPU. It knows pictures and models; it does not know what is measured on the
embeddings. Networks of PyTorch are embedded by ``fullscale.embedding``.
"""

from __future__ import annotations

from pathlib import Path

from facevis.embedders.onnx_model import OnnxEmbedder, OnnxOptions
from facevis.embedders.packaged import PACKAGED, packaged_model
from facevis.embedders.protocol import Embedder, Progress, batches, with_channels
from facevis.embedders.recorded import RecordingEmbedder

__all__ = [
    "PACKAGED",
    "Embedder",
    "OnnxEmbedder",
    "OnnxOptions",
    "Progress",
    "RecordingEmbedder",
    "batches",
    "open_model",
    "packaged_model",
    "with_channels",
]


def open_model(path: Path, options: OnnxOptions) -> RecordingEmbedder | OnnxEmbedder:
    """The embedder of a file, by its suffix; ``ValueError`` in words for what is no model.

    ``sface`` is the packaged model, where no file has that name.
    """
    if str(path) == PACKAGED and not path.exists():
        if options != OnnxOptions():
            raise ValueError(
                "--size, --channels, --mean and --std are for .onnx models; sface is known: leave "
                "them out."
            )
        return packaged_model()
    if path.suffix.lower() == ".onnx":
        return OnnxEmbedder(path, options)
    if path.suffix.lower() != ".npz":
        raise ValueError(
            f"{path.name} is no model; name a recording (.npz), an .onnx file, the folder of a "
            "training run, or weights (.pth, .pt, .safetensors)."
        )
    if options != OnnxOptions():
        raise ValueError(
            "--size, --channels, --mean and --std are for .onnx models; a recording knows how it "
            "was trained: leave them out."
        )
    return RecordingEmbedder(path)
