"""Your own pictures: a folder with one subfolder per class, or a zip of it.

Nothing in a picture or an archive is trusted: sizes are bounded before and while reading, only
known picture formats are decoded, and names are only ever text. A broken picture is left out with
a sentence; a set that cannot be learned from is refused with one.
"""

from __future__ import annotations

import io
import lzma
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facevis.datasets.dataset import Dataset
from facevis.validation import line, whole

MAX_CLASSES = 1000
MAX_IMAGES = 20_000
MAX_FILE_BYTES = 32 * 2**20
MAX_TOTAL_BYTES = 2 * 2**30
MAX_RATIO = 200
"""Times that an archive may grow when it is unpacked."""
MAX_SIDE = 20_000
MAX_PIXELS = 64_000_000
MAX_TOTAL_PIXELS = 20_000_000_000
"""Of all pictures together: minutes of decoding. A small archive can hold hours of it."""
MAX_SENTENCES = 50
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
_NO_PICTURE = {".txt", ".md", ".db", ".ini", ".json", ".csv", ".zip", ".html", ".xml"}
# What reading a damaged archive raises; the last for a name that is no text.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, EOFError, OSError, UnicodeDecodeError),
)

Entry = tuple[str, str, bytes]


def own_images(path: str | Path, size: int = 32) -> Dataset:
    """Read pictures, cropped to a centred square of ``size`` pixels, in the order of their names.

    Raises ``ValueError`` in one sentence for anything that is no folder or zip of at least two
    classes with a picture each, one of them with two. ``Dataset.skipped`` says what was left out.
    """
    whole("size", size, 8, 512)
    path = Path(path)
    entries = _zip_entries(path) if path.is_file() else _folder_entries(path)
    pictures: dict[str, list[np.ndarray]] = {}
    skipped: list[str] = []
    met: dict[str, str] = {}
    pixels = 0
    for label, name, data in entries:
        other = met.setdefault(unicodedata.normalize("NFC", label).casefold(), label)
        if other != label:
            raise ValueError(
                f"{path.name} has two classes whose names collide, {other!r} and {label!r}; "
                "rename one, or put their pictures into one subfolder."
            )
        try:
            with opened(data) as picture:
                pixels += picture.width * picture.height
                pictures.setdefault(label, []).append(_square(picture, size))
        except ValueError as error:
            if len(skipped) < MAX_SENTENCES:
                skipped.append(f"{line(f'{label}/{name}')} was left out: {error}.")
        if pixels > MAX_TOTAL_PIXELS:
            raise ValueError(
                f"{path.name} holds more than {MAX_TOTAL_PIXELS / 1e6:,.0f} megapixels; make "
                "its pictures smaller, or choose a part of it."
            )
        if sum(map(len, pictures.values())) > MAX_IMAGES or len(pictures) > MAX_CLASSES:
            raise ValueError(
                f"{path.name} holds more than {MAX_IMAGES} pictures or {MAX_CLASSES} classes; "
                "choose a part of it."
            )
    return _dataset(path, {k: v for k, v in sorted(pictures.items()) if v}, skipped)


def _dataset(path: Path, pictures: dict[str, list[np.ndarray]], skipped: list[str]) -> Dataset:
    hint = f" First problem: {skipped[0]}" if skipped else ""
    if not pictures:
        raise ValueError(
            f"{path.name} has no readable picture in a subfolder; make one subfolder per class "
            f"and put its pictures there.{hint}"
        )
    if len(pictures) < 2:
        raise ValueError(
            f"{path.name} has one class only ({line(next(iter(pictures)))}); a loss needs at "
            f"least two subfolders with pictures.{hint}"
        )
    if max(map(len, pictures.values())) < 2:
        raise ValueError(
            f"{path.name} has one picture per class; add more, since nothing can be learned about "
            f"what a class has in common from one.{hint}"
        )
    labels = np.repeat(np.arange(len(pictures)), [len(group) for group in pictures.values()])
    images = np.stack([image for group in pictures.values() for image in group])
    if (images[..., :1] == images).all():
        images = images[..., :1]
    return Dataset(
        path.name, images, labels.astype(np.int64), tuple(pictures), "your own", tuple(skipped)
    )


def _folder_entries(path: Path) -> Iterator[Entry]:
    try:
        if not path.exists():
            raise ValueError(f"there is no folder {path}; check its name.")
        for folder in sorted(p for p in path.iterdir() if p.is_dir() and _visible(p.name)):
            for file in sorted(p for p in folder.iterdir() if p.is_file() and _visible(p.name)):
                # A file too large for a picture is not read; the decoder then says so.
                small = file.stat().st_size <= MAX_FILE_BYTES
                yield folder.name, file.name, file.read_bytes() if small else b""
    except OSError as error:
        raise ValueError(
            f"{str(path)[:80]} cannot be read ({error.strerror}); check its name and permissions."
        ) from error


def _zip_entries(path: Path) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            # A name may be empty, of which ``is_dir`` knows nothing.
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
            _check_archive(path, infos)
            total = 0
            folders: dict[str, tuple[str, ...]] = {}
            for info in sorted(infos, key=lambda info: info.filename):
                parts = PurePosixPath(info.filename).parts
                if len(parts) < 2 or not all(map(_visible, parts)):
                    continue
                if folders.setdefault(parts[-2], parts[:-1]) != parts[:-1]:
                    both = " and ".join(map("/".join, (folders[parts[-2]], parts[:-1])))
                    raise ValueError(
                        f"{path.name} has two folders of one name, {line(both, 160)}; rename one."
                    )
                with archive.open(info) as stream:
                    data = stream.read(MAX_FILE_BYTES + 1)  # the header may lie about the size
                total += len(data)
                if total > min(MAX_TOTAL_BYTES, MAX_RATIO * path.stat().st_size):
                    raise ValueError(f"{path.name} unpacks to far more than its size; repack it.")
                yield parts[-2], parts[-1], data if len(data) <= MAX_FILE_BYTES else b""
    except _UNREADABLE as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
        raise ValueError(
            f"{path.name} is not a whole zip archive ({reason}); zip the folder again."
        ) from error
    except RuntimeError as error:  # zipfile's word for a missing password
        raise ValueError(f"{path.name} is encrypted; zip the folder without a password.") from error


def _check_archive(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > 2 * MAX_IMAGES:
        raise ValueError(f"{path.name} holds {len(infos)} files; choose at most {MAX_IMAGES}.")
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        outside = name.is_absolute() or ".." in name.parts or name.parts[:1] == ("~",)
        if outside or ":" in (name.parts[0] if name.parts else ""):
            raise ValueError(
                f"{path.name} holds a path that leaves the archive ({line(info.filename)}); "
                "zip the folder itself again."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ValueError(f"{path.name} holds a link ({line(info.filename)}); zip real files.")


def _visible(name: str) -> bool:
    hidden = name.startswith((".", "__MACOSX"))
    return not hidden and Path(name).suffix.lower() not in _NO_PICTURE


def decode(data: bytes, size: int) -> np.ndarray:
    """One picture as uint8 RGB (size, size, 3), upright, its centred square; as ``opened``."""
    with opened(data) as picture:
        return _square(picture, size)


def _square(picture: Image.Image, size: int) -> np.ndarray:
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    return np.asarray(ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS))


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """A picture within bounds, to be decoded in the block.

    Raises ``ValueError``, half a sentence, for what is empty, too large or no known format, and
    for whatever Pillow finds damaged in the block.
    """
    if not data or len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it is empty or larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
                raise Image.DecompressionBombError(f"{width}×{height} pixels")
            yield picture
    except UnidentifiedImageError as error:
        raise ValueError("it is no picture in a known format") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"it is too large ({str(error).partition(',')[0][:80]})") from error
    except Exception as error:  # damaged files make Pillow raise errors of many kinds
        raise ValueError(f"it is damaged ({str(error)[:80]})") from error
