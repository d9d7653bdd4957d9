"""One batched step of an ensemble against as many ordinary loops, in one run, by turns.

Both on the GPU if PyTorch sees one; ``--device cpu`` leaves it out.
"""

import argparse
import json
import math
import statistics
import time

import torch
from pytorch_metric_learning import distances, losses, miners

from facevis.datasets import load
from facevis.live import Ensemble, Member, RunConfig
from facevis.live.ensemble import choose_device
from facevis.margins import Margin

STEPS, ROUNDS, BATCH = 60, 5, 128
FIVE = ("softmax", "triplet", "sphereface", "cosface", "arcface")


class Softmax(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 10)

    def forward(self, embeddings, labels):
        return torch.nn.functional.cross_entropy(self.linear(embeddings), labels)


class MinedTriplet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        distance = distances.LpDistance(normalize_embeddings=True)
        self.loss = losses.TripletMarginLoss(margin=0.2, distance=distance)
        self.miner = miners.TripletMarginMiner(0.2, "semihard", distance=distance)

    def forward(self, embeddings, labels):
        return self.loss(embeddings, labels, self.miner(embeddings, labels))


def arcface(margin=0.5):
    return losses.ArcFaceLoss(10, 2, margin=math.degrees(margin), scale=16)


ORDINARY = {
    "softmax": Softmax,
    "triplet": MinedTriplet,
    "sphereface": lambda: losses.SphereFaceLoss(10, 2, margin=2, scale=16),
    "cosface": lambda: losses.CosFaceLoss(10, 2, margin=0.35, scale=16),
    "arcface": arcface,
}


def ordinary_loop(objective, inputs, labels):
    """What a tutorial writes: one network, one loss, one default Adam."""
    device = inputs.device
    network = torch.nn.Sequential(
        torch.nn.Linear(64, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 2),
    ).to(device)
    objective.to(device)
    optimizer = torch.optim.Adam([*network.parameters(), *objective.parameters()], lr=3e-3)

    def train(steps):
        for _ in range(steps):
            batch = torch.randint(len(labels), (BATCH,), device=device)
            loss = objective(network(inputs[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return train


def wait_for_gpu():
    """What a GPU was given is done; without one there is nothing to wait for."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(train):
    wait_for_gpu()
    start = time.perf_counter()
    train(STEPS)
    wait_for_gpu()
    return time.perf_counter() - start


def compare(ensemble, loops):
    """Medians, in ms a step, of the ensemble and of all loops together; taken by turns."""
    for train in (ensemble.train, *loops):
        train(10)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(ensemble.train))
        theirs.append(sum(seconds(train) for train in loops))
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    scale = 1e3 / STEPS
    return ratio, statistics.median(ours) * scale, statistics.median(theirs) * scale


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    device = choose_device(parser.parse_args().device)
    data = load("digits")
    inputs = torch.from_numpy(data.inputs()).to(device)
    labels = torch.tensor(data.labels, device=device)
    members = tuple(Member(objective=name) for name in FIVE)
    five = compare(
        Ensemble(RunConfig(members=members), device=device.type),
        [ordinary_loop(ORDINARY[name](), inputs, labels) for name in FIVE],
    )
    margins = [0.05 * place for place in range(21)]
    members = tuple(Member(margin=Margin.arcface(margin)) for margin in margins)
    sweep = compare(
        Ensemble(RunConfig(members=members), device=device.type),
        [ordinary_loop(arcface(margin), inputs, labels) for margin in margins],
    )
    result = {"device": device.type, "threads": torch.get_num_threads()}
    for name, (ratio, ours, theirs) in (("five losses", five), ("21 margins", sweep)):
        result[f"{name}: times as fast"] = round(ratio, 2)
        result[f"{name}: ensemble, ms a step"] = round(ours, 2)
        result[f"{name}: ordinary loops, ms a step"] = round(theirs, 2)
    result["bounds"] = {f"{name}: times as fast": ">= 5" for name in ("five losses", "21 margins")}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
