"""Whether memory ran out: what Python and the allocators of PyTorch say then."""

from __future__ import annotations

import torch

_SAID = ("can't allocate memory", "not enough memory", "STATUS_ALLOC_FAILED")
"""On Linux, on Windows, and inside NVIDIA's libraries."""


def ran_out(error: BaseException) -> bool:
    """Whether it is this that an error says.

    >>> ran_out(MemoryError()), ran_out(RuntimeError("can't allocate memory")), ran_out(KeyError())
    (True, True, False)
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _SAID)


def in_short(error: BaseException) -> str:
    """The first line of what it says, for the brackets in a sentence.

    >>> in_short(MemoryError()), in_short(RuntimeError("CUDA out of memory. Tried to allocate."))
    ('MemoryError', 'CUDA out of memory. Tried to allocate')
    """
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")[:160]
