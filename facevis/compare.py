"""``facevis compare``: losses trained side by side over seeds, a table, and files to take away.

It trains on one thread of the CPU, so that the same command gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from facevis.figures import FORMATS, check_pictures, take_away
from facevis.figures.look import THEMES
from facevis.figures.moments import moment
from facevis.figures.sheet import MOST_PANELS
from facevis.figures.tables import history_csv, statistics_csv, study_csv
from facevis.figures.words import Words, number, title
from facevis.i18n import LANGUAGES, translator
from facevis.live.config import OPEN_MARGINS, PAIRWISE, Member, RunConfig
from facevis.live.ensemble import Ensemble
from facevis.live.material import material_for
from facevis.live.presets import COMPARISON_SCALE, COMPARISONS
from facevis.live.recording import STATISTICS, Recording, keeps
from facevis.live.study import Summary, claim, one_seed, study_config, summarise
from facevis.live.sweep import sweep_config
from facevis.margins import Margin
from facevis.objectives import OBJECTIVES
from facevis.validation import choice
from facevis.writing import take_files, write_in_words

_SHOWN = ("accuracy", "held_out_accuracy", "intra", "w_inter", "unseen_accuracy")
_SHARES = ("accuracy", "held_out_accuracy", "unseen_accuracy")


@dataclass(frozen=True)
class Order:
    """What is wanted besides the run itself."""

    seeds: int
    folder: Path
    formats: tuple[str, ...]
    language: str
    theme: str


def parse_loss(text: str, scale: float) -> Member:
    """A loss as it is typed: a name, or a name and its margin after a colon.

    ``arcface:0.3`` sets m2 (radians), ``cosface:0.2`` m3, ``sphereface:1.5`` m1, and
    ``combined:1,0.3,0.2`` all three; ``contrastive:1`` and ``triplet:0.2`` set the distance.

    >>> parse_loss("cosface:0.2", 24.0).margin
    Margin(m1=1.0, m2=0.0, m3=0.2)
    """
    name, colon, rest = text.partition(":")
    choice("a loss", name, OBJECTIVES)
    if not colon:
        return Member(objective=name, scale=scale)
    try:
        values = [float(value) for value in rest.split(",")]
    except ValueError as error:
        raise ValueError(f"the margin of {text!r} is no number; write {name}:0.3.") from error
    if name == "combined" and len(values) == 3:
        return Member(objective=name, scale=scale, margin=Margin(*values))
    own = OPEN_MARGINS.get(name, ())
    if len(own) == len(values) == 1:
        margin = Margin(**{own[0]: values[0]})
        return Member(objective=name, scale=scale, margin=margin)
    if name in PAIRWISE and len(values) == 1:
        return Member(objective=name, scale=scale, distance_margin=values[0])
    wanted = {"combined": "three margins: combined:1,0.3,0.2"}.get(name, "one margin")
    if name in ("softmax", "normalized_softmax"):
        wanted = "no margin"
    raise ValueError(f"{text!r} has {len(values)} margins; {name} takes {wanted}.")


def configured(
    losses: tuple[str, ...],
    dim: tuple[int, ...],
    scale: float | None = None,
    sweep: tuple[str, float, float, int] | None = None,
    **shared: Any,
) -> RunConfig:
    """The run that the command's options describe, one of each member; ``ValueError`` in words.

    ``losses`` as typed (none: the five of the lecture) or ``sweep``, a value, from, to and how
    many; ``shared`` are the other fields of ``RunConfig``.

    >>> config = configured(("softmax", "arcface:0.3"), (2,), 24.0, identities=7)
    >>> [member.objective for member in config.members], config.members[1].margin.m2
    (['softmax', 'arcface'], 0.3)
    """
    if len(dim) != 1:
        given = " ".join(map(str, dim)) or "empty"
        raise ValueError(f"dim is {given}; a comparison has one dimension for all its losses.")
    if sweep and losses:
        raise ValueError("a sweep has one loss, that of its value; leave out --losses or --sweep.")
    scale = COMPARISON_SCALE.get(dim[0], COMPARISON_SCALE[2]) if scale is None else scale
    if sweep:
        # What is not swept rests: no other margin, and ArcFace's where the scale is swept.
        base = Member(
            objective="arcface" if sweep[0] == "scale" else "normalized_softmax", scale=scale
        )
        return sweep_config(RunConfig(members=(base,), embedding_dim=dim[0], **shared), *sweep)
    typed = losses or tuple(member.objective for member in COMPARISONS["five"].members)
    if not 2 <= len(typed) <= MOST_PANELS:
        raise ValueError(f"a comparison has 2 to {MOST_PANELS} losses, not {len(typed)}.")
    members = tuple(parse_loss(loss, scale) for loss in typed)
    return RunConfig(members=members, embedding_dim=dim[0], **shared)


def compare(config: RunConfig, order: Order, console: Console | None = None) -> None:
    """Train ``config`` over the seeds, write files, print the table; ``ValueError`` in words."""
    console = console or Console()
    for format in order.formats:
        choice("a format", format, FORMATS)
    choice("theme", order.theme, tuple(THEMES))
    choice("lang", order.language, LANGUAGES)
    if set(order.formats) - {"csv"}:
        check_pictures(config)
    study = study_config(config, order.seeds)
    words = translator(order.language)
    take_files(order.folder)
    torch.set_num_threads(1)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        recording = _train(study, progress, words)
        summary = summarise(recording.snapshots[-1], order.seeds)
        _write_files(recording, config, summary, order, progress, words)
    first = one_seed(recording, order.seeds)
    console.print(table(first, summary, words))
    for line in remarks(recording, first, summary, words):
        console.print(line, highlight=False, markup=False)
    if order.formats:
        console.print(words("compare_written", folder=order.folder), highlight=False, markup=False)


class Rate(ProgressColumn):
    """How many steps are done in a second."""

    def render(self, task: Task) -> Text:
        """The rate, blank until it is known."""
        return Text("" if not task.speed else f"{task.speed:.0f}/s")


def _train(config: RunConfig, progress: Progress, words: Words) -> Recording:
    ensemble = Ensemble(config, device="cpu")
    recording = Recording(config)
    task = progress.add_task(words("compare_training"), total=config.steps)
    for step in range(config.steps + 1):
        if step:
            ensemble.train()
        if keeps(config, ensemble.material, step) or step == config.steps:
            recording.snapshots.append(ensemble.snapshot())
        progress.update(task, completed=step)
    return recording


def _write_files(
    recording: Recording,
    config: RunConfig,
    summary: Summary,
    order: Order,
    progress: Progress,
    words: Words,
) -> None:
    """The pictures show the first seed; the tables hold all of them."""
    first = one_seed(recording, order.seeds)
    material = material_for(recording.config)
    for format in order.formats:
        task = progress.add_task(f"comparison.{format}", total=1)
        if format == "csv":
            write_in_words(order.folder / "comparison.csv", study_csv(config, summary))
            write_in_words(order.folder / "seeds.csv", statistics_csv(recording))
            write_in_words(order.folder / "history.csv", history_csv(recording))
        else:
            report = partial(_report, progress, task)
            data = take_away(
                *(first, material, format), words=words, theme=order.theme, progress=report
            )
            write_in_words(order.folder / f"comparison.{format}", data)
        progress.update(task, completed=1, total=1)


def _report(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def table(first: Recording, summary: Summary, words: Words) -> Table:
    """Mean ± half the 95 % interval; "no difference" where it overlaps that of the first member."""
    caption = words("compare_title" if summary.seeds > 1 else "compare_one", seeds=summary.seeds)
    shown = Table(title=caption, title_justify="left", box=SIMPLE_HEAD)
    shown.add_column(words("objective"))
    names = [n for n in _SHOWN if not np.isnan(summary.mean[:, STATISTICS.index(n)]).all()]
    for name in names:
        shown.add_column(words(f"compare_{name}"), justify="right", no_wrap=True)
    for i in range(len(summary.mean)):
        name, settings = _titles(first, i, words)
        row = [Text("\n").join([Text(name, "bold"), Text(settings, "dim")])]
        for statistic in names:
            none = i > 0 and summary.verdict(statistic, i, 0) == "none"
            verdict = Text(words("compare_none") if none else "", "dim")
            row.append(Text("\n").join([Text(_cell(summary, i, statistic, words)), verdict]))
        shown.add_row(*row)
    return shown


def _titles(first: Recording, index: int, words: Words) -> tuple[str, str]:
    return title(moment(first, first.snapshots[-1], index), words)


def _cell(summary: Summary, index: int, name: str, words: Words) -> str:
    column = STATISTICS.index(name)
    mean, half = summary.mean[index, column], summary.half[index, column]
    if np.isnan(mean):
        return "–"
    share = name in _SHARES
    digits, factor = (1, 100.0) if share else (2, 1.0)
    text = number(factor * mean, words, digits)
    if not np.isnan(half):
        text += f" ± {number(factor * half, words, digits)}"
    return words("figure_percent", value=text) if share else f"{text}°"


def remarks(
    recording: Recording, first: Recording, summary: Summary, words: Words
) -> Iterator[str]:
    """What must be said besides: who diverged, and how the lecture's claim fares."""
    finite = np.isfinite(recording.snapshots[-1].embeddings).all(axis=(1, 2))
    for i, seeds in enumerate(finite.reshape(len(summary.mean), -1)):
        if not seeds.all():
            name = " ".join(_titles(first, i, words))
            yield words("compare_diverged", name=name, n=int((~seeds).sum()), seeds=summary.seeds)
    names = [member.objective for member in first.config.members]
    if "normalized_softmax" in names and "arcface" in names:
        found = claim(summary, names.index("normalized_softmax"), names.index("arcface"))
        yield words("compare_claim", **found._asdict())
