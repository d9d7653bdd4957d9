"""``facevis evaluate``: how well models tell people apart whom they never saw in training.

It reads pictures, embeds them, asks ``facevis.verification`` what the embeddings are worth, prints
a table and writes files. The measures themselves, and what makes them impossible, live there.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
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
from facevis.datasets.own import own_images
from facevis.datasets.pair_lists import check_names, read_pairs, read_pictures
from facevis.embedders import Embedder, OnnxOptions, RecordingEmbedder, open_model
from facevis.figures.look import THEMES
from facevis.figures.moments import moment
from facevis.figures.verification import FIGURES, MOST_CURVES, Curve, picture, roc_csv
from facevis.figures.words import Words, number, title
from facevis.i18n import LANGUAGES, translator
from facevis.validation import choice
from facevis.verification import (
    ANGLES_DEG,
    FoldAccuracy,
    Identification,
    OperatingPoint,
    Scores,
    TarIntervals,
    auc,
    bootstrap_tar,
    compare_all,
    compare_pairs,
    eer,
    fold_pairs,
    identification,
    kfold_accuracy,
    pair_similarities,
    split_gallery,
    tar_at_far,
)

FORMATS = ("png", "svg", "csv", "json")
FARS = tuple(10.0**-k for k in range(1, 7))
FPIRS = FARS[:2]
_FOLDS, _PER_FOLD, _BAND = 10, 600, 49
_WIDTH = 24
"""Characters of a model's column."""
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Order:
    """What is wanted: a model, pictures to try it on, and what becomes of it."""

    model: Path
    folder: Path
    """For the files."""
    people: Path | None = None
    """A folder with a subfolder for each person."""
    pairs: Path | None = None
    root: Path | None = None
    onnx: OnnxOptions = OnnxOptions()
    formats: tuple[str, ...] = ("png", "csv", "json")
    language: str = "en"
    theme: str = "light"


@dataclass(frozen=True, eq=False)
class Trial:
    """Pictures and what is compared of them: all pairs of ``labels``, or those that are listed."""

    title: str
    images: np.ndarray
    about: dict[str, Any]
    labels: np.ndarray | None = None
    names: tuple[str, ...] = ()
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    folds: int = _FOLDS
    remarks: tuple[str, ...] = ()


@dataclass(eq=False)
class Result:
    """What was measured of one model; only ``error`` where nothing could be."""

    name: str
    settings: str = ""
    error: str = ""
    scores: Scores | None = None
    points: list[OperatingPoint] = field(default_factory=list)
    intervals: TarIntervals | None = None
    band: np.ndarray | None = None
    """FARs of the intervals after those of ``FARS``."""
    accuracy: FoldAccuracy | None = None
    found: Identification | None = None
    no_gallery: str = ""

    @property
    def tpir(self) -> list[OperatingPoint]:
        """TPIR at ``FPIRS``, where there are strangers."""
        scores = self.found.open_set if self.found else None
        return [tar_at_far(scores, far) for far in FPIRS] if scores else []


def evaluate(order: Order, console: Console | None = None) -> None:
    """Embed, measure, write, print; ``ValueError`` in words."""
    console = console or Console()
    for format in order.formats:
        choice("a format", format, FORMATS)
    choice("theme", order.theme, tuple(THEMES))
    choice("lang", order.language, LANGUAGES)
    if order.pairs and order.people:
        raise ValueError("--pairs and --folder are two ways to say whom to compare; give one.")
    if order.root and not order.pairs:
        raise ValueError("--root is where the paths of --pairs begin; leave it out.")
    words = translator(order.language)
    model = open_model(order.model, order.onnx)
    prepare(order.folder)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        trial = _trial(order, model, words, progress)
        report = _reporter(progress, words("evaluate_embedding"))
        embeddings = model.embed(trial.images, report)
        results = []
        for (name, settings), points in zip(_names(model, words), embeddings, strict=True):
            report = _reporter(progress, words("evaluate_measuring", name=name))
            results.append(measured(Result(name, settings), points, trial, report))
        if all(result.error for result in results):
            raise ValueError(results[0].error)
        _write_files(order, model, trial, results, words, progress)
    for table in tables(results, trial, words, max(1, (console.width - 28) // _WIDTH)):
        console.print(table)
    for line in remarks(results, trial, words):
        console.print(line, highlight=False, markup=False)
    console.print(words("evaluate_written", folder=order.folder), highlight=False, markup=False)


def _reporter(progress: Progress, name: str) -> Any:
    task = progress.add_task(name, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total)


# -- what is compared -----------------------------------------------------------------------------


def _trial(order: Order, model: Embedder, words: Words, progress: Progress) -> Trial:
    report = _reporter(progress, words("evaluate_reading"))
    if order.pairs:
        return _listed(order.pairs, order.root, model, words, report)
    if order.people:
        check_names(order.people)
        data = own_images(order.people, model.size)
        remarks = []
        if data.skipped:
            first = data.skipped[0]
            remarks.append(words("evaluate_note_skipped", count=len(data.skipped), first=first))
        if isinstance(model, RecordingEmbedder) and model.trained_on(order.people):
            remarks.append(words("evaluate_note_trained", name=data.name))
        counts = {"pictures": len(data.images), "identities": data.num_classes}
        about = {"kind": "folder", "name": data.name, **counts, "skipped": list(data.skipped)}
        title = words("evaluate_title_folder", name=data.name, **counts)
        names = data.class_names
        return Trial(title, data.images, about, data.labels, names, remarks=tuple(remarks))
    if not isinstance(model, RecordingEmbedder):
        raise ValueError("an .onnx model brings no pictures; name some with --folder or --pairs.")
    if not model.recording.config.unseen:
        raise ValueError(
            f"{order.model.name} left nobody out of training, so it has no strangers of its own; "
            "name pictures with --folder or --pairs, or train with unseen identities."
        )
    data, first_label = model.material.dataset, model.material.num_classes
    rows = np.flatnonzero(data.labels >= first_label)
    labels, names = data.labels[rows] - first_label, data.class_names[first_label:]
    counts = {"pictures": len(rows), "identities": len(names)}
    about = {"kind": "unseen", "name": data.name, **counts, "skipped": []}
    title = words("evaluate_title_own", **counts)
    return Trial(title, data.images[rows], about, labels, names)


def _listed(path: Path, root: Path | None, model: Embedder, words: Words, report: Any) -> Trial:
    listed = read_pairs(path, root)
    read = read_pictures(listed, model.size, report)
    remarks = []
    if read.unreadable:
        first = read.skipped[0]
        remarks.append(words("evaluate_note_skipped", count=read.unreadable, first=first))
        remarks.append(words("evaluate_note_lost", count=read.lost_pairs))
    about = {
        "kind": "pairs",
        "name": listed.name,
        "pictures": len(read.images),
        "listed_pairs": len(listed.same),
        "lost_pairs": read.lost_pairs,
        "skipped": list(read.skipped),
    }
    title = words(
        "evaluate_title_list", name=listed.name, pairs=len(read.same), pictures=len(read.images)
    )
    pairs = read.first, read.second, read.same
    names = tuple(str(file) for file in read.files)
    return Trial(title, read.images, about, None, names, pairs, listed.folds, tuple(remarks))


def _names(model: Embedder, words: Words) -> list[tuple[str, str]]:
    """Name and settings of each model; names that come twice are numbered."""
    if not isinstance(model, RecordingEmbedder):
        about = model.about()
        return [(Path(about["file"]).stem, f"{model.size}×{model.size} · {about['channels']}")]
    last, config = model.recording.snapshots[-1], model.recording.config
    count = len(config.members)
    names = [title(moment(model.recording, last, i), words, config.swept) for i in range(count)]
    return [
        (f"{pair[0]} #{names[: i + 1].count(pair)}" if names.count(pair) > 1 else pair[0], pair[1])
        for i, pair in enumerate(names)
    ]


# -- measuring ------------------------------------------------------------------------------------


def measured(result: Result, points: np.ndarray, trial: Trial, report: Any) -> Result:
    """Everything that the pictures can tell of one model; its embeddings (N, D)."""
    try:
        if trial.pairs is not None:
            _measure_pairs(result, points, trial)
        else:
            _measure_all(result, points, trial, report)
    except ValueError as error:
        result.error = str(error)
    return result


def _measure_pairs(result: Result, points: np.ndarray, trial: Trial) -> None:
    assert trial.pairs is not None
    first, second, same = trial.pairs
    similarity = pair_similarities(points, first, second)
    if (similarity == 1.0).all():
        raise ValueError(
            f"all {len(points)} embeddings point the same way, so nothing can be told apart; the "
            "network has collapsed: train it again with another setting."
        )
    result.scores = compare_pairs(similarity, same)
    result.points = [tar_at_far(result.scores, far) for far in FARS]
    if len(same) >= trial.folds >= 2:
        result.accuracy = kfold_accuracy(similarity, same, trial.folds)


def _measure_all(result: Result, points: np.ndarray, trial: Trial, report: Any) -> None:
    labels = trial.labels
    assert labels is not None
    result.scores = scores = compare_all(points, labels, trial.names, report)
    result.points = [tar_at_far(scores, far) for far in FARS]
    lowest = min(-1, -math.ceil(math.log10(scores.impostors)))
    result.band = 10.0 ** np.linspace(lowest, 0.0, _BAND)
    result.intervals = bootstrap_tar(points, labels, [*FARS, *result.band], progress=report)
    identities, sizes = np.unique(labels, return_counts=True)
    for folds in range(min(_FOLDS, len(identities) // 2), 1, -1):
        try:
            first, second, same = fold_pairs(labels, folds, _PER_FOLD)
        except ValueError:  # a fold in which nobody has two pictures: fewer folds
            continue
        similarity = pair_similarities(points, first, second)
        result.accuracy = kfold_accuracy(similarity, same, folds)
        break
    try:
        enrolled = min(len(identities) // 2, int((sizes > 1).sum()))
        gallery, probes = split_gallery(labels, enrolled)
        result.found = identification(
            points[gallery], labels[gallery], points[probes], labels[probes]
        )
    except ValueError as error:
        result.no_gallery = str(error)


# -- said -----------------------------------------------------------------------------------------


def tables(results: list[Result], trial: Trial, words: Words, columns: int) -> Iterator[Table]:
    """A column for each model, as many side by side as there is room for."""
    shown = [result for result in results if not result.error]
    for first in range(0, len(shown), columns):
        part = shown[first : first + columns]
        table = Table(title=trial.title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column("")
        for result in part:
            heading = Text("\n").join([Text(result.name), Text(result.settings, "dim")])
            table.add_column(heading, justify="right")
        cells = [_cells(result, words) for result in part]
        for name in cells[0]:
            if any(column[name].plain != "–" for column in cells):
                table.add_row(name, *(column[name] for column in cells))
        yield table


def _cells(result: Result, words: Words) -> dict[str, Text]:
    """What stands in a model's column, by the name of the row."""
    scores, found, none = result.scores, result.found, Text("–")
    assert scores is not None
    cells = {
        words("evaluate_pairs"): Text(f"{len(scores.genuine):,} / {scores.impostors:,}"),
        words("evaluate_auc"): Text(number(auc(scores), words, 4)),
        words("evaluate_eer"): Text(_share(eer(scores), words) + " %"),
    }
    if words("figure_decimal") == ",":
        cells[words("evaluate_pairs")] = Text(
            cells[words("evaluate_pairs")].plain.replace(",", " ")
        )
    for k, point in enumerate(result.points):
        ends = ()
        if result.intervals:
            ends = (float(result.intervals.low[k]), float(result.intervals.high[k]))
        cells[words("evaluate_tar_at", far=_power(point.far))] = _point(point, ends, words)
    cells[words("evaluate_accuracy")] = none
    if result.accuracy:
        mean, error = result.accuracy.mean, result.accuracy.standard_error
        text = f"{_share(mean, words)} ± {_share(error, words)} %"
        cells[words("evaluate_accuracy")] = Text(text)
    cells[words("evaluate_rank_one")] = Text(_share(found.cmc[0], words)) if found else none
    for k, fpir in enumerate(FPIRS):
        tpir = result.tpir
        name = words("evaluate_tpir_at", far=_power(fpir))
        cells[name] = _point(tpir[k], (), words) if tpir else none
    return cells


def _share(share: float, words: Words) -> str:
    return number(100 * share, words, 1)


def _power(far: float) -> str:
    return "10" + str(round(math.log10(far))).translate(_POWERS)


def _point(point: OperatingPoint, ends: tuple[float, ...], words: Words) -> Text:
    text = _share(point.tar, words)
    if ends:
        text += f" [{'; '.join(_share(end, words) for end in ends)}]"
    return Text(text) if point.reliable else Text(text + " *", "dim")


def remarks(results: list[Result], trial: Trial, words: Words) -> Iterator[str]:
    """What must be said besides the numbers."""
    yield from trial.remarks
    for result in results:
        if result.error:
            yield words("evaluate_note_failed", name=result.name, reason=result.error)
    one = next(result for result in results if not result.error)
    if one.intervals:
        yield words("evaluate_note_interval")
    if not all(point.reliable for point in [*one.points, *one.tpir]):
        yield words("evaluate_note_few")
    kind = "_list" if trial.pairs else ""
    if one.accuracy:
        yield words(f"evaluate_note_folds{kind}", folds=len(one.accuracy.accuracies))
    elif trial.pairs:
        count = len(trial.pairs[2])
        yield words("evaluate_note_no_folds_list", folds=trial.folds, pairs=count)
    else:
        yield words("evaluate_note_no_folds")
    if one.found:
        asked = {"mated": len(one.found.ranks), "strangers": one.found.non_mated}
        yield words("evaluate_note_gallery", gallery=one.found.gallery, **asked)
    elif one.no_gallery:
        yield words("evaluate_note_no_gallery", reason=one.no_gallery)
    count = sum(not result.error for result in results)
    if count > MOST_CURVES:
        yield words("evaluate_note_chosen", shown=MOST_CURVES, count=count)


# -- written --------------------------------------------------------------------------------------


def _write_files(
    order: Order,
    model: Embedder,
    trial: Trial,
    results: list[Result],
    words: Words,
    progress: Progress,
) -> None:
    good = [result for result in results if not result.error]
    files: dict[str, Any] = {}
    if "json" in order.formats:
        files["verification.json"] = lambda: _json(model, trial, results)
    if "csv" in order.formats:
        files["roc.csv"] = lambda: roc_csv([(r.name, r.settings, r.scores) for r in good])
    places = np.unique(np.linspace(0, len(good) - 1, MOST_CURVES).round().astype(int))
    curves = [_curve(good[place], good) for place in places]
    for name, draw in FIGURES.items():
        for format in [f for f in order.formats if f in ("png", "svg")]:
            if name != "cmc" or any(curve.cmc is not None for curve in curves):
                files[f"{name}.{format}"] = lambda draw=draw, format=format: picture(
                    draw(curves, words, order.theme), format
                )
    task = progress.add_task(words("evaluate_files"), total=len(files))
    for name, content in files.items():
        write_whole(order.folder / name, content())
        progress.advance(task)


def _curve(result: Result, results: list[Result]) -> Curve:
    """Models of one name are told apart by their settings."""
    assert result.scores is not None
    alike = sum(other.name == result.name for other in results) > 1
    band = None
    if result.intervals and result.band is not None:
        low, high = result.intervals.low[len(FARS) :], result.intervals.high[len(FARS) :]
        band = (result.band, low, high)
    reliable = [point for point in result.points if point.reliable]
    point = reliable[-1] if reliable else None
    return Curve(
        f"{result.name}, {result.settings}" if alike else result.name,
        result.scores,
        band,
        result.found.cmc if result.found else None,
        *((point.threshold_deg, point.far) if point else ()),
    )


def _json(model: Embedder, trial: Trial, results: list[Result]) -> bytes:
    versions = {
        "facevis": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
    found = {
        "format": "facevis-verification-1",
        "versions": versions,
        "model": model.about(),
        "pictures": trial.about,
        "members": [_entry(result) for result in results],
    }
    return json.dumps(_plain(found), indent=1, ensure_ascii=False, allow_nan=False).encode()


def _entry(result: Result) -> dict[str, Any]:
    scores, found, folds = result.scores, result.found, result.accuracy
    if result.error or scores is None:
        return {"name": result.name, "settings": result.settings, "error": result.error}
    tar = [_operating(point) for point in result.points]
    for k, entry in enumerate(tar):
        entry["low"] = result.intervals.low[k] if result.intervals else None
        entry["high"] = result.intervals.high[k] if result.intervals else None
    return {
        "name": result.name,
        "settings": result.settings,
        "genuine_pairs": len(scores.genuine),
        "impostor_pairs": scores.impostors,
        "auc": auc(scores),
        "eer": eer(scores),
        "tar_at_far": tar,
        "interval_over_identities": result.intervals.identities if result.intervals else None,
        "accuracy": folds
        and {
            "mean": folds.mean,
            "standard_error": folds.standard_error,
            "folds": folds.accuracies,
            "thresholds_cosine": folds.thresholds,
            "thresholds_deg": np.degrees(np.arccos(np.clip(folds.thresholds, -1.0, 1.0))),
        },
        "identification": found
        and {
            "gallery": found.gallery,
            "mated_probes": len(found.ranks),
            "non_mated_probes": found.non_mated,
            "cmc": found.cmc,
            "tpir_at_fpir": [_operating(point) for point in result.tpir],
        },
        "identification_error": result.no_gallery or None,
        "angles_deg": ANGLES_DEG,
        "accepted_genuine": scores.accepted[0],
        "accepted_impostors": scores.accepted[1],
    }


def _operating(point: OperatingPoint) -> dict[str, Any]:
    return {
        "far": point.far,
        "tar": point.tar,
        "threshold_cosine": point.threshold,
        "threshold_deg": point.threshold_deg,
        "false_accepts": point.false_accepts,
        "reliable": point.reliable,
    }


def _plain(value: Any) -> Any:
    """The same in plain types, with None for what is no finite number: JSON knows none."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
