"""Pictures from a RecordIO set against Pillow over a folder of files: images per second of a core.

Both give the same pixels of the same 112×112 JPEGs (quality 95) of drawn faces, in random order,
one thread, by turns in one process: ours is ``Corpus.picture``, theirs a plain PyTorch dataset that
opens a path with Pillow. The libraries' decoding alone, from memory, is measured beside them.
"""

import io
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import simplejpeg
import torch
from PIL import Image
from torch.utils.data import Dataset

from facevis.corpora import FolderCorpus, RecordIO, made_up, write_folder, write_recordio

IDENTITIES, EACH, SIZE, QUALITY, ROUNDS, REPEATS = 40, 10, 112, 95, 9, 5


class PillowFolder(Dataset):
    """What a project writes first: a list of paths, each opened with Pillow."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return np.asarray(Image.open(self.paths[index]).convert("RGB"))


def jpegs():
    faces = made_up(f"faces:identities={IDENTITIES},images={EACH},size={SIZE}")
    for index, label in enumerate(faces.labels):
        file = io.BytesIO()
        Image.fromarray(faces.pixels(index)).save(file, "JPEG", quality=QUALITY)
        yield file.getvalue(), int(label)


def rate(read, order):
    began = time.perf_counter()
    for index in order:
        read(index)
    return len(order) / (time.perf_counter() - began)


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        write_recordio(folder, jpegs(), IDENTITIES, SIZE)
        records = RecordIO(folder)
        write_folder(Path(folder) / "files", records)
        files = FolderCorpus(Path(folder) / "files")
        data = [records.encoded(index) for index in range(len(records))]
        plain = PillowFolder([files.path(index) for index in range(len(files))])
        ways = {
            "RecordIO": lambda index: records.picture(index, SIZE),
            "our folder": lambda index: files.picture(index, SIZE),
            "Pillow folder": plain.__getitem__,
            "simplejpeg alone": lambda index: simplejpeg.decode_jpeg(data[index]),
            "Pillow alone": lambda i: np.asarray(Image.open(io.BytesIO(data[i])).convert("RGB")),
        }
        same = all((records.picture(i, SIZE) == plain[i]).all() for i in range(len(plain)))
        rng = np.random.default_rng(0)
        rates = {name: [] for name in ways}
        for _ in range(ROUNDS):
            order = [int(i) for _ in range(REPEATS) for i in rng.permutation(len(records))]
            for name, read in ways.items():
                rates[name].append(rate(read, order))
    median = {name: statistics.median(values) for name, values in rates.items()}
    result = {
        "rounds": ROUNDS,
        "bytes per picture": round(statistics.mean(map(len, data))),
        "images per second": {name: round(value) for name, value in median.items()},
        "same pixels": same,
        "times as fast as a Pillow folder": round(median["RecordIO"] / median["Pillow folder"], 2),
        "bounds": {"times as fast as a Pillow folder": ">= 1.5"},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
