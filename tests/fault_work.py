"""What two processes do when one of them cannot write; ``gloo.together`` starts them."""

import pytest
import torch

from facevis.fullscale import checkpoint, ranks


def save_where_one_cannot(folder):
    """The first process finds no room for what is no tensor; both hear of it, and go on alike."""
    tensors = checkpoint.Tensors()
    tensors.shared["network.a"] = torch.ones(3)
    tensors.rows["head.weight"] = (torch.full((2, 4), float(ranks.rank())), 4)
    checkpoint.save(folder, 1, tensors, {"fine": True}, "cpu")
    cannot = {"fine": object()} if ranks.rank() == 0 else {}
    with pytest.raises(ValueError, match="older ones are whole"):
        checkpoint.save(folder, 2, tensors, cannot, "cpu")
    assert ranks.add(torch.ones(1)).item() == 2.0
