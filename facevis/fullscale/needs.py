"""What a run will need: parameters and memory, counted without data and without that much memory.

It is light: PyTorch is loaded when something is counted. How fast a run will be tells ``probe``.
"""

from __future__ import annotations

from dataclasses import dataclass

from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import PAIR_LOSSES
from facevis.validation import whole

_HEAD_PIECE, _HEAD_PIECE_GPU = 2**20, 2**25
"""Logits that the head computes at once, as in ``pieces``, which loads PyTorch."""


@dataclass(frozen=True)
class Needs:
    """What a run will need. Bytes are for each device, those of a checkpoint for all together."""

    identities: int | None
    """None where nobody said how many there are; then the head is not counted."""
    network_parameters: int
    head_parameters: int | None
    fixed_bytes: int
    """Weights, gradients and what the optimizer remembers, of the network and of the prototypes."""
    activation_bytes: int
    """An estimate: what the forward pass keeps for the backward pass, and the head's logits."""
    checkpoint_bytes: int

    @property
    def device_bytes(self) -> int:
        """All of it, on each device; an estimate. Libraries take up to 1 GB more."""
        return self.fixed_bytes + self.activation_bytes


def needs(config: FullScaleConfig, identities: int | None = None, processes: int = 1) -> Needs:
    """Count what a run on so many processes will need; takes a second and no memory.

    ``identities`` is how many people train; made-up sets say it themselves. ``ValueError`` in words
    for a configuration that does not fit together.

    >>> from facevis.fullscale.recipes import demo
    >>> found = needs(demo())
    >>> found.identities, found.head_parameters
    (300, 38400)
    """
    from facevis.corpora.synthetic import KINDS, settings_of

    config.check(processes)
    if identities is None and config.data.train.partition(":")[0] in KINDS:
        identities = settings_of(config.data.train)[1]["identities"]
    number = 8 if config.precision == "float64" else 4
    remembered = 2 if config.optimizer.name == "adamw" else int(config.optimizer.momentum > 0)
    network, buffers, activations = _count_network(config, processes)
    # Averaging over processes keeps the gradients a second time.
    fixed = network * (2 + remembered + (processes > 1)) + buffers
    head = None
    if config.head.objective in PAIR_LOSSES:
        head = 0
    elif identities is not None:
        whole("identities", identities, 2, 2**40)
        head, local, taken = _count_head(config, identities, processes)
        fixed += local * (1 + remembered) + taken
        if taken < local:  # chosen prototypes are copied, with what is remembered of them
            fixed += taken * (1 + remembered)
        activations += _logits(config, local // config.backbone.embedding_dim)
    return Needs(
        identities,
        network,
        head,
        fixed * number,
        activations,
        ((network + (head or 0)) * (1 + remembered) + buffers) * number,
    )


def _count_network(config: FullScaleConfig, processes: int) -> tuple[int, int, int]:
    """Parameters, other numbers it keeps, and bytes from forward to backward pass."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from facevis.fullscale.networks import build_network
    from facevis.fullscale.precision import of_weights
    from facevis.models.backbones import count_parameters

    dtype = of_weights(config.precision)
    with torch.device("meta"):
        network = build_network(config).train().to(dtype)
    size, part = config.data.size, config.batch_size // (processes * config.accumulate)
    with FakeTensorMode(allow_non_fake_inputs=True):
        network.to_empty(device="cpu")
        own = {p.untyped_storage()._cdata for p in (*network.parameters(), *network.buffers())}
        kept: dict[int, torch.UntypedStorage] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = storage
            return tensor

        half = config.precision in ("bfloat16", "float16")
        with (
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
            torch.autocast("cpu", torch.bfloat16, enabled=half),
        ):
            network(torch.empty(part, 3, size, size, dtype=dtype))
        buffers = sum(buffer.numel() for buffer in network.buffers())
        activations = sum(storage.nbytes() for storage in kept.values())
    return count_parameters(network), buffers, activations


def _count_head(config: FullScaleConfig, identities: int, processes: int) -> tuple[int, int, int]:
    """Numbers in the prototypes of all processes, of one, and of those in one step of it."""
    each = config.head.sub_centers * config.backbone.embedding_dim
    rows = -(-identities // processes)
    batch = min(config.batch_size, rows)  # its classes take part in any case
    taken = min(rows, max(int(config.head.sample_rate * rows), batch))
    bias = identities if config.head.objective == "softmax" else 0
    return identities * each + bias, rows * each, taken * each


def _logits(config: FullScaleConfig, rows: int) -> int:
    """Bytes of two pieces of the logits and of the gathered batch."""
    import torch

    gpu = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    piece = min(rows * config.batch_size, _HEAD_PIECE_GPU if gpu else _HEAD_PIECE)
    return 4 * (2 * piece + 4 * config.batch_size * config.backbone.embedding_dim)
