"""Labels as they stand in a file, numbers or names, to 0 … C − 1 and the identities' own names.

It knows no file; whoever read the labels says where a bad one stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Labelling = tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]
"""Labels (N,) int64 without gaps, the name of each identity (C,), and remarks."""

LARGEST = 2**53
"""Above it, whole numbers are not exact in float64."""


def by_number(numbers: np.ndarray) -> Labelling:
    """Whole numbers (N,) from 0, renumbered where some are unused; the names keep them.

    >>> labels, names, remarks = by_number(np.array([7, 0, 7]))
    >>> labels.tolist(), names, remarks
    ([1, 0, 1], ('0', '7'), ('labels go from 0 to 7 and 6 are unused; they were renumbered.',))
    """
    used, labels = np.unique(numbers, return_inverse=True)
    first, last = int(used[0]), int(used[-1])
    unused = last + 1 - len(used)
    remarks: tuple[str, ...] = ()
    if unused:
        some = "1 is" if unused == 1 else f"{unused} are"
        # Counted from 0 on, even where the first one used is higher.
        remarks = (f"labels go from 0 to {last} and {some} unused; they were renumbered.",)
        if first == unused:
            remarks = (f"labels go from {first} to {last}; they were renumbered from 0.",)
    return labels.astype(np.int64), tuple(map(str, used.tolist())), remarks


def by_text(texts: Sequence[str], place: Callable[[int], str]) -> Labelling:
    """Texts (N,): numbers if all of them are, names otherwise, in the order of the alphabet.

    ``ValueError`` if all are numbers and one is negative or not whole; ``place(i)`` says where.

    >>> by_text(["Noor", "Ada", "Noor"], str)[:2]
    (array([1, 0, 1]), ('Ada', 'Noor'))
    >>> by_text(["1", "2.5"], lambda i: f"line {i + 1}")
    Traceback (most recent call last):
    ...
    ValueError: line 2 has the label 2.5; give whole numbers from 0, or names.
    """
    codes: dict[str, int] = {}
    rows = np.fromiter((codes.setdefault(text, len(codes)) for text in texts), np.int64, len(texts))
    try:
        numbers = np.array([float(text) for text in codes])
    except ValueError:
        names = sorted(codes)
        places = np.empty(len(names), np.int64)
        places[[codes[name] for name in names]] = np.arange(len(names))
        return places[rows], tuple(names), ()
    # A NaN fails every comparison, so that it is bad as well.
    good = (numbers >= 0) & (numbers <= LARGEST) & (numbers == np.floor(numbers))
    if not good.all():
        bad = int(np.flatnonzero(~good[rows])[0])
        raise ValueError(
            f"{place(bad)} has the label {texts[bad]}; give whole numbers from 0, or names."
        )
    return by_number(numbers.astype(np.int64)[rows])
