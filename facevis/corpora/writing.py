"""What all writers share: files and folders that appear whole or not at all, and file endings.

It knows no format of a set.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facevis.corpora.corpus import Corpus, DamagedPicture

MAX_SENTENCES = 50


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when the block ends well and vanishes otherwise."""
    partial = folder.with_name(f".{folder.name}.partial")
    with _in_words(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ValueError(f"{folder} exists and is not empty; choose another name.")
        if partial.exists():
            raise ValueError(f"{partial} is left from a run that did not end; delete it first.")
        partial.mkdir(parents=True)
        try:
            yield partial
            if folder.exists():
                folder.rmdir()
            partial.replace(folder)
        finally:
            if partial.exists():
                shutil.rmtree(partial)


@contextmanager
def new_file(path: Path, replace: bool = False) -> Iterator[Path]:
    """A file to write, which gets its name when the block ends well and vanishes otherwise.

    ``ValueError`` if the name is taken, unless an old file may be replaced.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with new_file(Path(folder) / "list.txt") as partial:
    ...         _ = partial.write_text("Ada/1.jpg")
    ...     [path.name for path in Path(folder).iterdir()]
    ['list.txt']
    """
    partial = path.with_name(f".{path.name}.partial")
    with _in_words(path):
        if not replace and path.exists():
            raise ValueError(f"{path} exists already; choose another name.")
        try:
            yield partial
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{path} cannot be written ({error.strerror}); make room or choose another place."
        ) from error


def ending(data: bytes) -> str:
    """The file ending of a picture, by its first bytes; empty if it is none that is known.

    >>> ending(b"\\xff\\xd8\\xff..."), ending(b"hello")
    ('.jpg', '')
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    marks = {b"\xff\xd8": ".jpg", b"\x89PNG": ".png", b"GIF8": ".gif", b"BM": ".bmp"}
    return next((end for mark, end in marks.items() if data.startswith(mark)), "")


def readable(corpus: Corpus, left_out: list[str]) -> Iterator[tuple[int, bytes, str]]:
    """Place, bytes and file ending of each picture; the others become sentences in ``left_out``."""
    for index in range(len(corpus)):
        try:
            data = corpus.encoded(index)
            if not ending(data):
                raise DamagedPicture(f"{corpus.place(index)} is no picture in a known format.")
        except DamagedPicture as error:
            if len(left_out) < MAX_SENTENCES:
                left_out.append(str(error))
            continue
        yield index, data, ending(data)
