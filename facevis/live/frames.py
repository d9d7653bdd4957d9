"""What travels to the browser: a run's description as JSON, a snapshot as one binary frame.

A frame is: uint32 length of the header | JSON header, padded with spaces | float32 prototypes
(M, C, D) | int16 points (M, N, D), little-endian throughout; a coordinate is value/32767·extent.
``assets/web/protocol.js`` reads it.
"""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any

import numpy as np
from PIL import Image

from facevis.alignment import align_members
from facevis.geometry import packing_angle, packing_is_exact
from facevis.live.config import Member, RunConfig
from facevis.live.material import Material
from facevis.live.projection import Projection, Projector, angle_bars
from facevis.live.recording import STATISTICS, Snapshot

THUMBNAIL = 32


def encode_snapshot(
    snapshot: Snapshot,
    *,
    kept: bool,
    time_ms: float,
    applied: int | None,
    aligned: bool = False,
    projector: Projector | None = None,
    labels: np.ndarray | None = None,
) -> bytes:
    """One snapshot as bytes; ``applied`` is the last steering command it was trained with.

    ``aligned`` turns each member so that it lies on the one before it as well as it can. With a
    ``projector`` three dimensions of many are sent, and how the angles to the prototypes are
    spread in all of them; ``labels`` are those of the shown samples.
    """
    embeddings, prototypes = snapshot.embeddings, snapshot.prototypes
    more: dict[str, Any] = {}
    if projector is not None:
        assert labels is not None
        more["angles"] = angle_bars(embeddings, prototypes, labels)
        projected = projector.project(embeddings, prototypes)
        embeddings, prototypes = projected.embeddings, projected.prototypes
        more["held"] = _numbers(projected.held)
    elif aligned:
        embeddings, prototypes = align_members(embeddings, prototypes)
    embeddings = np.nan_to_num(embeddings, nan=0.0, posinf=0.0, neginf=0.0)
    prototypes = np.nan_to_num(prototypes)
    extent = np.maximum(np.abs(embeddings).max(axis=(1, 2)), 1e-6)
    extent = np.where(extent <= 1.0 + 1e-4, 1.0, extent)
    points = np.rint(embeddings * (32767.0 / extent[:, None, None])).clip(-32767, 32767)
    header = {
        "step": snapshot.step,
        "time": time_ms,
        "kept": kept,
        "extent": [round(float(value), 6) for value in extent],
        "losses": _numbers(snapshot.losses),
        "statistics": [
            dict(zip(STATISTICS, _numbers(row), strict=True)) for row in snapshot.statistics
        ],
        "margins": [_numbers(row) for row in snapshot.margins],
        "scales": _numbers(snapshot.scales),
        "applied": applied,
        **more,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    arrays = (prototypes.astype("<f4").tobytes(), points.astype("<i2").tobytes())
    return b"".join((struct.pack("<I", len(text)), text, *arrays))


def describe_run(
    config: RunConfig,
    members: list[Member],
    material: Material,
    thumbnails_url: str,
    projection: Projection | None = None,
) -> dict[str, Any]:
    """What a view must know before the first frame: labels, names, members, pictures."""
    dataset, shown, classes = material.dataset, material.shown, material.num_classes
    hollow = material.held_out | material.unseen
    projected: dict[str, Any] = {}
    if projection is not None:
        how = {"kind": projection.kind, "classes": projection.classes}
        projected = {"embedding_dim": config.embedding_dim, "projection": how}
    return {
        "type": "run",
        "version": 1,
        "dim": 3 if projection else config.embedding_dim,
        "labels": dataset.labels[shown].tolist(),
        "held_out": hollow.astype(int).tolist() if hollow.any() else None,
        "some_held_out": bool(material.held_out.any()),
        "class_names": list(dataset.class_names[:classes]),
        "unseen_names": list(dataset.class_names[classes:]),
        "points": len(shown),
        "sprite": {"url": thumbnails_url, "columns": _columns(len(shown)), "size": THUMBNAIL},
        "members": [
            describe_member(member) | ({"spherical": True} if projection else {})
            for member in members
        ],
        "packing_angle": packing_angle(classes, config.embedding_dim),
        "packing_exact": packing_is_exact(classes, config.embedding_dim),
        "seed": config.seed,
        **projected,
    }


def describe_member(member: Member) -> dict[str, Any]:
    """A member's settings, as captions and sliders want them."""
    return {
        "objective": member.objective,
        "margin": member.margin_at(member.warmup).as_tuple(),
        "scale": member.scale,
        "tail": member.tail,
        "gradient": member.gradient,
        "spherical": member.spherical,
        "in_margin_family": member.in_margin_family,
        "warmup": member.warmup,
        "distance_margin": member.distance_margin if member.pairwise else None,
        "mining": member.mining if member.objective == "triplet" else None,
    }


def titled(member: dict[str, Any], title: tuple[str, str] | None) -> dict[str, Any]:
    """A member's description with a name and a detail of its own, if it has them."""
    return member if title is None else {**member, "title": title[0], "detail": title[1]}


def thumbnail_sheet(material: Material, side: int = THUMBNAIL) -> bytes:
    """All shown samples as one PNG, row by row, each ``side`` pixels wide."""
    tiles = material.dataset.thumbnails(side)[material.shown]
    columns = _columns(len(tiles))
    rows = math.ceil(len(tiles) / columns)
    padding = np.zeros((rows * columns - len(tiles), *tiles.shape[1:]), tiles.dtype)
    grid = np.concatenate([tiles, padding]).reshape(rows, columns, side, side, 3)
    sheet = grid.swapaxes(1, 2).reshape(rows * side, columns * side, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _columns(count: int) -> int:
    return max(1, math.ceil(math.sqrt(count)))


def _numbers(values: np.ndarray) -> list[float | None]:
    """Five significant digits, and null for what is no number: JSON has no NaN."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in values.tolist()]
