"""Runs whose steps are taken apart, shared by the tests of anatomy."""

from facevis.live import Ensemble, Member, RunConfig
from facevis.objectives import OBJECTIVES

ALL = tuple(Member(objective=name) for name in OBJECTIVES)


def trained(steps=20, **fields):
    ensemble = Ensemble(RunConfig(**fields), device="cpu")
    ensemble.train(steps)
    return ensemble


def group_of(ensemble, member):
    """A member's group and its place there."""
    group = next(g for g in ensemble.groups if member in g.index)
    return group, group.index.index(member)
