"""Faces in a picture, by YuNet through OpenCV: boxes and five points. It knows no people.

Source: W. Wu, H. Peng, S. Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from facevis.photographs.packaged import YUNET, packaged_file

_LONGEST = 640
"""Longest side of what is looked through: faces of a twentieth of the picture are still found."""
_SCORE = 0.7
_SMALL = 40


@dataclass(frozen=True, eq=False)
class Face:
    """One face, in pixels of its picture."""

    box: tuple[float, float, float, float]
    """Left, top, width, height."""
    points: np.ndarray
    """(5, 2), in the order of ``aligning.PLACES``."""
    score: float

    @property
    def area(self) -> float:
        """Of the box."""
        return self.box[2] * self.box[3]

    @property
    def small(self) -> bool:
        """Whether so few pixels are there that the crop has to be blown up much."""
        return min(self.box[2:]) < _SMALL

    def scaled(self, scale: float) -> Face:
        """The same face in the picture scaled."""
        left, top, width, height = (scale * number for number in self.box)
        return Face((left, top, width, height), self.points * scale, self.score)


class Detector:
    """The packaged detector; any thread may ask it."""

    def __init__(self) -> None:
        # OpenCV's engine tells developers what it tries first.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        path = str(packaged_file(YUNET))
        self._network: Any = cv2.FaceDetectorYN.create(path, "", (320, 320), _SCORE)
        self._lock = threading.Lock()

    def faces(self, picture: np.ndarray) -> list[Face]:
        """All faces of a picture (H, W, 3), uint8 RGB, the largest first."""
        height, width = picture.shape[:2]
        scale = min(1.0, _LONGEST / max(height, width))
        size = max(16, round(width * scale)), max(16, round(height * scale))
        seen = picture
        if size != (width, height):
            seen = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        with self._lock:
            self._network.setInputSize(size)
            _, found = self._network.detect(np.ascontiguousarray(seen[..., ::-1]))
        back = np.array([width / size[0], height / size[1]])
        rows = [] if found is None else [row.astype(np.float64) for row in found]
        faces = []
        for row in rows:
            (left, top), (width, height) = (row[:4].reshape(2, 2) * back).tolist()
            points = row[4:14].reshape(5, 2) * back
            faces.append(Face((left, top, width, height), points, float(row[14])))
        return sorted(faces, key=lambda face: -face.area)
