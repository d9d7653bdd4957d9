"""How far apart K prototypes can stand, for the chart of lesson 11: a table, because searching for
packings in 4 and 8 dimensions takes half a minute. ``python -m facevis.lessons.angles`` computes
it anew.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from itertools import accumulate

from facevis.assets import asset_path
from facevis.geometry import packing_angle
from facevis.writing import write_whole

DIMENSIONS = (2, 3, 4, 8)
COUNTS = range(2, 25)
_PATH = ("lessons", "angles.json")


@lru_cache(maxsize=1)
def packing_table() -> dict[str, list[float]]:
    """The best angle found between K prototypes, degrees, K from 2 to 24, by dimension; ``free`` is
    D ≥ K − 1, where they form a simplex.

    >>> [round(packing_table()[dim][8], 1) for dim in ("2", "3", "free")]
    [36.0, 66.1, 96.4]
    """
    table: dict[str, list[float]] = json.loads(asset_path(*_PATH).read_text(encoding="utf-8"))
    return table


def degrees(count: int, dim: int) -> float:
    """One entry, computed.

    >>> degrees(10, 2)
    36.0
    """
    return round(math.degrees(packing_angle(count, dim)), 4)


def compute() -> dict[str, list[float]]:
    """The whole table, computed."""
    found = {str(dim): [degrees(count, dim) for count in COUNTS] for dim in DIMENSIONS}
    # Of more points that stand farther apart some can be left out.
    table = {dim: list(accumulate(angles[::-1], max))[::-1] for dim, angles in found.items()}
    return {**table, "free": [degrees(count, max(count - 1, 2)) for count in COUNTS]}


if __name__ == "__main__":
    path = asset_path(*_PATH)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(compute(), indent=1) + "\n")
