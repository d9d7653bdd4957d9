"""The demonstration of full-scale training: seconds, accuracy on strangers, and one curve or two.

It is trained as ``facevis train demo`` on one process and on two. Then the curve of one process is
set against others that compute the same: on two processes, and on one with another number of
threads, which sums in another order. float32 shows how far rounding alone leads, float64 that
nothing else is different. All of this is on the CPU, for which the demonstration is; if PyTorch
sees a GPU it is trained there too (not with ``--device cpu``).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from facevis.live.ensemble import choose_device

THREADS = os.cpu_count() or 1
FLOAT64_STEPS = 40
CHECK = ("--precision", "float64", "--schedule.steps", str(FLOAT64_STEPS), "--follow.sets")


def demo(folder, *options, threads=THREADS):
    """Seconds of the command, and the entries of its journal by kind."""
    command = [sys.executable, "-m", "facevis", "train", "demo", "--out", folder, *options]
    began = time.monotonic()
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
    seconds = time.monotonic() - began
    found = {}
    for line in (Path(folder) / "metrics.jsonl").read_text().splitlines():
        entry = json.loads(line)
        found.setdefault(entry["kind"], []).append(entry)
    return seconds, found


def apart(one, other):
    """Largest difference of two curves, relative to the loss, and the median of the last half."""
    pairs = zip(one["train"], other["train"], strict=True)
    by_step = [abs(a["loss"] - b["loss"]) / a["loss"] for a, b in pairs]
    return {
        "largest": max(by_step),
        "median of the last half": statistics.median(by_step[len(by_step) // 2 :]),
    }


def said(seconds, found):
    first, *_, last = found["evaluation"]
    speed = statistics.median(entry["images_per_second"] for entry in found["train"][5:])
    return {
        "seconds": round(seconds, 1),
        "accuracy": round(last["accuracy"], 4),
        "accuracy untrained": round(first["accuracy"], 4),
        "images/s": round(speed),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    device = choose_device(parser.parse_args().device).type
    with tempfile.TemporaryDirectory() as place:
        one = demo(f"{place}/one")
        two = demo(f"{place}/two", "--nproc", "2", threads=max(1, THREADS // 2))
        threads = demo(f"{place}/threads", "--follow.sets", threads=1)
        gpu = demo(f"{place}/gpu", "--device", device) if device == "cuda" else None
        exact = [demo(f"{place}/exact-{n}", "--nproc", str(n), *CHECK)[1] for n in (1, 2)]
    figures = {
        "one process": said(*one),
        "two processes": said(*two),
        "float32, two processes": apart(one[1], two[1]),
        "float32, one thread": apart(one[1], threads[1]),
        f"float64, two processes, {FLOAT64_STEPS} steps": apart(*exact),
    }
    if gpu is not None:
        figures |= {"GPU": said(*gpu), "float32, GPU": apart(one[1], gpu[1])}
    better = figures["one process"]["accuracy"] - figures["one process"]["accuracy untrained"]
    figures["accuracy above untrained"] = round(better, 4)
    figures["bounds"] = {
        "one process.seconds": "<= 180",
        "one process.accuracy": ">= 0.9",
        "two processes.accuracy": ">= 0.9",
        "accuracy above untrained": ">= 0.1",
        f"float64, two processes, {FLOAT64_STEPS} steps.largest": "<= 1e-6",
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
