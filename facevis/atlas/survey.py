"""A model looks at people, at every moment of its training: a run to be watched, made on a thread.

``Survey`` reads the pictures, embeds them with each set of weights (or finds the embeddings where
they are kept) and ends with a ``ShownRun``. It can be cancelled; what is embedded by then is kept.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from facevis.alignment import directions
from facevis.atlas.cache import keep, key_of, recall
from facevis.atlas.models import Model, Moment
from facevis.atlas.people import People, choose
from facevis.datasets import Dataset
from facevis.live import Recording, RunConfig, Snapshot
from facevis.live.material import Material
from facevis.live.measuring import unseen_columns
from facevis.live.recording import STATISTICS
from facevis.live.shown import ShownRun
from facevis.statistics import accuracy, angle_tables, packing_share

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Nobody waits for it any more."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whom a model is shown."""

    people: str
    """A face set, as ``corpora.open_corpus`` takes it."""
    strangers: str = ""
    """A second one, of people who never trained; empty: nobody."""
    identities: int = 24
    """People of each set."""
    images_each: int = 12


class Survey:
    """One survey in the making; ``run`` is there when it is done, ``error`` if it failed.

    ``cache`` is a folder for embeddings, and for what takes long to draw.
    """

    def __init__(self, model: Model, question: Question, cache: Path) -> None:
        self.model, self.question, self.cache = model, question, cache
        self.phase, self.done, self.total = "reading", 0, 0
        self.error = ""
        self.run: ShownRun | None = None
        self.own_prototypes = False
        """Whether the centres are the network's prototypes; else they are class means."""
        self.remarks: tuple[str, ...] = ()
        self._before = self._all = 0
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still being made."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Stop soon."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Wait for its end, but no longer."""
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            self.run = self._survey()
        except Cancelled:
            pass  # it was wished for
        except ValueError as error:
            self.error = str(error)
        except Exception as error:  # the page goes on, and says what went wrong
            log.exception("a survey failed")
            self.error = str(error) or type(error).__name__

    def _heard(self, done: int, total: int) -> None:
        self.done, self.total = self._before + done, max(self._all, total)
        if self._cancelled.is_set():
            raise Cancelled

    def _survey(self) -> ShownRun:
        model, question = self.model, self.question
        size = model.moments[-1].open().size
        own = question.people == model.trained_on and model.drawn is not None
        people = self._people(question.people, size, model.drawn if own else self.cache)
        strangers = None
        if question.strangers:
            strangers = self._people(question.strangers, size, self.cache)
        self.remarks = people.remarks + (strangers.remarks if strangers else ())
        material = material_of(people, strangers)
        self.phase, self._all = "embedding", len(model.moments) * len(material.shown)
        snapshots = []
        for number, moment in enumerate(model.moments):
            self._before = number * len(material.shown)
            snapshots.append(self._snapshot(moment, people, material))
        dim = snapshots[-1].embeddings.shape[-1]
        config = RunConfig(
            members=(model.member,),
            dataset=people.name,
            embedding_dim=dim,
            steps=max(1, snapshots[-1].step),
        )
        compared = material if strangers else dataclasses.replace(material, num_classes=0)
        return ShownRun(
            Recording(config, snapshots),
            material,
            titles=[(model.name, model.detail)],
            compared=compared,
        )

    def _people(self, spec: str, size: int, cache: Path | None) -> People:
        return choose(
            spec,
            size,
            identities=self.question.identities,
            images_each=self.question.images_each,
            cache=cache,
            progress=self._heard,
        )

    def _snapshot(self, moment: Moment, people: People, material: Material) -> Snapshot:
        images = material.dataset.images
        key = key_of(moment.digest, images)
        points = recall(self.cache, key)
        if points is None or points.ndim != 2 or len(points) != len(images):
            points = moment.open().embed(images, self._heard)[0]
            keep(self.cache, key, points)
        self._heard(len(images), self._all)
        prototypes = None
        if self.question.people == self.model.trained_on:
            prototypes = moment.prototypes(people.classes, people.num_classes)
        self.own_prototypes = prototypes is not None
        known = ~material.unseen
        labels = material.dataset.labels
        centres = class_means(points[known], labels[known], material.num_classes)
        if prototypes is not None:
            centres = _nearest_centres(prototypes, centres)
        return snapshot_of(
            points,
            labels,
            centres,
            own_prototypes=self.own_prototypes,
            step=moment.step,
            loss=moment.loss,
            margin=self.model.member.margin_at(self.model.member.warmup).as_tuple(),
            scale=self.model.member.scale,
        )


def material_of(people: People, strangers: People | None = None) -> Material:
    """People with their pictures as a run shows them; strangers come after, without centres."""
    sets = [people] if strangers is None else [people, strangers]
    taken = set(people.names)
    others = () if strangers is None else strangers.names
    names = (*people.names, *(f"{name} *" if name in taken else name for name in others))
    labels = [people.labels] if strangers is None else [people.labels, strangers.labels]
    if strangers is not None:
        labels[1] = labels[1] + len(people.names)
    joined = np.concatenate(labels)
    images = np.concatenate([one.pictures for one in sets])
    dataset = Dataset(people.name, images, joined, names, "your own")
    count, classes = len(joined), len(people.names)
    nobody = np.zeros(count, bool)
    unseen = joined >= classes
    return Material(dataset, classes, np.flatnonzero(~unseen), np.arange(count), nobody, unseen)


def class_means(points: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The direction (C, D) of the mean of each class' directions, points (N, D)."""
    sums = np.zeros((classes, points.shape[1]))
    np.add.at(sums, labels, directions(points.astype(np.float64)))
    return directions(sums)


def _nearest_centres(prototypes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Of each class' sub-centres (C, S, D) the one nearest to its mean (C, D)."""
    units = directions(prototypes.astype(np.float64))
    best = np.einsum("csd,cd->cs", units, means).argmax(axis=1)
    nearest: np.ndarray = units[np.arange(len(best)), best]
    return nearest


def snapshot_of(
    points: np.ndarray,
    labels: np.ndarray,
    centres: np.ndarray,
    *,
    own_prototypes: bool,
    step: int = 0,
    loss: float = np.nan,
    margin: tuple[float, float, float] = (1.0, 0.0, 0.0),
    scale: float = 1.0,
) -> Snapshot:
    """One model's embeddings (N, D) with labels (N,) and centres (C, D), as the live view shows it.

    Labels from C on are strangers. Where the centres are class means, W-EC is 0 by construction and
    left out, and a picture is judged by class means without itself.
    """
    points, known = directions(points.astype(np.float64)), labels < len(centres)
    row = dict.fromkeys(STATISTICS, np.nan)
    table = angle_tables(points[None, known], labels[known], centres[None])[0]
    row |= dict(zip(("w_ec", "w_inter", "intra", "inter"), table.tolist(), strict=True))
    row["packing_share"] = packing_share(centres)
    if own_prototypes:
        row["accuracy"] = accuracy(points[known], labels[known], centres)
    else:
        row["w_ec"] = row["w_inter"] = np.nan
        row["accuracy"] = _by_means(points[known], labels[known])["unseen_accuracy"]
    if not known.all():
        row |= _by_means(points[~known], labels[~known] - len(centres))
    return Snapshot(
        step,
        points[None].astype(np.float32),
        centres[None].astype(np.float32),
        np.array([loss], np.float32),
        np.array([[row[name] for name in STATISTICS]], np.float32),
        np.array([margin], np.float32),
        np.array([scale], np.float32),
    )


def _by_means(points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    found = unseen_columns(torch.from_numpy(points[None]), torch.from_numpy(labels))
    return {name: float(values[0]) for name, values in found.items()}
