"""What was measured in plain types, as JSON takes them: it knows no arrays and no NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def jsonable(value: Any, digits: int | None = None) -> Any:
    """The same with arrays as lists, and None for what is no finite number.

    ``digits`` are the significant ones that a float keeps; left out, all.

    >>> jsonable({"tar": np.array([1 / 3, np.nan]), "pairs": (np.int64(7),)}, digits=3)
    {'tar': [0.333, None], 'pairs': [7]}
    """
    if isinstance(value, dict):
        return {key: jsonable(entry, digits) for key, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [jsonable(entry, digits) for entry in value]
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return None
        return float(value) if digits is None else float(f"{value:.{digits}g}")
    return value.item() if isinstance(value, np.generic) else value
