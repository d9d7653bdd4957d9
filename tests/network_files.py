"""Files with networks for tests: runs, weights, verification sets, made in a moment."""

import contextlib
import io

import numpy as np
import torch
from PIL import Image
from runs import prepared

from facevis.corpora.bins import write_bin
from facevis.corpora.opening import open_corpus
from facevis.fullscale import checkpoint, networks, runs
from facevis.fullscale.pixels import as_tensor
from facevis.models.backbones import build_backbone

STRANGERS = "faces:identities=12,images=6,size=16,seed=5"


@contextlib.contextmanager
def one_thread():
    """Threads that wait for each other cost more than they bring where networks are so small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lived_in(network, seed=0):
    """The network with statistics of pictures, as training leaves them, in the mode of use."""
    random = np.random.default_rng(seed)
    size = network.size
    pictures = random.integers(0, 256, (32, size, size, 3), dtype=np.uint8)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        network.train()(as_tensor(torch.from_numpy(pictures)))
    return network.eval()


def run_folder(folder, steps=(3, 6), **changes):
    """The folder of a run with these checkpoints, each of another network; nothing is trained."""
    prepared(folder, **changes)
    config = runs.read_config(folder)
    for step in steps:
        torch.manual_seed(step)
        network = lived_in(networks.build_network(config))
        tensors = checkpoint.Tensors()
        state = network.state_dict()
        tensors.shared = {networks.NETWORK + name: value for name, value in state.items()}
        checkpoint.save(folder / runs.CHECKPOINTS, step, tensors, {}, "cpu")
    return folder


def small_network(seed=0):
    """A network of the smallest kind: D = 16, S = 16."""
    torch.manual_seed(seed)
    return lived_in(build_backbone("mobilefacenet", 16, 16))


def set_of_pairs(path, count=40, damaged=()):
    """A verification set of drawn strangers; genuine and impostor pairs in turn."""
    corpus, random = open_corpus(STRANGERS), np.random.default_rng(0)
    encoded, same = [], []
    for pair in range(count):
        first = int(random.integers(len(corpus.labels)))
        alike = corpus.labels == corpus.labels[first]
        others = np.flatnonzero(alike if pair % 2 == 0 else ~alike)
        second = int(random.choice(others[others != first]))
        for index in (first, second):
            target = io.BytesIO()
            Image.fromarray(corpus.picture(index, 16)).save(target, "PNG")
            whole = target.getvalue()
            encoded.append(whole[:-30] + b"broken" if len(encoded) in damaged else whole)
        same.append(pair % 2 == 0)
    write_bin(path, encoded, same)
    return path
