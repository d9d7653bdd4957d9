"""Run every ``bench_*.py`` beside this file, one after the other, and print one table.

A benchmark is a program that prints one JSON object as its last line: figures by name, and under
``bounds`` what they must reach, such as ``{"speedup": 6.1, "bounds": {"speedup": ">= 5"}}``. This
file knows nothing of what they measure. ``python benchmarks/run.py ensemble`` runs the files whose
name contains the word. The exit status is 1 if a benchmark broke or missed a bound.
"""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_COLUMNS = ("benchmark", "figure", "value", "bound", "")


def last_object(output: str) -> dict[str, Any]:
    """The JSON object on the last line that is not empty."""
    lines = output.strip().splitlines()
    found = json.loads(lines[-1]) if lines else None
    if not isinstance(found, dict):
        raise ValueError("the last line is not a JSON object")
    return found


def flat(figures: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Figures with the names of nested ones joined by dots."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def rows(benchmark: str, result: dict[str, Any]) -> list[tuple[str, ...]]:
    """One row per figure: benchmark, figure, value, bound, and whether the bound is met."""
    bounds = result.get("bounds", {})
    figures = dict(flat({name: value for name, value in result.items() if name != "bounds"}))
    found = []
    for name in [*figures, *(name for name in bounds if name not in figures)]:
        value, bound = figures.get(name), bounds.get(name, "")
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        verdict = ("met" if meets(value, bound) else "MISSED") if bound else ""
        found.append((benchmark, name, shown, bound, verdict))
    return found


def meets(value: Any, bound: str) -> bool:
    """Whether a figure reaches its bound; what was not measured does not."""
    sign, _, limit = bound.partition(" ")
    measured = isinstance(value, int | float)
    return measured and bool(_COMPARE[sign](value, float(limit)))


def measure(path: Path) -> list[tuple[str, ...]]:
    """Run one benchmark in a process of its own."""
    name = path.stem.removeprefix("bench_")
    done = subprocess.run([sys.executable, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        if done.returncode:
            raise ValueError(f"exit status {done.returncode}")
        return rows(name, last_object(done.stdout))
    except ValueError as error:
        return [(name, "-", str(error), "", "BROKEN")]


def table(lines: list[tuple[str, ...]]) -> str:
    """A Markdown table, ready for the README."""
    lines = [_COLUMNS, *lines]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(_COLUMNS))]
    lines.insert(1, tuple("-" * width for width in widths))
    cells = (" | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"| {line} |" for line in cells)


def main() -> int:
    """Measure, print, and say by the exit status whether everything held."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    found: list[tuple[str, ...]] = []
    for path in sorted(HERE.glob("bench_*.py")):
        if wanted in path.stem:
            print(f"{path.stem} ...", file=sys.stderr, flush=True)
            found += measure(path)
    if not found:
        print(f"no benchmark in {HERE.name}/ matches {wanted!r}", file=sys.stderr)
        return 1
    print(table(found))
    return int(any(line[-1] in ("MISSED", "BROKEN") for line in found))


if __name__ == "__main__":
    sys.exit(main())
