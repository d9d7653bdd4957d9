"""A comparison over seeds: every member trained several times, and what may be said of the result.

One run tells a story; several tell whether it would be told again. It knows configurations and
snapshots; it neither trains nor draws.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from facevis.intervals import mean_interval
from facevis.live.config import MOST_MEMBERS, RunConfig
from facevis.live.recording import STATISTICS, Recording, Snapshot
from facevis.validation import choice, whole

VERDICTS = ("lower", "higher", "none", "unknown")


def study_config(config: RunConfig, seeds: int) -> RunConfig:
    """The same run with each member once per seed: config.seed, config.seed + 1, …

    All seeds of member 0 come first, then those of member 1, and so on. A seed decides the initial
    weights alone; which images train and in what order stays that of ``config.seed``, so that
    members and seeds see the same batches. More than 256 members in all raise ``ValueError``.

    >>> from facevis.live import Member
    >>> study = study_config(RunConfig(members=(Member(), Member(objective="triplet")), seed=4), 2)
    >>> [(member.objective, member.seed) for member in study.members]
    [('arcface', 4), ('arcface', 5), ('triplet', 4), ('triplet', 5)]
    """
    whole("seeds", seeds, 1, MOST_MEMBERS)
    count = len(config.members) * seeds
    if count > MOST_MEMBERS:
        raise ValueError(
            f"{len(config.members)} members and {seeds} seeds are {count} models; "
            f"ask for at most {MOST_MEMBERS // len(config.members)} seeds."
        )
    members = tuple(
        dataclasses.replace(member, seed=config.seed + k)
        for member in config.members
        for k in range(seeds)
    )
    return dataclasses.replace(config, members=members)


def one_seed(recording: Recording, seeds: int, k: int = 0) -> Recording:
    """The recording of seed ``k`` alone out of a study's: one of each member."""
    whole("k", k, 0, seeds - 1)
    return members_of(recording, range(k, len(recording.config.members), seeds))


def members_of(recording: Recording, members: range | list[int]) -> Recording:
    """The recording of some of the members; its snapshots are copies, without a training state."""
    index = list(members)
    config = recording.config
    chosen = dataclasses.replace(config, members=tuple(config.members[i] for i in index))
    return Recording(chosen, [_members_of(snapshot, index) for snapshot in recording.snapshots])


def _members_of(snapshot: Snapshot, index: list[int]) -> Snapshot:
    arrays = {
        field.name: getattr(snapshot, field.name)[index]
        for field in dataclasses.fields(snapshot)
        if field.name != "step"
    }
    return Snapshot(step=snapshot.step, **arrays)


@dataclass(frozen=True, eq=False)
class Summary:
    """Mean and 95 % interval over seeds of every statistic of every member."""

    mean: np.ndarray
    """(M, S), S the columns of ``recording.STATISTICS``."""
    half: np.ndarray
    """(M, S), half the width of the 95 % interval; NaN for one seed."""
    values: np.ndarray
    """(M, seeds, S), what was measured."""

    @property
    def seeds(self) -> int:
        """How many seeds were trained."""
        return int(self.values.shape[1])

    def verdict(self, statistic: str, member: int, reference: int) -> str:
        """Where a member's statistic stands beside the reference's: one of ``VERDICTS``.

        "lower" or "higher" only where the two 95 % intervals do not touch; else "none": no
        difference was shown. "unknown" where there is no interval (one seed, a member that
        diverged, a statistic that does not exist for it).
        """
        column = STATISTICS.index(choice("statistic", statistic, STATISTICS))
        for name, value in (("member", member), ("reference", reference)):
            whole(name, value, 0, len(self.mean) - 1)
        low, high = self.mean - self.half, self.mean + self.half
        if np.isnan([low[member, column], low[reference, column]]).any():
            return "unknown"
        if high[member, column] < low[reference, column]:
            return "lower"
        return "higher" if low[member, column] > high[reference, column] else "none"


def summarise(snapshot: Snapshot, seeds: int) -> Summary:
    """Mean and interval over the seeds of a snapshot of a ``study_config`` run.

    >>> from facevis.live import Ensemble
    >>> summary = summarise(Ensemble(study_config(RunConfig(), 3)).snapshot(), 3)
    >>> summary.mean.shape, summary.half.shape, summary.values.shape
    ((1, 11), (1, 11), (1, 3, 11))
    """
    count = len(snapshot.statistics)
    whole("seeds", seeds, 1, MOST_MEMBERS)
    if count % seeds:
        raise ValueError(
            f"the snapshot has {count} members, which is no whole number of {seeds} seeds each; "
            "give the number of seeds that it was trained with."
        )
    values = snapshot.statistics.astype(np.float64).reshape(count // seeds, seeds, -1)
    mean, half = mean_interval(values.swapaxes(0, 1))
    return Summary(mean, half, values)


class Claim(NamedTuple):
    """In how many of the seeds each part of the lecture's claim holds."""

    tighter: int
    """ArcFace's mean angle within a class is below the normalised softmax's."""
    not_nearer: int
    """Its prototypes are not nearer to each other."""
    both: int
    seeds: int


def claim(summary: Summary, softmax_member: int, arcface_member: int) -> Claim:
    """Count the seeds in which ArcFace's classes are tighter and its prototypes no nearer.

    Seed by seed: Intra below and W-Inter not below those of the normalised softmax. Both members
    need the same scale for this to be a comparison of margins. A NaN counts for nothing.
    """
    softmax, arcface = summary.values[softmax_member], summary.values[arcface_member]
    intra, w_inter = STATISTICS.index("intra"), STATISTICS.index("w_inter")
    tighter = arcface[:, intra] < softmax[:, intra]
    not_nearer = arcface[:, w_inter] >= softmax[:, w_inter]
    both = tighter & not_nearer
    return Claim(int(tighter.sum()), int(not_nearer.sum()), int(both.sum()), summary.seeds)


__all__ = [
    "MOST_MEMBERS",
    "VERDICTS",
    "Claim",
    "Summary",
    "claim",
    "members_of",
    "one_seed",
    "study_config",
    "summarise",
]
