"""``facevis evaluate``: how well models tell people apart whom they never saw in training.

It reads pictures, embeds them, asks ``facevis.verification`` what the embeddings are worth, prints
a table and writes files. The measures themselves, and what makes them impossible, live there.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from facevis import __version__
from facevis.compare import prepare, write_whole
from facevis.corpora.bins import SUFFIX
from facevis.embedders import Embedder, OnnxOptions, open_model
from facevis.figures.look import THEMES
from facevis.figures.verification import (
    FIGURES,
    FPIRS,
    MOST_CURVES,
    Result,
    entry,
    picture,
    plain,
    roc_csv,
)
from facevis.figures.words import Words, number
from facevis.fullscale.embedding import NetworkEmbedder, NetworkOptions
from facevis.fullscale.trained import open_trained
from facevis.i18n import LANGUAGES, translator
from facevis.models.backbones import WEIGHTS
from facevis.trials import Pairs, Trial, of_bin, of_folder, of_list, of_strangers
from facevis.validation import choice
from facevis.verification import (
    FARS,
    OperatingPoint,
    auc,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    eer,
    far_grid,
    identification,
    kfold_accuracy,
    pair_similarities,
    people_accuracy,
    split_gallery,
)
from facevis.verification.bootstrap import LEAST_IDENTITIES

FORMATS = ("png", "svg", "csv", "json")
_WIDTH = 24  # characters of a model's column
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Order:
    """What is wanted: a model, pictures to try it on, and what becomes of it."""

    model: Path
    folder: Path
    """For the files; ``people`` is one with a subfolder for each person."""
    people: Path | None = None
    pairs: Path | None = None
    root: Path | None = None
    flip: bool = False
    """Add to every embedding that of the picture's mirror image, as LFW-style protocols do."""
    onnx: OnnxOptions = field(default_factory=OnnxOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    formats: tuple[str, ...] = ("png", "csv", "json")
    language: str = "en"
    theme: str = "light"


def evaluate(order: Order, console: Console | None = None) -> None:
    """Embed, measure, write, print; ``ValueError`` in words."""
    console = console or Console()
    for format in order.formats:
        choice("a format", format, FORMATS)
    choice("theme", order.theme, tuple(THEMES))
    choice("lang", order.language, LANGUAGES)
    if order.pairs and order.people:
        raise ValueError("--pairs and --folder are two ways to say whom to compare; give one.")
    if order.root and (not order.pairs or _is_set(order.pairs)):
        raise ValueError("--root is where the paths of a list of --pairs begin; leave it out.")
    words = translator(order.language)
    model = opened(order)
    prepare(order.folder)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        trial = _trial(order, model, words, progress)
        report = _reporter(progress, words("evaluate_embedding"))
        embeddings = model.embed(trial.images, report)
        if order.flip:
            embeddings = embeddings + model.embed(trial.images[:, :, ::-1], report)
        results, failed = [], []
        for (name, settings), points in zip(model.names(words), embeddings, strict=True):
            report = _reporter(progress, words("evaluate_measuring", name=name))
            try:
                found = measured(points, trial, report)
                results.append(Result(name=name, settings=settings, **found))
            except ValueError as error:
                failed.append((f"{name}, {settings}", str(error)))
        if not results:
            raise ValueError(failed[0][1])
        files = _files(order, results, lambda: _json(order, model, trial, results, failed), words)
        task = progress.add_task(words("evaluate_files"), total=len(files))
        for name, content in files.items():
            write_whole(order.folder / name, content())
            progress.advance(task)
    for table in tables(results, trial, words, max(1, (console.width - 28) // _WIDTH)):
        console.print(table)
    for line in remarks(results, failed, trial, words):
        console.print(line, highlight=False, markup=False)
    console.print(words("evaluate_written", folder=order.folder), highlight=False, markup=False)


def opened(order: Order) -> Embedder:
    """The model that is named: a recording, an ONNX file, a run, or weights."""
    if order.model.is_dir() or order.model.suffix.lower() in WEIGHTS:
        if order.onnx != OnnxOptions():
            raise ValueError(
                "--size, --channels, --mean and --std are for .onnx models; runs and weights are "
                "of networks that facevis knows: leave them out."
            )
        asked = order.network
        trained = open_trained(order.model, asked.backbone, asked.step)
        return NetworkEmbedder(trained, asked.device)
    if order.network != NetworkOptions():
        raise ValueError(
            "--backbone, --step and --device are for runs and for weights (.pth, .pt, "
            f".safetensors), and {order.model.name} is neither; leave them out."
        )
    return open_model(order.model, order.onnx)


def _is_set(pairs: Path) -> bool:
    """Whether it is a verification set with its pictures, and no list of paths."""
    return pairs.suffix.lower() == SUFFIX


def _trial(order: Order, model: Embedder, words: Words, progress: Progress) -> Trial:
    if order.pairs:
        report = _reporter(progress, words("evaluate_reading"))
        if _is_set(order.pairs):
            return of_bin(order.pairs, model, words, report)
        return of_list(order.pairs, order.root, model, words, report)
    return of_folder(order.people, model, words) if order.people else of_strangers(model, words)


def _reporter(progress: Progress, name: str) -> Any:
    task = progress.add_task(name, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)


# -- measuring ------------------------------------------------------------------------------------


def measured(points: np.ndarray, trial: Trial, report: Any) -> dict[str, Any]:
    """Everything that the pictures can tell of one model's embeddings (N, D), as ``Result``."""
    if trial.pairs is not None:
        return _of_pairs(points, trial.pairs, trial.folds)
    assert trial.labels is not None
    return _of_people(points, trial.labels, trial.names, report)


def _of_pairs(points: np.ndarray, pairs: Pairs, folds: int) -> dict[str, Any]:
    similarity, same = pair_similarities(points, *pairs[:2]), pairs[2]
    if (similarity == 1.0).all():
        raise ValueError(
            f"all {len(points)} embeddings point the same way, so nothing can be told apart; the "
            "network has collapsed: train it again with another setting."
        )
    enough = len(same) >= folds >= 2
    accuracy = kfold_accuracy(similarity, same, folds) if enough else None
    return {"scores": compare_pairs(similarity, same), "accuracy": accuracy}


def _of_people(
    points: np.ndarray, labels: np.ndarray, names: tuple[str, ...], report: Any
) -> dict[str, Any]:
    scores = compare_all(points, labels, names, report)
    band = far_grid(scores.impostors)
    found: dict[str, Any] = {"scores": scores, "band": band}
    identities, sizes = np.unique(labels, return_counts=True)
    if len(identities) >= LEAST_IDENTITIES:
        found["intervals"] = bootstrap_tar(points, labels, [*FARS, *band], progress=report)
    found["accuracy"] = people_accuracy(points, labels)
    enrolled = min(len(identities) // 2, int((sizes > 1).sum()))
    gallery, probes = split_gallery(labels, enrolled)
    asked = points[probes], labels[probes]
    found["found"] = identification(points[gallery], labels[gallery], *asked)
    return found


# -- said -----------------------------------------------------------------------------------------


def tables(results: list[Result], trial: Trial, words: Words, columns: int) -> Iterator[Table]:
    """A column for each model, as many side by side as there is room for."""
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
    pairs = f"{len(scores.genuine):,} / {scores.impostors:,}"
    yield words("evaluate_pairs"), Text(pairs.replace(",", "\u202f"))
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


def _point(point: OperatingPoint, count: int, ends: list[float], words: Words) -> Text:
    if point.far * count < 1:  # there is no such FAR among so few
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
        count = one.scores.impostors + len(one.scores.genuine)
        yield words(f"evaluate_note_no_folds{kind}", folds=trial.folds, pairs=count)
    if one.found:
        asked = {"mated": len(one.found.ranks), "strangers": one.found.non_mated}
        yield words("evaluate_note_gallery", gallery=one.found.gallery, **asked)
    if len(results) > MOST_CURVES:
        yield words("evaluate_note_chosen", shown=MOST_CURVES, count=len(results))


# -- written --------------------------------------------------------------------------------------


def _files(
    order: Order, results: list[Result], as_json: Callable[[], bytes], words: Words
) -> dict[str, Callable[[], bytes]]:
    """What is to be written, by name; drawn one after the other."""
    files: dict[str, Callable[[], bytes]] = {}
    if "json" in order.formats:
        files["verification.json"] = as_json
    if "csv" in order.formats:
        files["roc.csv"] = partial(roc_csv, results)
    places = np.unique(np.linspace(0, len(results) - 1, MOST_CURVES).round().astype(int))
    drawn = [results[place] for place in places]
    for name in [n for n in FIGURES if n != "cmc" or results[0].found]:
        for format in [f for f in ("png", "svg") if f in order.formats]:
            files[f"{name}.{format}"] = partial(picture, name, drawn, format, words, order.theme)
    return files


def _json(
    order: Order,
    model: Embedder,
    trial: Trial,
    results: list[Result],
    failed: list[tuple[str, str]],
) -> bytes:
    versions = {"facevis": __version__, "python": platform.python_version()}
    versions |= {"numpy": np.__version__, "torch": torch.__version__}
    found = {
        "format": "facevis-verification-1",
        "versions": versions,
        "model": model.about(),
        "pictures": trial.about | {"flip": order.flip},
        "members": [entry(result) for result in results],
        "failed": [{"name": name, "error": error} for name, error in failed],
    }
    return json.dumps(plain(found), indent=1, ensure_ascii=False, allow_nan=False).encode()
