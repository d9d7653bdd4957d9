"""Hostile and broken pictures, as a photograph and as one of one's own pictures."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hostile.judging import MIB, full_sentence, harmless, refused, table
from PIL import Image

from facevis.corpora.decoding import decode_picture
from facevis.datasets.own import own_images
from facevis.photographs.gallery import portrait
from facevis.photographs.reading import Photograph, upright

PNG = b"\x89PNG\r\n\x1a\n"


def picture(mode="RGB", size=(24, 16)):
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


GOOD = encoded(picture())
JPEG = encoded(picture(), "JPEG")


def chunk(kind, data=b"", checksum=None):
    said = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", said)


def png(width=16, height=16, *, depth=8, colour=2, body=None, extra=b"", checksum=None):
    header = chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0), checksum
    )
    body = zlib.compress(bytes(16 * 49)) if body is None else body
    return PNG + header + extra + chunk(b"IDAT", body) + chunk(b"IEND")


def sized_jpeg(width, height):
    at = JPEG.index(b"\xff\xc0")
    return JPEG[: at + 5] + struct.pack(">HH", height, width) + JPEG[at + 9 :]


def bmp(width, height, bits=24, offset=54):
    return struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 100, 0, 0, offset, 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0
    ) + bytes(46)


def tiff(*fields, following=0):
    entries = b"".join(struct.pack("<HHII", *field) for field in fields)
    return struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + entries + struct.pack("<I", following)


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", GOOD)
    return file.getvalue()


TIFF_TAGS = ((256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1))
BROKEN = table(
    ("nothing", b"", "empty"),
    ("one byte", b"\x89", "no picture"),
    ("words", b"this is not a picture at all", "no picture"),
    ("zeros", bytes(4096), "no picture"),
    ("a web page", b"<!doctype html><img src=x onerror=alert(1)>", "no picture"),
    (
        "a drawing with a script",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "no pic",
    ),
    (
        "PostScript that would be run",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "no pict",
    ),
    ("a PDF", b"%PDF-1.7\n1 0 obj<<>>endobj", "no picture"),
    ("a zip by the name of a picture", zipped(), "no picture"),
    ("an icon", encoded(picture(), "ICO"), "no picture"),
    ("a picture of a phone's own format", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "no picture"),
    ("PNG: only its mark", PNG, "no picture"),
    ("PNG: half", GOOD[: len(GOOD) // 2], "damaged"),
    ("PNG: without pixels", PNG + GOOD[8:33] + chunk(b"IEND"), "damaged"),
    ("PNG: no width", png(0), "no picture"),
    ("PNG: no height", png(16, 0), "no picture"),
    ("PNG: a size that nobody has", png(2**31 - 1, 2**31 - 1), "too large"),
    ("PNG: a side that is too long", png(20_001, 1), "too large"),
    ("PNG: the header's checksum", png(checksum=1), "no picture"),
    ("PNG: a depth that is none", png(depth=7), "no picture"),
    ("PNG: a colour that is none", png(colour=9), "no picture"),
    ("PNG: pixels that are no stream", png(body=b"\xff" * 99), "damaged"),
    ("PNG: fewer pixels than it says", png(body=zlib.compress(bytes(30))), "damaged"),
    (
        "PNG: a chunk longer than the file",
        png(extra=struct.pack(">I4s", 2**31 - 1, b"tEXt")),
        "damag",
    ),
    (
        "PNG: a text that is a bomb",
        png(extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80 * MIB)))),
        "damaged",
    ),
    ("JPEG: only its mark", b"\xff\xd8\xff", "no picture"),
    ("JPEG: half", JPEG[: len(JPEG) // 2], "damaged"),
    ("JPEG: without tables", JPEG[:20] + JPEG[JPEG.index(b"\xff\xc0") :], "damaged"),
    ("JPEG: a huge size", sized_jpeg(65_000, 65_000), "too large"),
    ("JPEG: no height", sized_jpeg(16, 0), "no picture"),
    ("GIF: half", encoded(picture(), "GIF")[:40], "no picture"),
    (
        "GIF: a huge screen",
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(3) + b";",
        "no picture",
    ),
    ("BMP: a huge size", bmp(2**30, 2**30), "too large"),
    ("BMP: a negative width", bmp(-16, 16), "too large"),
    ("BMP: bits that are none", bmp(16, 16, 7), "damaged"),
    ("BMP: pixels beyond the file", bmp(16, 16, offset=2**31), "damaged"),
    ("WebP: half", encoded(picture(), "WEBP")[:60], "damaged"),
    ("WebP: a length that lies", b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(40), "damaged"),
    ("TIFF: a folder that follows itself", tiff(following=8), "no picture"),
    ("TIFF: tags beyond the file", tiff(*TIFF_TAGS, (273, 4, 2**31, 2**31)), "damaged"),
    (
        "TIFF: a huge size",
        tiff((256, 4, 1, 2**30), (257, 4, 1, 2**30), *TIFF_TAGS[2:]),
        "no picture",
    ),
    ("PPM: a huge size", b"P6 99999 99999 255\n" + bytes(99), "too large"),
    ("PPM: a negative size", b"P6 -1 -1 255\n" + bytes(99), "no picture"),
    ("PPM: fewer pixels than it says", b"P6 16 16 255\n" + bytes(99), "damaged"),
    ("larger than a picture may be", GOOD + bytes(32 * MIB), "larger than 32 MiB"),
)


@pytest.mark.parametrize(("data", "says"), BROKEN)
def test_as_a_photograph_it_is_left_out_with_a_sentence(data, says, tmp_path):
    shown = Photograph("party.png", "anna", data)
    refused(tmp_path, portrait, shown, None, says=("party.png was left out: it is", says))


@pytest.mark.parametrize(("data", "says"), BROKEN)
def test_among_ones_own_pictures_it_is_left_out_with_a_sentence(data, says, tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(GOOD)
    (tmp_path / "b" / "bad.png").write_bytes(data)
    with harmless(tmp_path):
        found = own_images(tmp_path)
    assert len(found.labels) == 3
    (said,) = found.skipped
    assert full_sentence(said).startswith("b/bad.png was left out: it is")
    assert says in said


def _exif(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def _frames(kind):
    more = [Image.new("RGB", (24, 16), shade) for shade in ("red", "blue")]
    return encoded(picture(), kind, save_all=True, append_images=more)


def _deep():
    pixels = np.asarray(picture("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(pixels))


@pytest.mark.parametrize(
    "data",
    table(
        ("an orientation that is none", encoded(picture(), "JPEG", exif=_exif(99))),
        (
            "an orientation that is words",
            encoded(picture(), "JPEG", exif=b"Exif\0\0" + tiff((274, 2, 2, 25_717))),
        ),
        ("EXIF that is nonsense", encoded(picture(), "JPEG", exif=b"Exif\0\0" + b"\xff" * 40)),
        ("EXIF of nothing", encoded(picture(), "JPEG", exif=b"Exif\0\0")),
        ("an animated GIF", _frames("GIF")),
        ("an animated WebP", _frames("WEBP")),
        ("sixteen bits of grey", _deep()),
        ("four colours", encoded(picture("CMYK"), "JPEG")),
        ("a palette", encoded(picture("P"), "PNG", transparency=0)),
        ("one bit", encoded(picture("1"))),
        ("transparent grey", encoded(picture("LA"))),
        ("words behind its end", GOOD + b"PK\x03\x04 and more"),
        ("one pixel", encoded(picture(size=(1, 1)))),
        ("a colour profile that is none", encoded(picture(), "JPEG", icc_profile=b"nonsense")),
    ),
)
def test_what_is_strange_but_whole_is_a_picture(data, tmp_path):
    with harmless(tmp_path):
        for size in (16, 24):
            found = decode_picture(data, size)
            assert (found.shape, found.dtype) == ((size, size, 3), np.uint8)
        assert upright(data).shape[2] == 3
