"""Recordings of facevis as embedders: all members, as they were at the last step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from facevis.datasets import DATASETS, Dataset
from facevis.datasets.dataset import as_inputs
from facevis.embedders.protocol import Progress, batches, with_channels
from facevis.figures.moments import moment
from facevis.figures.words import Words, title
from facevis.live.ensemble import Ensemble
from facevis.live.material import material_for
from facevis.live.recording import Recording

_BATCH = 64


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
