"""What ``facevis evaluate`` says: a table with a column for each model, and remarks.

It measures nothing; what was measured it is given, and the words lie in ``assets/strings``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from facevis.data_report import count
from facevis.figures.results import FPIRS, Result
from facevis.figures.verification import MOST_CURVES
from facevis.figures.words import Words, number
from facevis.trials import Trial
from facevis.verification import OperatingPoint, auc, eer

_NAMES, _WIDTH = 28, 24
"""Characters of the column of names, and of a model's."""
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def tables(results: list[Result], trial: Trial, words: Words, width: int) -> Iterator[Table]:
    """A column for each model, as many side by side as ``width`` characters have room for."""
    columns = max(1, (width - _NAMES) // _WIDTH)
    for first in range(0, len(results), columns):
        part = results[first : first + columns]
        table = Table(title=trial.title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("")
        for result in part:
            heading = Text("\n").join([Text(result.name), Text(result.settings, "dim")])
            table.add_column(heading, justify="right")
        for name, *cells in zip(*(_cells(result, words) for result in part), strict=True):
            if any(cell[1].plain for cell in (name, *cells)):
                table.add_row(name[0], *(cell[1] for cell in (name, *cells)))
        yield table


def _cells(result: Result, words: Words) -> Iterator[tuple[str, Text]]:
    """What stands in a model's column, with the names of the rows; empty where it is unknown."""
    scores, found, folds, tpir = result.scores, result.found, result.accuracy, result.tpir
    pairs = f"{count(len(scores.genuine))} / {count(scores.impostors)}"
    yield words("evaluate_pairs"), Text(pairs)
    yield words("evaluate_auc"), Text(number(auc(scores), words, 4))
    yield words("evaluate_eer"), Text(_share(eer(scores), words))
    for k, point in enumerate(result.tar):
        ends = [result.intervals.low[k], result.intervals.high[k]] if result.intervals else []
        yield (
            words("evaluate_tar_at", far=_power(point.far)),
            _point(point, scores.impostors, ends, words),
        )
    parts = [_share(share, words) for share in (folds.mean, folds.standard_error)] if folds else []
    yield words("evaluate_accuracy"), Text(" ± ".join(parts))
    rank = _share(found.cmc[0], words) if found and found.gallery > 1 else ""
    yield words("evaluate_rank_one"), Text(rank)
    for k, fpir in enumerate(FPIRS):
        name = words("evaluate_tpir_at", far=_power(fpir))
        text = _point(tpir[k], found.non_mated, [], words) if found and tpir else Text("")
        yield name, text


def _share(share: float, words: Words) -> str:
    return number(100 * share, words, 1)


def _power(far: float) -> str:
    return "10" + str(round(math.log10(far))).translate(_POWERS)


def _point(point: OperatingPoint, among: int, ends: list[float], words: Words) -> Text:
    if point.far * among < 1:  # there is no such FAR among so few
        return Text("–", "dim")
    text = _share(point.tar, words)
    if ends:
        text += f" [{'; '.join(_share(end, words) for end in ends)}]"
    return Text(text) if point.reliable else Text(text + " *", "dim")


def remarks(
    results: list[Result], failed: list[tuple[str, str]], trial: Trial, words: Words
) -> Iterator[str]:
    """What must be said besides the numbers."""
    yield from trial.remarks
    for name, reason in failed:
        yield words("evaluate_note_failed", name=name, reason=reason)
    one = results[0]
    yield words("evaluate_note_interval" if one.intervals else "evaluate_note_percent")
    if not all(point.reliable for point in [*one.tar, *one.tpir]):
        yield words("evaluate_note_few")
    kind = "_list" if trial.pairs else ""
    if one.accuracy:
        yield words(f"evaluate_note_folds{kind}", folds=len(one.accuracy.accuracies))
    else:
        pairs = one.scores.impostors + len(one.scores.genuine)
        yield words(f"evaluate_note_no_folds{kind}", folds=trial.folds, pairs=pairs)
    if one.found:
        asked = {"mated": len(one.found.ranks), "strangers": one.found.non_mated}
        yield words("evaluate_note_gallery", gallery=one.found.gallery, **asked)
    if len(results) > MOST_CURVES:
        yield words("evaluate_note_chosen", shown=MOST_CURVES, count=len(results))
