"""Embedding pictures of a folder against onnxruntime alone on arrays that lie ready in memory.

Ours is what ``facevis evaluate --model sface --folder`` does: JPEGs of 112×112 pixels are read and
decoded, then embedded by the packaged SFace. Theirs is ``session.run`` on float arrays of the same
pictures, made before the clock starts, in batches of the size that is quickest. They take turns,
window by window. ``--pictures 1000`` measures fewer.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import simplejpeg

from facevis.datasets.own import own_images
from facevis.embedders import packaged_model

PICTURES, WINDOW, SIZE, PEOPLE = 10_000, 200, 112, 10
BATCHES = (1, 8, 16, 32, 64, 128)


def write(folder, count, rng):
    """Smooth noise, as large as JPEGs of faces are."""
    for number in range(count):
        person = folder / f"{number % PEOPLE:02d}"
        person.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (28, 28, 3), np.uint8)
        picture = np.ascontiguousarray(coarse.repeat(4, axis=0).repeat(4, axis=1))
        (person / f"{number:06d}.jpg").write_bytes(simplejpeg.encode_jpeg(picture, 90))


def run(session, floats, batch):
    name = session.get_inputs()[0].name
    began = time.perf_counter()
    parts = [
        session.run(None, {name: floats[first : first + batch]})[0]
        for first in range(0, len(floats), batch)
    ]
    return time.perf_counter() - began, np.concatenate(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    wanted = max(WINDOW, parser.parse_args().pictures)
    model, rng = packaged_model(), np.random.default_rng(0)
    session = model._session
    trial = rng.random((128, 3, SIZE, SIZE), np.float32)
    run(session, trial, 64)
    best = min(BATCHES, key=lambda batch: run(session, trial, batch)[0])
    ours, theirs, apart = [], [], 0.0
    for _ in range(wanted // WINDOW):
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), WINDOW, rng)
            pictures = own_images(place, SIZE).images
            floats = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
            seconds, alone = run(session, floats, best)
            theirs.append(seconds)
            began = time.perf_counter()
            found = model.embed(own_images(place, SIZE).images)[0]
            ours.append(time.perf_counter() - began)
            apart = max(apart, float(np.abs(found - alone).max()))
    ratio = "share of onnxruntime's own throughput"
    result = {
        "pictures": len(ours) * WINDOW,
        "windows": len(ours),
        "batch of onnxruntime": best,
        "pictures per second": {
            "from a folder": round(WINDOW / statistics.median(ours), 1),
            "onnxruntime alone": round(WINDOW / statistics.median(theirs), 1),
        },
        "largest difference": apart,
        ratio: round(sum(theirs) / sum(ours), 3),
        "bounds": {ratio: ">= 0.9", "largest difference": "<= 0.001"},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
