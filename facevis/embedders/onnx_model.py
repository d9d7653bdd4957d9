"""ONNX models as embedders. onnxruntime is loaded when one is opened, without usage statistics."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facevis.embedders.protocol import Progress, ahead, batches, with_channels
from facevis.figures.words import Words
from facevis.models.described import Description
from facevis.validation import choice, line, positive, whole, within

_BATCH = 64
_DYNAMIC_SIZE = 112
"""Side of the pictures where the model takes any: what face networks are mostly trained on."""
_LARGEST = 512
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


@dataclass(frozen=True)
class OnnxOptions:
    """How an ONNX model takes its pictures; what is left out, the model says or is usual."""

    size: int | None = None
    channels: str | None = None
    """"rgb" (left out) or "bgr"."""
    mean: float | None = None
    """(x − mean) / std for pixels x from 0 to 255; both 127.5 where left out."""
    std: float | None = None


class OnnxEmbedder:
    """An ONNX model with one input of pictures and one output of embeddings."""

    def __init__(self, path: Path, options: OnnxOptions, model: bytes | None = None) -> None:
        """``model`` stands in for what is in the file."""
        self.path = path
        self._session, self.version = _session(path, model)
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
        rows = list(batches(len(images), self._batch, None))
        parts: list[np.ndarray] = []
        for part, pixels in zip(
            rows, ahead(lambda one: self._pixels(images[one]), rows), strict=True
        ):
            parts.append(self._run(pixels))
            if progress:
                progress(min(part.stop, len(images)), len(images))
        return np.concatenate(parts)[None]

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        """Pictures as the model takes them."""
        pixels = with_channels(images, self._channels)
        if self._order == "bgr":
            pixels = pixels[..., ::-1]
        if self._first:
            pixels = pixels.transpose(0, 3, 1, 2)
        numbers = np.ascontiguousarray(pixels).astype(np.float32)
        if self._mean:
            numbers -= np.float32(self._mean)
        if self._std != 1.0:
            numbers /= np.float32(self._std)
        return numbers.astype(self._kind, copy=False)

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
        rows: np.ndarray = found.reshape(len(pixels), -1).astype(np.float32)
        if rows.shape[1] < 2:
            raise ValueError(
                f"the output of {self.path.name} is one number for each picture; export a model "
                "whose output has at least two."
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


def _session(path: Path, model: bytes | None) -> tuple[Any, str]:
    """The model, loaded, and the version of what loads it."""
    if model is None and not path.is_file():
        raise ValueError(f"there is no file {path}; check the path of the model.")
    if path.name != path.name.encode("utf-8", "replace").decode():
        raise ValueError(f"the name {line(path.name)} cannot be written down; rename the file.")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # what matters is said in words
    try:
        session = onnxruntime.InferenceSession(
            model or str(path), settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library's own kinds, of no common class
        raise ValueError(
            f"{path.name} is not an ONNX model that can be run ({_one_line(error)}); export it "
            "again."
        ) from error
    return session, str(onnxruntime.__version__)


def _one_line(error: Exception) -> str:
    # The library begins with its own name, a number and a kind.
    said = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))
    return said[:160].rstrip(".") or type(error).__name__
