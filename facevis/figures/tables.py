"""Recordings and studies as tables: CSV in UTF-8, a point for the decimals, field names on top.

An empty cell is a number that does not exist. Numbers are written so that they read back the same.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

from facevis.live.config import RunConfig
from facevis.live.recording import STATISTICS, Recording, Snapshot
from facevis.live.study import Summary

_SETTINGS = ("member", "objective", "m1", "m2", "m3", "scale", "distance_margin", "seed")
COLUMNS = (*_SETTINGS, "step", "loss", *STATISTICS)


def statistics_csv(recording: Recording) -> bytes:
    """One row per member: its settings and what was measured at the last snapshot."""
    snapshot = recording.snapshots[-1]
    return _csv(COLUMNS, _rows(recording.config, snapshot))


def history_csv(recording: Recording) -> bytes:
    """One row per kept step and member, the columns of ``statistics_csv``."""
    rows = (row for s in recording.snapshots for row in _rows(recording.config, s))
    return _csv(COLUMNS, rows)


def study_csv(config: RunConfig, summary: Summary) -> bytes:
    """One row per member and statistic: mean, half-width of the 95 % interval, number of seeds.

    ``config`` is the run that was studied, one of each member.
    """
    rows = (
        [*_settings(config, i)[:-1], name, summary.mean[i, s], summary.half[i, s], summary.seeds]
        for i in range(len(config.members))
        for s, name in enumerate(STATISTICS)
    )
    return _csv((*_SETTINGS[:-1], "statistic", "mean", "half_width", "n"), rows)


def _rows(config: RunConfig, snapshot: Snapshot) -> Iterable[list[Any]]:
    for i, member in enumerate(config.members):
        row = _settings(config, i)
        if member.in_margin_family:
            # What is in force may be another margin than the configuration's.
            row[2:6] = [*snapshot.margins[i], snapshot.scales[i]]
        yield [*row, snapshot.step, snapshot.losses[i], *snapshot.statistics[i]]


def _settings(config: RunConfig, index: int) -> list[Any]:
    """Member ``index`` in the columns of ``_SETTINGS``; what does not act in a loss is empty."""
    member = config.members[index]
    blank: list[Any] = [None] * 4
    margin = [*member.margin.as_tuple(), member.scale] if member.margin else blank
    return [
        *(index, member.objective),
        *(margin if member.in_margin_family else blank),
        member.distance_margin if member.pairwise else None,
        config.seed if member.seed is None else member.seed,
    ]


def _csv(columns: Iterable[str], rows: Iterable[list[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8")


def _cell(value: Any) -> str:
    """The shortest text that reads back as the same number."""
    if value is None or (not isinstance(value, str) and math.isnan(value)):
        return ""
    return str(value)
