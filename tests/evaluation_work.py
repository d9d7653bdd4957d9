"""What the processes of the tests of evaluation do; ``gloo.together`` starts them."""

import numpy as np
import torch
from plain_network import Plain

from facevis.corpora import DamagedPicture, open_corpus
from facevis.fullscale import ranks
from facevis.fullscale.evaluation import embed, evaluate, measure_angles
from facevis.fullscale.strangers import PeopleSet

DAMAGED = (3, 17)


class Strangers(PeopleSet):
    """Pictures of noise, two of which cannot be read."""

    def __init__(self):
        super().__init__(open_corpus("noise:identities=5,images=5,size=16"))

    def picture(self, index, size):
        if index in DAMAGED:
            raise DamagedPicture(f"picture {index} cannot be read.")
        return super().picture(index, size)


def network():
    torch.manual_seed(0)
    return Plain(16, 16)


def measured():
    """All that is measured of a network, and embeddings of one picture and of 25."""
    strangers, found = Strangers(), {}
    for count in (1, 25):
        embeddings, whole = embed(
            network(), lambda index: strangers.picture(index, 16), count, 16, mirror=count > 1
        )
        found[f"{count} embeddings"] = torch.from_numpy(embeddings)
        found[f"{count} whole"] = torch.from_numpy(whole)
    (result,) = evaluate(network(), [strangers], 16)
    del result["set"], result["seconds"]
    table = np.random.default_rng(0).standard_normal((5, 16)).astype(np.float32)
    angles = measure_angles(network(), lambda classes: table[classes], strangers.corpus, 16)
    result |= angles.to_dict()
    for name, value in result.items():
        found[name] = torch.tensor(value, dtype=torch.float64)
    return found


def save_measured(path):
    torch.set_num_threads(1)
    found = measured()
    torch.save(found, path / f"{ranks.rank()}.pt")
