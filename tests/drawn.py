"""Recordings that are drawn, shared by the tests of stills and films."""

import numpy as np

from facevis.i18n import translator
from facevis.live import Ensemble, Member, Recording, RunConfig, Snapshot
from facevis.live.material import Material, material_for
from facevis.live.recording import STATISTICS

EN, RU = translator("en"), translator("ru")
AXES_2 = [[1.0, 0.0], [-1.0, 0.0]]
AXES_3 = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
THREE = RunConfig(
    members=(Member(objective="softmax"), Member(objective="cosface"), Member()),
    identities=4,
    unseen=2,
    images_per_class=40,
)


def recorded(config, steps=3):
    ensemble = Ensemble(config, device="cpu")
    return ensemble.record(steps=steps), ensemble.material


def single(points, prototypes, member=None, statistics=None):
    """A recording of one snapshot with given points, all of class 0, and its material."""
    dim, count = len(points[0]), len(prototypes)
    config = RunConfig(members=(member or Member(),), embedding_dim=dim, identities=count)
    statistics = np.full((1, len(STATISTICS)), 0.5) if statistics is None else statistics
    arrays = [points], [prototypes], [0.5], statistics, [member_margin(config)], [16.0]
    snapshot = Snapshot(7, *(np.array(array, np.float32) for array in arrays))
    dataset = material_for(config).dataset
    shown = np.flatnonzero(dataset.labels == 0)[: len(points)]
    no = np.zeros(len(points), bool)
    return Recording(config, [snapshot]), Material(dataset, count, shown, shown, no, no)


def member_margin(config):
    return config.members[0].margin.as_tuple()
