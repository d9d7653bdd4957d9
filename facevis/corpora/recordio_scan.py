"""Where the records of a RecordIO file lie and what their labels are, read once, by NumPy.

Only the first words of every record are touched. The format is told in ``recordio``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facevis.corpora.keeping import kept
from facevis.corpora.mapped import MappedFile

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
HEADER = struct.Struct("<IfQQ")
LENGTH = 0x1FFFFFFF
"""The bits of a record's second word that hold its length; three bits of mark stand above."""
LARGEST_EXACT = 2**24
"""Whole numbers up to here are exact in float32, the type of a label."""
_HEAD_WORDS = (0, 1, 2, 3, 8)
"""Magic, mark and length, flag, label, and the first of the labels that follow, in words."""
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Scan:
    """The records that hold pictures: their keys, offsets and labels (N,), and what was found."""

    keys: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray
    remarks: tuple[str, ...]


def scan(file: MappedFile, idx: Path, cache: Path | None = None) -> Scan:
    """Find the pictures of a ``.rec``; ``ValueError`` in one sentence if there is none to trust.

    Without an index the file is walked through, record by record.
    """
    remarks: list[str] = []
    if idx.is_file():
        keys, offsets = _read_index(idx)
        remedy = f"fetch both again, or delete {idx.name} to have it rebuilt"
    else:
        keys, offsets = _walk(file, idx, remarks)
        remedy = "fetch the file again"
    lost = offsets > file.size - 8 - HEADER.size
    if lost.all():
        raise ValueError(
            f"{file.path.name} holds none of the {len(keys)} records that {idx.name} should give: "
            f"it is cut off, or belongs to another index; {remedy}."
        )
    keys, offsets = keys[~lost], offsets[~lost]
    files = [file, MappedFile(idx)] if idx.is_file() else [file]
    heads = kept(cache, files, lambda: {"heads": _heads(file, offsets)}, remarks)["heads"]
    foreign = np.flatnonzero(heads[:, 0] != MAGIC)
    if len(foreign):
        raise ValueError(
            f"{idx.name} does not belong to {file.path.name}: no record begins at byte "
            f"{offsets[foreign[0]]} (key {keys[foreign[0]]}); {remedy}."
        )
    ends = offsets + 8 + (heads[:, 1] & LENGTH).astype(np.int64)
    gone = int(lost.sum() + (ends > file.size).sum())
    if gone:
        remarks.append(f"{file.path.name} is cut off: {gone} of {len(lost)} records are lost.")
    return _pictures(file, keys, offsets, heads, remarks)


def _read_index(idx: Path) -> tuple[np.ndarray, np.ndarray]:
    remedy = f"write lines of key<TAB>offset, or delete {idx.name} to have it rebuilt"
    # As text: what NumPy takes for blanks is more than it is among bytes.
    with idx.open(encoding="utf-8", errors="replace") as text:
        if not any(line.strip() for line in text):
            raise ValueError(f"{idx.name} is empty; {remedy}.")
    try:
        table = np.loadtxt(idx, np.float64, comments=None, ndmin=2, encoding="utf-8")
    except ValueError as error:
        reason = str(error).split(";")[0][:100].rstrip(".")
        raise ValueError(f"{idx.name} cannot be read ({reason}); {remedy}.") from error
    # Offsets are exact in float64 up to 2^53; a NaN fails the comparison.
    known = table.shape[1] == 2 and ((table >= 0) & (table < 2**53)).all()
    if not known or (table % 1).any():
        raise ValueError(f"{idx.name} is no list of whole keys and offsets; {remedy}.")
    whole = table.astype(np.int64)
    return whole[:, 0], whole[:, 1]


def _walk(file: MappedFile, idx: Path, remarks: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Keys and offsets of all records, found from one to the next."""
    data, offsets, at, skipped = file.buffer(), [], 0, 0
    pair = struct.Struct("<II")
    while at + 8 <= file.size:
        magic, word = pair.unpack_from(data, at)
        if magic != MAGIC:
            found = data.find(MAGIC_BYTES, at + 4)
            while found % 4 and found > 0:
                found = data.find(MAGIC_BYTES, found + 1)
            following = file.size if found < 0 else found
            skipped, at = skipped + following - at, following
            continue
        if word >> 29 in (0, 1):
            offsets.append(at)
        at += 8 + ((word & LENGTH) + 3 & ~3)
    if not offsets:
        raise ValueError(
            f"{file.path.name} is no RecordIO file: it holds no record; fetch it again."
        )
    remarks.append(f"there is no {idx.name}; it was rebuilt from {file.path.name}.")
    if skipped:
        remarks.append(f"{skipped} bytes of {file.path.name} belong to no record.")
    return np.arange(len(offsets)), np.array(offsets, np.int64)


def _pictures(
    file: MappedFile, keys: np.ndarray, offsets: np.ndarray, heads: np.ndarray, remarks: list[str]
) -> Scan:
    """Without InsightFace's records about the set and its identities, and without empty ones."""
    flags, lengths = heads[:, 2].astype(np.int64), (heads[:, 1] & LENGTH).astype(np.int64)
    in_parts = heads[:, 1] >> 29 != 0
    full = in_parts | (lengths > HEADER.size + 4 * flags)
    inside = np.ones(len(keys), bool)
    about = (keys == 0) & ~full & (flags == 2)
    if about.any():
        end = float(heads[about][0, 4:].view(np.float32)[0])
        if not end >= 1:
            raise ValueError(
                f"{file.path.name}, record 0 says that the pictures end at {end:g}; "
                "fetch the file again."
            )
        # A larger number is rounded; then only what is empty tells the identities' records.
        inside = ~about & ((keys < end) if end <= LARGEST_EXACT else full)
        missing = int(end) - 1 - int(inside.sum()) if end <= LARGEST_EXACT else 0
        if missing > 0:
            remarks.append(f"record 0 speaks of {int(end) - 1} pictures, {missing} are missing.")
    empty = int((inside & ~full).sum())
    if empty:
        remarks.append(f"{empty} records of {file.path.name} hold no picture and were left out.")
    kept = inside & full
    if not kept.any():
        raise ValueError(f"{file.path.name} holds no picture; fetch the file again.")
    raw = np.where(flags > 0, heads[:, 4], heads[:, 3])[kept]
    labels = _whole_labels(file, keys[kept], raw.view(np.float32))
    return Scan(keys[kept], offsets[kept], labels, tuple(remarks))


def _whole_labels(file: MappedFile, keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    # A NaN fails every comparison, so that it is bad as well.
    good = (labels >= 0) & (labels <= LARGEST_EXACT) & (labels == np.floor(labels))
    bad = np.flatnonzero(~good)
    if len(bad):
        raise ValueError(
            f"{file.path.name}, record {keys[bad[0]]} has the label {labels[bad[0]]:g}; labels "
            f"must be whole numbers from 0 to {LARGEST_EXACT}, so write the set again."
        )
    return labels.astype(np.int64)


def _heads(file: MappedFile, offsets: np.ndarray) -> np.ndarray:
    words = np.frombuffer(file.buffer(), "<u4", count=file.size // 4)
    heads = np.zeros((len(offsets), len(_HEAD_WORDS)), np.uint32)
    for start in range(0, len(offsets), _CHUNK):
        rows = offsets[start : start + _CHUNK]
        places = (rows // 4)[:, None] + np.array(_HEAD_WORDS)
        heads[start : start + _CHUNK] = words[np.minimum(places, len(words) - 1)]
    heads[offsets % 4 != 0, 0] = 0  # records lie at multiples of four
    return heads
