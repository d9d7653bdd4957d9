"""A network without batch norm and without chance: what a step does to it can be computed."""

import torch
from torch import nn

from facevis.fullscale import networks, runs
from facevis.fullscale.training import Training

NOISE = "noise:identities=13,images=6,size=16"
"""Pictures that take no time to make."""


class Plain(nn.Module):
    """Two layers on the pixels; embeddings are left in the precision in which they are computed."""

    def __init__(self, embedding_dim, size, width=24):
        super().__init__()
        self.embedding_dim, self.size = embedding_dim, size
        self.first = nn.Linear(3 * size * size, width)
        self.features = nn.Linear(width, embedding_dim)

    def forward(self, pictures):
        return self.features(torch.tanh(self.first(pictures.flatten(1))))


def use_plain(monkeypatch, made=Plain):
    """Runs train this network instead of the one that their configuration names."""

    def build(config):
        return made(config.backbone.embedding_dim, config.data.size)

    monkeypatch.setattr(networks, "build_network", build)


def in_single_steps(folder):
    """Train a run to its end, stopped after each step and opened anew."""
    config = runs.read_config(folder)
    for done in range(1, config.schedule.steps + 1):
        training = Training(folder, config, torch.device("cpu"))
        assert training.first == done - 1
        training.asked_to_stop = True
        training.run()
    return folder
