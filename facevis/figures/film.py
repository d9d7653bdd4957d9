"""Frames to a film: an animated GIF by Pillow, or H.264 in MP4 by PyAV. It knows pixels alone."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain, repeat

import av
import numpy as np
from PIL import Image

RATE = 12
"""Frames a second."""
FRAMES = 60
HOLD = 12
"""How many frames long the last one stays."""


def gif(frames: Iterable[np.ndarray], palette_of: np.ndarray, hold: int = HOLD) -> bytes:
    """An endless GIF of frames (H, W, 3) uint8, all with the 256 colours of ``palette_of``."""
    palette = Image.fromarray(palette_of).quantize(256, dither=Image.Dither.NONE)
    pictures = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    duration = round(1000 / RATE / 10) * 10  # a GIF counts in hundredths of a second
    durations = [duration] * len(pictures)
    durations[-1] += hold * duration
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        optimize=False,
    )
    return buffer.getvalue()


def mp4(frames: Iterable[np.ndarray], hold: int = HOLD) -> bytes:
    """An MP4 of frames (H, W, 3) uint8, H and W even, in the pixel format that every player has."""
    frames = iter(frames)
    first = next(frames)
    buffer, last = io.BytesIO(), first
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for frame in chain([first], frames):
            last = np.ascontiguousarray(frame)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(last, format="rgb24")))
        for frame in repeat(last, hold):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()
