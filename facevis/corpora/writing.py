"""What all writers of sets share: which pictures can be read, and their file endings.

It knows no format of a set.
"""

from __future__ import annotations

from collections.abc import Iterator

from facevis.corpora.corpus import Corpus, DamagedPicture

MAX_SENTENCES = 50


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
