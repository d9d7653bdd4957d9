"""Five points onto five places: the 112×112 crop that face networks are trained on.

Source of the places: InsightFace's alignment, which OpenCV's ``FaceRecognizerSF`` uses too; of the
closed form: S. Umeyama, Least-squares estimation of transformation parameters, PAMI 1991.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 112
PLACES = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""x, y of the eye on the left as seen, the other, the nose, the left and right end of the mouth."""


def similarity(points: np.ndarray, places: np.ndarray = PLACES) -> np.ndarray:
    """The turn, scale and shift (2, 3) that takes points (K, 2) nearest to places (K, 2).

    Raises ``ValueError`` where all points are one.

    >>> similarity(PLACES * 2 + 7).round(3) + 0.0
    array([[ 0.5,  0. , -3.5],
           [ 0. ,  0.5, -3.5]])
    """
    points = np.asarray(points, np.float64)
    at, to = points.mean(axis=0), places.mean(axis=0)
    # In the plane a turn and a scale are one complex number, and least squares is a projection.
    seen = (points - at) @ np.array([1, 1j])
    wanted = (places - to) @ np.array([1, 1j])
    size = np.vdot(seen, seen).real
    if not size > 1e-9:
        raise ValueError("the five points of the face lie on one place; choose another picture.")
    turn = np.vdot(seen, wanted) / size
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([matrix, to - matrix @ at])


def aligned(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The crop (112, 112, 3) of a picture (H, W, 3) with five points (5, 2), uint8 RGB.

    What lies outside the picture is black. A face that is more than twice as large is averaged
    down first, so that nothing flickers through.
    """
    points = np.asarray(points, np.float64)
    scale = float(np.hypot(*similarity(points)[:, 0]))
    if scale < 0.5:
        height, width = picture.shape[:2]
        small = max(1, round(2 * scale * width)), max(1, round(2 * scale * height))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        ratio = np.array(small) / (width, height)
        points = (points + 0.5) * ratio - 0.5
    return cv2.warpAffine(picture, similarity(points), (SIDE, SIDE), flags=cv2.INTER_LINEAR)


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian of a crop's middle, in squared grey levels; small where blurred."""
    middle = crop[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4]
    return float(cv2.Laplacian(cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
