"""A file read anywhere at any time, by threads and processes alike.

The file is mapped when a process first reads it, so that pickling one carries its path only; a
slice of a mapping needs no position that two threads could fight over, and works on every system.
It knows no format.
"""

from __future__ import annotations

import mmap
from pathlib import Path


class MappedFile:
    """The bytes of a file, read by slices; ``ValueError`` if it cannot be opened.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "words"
    ...     _ = path.write_bytes(b"one two")
    ...     file = MappedFile(path)
    ...     file.size, file.read(4, 3), file.read(6, 10)
    ...     file.close()
    (7, b'two', b'o')
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise ValueError(_unreadable(path, error)) from error
        self._map: mmap.mmap | bytes | None = None

    def buffer(self) -> mmap.mmap | bytes:
        """All of it, as something that can be sliced."""
        whole = self._map  # looked at once: another thread may close the file at any time
        if whole is None:
            try:
                with self.path.open("rb") as file:
                    # An empty file cannot be mapped.
                    whole = (
                        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""
                    )
            except OSError as error:
                raise ValueError(_unreadable(self.path, error)) from error
            self._map = whole
        return whole

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer where the file ends."""
        return self.buffer()[offset : offset + length]

    def close(self) -> None:
        """Let go of the file; the next read maps it again."""
        self._map = None  # a thread that is reading still holds the mapping, which ends with it

    @property
    def mapped(self) -> bool:
        """Whether the file is held open."""
        return self._map is not None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_map": None}


def _unreadable(path: Path, error: OSError) -> str:
    return f"{str(path)[-80:]} cannot be read ({error.strerror}); check its name and permissions."
