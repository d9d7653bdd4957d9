"""From what a benchmark printed to rows of a table, with the last value beside each figure.

It knows figures and bounds, and not where they come from. What counts as worse, and what as noise,
is ``change`` and nothing else.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_COLUMNS = ("benchmark", "figure", "value", "bound", "verdict", "last", "change")
NOISE = 1.25
"""A figure that became less than this many times better or worse has not changed."""
FAR_WITHIN = 100
"""A figure so many times better than its bound may move: rounding of 10⁻¹³ where 10⁻⁶ is held."""
RULE = (
    "Worse or better is said of figures with a bound, on the same kind of machine: if they crossed "
    f"it, or moved by more than ×{NOISE} (what is {FAR_WITHIN} times better than its bound may "
    "move). Of all others the change is shown and not judged."
)


def last_object(output: str) -> dict[str, Any]:
    """The JSON object on the last line that is not empty, with bounds that can be understood."""
    lines = output.strip().splitlines()
    found = json.loads(lines[-1], parse_constant=_refused) if lines else None
    if not isinstance(found, dict):
        raise ValueError("the last line is not a JSON object")
    bounds = found.get("bounds", {})
    if not isinstance(bounds, dict):
        raise ValueError("bounds are not an object")
    for name, bound in bounds.items():
        _parsed(name, bound)
    return found


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no figure")


def _parsed(name: str, bound: Any) -> tuple[str, float]:
    sign, _, limit = str(bound).partition(" ")
    try:
        if sign in _COMPARE:
            return sign, float(limit)
    except ValueError:
        pass
    raise ValueError(f"the bound {bound!r} of {name} is not like '>= 5'")


def flat(figures: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Figures with the names of nested ones joined by dots."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def figures_of(result: dict[str, Any]) -> dict[str, Any]:
    """All figures of a benchmark by their dotted names; None for those that it bounds and lacks."""
    bounds = result.get("bounds", {})
    found = dict(flat({name: value for name, value in result.items() if name != "bounds"}))
    return found | {name: None for name in bounds if name not in found}


def meets(value: Any, bound: str) -> bool:
    """Whether a figure reaches its bound; what was not measured does not."""
    sign, limit = _parsed("a figure", bound)
    return isinstance(value, int | float) and bool(_COMPARE[sign](value, limit))


def status_of(result: dict[str, Any]) -> str:
    """``met`` or ``missed``, or ``measured`` where nothing is bounded."""
    figures, bounds = figures_of(result), result.get("bounds", {})
    if not bounds:
        return "measured"
    return "met" if all(meets(figures[name], bounds[name]) for name in bounds) else "missed"


def rows(
    benchmark: str, result: dict[str, Any], last: dict[str, Any] | None = None, judged: bool = True
) -> list[tuple[str, ...]]:
    """One row per figure; ``last`` is what the benchmark printed the last time.

    Unless ``judged`` (the same kind of machine), changes are shown without a word.
    """
    bounds, before = result.get("bounds", {}), figures_of(last or {})
    found = []
    for name, value in figures_of(result).items():
        bound, then = bounds.get(name, ""), before.get(name)
        verdict = ("met" if meets(value, bound) else "MISSED") if bound else ""
        moved = "" if then is None else change(then, value, bound if judged else "")
        found.append((benchmark, name, shown(value), bound, verdict, shown(then, ""), moved))
    return found


def shown(value: Any, nothing: str = "None") -> str:
    """A figure with four digits."""
    if value is None:
        return nothing
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def change(last: Any, value: Any, bound: str) -> str:
    """The ratio of two values, or their difference where there is none, and what to make of it."""
    if not (_number(last) and _number(value)):
        differs = "" if last == value else "differs"
        return _judged(differs, bound, last, value, 1.0)
    ratio = value / last if last and value and (value > 0) == (last > 0) else None
    said = f"{value - last:+.3g}" if ratio is None else f"×{ratio:.3g}"
    said = "=" if value == last else said
    return _judged(said, bound, last, value, ratio or 1.0)


def _judged(said: str, bound: str, last: Any, value: Any, ratio: float) -> str:
    if not bound:
        return said
    sign, limit = _parsed("a figure", bound)
    held, holds = meets(last, bound), meets(value, bound)
    if held != holds:
        return f"{said} {'better, now met' if holds else 'WORSE, now missed'}".strip()
    gain = ratio if sign.startswith(">") else 1 / ratio
    if 1 / NOISE <= gain <= NOISE or _far_within(sign, limit, value):
        return said
    return f"{said} {'better' if gain > 1 else 'WORSE'}"


def _far_within(sign: str, limit: float, value: float) -> bool:
    """Whether a figure is so far from its bound that its changes are without interest."""
    if sign.startswith(">"):
        return limit > 0 and value >= FAR_WITHIN * limit
    return limit > 0 and abs(value) * FAR_WITHIN <= limit


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def table(lines: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table, ready for the README."""
    lines = [_COLUMNS, *(tuple(cell.replace("|", "\\|") for cell in line) for line in lines)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(_COLUMNS))]
    lines.insert(1, tuple("-" * width for width in widths))
    cells = (" | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(f"| {line} |" for line in cells)
