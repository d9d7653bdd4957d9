"""Faces drawn in code: any number of people who do not exist, and as many pictures of each.

An identity is a vector of shapes and colours (face, eyes, brows, nose, mouth, hair, skin); a
picture of it adds what should not matter (pose, light, expression, shift, noise). Both come from
seeds of their own, so identity k of a seed is the same person in a set of any size.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from facevis.datasets.dataset import Dataset
from facevis.validation import whole

MAX_PIXELS = 200_000_000
_CHUNK = 24
"""Pictures painted at once: few enough to stay in the processor's cache."""
_THREADS = 2

Extent = float | np.ndarray

_IDENTITY = (
    *("skin", "warmth", "face_width", "face_length", "jaw", "eye_gap", "eye_height", "eye_size"),
    *("eye_shape", "iris", "brow_height", "brow_tilt", "brow_width", "brow_thick", "nose_length"),
    *("nose_width", "mouth_width", "mouth_height", "lip", "hair_hue", "hair_tone", "hairline"),
    *("hair_volume", "hair_length", "parting", "beard", "glasses", "ears"),
)
_NUISANCE = (
    *("yaw", "pitch", "roll", "size", "shift_x", "shift_y", "smile", "open", "brow_raise", "gaze"),
    *("light_x", "light_y", "exposure", "background", "background_tone", "clothes", "blink"),
)
_SKINS = np.array(
    [[255, 224, 196], [241, 194, 152], [214, 158, 112], [172, 116, 76], [128, 82, 54], [88, 56, 40]]
)
_HAIRS = np.array(
    [[38, 30, 28], [84, 54, 36], [136, 90, 50], [206, 162, 94], [166, 74, 40], [168, 168, 172]]
)
_IRISES = np.array([[74, 48, 32], [52, 110, 84], [66, 116, 170], [110, 110, 120]])


@lru_cache(maxsize=4)
def procedural_faces(
    identities: int = 24, images_per_identity: int = 40, size: int = 32, seed: int = 0
) -> Dataset:
    """Drawn faces in colour, ``size``×``size`` pixels, ``images_per_identity`` of each identity.

    >>> procedural_faces(identities=3, images_per_identity=4).images.shape
    (12, 32, 32, 3)
    """
    whole("identities", identities, 2, 1000)
    whole("images_per_identity", images_per_identity, 2, 1000)
    whole("size", size, 16, 256)
    whole("seed", seed, 0, 2**31 - 1)
    pixels = identities * images_per_identity * size * size
    if pixels > MAX_PIXELS:
        raise ValueError(
            f"{identities} faces with {images_per_identity} pictures of {size}×{size} are "
            f"{pixels:,} pixels; ask for at most {MAX_PIXELS:,}."
        )
    labels = np.repeat(np.arange(identities), images_per_identity)
    places = np.tile(np.arange(images_per_identity), identities)
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(labels), _CHUNK)]
    with ThreadPoolExecutor(_THREADS) as threads:  # NumPy paints outside the interpreter's lock
        painted = threads.map(
            lambda rows: draw_faces(labels[rows], places[rows], size, seed), chunks
        )
        images = np.concatenate(list(painted))
    names = tuple(f"face {k + 1}" for k in range(identities))
    return Dataset("faces", images, labels.astype(np.int64), names, "drawn by facevis (MIT)")


def _parameters(identities: np.ndarray, places: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Every parameter of every picture, uniform in [0, 1], shaped to broadcast over pixels."""
    people = {k: np.random.default_rng((seed, k)).random(len(_IDENTITY)) for k in set(identities)}
    own = np.stack([people[k] for k in identities])
    pairs = zip(identities, places, strict=True)
    other = np.stack(
        [np.random.default_rng((seed, k, j, 1)).random(len(_NUISANCE)) for k, j in pairs]
    )
    table = np.concatenate([own, other], axis=1).astype(np.float32)
    names = (*_IDENTITY, *_NUISANCE)
    return {name: table[:, i, None, None] for i, name in enumerate(names)}


def draw_faces(identities: np.ndarray, places: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Picture ``places[i]`` of person ``identities[i]`` (N,) as uint8 (N, size, size, 3).

    Painted layer upon layer, twice as fine as asked for, then halved; all at once, so ask for few.

    >>> person, place = np.array([2]), np.array([1])
    >>> faces = procedural_faces(identities=3, images_per_identity=4).images
    >>> bool((draw_faces(person, place, size=32, seed=0) == faces[2 * 4 + 1]).all())
    True
    """
    p = _parameters(identities, places, seed)
    fine = 2 * size
    axis = (np.arange(fine, dtype=np.float32) + 0.5) / size - 1.0
    x, y = _head_coordinates(p, *np.meshgrid(axis, axis))
    canvas = _Canvas(len(identities), fine)
    canvas.fill(_background(p))
    _paint_behind(canvas, p, x, y)
    face = _paint_head(canvas, p, x, y)
    _paint_features(canvas, p, x, y, face)
    _paint_hair(canvas, p, x, y)
    light = (
        0.78 + 0.36 * p["exposure"] + 0.42 * ((p["light_x"] - 0.5) * x + (p["light_y"] - 0.75) * y)
    )
    picture = canvas.pixels * light[..., None]
    picture = picture.reshape(len(identities), size, 2, size, 2, 3).mean((2, 4))
    shape = picture.shape[1:]
    for place, (k, j) in enumerate(zip(identities, places, strict=True)):
        noise = np.random.default_rng((seed, k, j, 2)).standard_normal(shape, np.float32)
        picture[place] += 5.0 * noise
    pixels: np.ndarray = picture.clip(0, 255).astype(np.uint8)
    return pixels


class _Canvas:
    """Colour with soft edges: every layer is an opacity laid over what is there."""

    def __init__(self, count: int, size: int) -> None:
        self.pixels = np.empty((count, size, size, 3), np.float32)
        self._softness = 3.0 / size

    def fill(self, colour: np.ndarray) -> None:
        self.pixels[:] = colour[:, None, None]

    def shape(self, distance: np.ndarray) -> np.ndarray:
        """Opacity of a shape whose signed distance is below zero inside."""
        return np.clip(0.5 - distance / self._softness, 0.0, 1.0)

    def lay(
        self, opacity: np.ndarray, colour: np.ndarray, strength: float | np.ndarray = 1
    ) -> None:
        opacity = (opacity * strength)[..., None]
        self.pixels += opacity * (colour[:, None, None] - self.pixels)


def _head_coordinates(
    p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in the coordinates of the head: shifted, rolled, scaled."""
    x = x - 0.16 * (p["shift_x"] - 0.5)
    y = y - 0.16 * (p["shift_y"] - 0.5) - 0.04
    roll, zoom = 0.42 * (p["roll"] - 0.5), 1.02 + 0.16 * (p["size"] - 0.5)
    cos, sin = np.cos(roll), np.sin(roll)
    return (cos * x + sin * y) * zoom, (cos * y - sin * x) * zoom


def _ellipse(x: np.ndarray, y: np.ndarray, a: Extent, b: Extent, power: Extent = 2.0) -> np.ndarray:
    """Approximate signed distance to |x/a|^p + |y/b|^p = 1."""
    radius = (np.abs(x / a) ** power + np.abs(y / b) ** power) ** (1.0 / np.asarray(power))
    return (radius - 1.0) * np.minimum(a, b)


def _blend(colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A colour along a row of colours, (N, 3), share in [0, 1]."""
    place = share[:, 0, 0] * (len(colours) - 1)
    low = np.floor(place).astype(int).clip(0, len(colours) - 2)
    rest = (place - low)[:, None]
    blended: np.ndarray = (colours[low] * (1 - rest) + colours[low + 1] * rest).astype(np.float32)
    return blended


def _background(p: dict[str, np.ndarray]) -> np.ndarray:
    hues = np.array([[150, 178, 200], [196, 186, 168], [168, 190, 168], [190, 172, 188]])
    return _blend(hues, p["background"]) * (0.8 + 0.35 * p["background_tone"][:, 0])


def _skin(p: dict[str, np.ndarray]) -> np.ndarray:
    warm = np.concatenate(
        [p["warmth"][:, 0] - 0.5, 0 * p["warmth"][:, 0], 0.5 - p["warmth"][:, 0]], 1
    )
    skin: np.ndarray = _blend(_SKINS, p["skin"]) + 16 * warm
    return skin


def _hair(p: dict[str, np.ndarray]) -> np.ndarray:
    return _blend(_HAIRS, p["hair_hue"]) * (0.8 + 0.4 * p["hair_tone"][:, 0])


def _head_size(p: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return 0.46 + 0.13 * p["face_width"], 0.58 + 0.13 * p["face_length"]


def _paint_behind(c: _Canvas, p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> None:
    """Long hair behind the head, clothes and neck."""
    a, b = _head_size(p)
    length = 0.25 + 0.75 * np.clip(p["hair_length"] * 2 - 0.9, 0, 1)
    back = _ellipse(
        x, y - 0.1 * length, a * (1.12 + 0.15 * p["hair_volume"]), b * (0.9 + 0.5 * length), 3.0
    )
    c.lay(c.shape(back), _hair(p) * 0.8, np.clip(p["hair_length"] * 4 - 1.6, 0, 1))
    cloth = np.array([[70, 84, 110], [120, 72, 78], [84, 110, 92], [206, 200, 190]])
    c.lay(c.shape(_ellipse(x, y - 1.18, 0.85, 0.42, 2.5)), _blend(cloth, p["clothes"]))
    c.lay(c.shape(_ellipse(x, y - 0.7, a * 0.45, 0.3, 4.0)), _skin(p) * 0.86)


def _paint_head(c: _Canvas, p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ears and face; the opacity of the face bounds the beard."""
    a, b = _head_size(p)
    skin, turn = _skin(p), 0.3 * (p["yaw"] - 0.5)
    for side in (-1, 1):
        ear = _ellipse(x - side * a * 1.0 + turn * 0.5, y - 0.05, 0.07 + 0.05 * p["ears"], 0.13)
        c.lay(c.shape(ear), skin * 0.9)
    # A narrower jaw: the lower half shrinks sideways.
    taper = 1.0 - (0.05 + 0.28 * (1 - p["jaw"])) * np.clip(y / b, 0, 1) ** 1.5
    face = c.shape(_ellipse(x / taper, y, a, b, 2.0 + 0.7 * p["jaw"]))
    c.lay(face, skin)
    return face


def _paint_features(
    c: _Canvas, p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, face: np.ndarray
) -> None:
    """Beard, eyes, brows, nose, mouth and glasses; pose moves them together."""
    x = x - 0.3 * (p["yaw"] - 0.5)
    y = y - 0.12 * (p["pitch"] - 0.5)
    skin, hair = _skin(p), _hair(p)
    mouth_y = 0.33 + 0.08 * p["mouth_height"]
    beard = np.clip((y - 0.12 - 0.5 * x**2) * 6, 0, 1) * face
    c.lay(beard, hair * 0.9, np.clip(p["beard"] * 3.2 - 2.2, 0, 0.85))
    gap, eye_y = 0.17 + 0.09 * p["eye_gap"], -0.08 - 0.12 * p["eye_height"]
    wide = 0.075 + 0.045 * p["eye_size"]
    high = wide * (0.4 + 0.4 * p["eye_shape"]) * (0.55 + 0.5 * np.clip(p["blink"] * 3, 0, 1))
    for side in (-1, 1):
        ex, ey = x - side * gap, y - eye_y
        white = c.shape(_ellipse(ex, ey, wide, high))
        c.lay(c.shape(_ellipse(ex, ey, wide * 1.15, high * 1.3)), skin * 0.72, 0.7)
        c.lay(white, np.full_like(skin, 246.0))
        ix = ex - 0.05 * (p["gaze"] - 0.5)
        c.lay(
            white * c.shape(_ellipse(ix, ey, wide * 0.52, wide * 0.52)), _blend(_IRISES, p["iris"])
        )
        c.lay(white * c.shape(_ellipse(ix, ey, wide * 0.24, wide * 0.24)), skin * 0 + 18)
        tilt = 0.4 * (p["brow_tilt"] - 0.5)
        bx, by = ex, ey + 0.11 + 0.07 * p["brow_height"] + 0.05 * p["brow_raise"] + side * tilt * ex
        brow = _ellipse(bx, by, 0.1 + 0.06 * p["brow_width"], 0.018 + 0.03 * p["brow_thick"], 2.5)
        c.lay(c.shape(brow), hair * 0.75, 0.9)
    _paint_nose_and_mouth(c, p, x, y, mouth_y)
    rim = (
        np.abs(
            np.minimum(
                _ellipse(x - gap, y - eye_y, 0.16, 0.13, 3.0),
                _ellipse(x + gap, y - eye_y, 0.16, 0.13, 3.0),
            )
        )
        - 0.014
    )
    c.lay(c.shape(rim), skin * 0 + 40, np.clip(p["glasses"] * 8 - 6, 0, 1))


def _paint_nose_and_mouth(
    c: _Canvas, p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, mouth_y: np.ndarray
) -> None:
    skin = _skin(p)
    tip = 0.1 + 0.13 * p["nose_length"]
    nose_x = x - 0.1 * (p["yaw"] - 0.5)
    wide = 0.05 + 0.07 * p["nose_width"]
    c.lay(c.shape(_ellipse(nose_x, y - tip * 0.5, wide * 0.45, tip * 0.7)), skin * 1.07, 0.6)
    c.lay(c.shape(_ellipse(nose_x, y - tip, wide, 0.035)), skin * 0.74, 0.85)
    half, lip = 0.13 + 0.11 * p["mouth_width"], 0.025 + 0.04 * p["lip"]
    bend = (p["smile"] - 0.35) * 0.28
    my = y - mouth_y + bend * ((x / half) ** 2 - 0.5) * 0.5
    red = skin * np.array([0.86, 0.56, 0.54], np.float32)
    c.lay(c.shape(_ellipse(x, my, half, lip + 0.03 * p["open"], 2.4)), red)
    c.lay(
        c.shape(_ellipse(x, my, half * 0.9, 0.008 + 0.035 * np.clip(p["open"] * 2 - 1, 0, 1))),
        skin * 0.28,
    )


def _paint_hair(c: _Canvas, p: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> None:
    """The front of the hair: what lies above the hairline, parted at one side."""
    a, b = _head_size(p)
    volume = 1.05 + 0.16 * p["hair_volume"]
    cap = _ellipse(x, y + 0.02, a * volume, b * volume, 2.3)
    part = 0.7 * (p["parting"] - 0.5)
    line = -b * (0.5 + 0.35 * p["hairline"]) + 0.5 * np.abs(x - part) ** 1.5 * (
        0.5 + p["hair_length"]
    )
    c.lay(c.shape(np.maximum(cap, y - line)), _hair(p))
    sides = np.maximum(cap, np.maximum(a * 0.86 - np.abs(x), y - 0.05 - 0.5 * p["hair_length"]))
    c.lay(c.shape(sides), _hair(p) * 0.92, np.clip(p["hair_length"] * 3 - 0.6, 0, 1))
