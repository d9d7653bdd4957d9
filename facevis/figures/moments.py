"""What one panel shows at one time: a member's embeddings, prototypes, margin and numbers.

A film shows moments between two snapshots, or between two members of a sweep: straight lines in
space, drawn back onto the sphere. It knows recordings and no picture.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from facevis.alignment import align_members, directions
from facevis.live.config import Member
from facevis.live.recording import STATISTICS, Recording, Snapshot
from facevis.margins import Margin


@dataclass(frozen=True, eq=False)
class Moment:
    """A member at one time."""

    member: Member
    step: int
    embeddings: np.ndarray
    """(N, D)."""
    prototypes: np.ndarray
    """(C, D)."""
    margin: Margin
    scale: float
    statistics: np.ndarray
    """(len(STATISTICS),)."""

    def statistic(self, name: str) -> float:
        """One of ``STATISTICS``."""
        return float(self.statistics[STATISTICS.index(name)])

    @property
    def diverged(self) -> bool:
        """Whether its numbers are no longer finite."""
        return not (np.isfinite(self.embeddings).all() and np.isfinite(self.prototypes).all())


def moment(recording: Recording, snapshot: Snapshot, index: int) -> Moment:
    """Member ``index`` at a snapshot."""
    m1, m2, m3 = (round(float(value), 6) for value in snapshot.margins[index])
    return Moment(
        member=recording.config.members[index],
        step=snapshot.step,
        embeddings=snapshot.embeddings[index],
        prototypes=snapshot.prototypes[index],
        margin=Margin(m1, min(m2, math.pi), m3),
        scale=float(snapshot.scales[index]),
        statistics=snapshot.statistics[index],
    )


def between(first: Moment, second: Moment, share: float) -> Moment:
    """``share`` (0 … 1) of the way from one moment to another; words are the nearer's.

    Embeddings and prototypes: (1 − share)·a + share·b, of unit length on the sphere.
    """
    near = first if share < 0.5 else second
    if share in (0.0, 1.0):
        return near
    embeddings = first.embeddings + share * (second.embeddings - first.embeddings)
    prototypes = directions(
        directions(first.prototypes) * (1.0 - share) + directions(second.prototypes) * share
    )
    if first.member.spherical and second.member.spherical:
        embeddings = directions(embeddings)
    return dataclasses.replace(near, embeddings=embeddings, prototypes=prototypes)


def replay(recording: Recording, members: list[int], share: float) -> list[Moment]:
    """The members at ``share`` (0 … 1) of the recording: every snapshot lasts equally long."""
    place, rest = _place(share, len(recording.snapshots))
    pair = recording.snapshots[place : place + 2]
    return [
        between(moment(recording, pair[0], i), moment(recording, pair[-1], i), rest)
        for i in members
    ]


def along(moments: list[Moment], share: float) -> Moment:
    """``share`` (0 … 1) of the way along the members and back again, resting at both ends.

    Half the film goes there and half back, each half with a soft start and end.
    """
    there = (1.0 - np.cos(2.0 * np.pi * share)) / 2.0
    place, rest = _place(float(there), len(moments))
    return between(moments[place], moments[min(place + 1, len(moments) - 1)], rest)


def aligned(moments: list[Moment]) -> list[Moment]:
    """The moments with each turned onto the one before; those that diverged stay as they are."""
    embeddings, prototypes = align_members(
        np.stack([each.embeddings for each in moments]),
        np.stack([each.prototypes for each in moments]),
    )
    return [
        dataclasses.replace(each, embeddings=e, prototypes=p)
        for each, e, p in zip(moments, embeddings, prototypes, strict=True)
    ]


def _place(share: float, count: int) -> tuple[int, float]:
    """The last of ``count`` even stations at or before ``share``, and the way to the next."""
    place = min(max(share, 0.0), 1.0) * (count - 1)
    return int(place), place - int(place)
