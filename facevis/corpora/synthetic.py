"""Face sets of people who do not exist: drawn faces to learn from, noise to measure speed with.

``faces:identities=200,images=20,size=48,seed=0,first=0`` draws with ``datasets.faces``: identity k
of a seed is the same person in every set, so that ``first`` gives people whom another set lacks.
``noise:identities=1000000,images=5,size=112,seed=0`` makes each picture when it is asked for, from
the seed and its place; what the pictures of an identity share shows faintly.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import overload

import numpy as np
from PIL import Image, ImageOps

from facevis.corpora.corpus import Corpus
from facevis.datasets.faces import draw_faces
from facevis.validation import whole
from facevis.writing import growing

KINDS = {
    "faces": {"identities": 200, "images": 20, "size": 48, "seed": 0, "first": 0},
    "noise": {"identities": 1_000_000, "images": 5, "size": 112, "seed": 0},
}
"""The made-up sets and their settings, with what they are if nothing is said."""
_LIMITS = {
    "identities": (1, 10_000_000),
    "images": (1, 10_000),
    "size": (16, 256),
    "seed": (0, 2**31 - 1),
    "first": (0, 2**31 - 1),
}
MAX_IMAGES = 100_000_000
MAX_DRAWN_PIXELS = 2_000_000_000
_CHUNK = 24
_THREADS = 2


def made_up(spec: str, cache: Path | None = None) -> DrawnFaces | Noise:
    """The set that a text like ``faces:identities=20,size=32`` names.

    Raises ``ValueError`` in one sentence for another kind, setting or value.

    >>> len(made_up("noise:identities=4,images=3"))
    12
    >>> made_up("faces:people=4")
    Traceback (most recent call last):
    ...
    ValueError: faces has no setting 'people'; choose among identities, images, size, seed, first.
    """
    kind, settings = settings_of(spec)
    return DrawnFaces(**settings, cache=cache) if kind == "faces" else Noise(**settings)


def settings_of(spec: str) -> tuple[str, dict[str, int]]:
    """Kind and settings of a made-up set, without making it; ``ValueError`` as ``made_up``.

    >>> settings_of("noise:images=3")
    ('noise', {'identities': 1000000, 'images': 3, 'size': 112, 'seed': 0})
    """
    kind, _, rest = spec.partition(":")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no made-up set; choose one of {', '.join(KINDS)}.")
    settings = dict(KINDS[kind])
    for part in filter(None, rest.split(",")):
        name, _, text = part.partition("=")
        name = name.strip()
        if name not in settings:
            names = ", ".join(settings)
            raise ValueError(f"{kind} has no setting {name!r}; choose among {names}.")
        try:
            settings[name] = int(text)
        except ValueError:
            low, high = _LIMITS[name]
            raise ValueError(
                f"{name} is {text[:40]!r}; give a whole number from {low} to {high}."
            ) from None
    return kind, settings


class Numbered(Sequence[str]):
    """``word 1``, ``word 2`` …, made when asked for: a million names in no memory."""

    def __init__(self, word: str, first: int, count: int) -> None:
        self._word, self._numbers = word, range(first + 1, first + count + 1)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...

    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(f"{self._word} {number}" for number in self._numbers[index])
        return f"{self._word} {self._numbers[index]}"


class _Made(Corpus):
    """``images`` pictures of each of ``identities`` people, one person after the other."""

    def __init__(self, name: str, word: str, settings: dict[str, int]) -> None:
        for key, value in settings.items():
            whole(key, value, *_LIMITS[key])
        self.name, self._settings = name, settings
        self.identities = Numbered(word, settings.get("first", 0), settings["identities"])
        count = settings["identities"] * settings["images"]
        if count > MAX_IMAGES:
            raise ValueError(f"{name} has {count:,} pictures; ask for at most {MAX_IMAGES:,}.")
        people = np.arange(settings["identities"], dtype=np.int64)
        self.labels = np.repeat(people, settings["images"])

    @abstractmethod
    def pixels(self, index: int) -> np.ndarray:
        """The picture in the size in which it is made."""

    def encoded(self, index: int) -> bytes:
        """The picture as PNG."""
        file = io.BytesIO()
        Image.fromarray(self.pixels(index)).save(file, "PNG")
        return file.getvalue()

    def place(self, index: int) -> str:
        """``faces, picture 17``."""
        return f"{self.name}, picture {index}"

    def picture(self, index: int, size: int) -> np.ndarray:
        """The picture as uint8 RGB (size, size, 3), without a way through a file format."""
        pixels = self.pixels(index)
        if len(pixels) == size:
            return pixels
        square = (size, size)
        return np.array(ImageOps.fit(Image.fromarray(pixels), square, Image.Resampling.LANCZOS))


class DrawnFaces(_Made):
    """Drawn faces, kept in memory once they are drawn, each when it is asked for.

    ``prepare`` draws many at once; with a folder ``cache`` all of them are kept there, for other
    processes and for the next time.
    """

    def __init__(
        self,
        identities: int = 200,
        images: int = 20,
        size: int = 48,
        seed: int = 0,
        first: int = 0,
        cache: Path | None = None,
    ) -> None:
        settings = {"identities": identities, "images": images, "size": size, "seed": seed}
        super().__init__("faces", "face", {**settings, "first": first})
        if len(self) * size * size > MAX_DRAWN_PIXELS:
            raise ValueError(
                f"{len(self)} drawn pictures of {size}×{size} are {len(self) * size * size:,} "
                f"pixels; ask for at most {MAX_DRAWN_PIXELS:,}."
            )
        self._place = cache and cache / f"faces-{identities}-{images}-{size}-{seed}-{first}.npy"
        self._memory: tuple[np.ndarray, np.ndarray] | None = None

    def prepare(self, rows: Sequence[int] | np.ndarray | None = None) -> None:
        """Draw these pictures, or all."""
        pictures, drawn = self._kept()
        asked = np.arange(len(self)) if rows is None else np.unique(np.asarray(rows, np.int64))
        missing = asked[~drawn[asked]]
        if len(missing):
            chunks = [missing[k : k + _CHUNK] for k in range(0, len(missing), _CHUNK)]
            # NumPy paints outside the interpreter's lock.
            with ThreadPoolExecutor(min(_THREADS, len(chunks))) as threads:
                for chunk, faces in zip(chunks, threads.map(self._draw, chunks), strict=True):
                    pictures[chunk], drawn[chunk] = faces, True
        if rows is None and self._place and not isinstance(pictures, np.memmap):
            self._write(pictures, self._place)

    def pixels(self, index: int) -> np.ndarray:
        """The picture in the size in which it is drawn."""
        index = range(len(self))[index]
        pictures, drawn = self._kept()
        if not drawn[index]:  # two threads that both draw it draw the same
            pictures[index] = self._draw(np.array([index]))[0]
            drawn[index] = True
        return np.array(pictures[index])

    def _draw(self, rows: np.ndarray) -> np.ndarray:
        people, places = divmod(rows, self._settings["images"])
        size, seed = self._settings["size"], self._settings["seed"]
        return draw_faces(people + self._settings["first"], places, size, seed)

    def _kept(self) -> tuple[np.ndarray, np.ndarray]:
        """The pictures, and which of them are drawn."""
        if self._memory is None:
            size = self._settings["size"]
            shape = (len(self), size, size, 3)
            on_disk = self._on_disk(shape)
            # Untouched memory costs nothing.
            pictures = np.zeros(shape, np.uint8) if on_disk is None else on_disk
            self._memory = pictures, np.full(len(self), on_disk is not None)
        return self._memory

    def _on_disk(self, shape: tuple[int, ...]) -> np.ndarray | None:
        """The pictures that are kept there, if they are whole."""
        if self._place is None or not self._place.is_file():
            return None
        try:
            kept = np.load(self._place, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # cut off or something else: they are drawn again
        return kept if kept.shape == shape and kept.dtype == np.uint8 else None

    def _write(self, pictures: np.ndarray, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with growing(path) as partial, partial.open("wb") as file:
                np.save(file, pictures, allow_pickle=False)
        except OSError as error:
            raise ValueError(
                f"{str(path.parent)[-80:]} cannot keep the drawn faces ({error.strerror}); choose "
                "another folder, or none."
            ) from error
        self._memory = None  # read from there, as all processes do

    def __getstate__(self) -> dict[str, object]:
        # Other processes draw, or map, their own: pictures are not sent.
        return {**self.__dict__, "_memory": None}


class Noise(_Made):
    """Random pictures in which a coarse pattern shows faintly that is the identity's own."""

    def __init__(
        self, identities: int = 1_000_000, images: int = 5, size: int = 112, seed: int = 0
    ) -> None:
        settings = {"identities": identities, "images": images, "size": size, "seed": seed}
        super().__init__("noise", "nobody", settings)

    def pixels(self, index: int) -> np.ndarray:
        """The picture in the size in which it is made."""
        index = range(len(self))[index]
        size, seed = self._settings["size"], self._settings["seed"]
        label = index // self._settings["images"]
        noise = np.random.default_rng((seed, index, 1)).bytes(size * size * 3)
        pattern = np.random.default_rng((seed, label, 0)).integers(0, 64, (8, 8, 3), np.uint8)
        coarse = np.arange(size) * 8 // size
        grains = np.frombuffer(noise, np.uint8).reshape(size, size, 3)
        pixels: np.ndarray = (grains >> 1) + (grains >> 2) + pattern.take(coarse, 0).take(coarse, 1)
        return pixels
