"""Trained models as functions from pictures to embeddings: recordings of facevis, ONNX files.

Everything runs on the CPU. It knows pictures and models; it does not know what is measured on the
embeddings. onnxruntime is loaded for an .onnx file only, with its usage statistics switched off.
Networks of PyTorch are embedded by ``fullscale.embedding``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from facevis.datasets import DATASETS, Dataset
from facevis.datasets.dataset import as_inputs
from facevis.figures.moments import moment
from facevis.figures.words import Words, title
from facevis.live.ensemble import Ensemble
from facevis.live.material import material_for
from facevis.live.recording import Recording
from facevis.models.described import Description
from facevis.validation import choice, positive, whole, within

Progress = Callable[[int, int], None]

_BATCH = 64
_DYNAMIC_SIZE = 112
"""Side of the pictures where the model takes any: what face networks are mostly trained on."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_LARGEST = 512
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Embedder(Protocol):
    """One model, or several that were trained side by side."""

    size: int
    """Side of its square pictures, pixels."""

    def embed(self, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Pictures (N, size, size, 1 or 3), uint8, to embeddings (M, N, D), float32."""
        ...

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings of each model."""
        ...

    def trained_on(self, folder: Path) -> bool:
        """Whether the folder is where its own training pictures come from, if it knows."""
        ...

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        ...


@dataclass(frozen=True)
class OnnxOptions:
    """How an ONNX model takes its pictures; what is left out, the model says or is usual."""

    size: int | None = None
    channels: str | None = None
    """"rgb" (left out) or "bgr"."""
    mean: float | None = None
    """(x − mean) / std for pixels x from 0 to 255; both 127.5 where left out."""
    std: float | None = None


def open_model(path: Path, options: OnnxOptions) -> RecordingEmbedder | OnnxEmbedder:
    """The embedder of a file, by its suffix; ``ValueError`` in words for what is no model."""
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


class RecordingEmbedder:
    """All members of a recording, as they were at its last step."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recording = Recording.load(path)
        if not self.recording.state:
            raise ValueError(
                f"{path.name} holds no training state, only what was seen; save the recording "
                "again with its state."
            )
        self.material = material_for(self.recording.config)
        channels, height, width = self.material.dataset.image_shape
        if height != width:
            raise ValueError(
                f"{path.name} was trained on pictures of {width}×{height} pixels; only models of "
                "square pictures can be evaluated."
            )
        self.size, self._channels = height, channels
        self._ensemble = Ensemble(self.recording.config, self.material, device="cpu")
        self._ensemble.restore(self.recording.state)
        self._check_pictures()

    def _check_pictures(self) -> None:
        """What it saw at its last step must come out again: else its pictures are others by now,
        and who trained cannot be told."""
        last, config = self.recording.snapshots[-1], self.recording.config
        now = self._ensemble.snapshot().embeddings
        same = now.shape == last.embeddings.shape
        if same:  # a member that diverged has nothing to compare
            alive = np.isfinite(now).all(axis=(1, 2))
            same = np.allclose(now[alive], last.embeddings[alive], rtol=1e-2, atol=1e-2)
        if not same:
            raise ValueError(
                f"the pictures of {config.dataset} are not those that {self.path.name} was "
                "recorded with; bring them back, or train and save again."
            )

    @torch.no_grad()
    def embed(self, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Pictures (N, size, size, 1 or 3), uint8, to embeddings (M, N, D), float32."""
        ensemble = self._ensemble
        shape = len(ensemble.members), len(images), self.recording.config.embedding_dim
        found = np.empty(shape, np.float32)
        for rows in batches(len(images), _BATCH, progress):
            pixels = with_channels(images[rows], self._channels)
            shares = ensemble.shares(torch.from_numpy(as_inputs(pixels)))
            for group, raw in zip(ensemble.groups, shares, strict=True):
                found[group.index, rows] = group.display(raw).numpy()
        return found

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings of each member; those that come twice are numbered."""
        last, config = self.recording.snapshots[-1], self.recording.config
        count = len(config.members)
        found = [title(moment(self.recording, last, i), words, config.swept) for i in range(count)]
        return [
            (f"{pair[0]} #{found[: i + 1].count(pair)}", pair[1]) if found.count(pair) > 1 else pair
            for i, pair in enumerate(found)
        ]

    def strangers(self) -> Dataset:
        """Its own pictures of identities that were left out of training."""
        data, first = self.material.dataset, self.material.num_classes
        if data.num_classes - first < 2:
            raise ValueError(
                f"{self.path.name} left nobody out of training, so it has no strangers of its own; "
                "name pictures with --folder or --pairs, or train with unseen identities."
            )
        return data.select(range(first, data.num_classes))

    def trained_on(self, folder: Path) -> bool:
        """Whether the folder is where its own training pictures come from."""
        name = self.recording.config.dataset
        return name not in DATASETS and Path(name).resolve() == folder.resolve()

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        recording = self.recording
        return {
            "file": self.path.name,
            "kind": "recording",
            "step": recording.snapshots[-1].step,
            "config": recording.config.to_json(),
        }


class OnnxEmbedder:
    """An ONNX model with one input of pictures and one output of embeddings."""

    def __init__(self, path: Path, options: OnnxOptions) -> None:
        self.path = path
        self._session, self.version = _session(path)
        texts = self._session.get_modelmeta().custom_metadata_map
        self.described = said = Description.from_texts(texts, path.name)
        if said:
            said.refuse_others(path.name, **asdict(options))
            options = OnnxOptions(said.size, said.channels, said.mean, said.std)
        self._order = choice("channels", options.channels or "rgb", ("rgb", "bgr"))
        self._mean = within("mean", 127.5 if options.mean is None else options.mean, -1e6, 1e6)
        self._std = positive("std", 127.5 if options.std is None else options.std)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(
                f"{path.name} has {len(inputs)} inputs and {len(outputs)} outputs; export it with "
                "one input (pictures) and one output (embeddings)."
            )
        self._input, kind, shape = inputs[0].name, inputs[0].type, list(inputs[0].shape)
        if kind not in _NUMBERS or len(shape) != 4:
            raise ValueError(
                f"the input of {path.name} is {kind} of shape {shape}; a model of pictures takes "
                "tensor(float) of shape (N, 3, H, W) or (N, H, W, 3)."
            )
        self._kind = _NUMBERS[kind]
        self._first, self._channels, sides = self._layout(shape)
        self._batch = _BATCH if not isinstance(shape[0], int) else shape[0]
        if isinstance(shape[0], int) and shape[0] != 1:
            raise ValueError(
                f"{path.name} takes {shape[0]} pictures at a time; export it with a batch that is "
                "free or 1."
            )
        self.size = self._side(sides, options.size)

    def _layout(self, shape: list[Any]) -> tuple[bool, int, list[Any]]:
        """Whether channels come first, how many they are, and the two sides."""
        if shape[1] in (1, 3):
            return True, shape[1], shape[2:]
        if shape[3] in (1, 3):
            return False, shape[3], shape[1:3]
        raise ValueError(
            f"the input of {self.path.name} has shape {shape}; neither its second nor its last "
            "number says 3 or 1 channels: export it with fixed channels."
        )

    def _side(self, sides: list[Any], wanted: int | None) -> int:
        if wanted is not None:
            whole("size", wanted, 8, _LARGEST)
        fixed = {side for side in sides if isinstance(side, int)}
        if len(fixed) > 1 or any(not 8 <= side <= _LARGEST for side in fixed):
            raise ValueError(
                f"{self.path.name} takes pictures of {sides[1]}×{sides[0]} pixels; only square "
                f"ones of 8 to {_LARGEST} can be evaluated."
            )
        if fixed and wanted is not None and wanted not in fixed:
            raise ValueError(
                f"size is {wanted}, but {self.path.name} takes pictures of {min(fixed)} pixels; "
                "leave --size out."
            )
        return min(fixed) if fixed else (wanted or _DYNAMIC_SIZE)

    def embed(self, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Pictures (N, size, size, 1 or 3), uint8, to embeddings (1, N, D), float32."""
        parts = []
        for rows in batches(len(images), self._batch, progress):
            pixels = with_channels(images[rows], self._channels).astype(np.float32)
            if self._order == "bgr":
                pixels = pixels[..., ::-1]
            pixels = (pixels - self._mean) / self._std
            if self._first:
                pixels = pixels.transpose(0, 3, 1, 2)
            parts.append(self._run(np.ascontiguousarray(pixels, dtype=self._kind)))
        return np.concatenate(parts)[None]

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        try:
            found = self._session.run(None, {self._input: pixels})[0]
        except Exception as error:  # the library's own kinds, of no common class
            reason = _one_line(error)
            raise ValueError(
                f"{self.path.name} does not take pictures of {self.size} pixels ({reason}); name "
                "the size that it was trained with, --size."
            ) from error
        shape = getattr(found, "shape", ())
        numbers = isinstance(found, np.ndarray) and found.dtype.kind == "f"
        # (B, D), or with sides of one pixel after it.
        if not numbers or shape[:1] != pixels.shape[:1] or math.prod(shape[2:]) != 1:
            raise ValueError(
                f"the output of {self.path.name} has shape {shape} for {len(pixels)} pictures; "
                "export a model whose output is one row of numbers for each picture."
            )
        rows = found.reshape(len(pixels), -1).astype(np.float32)
        if rows.shape[1] < 2:
            raise ValueError(
                f"the output of {self.path.name} is one number for each picture; an embedding has "
                "at least two."
            )
        return rows

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings of the one model."""
        order = self._order if self._channels == 3 else "1"
        return [(self.path.stem, f"{self.size}×{self.size}×{order}")]

    def trained_on(self, folder: Path) -> bool:
        """It does not know."""
        return False

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        return {
            "file": self.path.name,
            "kind": "onnx",
            "size": self.size,
            "layout": "NCHW" if self._first else "NHWC",
            "channels": self._order if self._channels == 3 else "grey",
            "mean": self._mean,
            "std": self._std,
            "onnxruntime": self.version,
            "backbone": self.described.backbone if self.described else None,
        }


def _session(path: Path) -> tuple[Any, str]:
    """The model, loaded, and the version of what loads it."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}; check the path of the model.")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # what matters is said in words
    try:
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library's own kinds, of no common class
        raise ValueError(
            f"{path.name} is not an ONNX model that can be run ({_one_line(error)}); export it "
            "again."
        ) from error
    return session, str(onnxruntime.__version__)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Pictures (N, H, W, 1 or 3) with so many channels: grey repeated, or colour weighed to grey.

    >>> with_channels(np.full((1, 8, 8, 1), 7, np.uint8), 3).shape
    (1, 8, 8, 3)
    """
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    return np.rint(images @ _GREY)[..., None].astype(np.uint8)


def batches(count: int, size: int, progress: Progress | None) -> Iterator[slice]:
    """The rows of each batch; ``progress`` hears when one is done."""
    for first in range(0, count, size):
        yield slice(first, first + size)
        if progress:
            progress(min(first + size, count), count)
