"""Millions of texts in one block of bytes, instead of as many objects.

Processes that read one corpus then share the block: Python counts references inside every object,
which makes each process copy a list of texts page by page. It knows nothing about pictures.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np


class Packed:
    """Texts that are stored end to end, and read by their place.

    >>> names = Packed(["Ada/1.jpg", "Noor/é.png"])
    >>> len(names), names[1]
    (2, 'Noor/é.png')
    """

    def __init__(self, texts: Iterable[str]) -> None:
        # File names may hold bytes that are no UTF-8; fsencode keeps them.
        parts = [os.fsencode(text) for text in texts]
        self._ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        self._block = b"".join(parts)

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        return os.fsdecode(self._block[self._ends[index] : self._ends[index + 1]])
