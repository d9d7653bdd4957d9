"""Encoded pictures to pixels: JPEG by libjpeg-turbo directly, all else by ``datasets.own``.

Ordinary JPEGs go through simplejpeg (MIT), whose default settings give the pixels that Pillow
gives, in half its time: with no image object and no second copy. Whatever is rare, an orientation
to respect, four colours, another format, goes the careful way of ``datasets.own.decode``. The
size is read from the header and bounded before any pixel is decoded. It knows no file and no label.
"""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from facevis.datasets.own import FORMATS, MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE, decode
from facevis.validation import whole

MIN_SIZE, MAX_SIZE = 8, 512
_PNG = b"\x89PNG\r\n\x1a\n"
_TURNED = (b"Exif\x00\x00", b"tiff:Orientation")
"""What a JPEG that may have to be turned contains: Exif's mark, or XMP's word."""


def decode_picture(data: bytes, size: int) -> np.ndarray:
    """One picture as uint8 RGB (size, size, 3), its centred square, scaled if it must be.

    Raises ``ValueError``, half a sentence as ``datasets.own.decode`` says it, for anything that
    is no whole picture of a known format within that module's bounds. A JPEG that is cut off, or
    that libjpeg only warns about, is damaged, and so is a PNG with a wrong checksum, of which
    Pillow would make some picture.

    >>> import simplejpeg
    >>> jpeg = simplejpeg.encode_jpeg(np.full((20, 30, 3), 90, np.uint8))
    >>> decode_picture(jpeg, 16).shape, int(decode_picture(jpeg, 16).mean())
    ((16, 16, 3), 90)
    >>> decode_picture(jpeg[:-9], 16)
    Traceback (most recent call last):
    ...
    ValueError: it is damaged (Premature end of JPEG file)
    """
    whole("size", size, MIN_SIZE, MAX_SIZE)
    if not _plain_jpeg(data):
        _check_png(data)
        # A copy, for what it returns is Pillow's own memory, which is read-only.
        return np.array(decode(data, size))
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(data)
    except ValueError as error:
        raise ValueError(f"it is damaged ({str(error)[:80]})") from error
    if pixels.shape == (size, size, 3):
        return pixels
    square = ImageOps.fit(Image.fromarray(pixels), (size, size), Image.Resampling.LANCZOS)
    return np.array(square)


def whole_picture(data: bytes) -> tuple[str, tuple[int, int]]:
    """Format, width and height of a picture that can be decoded; ``ValueError`` of one that cannot.

    The size is the one in which it is stored, before it is turned or cropped. The reason is half a
    sentence, as of ``decode_picture``.

    >>> whole_picture(simplejpeg.encode_jpeg(np.zeros((20, 30, 3), np.uint8)))
    ('JPEG', (30, 20))
    """
    if data[:2] == b"\xff\xd8":
        # The quick way, or, for what is damaged, the one below that says why.
        with suppress(ValueError):
            height, width, *_ = simplejpeg.decode_jpeg_header(data)
            square = height == width and MIN_SIZE <= width <= MAX_SIZE
            decode_picture(data, width if square else MIN_SIZE)
            return "JPEG", (width, height)
    decode_picture(data, MIN_SIZE)
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        return str(picture.format), picture.size


def _check_png(data: bytes) -> None:
    """``ValueError`` if one of a PNG's chunks that cannot be done without has another checksum."""
    at = len(_PNG) if data.startswith(_PNG) else len(data)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        # Their names begin with a capital letter (PNG specification, 5.4).
        if kind[:1].isupper() and end <= len(data):
            (said,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != said:
                raise ValueError(f"it is damaged (wrong checksum of {kind.decode('latin-1')})")
        at = end


def _plain_jpeg(data: bytes) -> bool:
    """Whether it is a JPEG of a known size and of colours that need no care."""
    if data[:2] != b"\xff\xd8" or len(data) > MAX_FILE_BYTES:
        return False
    if any(mark in data for mark in _TURNED):
        return False
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return False
    small = max(height, width) <= MAX_SIDE and height * width <= MAX_PIXELS
    return small and colours.lower() in ("ycbcr", "gray", "rgb")
