"""Networks of PyTorch as functions from pictures to embeddings, for ``facevis evaluate``.

It knows a trained network and a device; what is measured on the embeddings it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facevis.embedders import Progress, batches, with_channels
from facevis.figures.words import Words
from facevis.fullscale.pixels import as_tensor
from facevis.fullscale.trained import Trained
from facevis.live.ensemble import choose_device
from facevis.validation import choice

DEVICES = ("auto", "cpu", "cuda")
_BATCH = 64


@dataclass(frozen=True)
class NetworkOptions:
    """Which network it is, and where it is computed; what is left out, the model says."""

    backbone: str | None = None
    """The network that weights are of."""
    step: int | None = None
    """Which checkpoint of a run; left out, the last."""
    device: str | None = None
    """auto (left out), cpu or cuda."""


class NetworkEmbedder:
    """One trained network; see ``facevis.embedders.Embedder``."""

    def __init__(self, trained: Trained, device: str | None = None) -> None:
        self.trained = trained
        self._device = choose_device(choice("device", device or "auto", DEVICES))
        self._network = trained.network.eval().to(self._device)
        self.size = trained.description.size

    @torch.no_grad()
    def embed(self, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Pictures (N, size, size, 1 or 3), uint8, to embeddings (1, N, D), float32."""
        parts = []
        for rows in batches(len(images), _BATCH, progress):
            # A copy: pictures may be mirrored views, or read-only.
            pictures = np.array(with_channels(images[rows], 3), order="C")
            parts.append(self._run(torch.from_numpy(pictures)))
        return np.concatenate(parts)[None]

    def _run(self, pictures: torch.Tensor) -> np.ndarray:
        try:
            found: np.ndarray = (
                self._network(as_tensor(pictures, self._device)).float().cpu().numpy()
            )
            return found
        except torch.OutOfMemoryError as error:
            raise ValueError(
                f"{self.trained.name} does not fit into the memory that is left on the GPU; free "
                "it, or evaluate with --device cpu."
            ) from error

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings of the one network."""
        trained, settings = self.trained, f"{self.trained.backbone}, {self.size}×{self.size}"
        if trained.step is not None:
            settings = words("evaluate_settings_run", backbone=trained.backbone, step=trained.step)
        return [(trained.name, settings)]

    def trained_on(self, folder: Path) -> bool:
        """Whether the folder is where its run's training pictures come from."""
        data = self.trained.data
        return data is not None and Path(data).resolve() == folder.resolve()

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        trained, said = self.trained, self.trained.description
        return {
            "file": trained.path.name,
            "kind": "weights" if trained.step is None else "run",
            "backbone": said.backbone,
            "embedding_dim": said.embedding_dim,
            "size": said.size,
            "step": trained.step,
            "device": self._device.type,
        }
