"""Writing tapes: what ``tapes`` describes, of a run that is recorded or of one that is there.

It knows runs and bytes; which tapes the lessons have it does not know.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from facevis.live import RunConfig, Snapshot
from facevis.live.frames import encode_snapshot, thumbnail_sheet
from facevis.live.material import Material
from facevis.live.shown import ShownRun
from facevis.margins import unit

_POINTS_OF_A_RUN, _QUALITY = 480, 82


def evenly(candidates: np.ndarray, count: int) -> np.ndarray:
    """So many of them, spread evenly.

    >>> evenly(np.arange(10), 3)
    array([0, 4, 9])
    """
    count = min(count, len(candidates))
    even: np.ndarray = candidates[np.linspace(0, len(candidates) - 1, count).round().astype(int)]
    return even


def as_cosines(snapshot: Snapshot) -> Snapshot:
    """Cosines to all prototypes instead of coordinates: any three of them span a sphere."""
    import torch

    points, centres = (
        unit(torch.from_numpy(a.copy())) for a in (snapshot.embeddings, snapshot.prototypes)
    )
    across = centres.transpose(-1, -2)
    return replace(
        snapshot, embeddings=(points @ across).numpy(), prototypes=(centres @ across).numpy()
    )


def tape_of_run(run: ShownRun) -> bytes:
    """The last moment of a run as a tape, for the lesson that takes any run."""
    snapshot = run.recording.snapshots[-1]

    shown = as_cosines(snapshot) if run.config.embedding_dim > 3 else snapshot
    kept = evenly(np.arange(len(run.material.shown)), _POINTS_OF_A_RUN)
    data = encode_tape(
        run.config,
        lambda part: run.describe("", material=part),
        run.material,
        [shown],
        kept,
        quality=_QUALITY,
    )
    return gzip.compress(data, 6)


def encode_tape(
    config: RunConfig,
    describe: Callable[[Material], dict[str, Any]],
    material: Material,
    snapshots: list[Snapshot],
    kept: np.ndarray,
    *,
    quality: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """The bytes of a tape before they are packed: samples ``kept`` of each snapshot.

    ``describe`` gives the run's description of a part of its material.
    """
    part = replace(
        material,
        shown=material.shown[kept],
        held_out=material.held_out[kept],
        unseen=material.unseen[kept],
    )
    run = describe(part)
    snapshots = [replace(s, embeddings=s.embeddings[:, kept]) for s in snapshots]
    aligned = config.swept is not None
    frames = [
        encode_snapshot(s, kept=True, time_ms=0.0, applied=None, aligned=aligned) for s in snapshots
    ]
    sheet = _webp(thumbnail_sheet(part), quality)
    state = {"state": "recorded", "step": snapshots[-1].step, "steps": snapshots[-1].step}
    header = {
        "run": {**run, **state, "steps_per_second": 0, "message": None},
        "config": config.to_json(),
        "lengths": [len(frame) for frame in frames],
        "sheet": len(sheet),
        "extra": extra or {},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, *frames, sheet))


def _webp(png: bytes, quality: int | None) -> bytes:
    buffer = io.BytesIO()
    options = {"lossless": True} if quality is None else {"quality": quality}
    Image.open(io.BytesIO(png)).save(buffer, "WEBP", method=6, **options)
    return buffer.getvalue()
