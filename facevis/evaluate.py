"""``facevis evaluate``: how well models tell people apart whom they never saw in training.

It reads pictures, embeds them, asks ``facevis.verification`` what the embeddings are worth, and
writes files; what is printed, ``evaluate_report`` says.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facevis import __version__
from facevis.corpora.bins import SUFFIX
from facevis.embedders import Embedder, OnnxOptions, open_model
from facevis.evaluate_report import remarks, tables
from facevis.figures.look import THEMES
from facevis.figures.results import Result, entry, roc_csv
from facevis.figures.verification import FIGURES, MOST_CURVES, picture
from facevis.figures.words import Words
from facevis.fullscale.embedding import NetworkEmbedder, NetworkOptions
from facevis.fullscale.trained import open_trained
from facevis.i18n import LANGUAGES, translator
from facevis.jsonable import jsonable
from facevis.models.backbones import WEIGHTS
from facevis.trials import Pairs, Trial, of_bin, of_folder, of_list, of_strangers
from facevis.validation import choice
from facevis.verification import (
    FARS,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    far_grid,
    identification,
    kfold_accuracy,
    pair_similarities,
    people_accuracy,
    split_gallery,
)
from facevis.verification.bootstrap import LEAST_IDENTITIES
from facevis.writing import take_files, write_in_words

FORMATS = ("png", "svg", "csv", "json")


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
    take_files(order.folder)
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
            write_in_words(order.folder / name, content())
            progress.advance(task)
    for table in tables(results, trial, words, console.width):
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
    return json.dumps(jsonable(found), indent=1, ensure_ascii=False, allow_nan=False).encode()
