"""The exact softmax in pieces against a plain one (normalise, linear, margin, cross-entropy).

Batch 128, 512 dimensions, forward and backward, at 100,000 and 1,000,000 classes; by turns in one
process for the time, each in a process of its own for the memory (Linux). Memory is the highest
resident one beyond the prototypes and their gradient. If PyTorch sees a GPU, both heads are there
and memory is what its allocator gave out; ``--device cpu`` leaves it out.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from facevis.adaptive import FixedMargin
from facevis.fullscale.prototypes import ShardedObjective
from facevis.live.ensemble import choose_device
from facevis.margins import Margin

BATCH, DIM, SCALE = 128, 512, 64.0
ROUNDS = {100_000: 7, 1_000_000: 3}


class Plain(torch.nn.Module):
    """ArcFace as it is usually written: all logits at once."""

    def __init__(self, num_classes):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(num_classes, DIM))

    def forward(self, embeddings, labels):
        cosines = F.linear(F.normalize(embeddings), F.normalize(self.weight))
        own = cosines.gather(1, labels[:, None]).clamp(-1 + 1e-7, 1 - 1e-7)
        logits = SCALE * cosines.scatter(1, labels[:, None], torch.cos(torch.acos(own) + 0.5))
        return F.cross_entropy(logits, labels)


def pieces(num_classes):
    return ShardedObjective(num_classes, DIM, FixedMargin(Margin.arcface(0.5)), SCALE)


def step(objective, embeddings, labels):
    """Seconds of a forward and backward pass, the loss, and the gradient of the embeddings."""
    for parameter in objective.parameters():
        parameter.grad = None
    points = embeddings.clone().requires_grad_()
    wait_for(points)
    began = time.perf_counter()
    loss = objective(points, labels)
    loss.backward()
    wait_for(points)
    return time.perf_counter() - began, loss.item(), points.grad


def wait_for(tensor):
    """A GPU is asked, and answers later."""
    if tensor.is_cuda:
        torch.cuda.synchronize()


def batch(num_classes, device):
    torch.manual_seed(0)
    embeddings, labels = torch.randn(BATCH, DIM), torch.randint(num_classes, (BATCH,))
    return embeddings.to(device), labels.to(device)


def compare(num_classes, device):
    embeddings, labels = batch(num_classes, device)
    plain, ours = Plain(num_classes).to(device), pieces(num_classes).to(device)
    ours.weight = ours.active = plain.weight
    ratios, seconds = [], []
    for _ in range(ROUNDS[num_classes]):
        first, loss, gradient = step(plain, embeddings, labels)
        grown = plain.weight.grad
        second, same, points = step(ours, embeddings, labels)
        ratios.append(second / first)
        seconds.append(second)
    apart = max(
        abs(loss - same),
        (points - gradient).abs().max().item(),
        (ours.weight.grad - grown).abs().max().item(),
    )
    return {
        "time against plain": round(statistics.median(ratios), 2),
        "seconds": round(statistics.median(seconds), 2),
        "largest difference": apart,
    }


def peak(kind, num_classes, device):
    """MiB beyond prototypes and gradient."""
    embeddings, labels = batch(num_classes, device)
    objective = {"plain": Plain, "pieces": pieces}[kind](num_classes).to(device)
    small = {"plain": Plain, "pieces": pieces}[kind](1000).to(device)
    step(small, embeddings, labels % 1000)  # what the libraries load once
    gc.collect()
    forget(device)
    before = highest(device)
    step(objective, embeddings, labels)
    return (highest(device) - before) / 2**20 - num_classes * DIM * 4 / 2**20


def forget(device):
    """The highest use of memory counts from now on."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def highest(device):
    """The most bytes in use since ``forget``."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def alone(device, *part):
    command = [sys.executable, __file__, "--device", device, *map(str, part)]
    # What is freed goes back to the system: else it would hide what is taken next.
    env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"}
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("part", nargs="*", help="what a process of its own measures")
    asked = parser.parse_args()
    device = choose_device(asked.device).type
    if asked.part:
        *kind, num_classes = asked.part
        measure = peak if kind else compare
        print(json.dumps(measure(*kind, int(num_classes), device)))
        return
    result = {"device": device, "torch threads": torch.get_num_threads()}
    for num_classes in ROUNDS:
        result[f"{num_classes}"] = alone(device, num_classes)
    held = {kind: alone(device, kind, 1_000_000) for kind in ("plain", "pieces")}
    result["MiB at 1000000, plain"] = round(held["plain"])
    result["MiB at 1000000, in pieces"] = round(held["pieces"], 1)
    result["memory against plain"] = round(held["pieces"] / held["plain"], 4)
    result["bounds"] = {
        "100000.time against plain": "<= 1.0",
        "1000000.time against plain": "<= 1.25",
        "memory against plain": "<= 0.125",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
