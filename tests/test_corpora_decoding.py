"""Pixels of encoded pictures, against Pillow's."""

import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from facevis.corpora import decode_picture, decoding, made_up
from facevis.datasets import own

SIZE = 48


@pytest.fixture(scope="module")
def faces():
    corpus = made_up("faces:identities=3,images=2,size=48,seed=5")
    return [corpus.pixels(index) for index in range(6)]


def encoded(pixels, kind="JPEG", mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


def with_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.fixture
def careful_way(monkeypatch):
    """How often ``datasets.own.decode`` was asked."""
    calls = []
    monkeypatch.setattr(decoding, "decode", lambda *args: calls.append(1) or own.decode(*args))
    return calls


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 95])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_has_exactly_the_pixels_of_pillow(
    faces, careful_way, subsampling, quality, progressive
):
    """Tolerance 0: both are libjpeg-turbo with its exact transform and smooth upsampling."""
    for face in faces:
        data = encoded(face, quality=quality, subsampling=subsampling, progressive=progressive)
        pixels = decode_picture(data, SIZE)
        assert pixels.dtype == np.uint8
        assert (pixels == with_pillow(data)).all()
    assert careful_way == []


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_four_colours_become_rgb(faces, mode):
    data = encoded(faces[0], mode=mode, quality=95)
    assert (decode_picture(data, SIZE) == with_pillow(data)).all()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_other_formats_go_the_careful_way(faces, careful_way, kind):
    data = encoded(faces[0], kind)
    assert (decode_picture(data, SIZE) == own.decode(data, SIZE)).all()
    assert careful_way == [1]


def test_a_lossless_picture_of_the_right_size_is_not_resampled(faces):
    assert (decode_picture(encoded(faces[0], "PNG"), SIZE) == faces[0]).all()


@pytest.mark.parametrize("shape", [(60, 90), (90, 60), (31, 47), (200, 200), (48, 49)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_another_size_is_cut_and_scaled_as_own_pictures_are(shape, kind):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    data = encoded(pixels, kind)
    assert (decode_picture(data, SIZE) == own.decode(data, SIZE)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_in_exif_is_respected(faces, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(faces[0], quality=95, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    assert (decode_picture(data, SIZE) == np.asarray(expected)).all()


def test_the_orientation_in_xmp_is_respected(faces):
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="3"/></x:xmpmeta>'
    data = encoded(faces[0], quality=95, xmp=xmp)
    turned = decode_picture(data, SIZE)
    assert (turned == with_pillow(data)[::-1, ::-1]).all()
    assert not (turned == with_pillow(data)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pixels_belong_to_the_caller(faces, kind):
    pixels = decode_picture(encoded(faces[0], kind), SIZE)
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
    assert pixels.flags.owndata or pixels.base is not None


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.995))
def test_a_jpeg_that_is_cut_off_is_refused(share):
    rng = np.random.default_rng(1)
    data = simplejpeg.encode_jpeg(rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8), quality=95)
    with pytest.raises(ValueError, match=r"^it is (damaged|no picture|empty)"):
        decode_picture(data[: int(share * len(data))], SIZE)


def test_a_jpeg_with_overwritten_bytes_is_refused_where_pillow_would_not(faces):
    data = bytearray(encoded(faces[0], quality=95))
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff\xd3" * 20  # marks of restarts that cannot be there
    assert with_pillow(bytes(data)).shape == (SIZE, SIZE, 3)
    with pytest.raises(ValueError, match=r"^it is damaged \(Corrupt JPEG data"):
        decode_picture(bytes(data), SIZE)


def test_what_is_no_picture_is_refused():
    for data in (b"", b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(500)):
        with pytest.raises(ValueError, match=r"^it is (empty|no picture|damaged)"):
            decode_picture(data, SIZE)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"RIFF", b"BM"]))
def test_random_bytes_never_do_worse_than_a_refusal(data, start):
    with pytest.raises(ValueError, match=r"^it is "):
        decode_picture(start + data, SIZE)


def test_a_jpeg_that_claims_a_huge_size_is_refused_before_it_is_decoded(faces, monkeypatch):
    data = bytearray(encoded(faces[0]))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda data: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match=r"^it is too large \("):
        decode_picture(bytes(data), SIZE)


def test_a_png_that_claims_a_huge_size_is_refused():
    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", 19_000, 19_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")
    with pytest.raises(ValueError, match=r"^it is too large"):
        decode_picture(data, SIZE)


def test_bytes_beyond_the_limit_of_a_file_are_refused(faces, monkeypatch):
    data = encoded(faces[0])
    for module in (decoding, own):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", len(data))
    decode_picture(data, SIZE)
    with pytest.raises(ValueError, match="it is empty or larger than 0 MiB"):
        decode_picture(data + b"\0", SIZE)


@pytest.mark.parametrize("size", [0, 7, 513, 48.0])
def test_a_side_beyond_the_limits_is_refused(faces, size):
    with pytest.raises(ValueError, match="give a whole number from 8 to 512"):
        decode_picture(encoded(faces[0]), size)


def test_a_png_whose_checksum_is_wrong_is_damaged_wherever_the_wrong_byte_is(faces):
    data = encoded(faces[0], "PNG")
    start, end = data.index(b"IDAT"), data.index(b"IEND")
    for at in range(start + 4, end - 4, 97):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(ValueError, match=r"it is damaged \(wrong checksum of IDAT\)"):
            decode_picture(changed, SIZE)
    assert (decode_picture(data, SIZE) == faces[0]).all()
