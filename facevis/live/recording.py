"""Snapshots and recordings: frozen states of an ensemble, in numpy only, saved without pickle.

A recording holds what is needed to show a run again (embeddings, prototypes, losses, statistics)
and, optionally, the state from which training can go on. It knows no torch and no screen.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError

import numpy as np

from facevis.live.config import RunConfig
from facevis.live.material import Material
from facevis.validation import line
from facevis.writing import write_whole

FORMAT = "facevis-recording-2"
_FIRST_FORMAT = "facevis-recording-1"
STATISTICS = (
    "accuracy",
    "held_out_accuracy",
    "w_ec",
    "w_inter",
    "intra",
    "inter",
    "packing_share",
    "teaching_share",
    "unseen_accuracy",
    "unseen_intra",
    "unseen_inter",
)
"""Columns of ``Snapshot.statistics``: shares from 0 to 1, angles in degrees, NaN where unknown."""

_FIRST_COLUMNS = 8
_GROWTH, _GROWTH_OF_MANY = 1.1, 1.25
_GROWTH_OF_DEAR, _GROWTH_OF_DEAREST = 1.5, 2.0
_DEAR = 64
"""Coordinates of a sample, over all members, from which on a snapshot is large."""
MANY = 12
"""From so many members on, snapshots are dear: fewer are taken and kept."""
_LARGEST_FILE = 512 * 2**20
_LARGE, _ROOM, _STEPS = 8 * 2**20, 256 * 2**20, 1500
"""Bytes of a snapshot from which on its size counts; what a recording of so many steps may hold."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of M members: what is drawn and what is said about it."""

    step: int
    embeddings: np.ndarray
    """(M, N, D) float32; of unit length for every member that lives on the sphere."""
    prototypes: np.ndarray
    """(M, C, D) float32."""
    losses: np.ndarray
    """(M,), the loss of the batch just trained on; NaN before the first step."""
    statistics: np.ndarray
    """(M, len(STATISTICS))."""
    margins: np.ndarray
    """(M, 3): m1, m2, m3 in force, after warm-up."""
    scales: np.ndarray
    """(M,)."""

    def __post_init__(self) -> None:
        """A snapshot is shared between threads: nobody may write into it."""
        for name in _ARRAYS:
            getattr(self, name).setflags(write=False)

    def statistic(self, name: str) -> np.ndarray:
        """One statistic of all members, (M,)."""
        return self.statistics[:, STATISTICS.index(name)]


_ARRAYS = ("embeddings", "prototypes", "losses", "statistics", "margins", "scales")

# What reading a damaged file raises: RuntimeError for an encrypted one, MemoryError for absurd
# shapes, SyntaxError and TokenError for a garbled array header.
_UNREADABLE = (
    *(ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error),
    *(RuntimeError, MemoryError, SyntaxError, TokenError, TypeError, OverflowError),
)


def keeps(config: RunConfig, material: Material, step: int) -> bool:
    """Whether a recording of this run keeps this step."""
    rows = len(material.shown) + material.num_classes
    return is_kept(step, len(config.members), config.embedding_dim, rows)


def is_kept(step: int, members: int = 1, embedding_dim: int = 3, rows: int = 0) -> bool:
    """Whether a recording of so many members keeps this step: every early one, then each 10 %
    further; 25 % where there are many, 50 % in many dimensions, each doubling in hundreds.

    In more than three dimensions it keeps still fewer where snapshots of so many ``rows`` (samples
    and prototypes) for each member would fill the memory.

    >>> [step for step in range(40) if is_kept(step)][-6:]
    [24, 26, 29, 31, 35, 38]
    >>> [step for step in range(40) if is_kept(step, members=21)][-6:]
    [12, 15, 19, 23, 29, 36]
    >>> [step for step in range(40) if is_kept(step, members=6, embedding_dim=512)]
    [0, 1, 2, 4, 8, 16, 32]
    """
    places = _places(4 * members * embedding_dim * rows) if embedding_dim > 3 else math.inf
    if step < 2:
        return step == 0 or places >= 3
    growth = _GROWTH if members < MANY else _GROWTH_OF_MANY
    if embedding_dim > 3 and members * embedding_dim >= _DEAR:
        dearest = members * embedding_dim >= 8 * _DEAR
        growth = _GROWTH_OF_DEAREST if dearest else _GROWTH_OF_DEAR
    # Beside steps 0 and 1 and the last.
    growth = max(growth, _STEPS ** (1.0 / (places - 3)) if places > 3 else math.inf)
    return math.floor(math.log(step, growth)) > math.floor(math.log(step - 1, growth))


def _places(size: int) -> float:
    """How many snapshots of so many bytes a recording has room for."""
    return math.inf if size <= _LARGE else _ROOM // size


@dataclass
class Recording:
    """A configuration and the snapshots of a run of it, in the order of their steps."""

    config: RunConfig
    snapshots: list[Snapshot] = field(default_factory=list)
    state: dict[str, np.ndarray] = field(default_factory=dict)
    """Where training can go on from: parameters and optimizer at the last snapshot, or empty."""

    @property
    def size(self) -> int:
        """Bytes that the snapshots take."""
        last = self.snapshots[-1:]
        return len(self.snapshots) * sum(s.embeddings.nbytes + s.prototypes.nbytes for s in last)

    def save(self, path: str | Path) -> None:
        """Write one compressed .npz; an old file stays until the new one is whole."""
        write_whole(Path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """The recording as the bytes of an .npz file."""
        if not self.snapshots:
            raise ValueError("the recording has no snapshot yet; train before saving it.")
        snapshots = list(self.snapshots)
        arrays = {name: np.stack([getattr(s, name) for s in snapshots]) for name in _ARRAYS}
        arrays["steps"] = np.array([snapshot.step for snapshot in snapshots])
        header = json.dumps({"format": FORMAT, "config": self.config.to_json()})
        arrays["header"] = np.frombuffer(header.encode(), np.uint8)
        arrays |= {f"state/{name}": array for name, array in self.state.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Read a recording; anything but a whole one raises ``ValueError`` in words."""
        path = Path(path)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(
                f"{path} cannot be read ({error.strerror}); check the path."
            ) from error
        return cls.from_bytes(data, path.name)

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the file") -> Recording:
        """Read the bytes of a recording; ``name`` is what a message calls it."""
        try:
            arrays = _read_arrays(data)
            header = json.loads(bytes(arrays["header"]).decode())
            if not isinstance(header, dict) or header.get("format") not in (FORMAT, _FIRST_FORMAT):
                raise ValueError("its header is not a recording's")
            config = RunConfig.from_json(header["config"])
            if header["format"] == _FIRST_FORMAT:
                arrays = _of_first_format(arrays, config)
            snapshots = list(_snapshots(arrays, config))
        except _UNREADABLE as error:
            # NumPy goes on with advice on how to read what may be unsafe, or with a node's address.
            said = str(error).partition("\n")[0].partition(" <ast")[0]
            reason = line(said, 160).rstrip(".:") or type(error).__name__
            raise ValueError(
                f"{name} is not a whole facevis recording ({reason}); record the run again."
            ) from error
        if "state/taken" in arrays and not np.array_equal(
            arrays["state/taken"], snapshots[-1].step
        ):
            raise ValueError(
                f"{name} is not a whole facevis recording (its training state is of another step); "
                "record the run again."
            )
        state = {
            name.removeprefix("state/"): array
            for name, array in arrays.items()
            if name.startswith("state/")
        }
        return cls(config, snapshots, state)


def _read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """All arrays of the file; sizes are checked before anything is unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    if total > _LARGEST_FILE:
        raise ValueError(f"it unpacks to {total >> 20} MiB, more than {_LARGEST_FILE >> 20}")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # the bytes of what is no array, says NumPy
            raise ValueError(f"{line(name)} is no array")
    return arrays


def _of_first_format(arrays: dict[str, np.ndarray], config: RunConfig) -> dict[str, np.ndarray]:
    """Arrays of the first format as they are now: nothing was measured on unseen identities."""
    if config.images_per_class is not None:
        raise ValueError("an earlier version dealt its pictures otherwise")
    statistics = arrays["statistics"]
    if statistics.ndim != 3 or statistics.shape[2] != _FIRST_COLUMNS:
        raise ValueError("its statistics have the wrong shape")
    more = ((0, 0), (0, 0), (0, len(STATISTICS) - _FIRST_COLUMNS))
    return {**arrays, "statistics": np.pad(statistics, more, constant_values=np.nan)}


def _snapshots(arrays: Mapping[str, np.ndarray], config: RunConfig) -> Iterable[Snapshot]:
    steps = arrays["steps"]
    whole = steps.ndim == 1 and steps.size > 0 and steps.dtype.kind == "i"
    if not whole or steps[0] < 0 or (np.diff(steps) <= 0).any():
        raise ValueError("its steps do not rise from 0 on")
    members, count = len(config.members), len(steps)
    points = arrays["embeddings"].shape[2] if arrays["embeddings"].ndim == 4 else 0
    classes = arrays["prototypes"].shape[2] if arrays["prototypes"].ndim == 4 else 0
    shapes = {
        "embeddings": (points, config.embedding_dim),
        "prototypes": (classes, config.embedding_dim),
        "losses": (),
        "statistics": (len(STATISTICS),),
        "margins": (3,),
        "scales": (),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != (count, members, *shape) or arrays[name].dtype != np.float32:
            raise ValueError(f"its {name} have the wrong shape")
    for place, step in enumerate(steps):
        yield Snapshot(int(step), *(arrays[name][place].copy() for name in _ARRAYS))
