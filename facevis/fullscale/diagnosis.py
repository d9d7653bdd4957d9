"""The words of the NaN guard: what was not finite first, why that may be, and what to do.

It knows what was seen of a step; it knows no network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_SHOWN = 5
_LONG = 1e4
"""Embeddings longer than this come from weights that grew too far."""


class NotFinite(ValueError):
    """A loss or a gradient that is no number; the message is the diagnosis."""


def diagnose(
    *,
    step: int,
    taken: int,
    loss: float,
    embeddings_finite: bool,
    largest_embedding: float,
    weights_finite: bool,
    prototypes_finite: bool,
    gradient_norm: float,
    learning_rate: float,
    precision: str,
    scale: float,
    places: Sequence[str],
) -> str:
    """The step, what is not finite, the likely cause and the remedy, and the batch's first files.

    The evidence is read from the beginning of the step to its end: weights, embeddings, loss,
    gradient. ``taken`` is how many steps this process took before; ``largest_embedding`` is the
    greatest length of those that are finite.

    >>> diagnose(step=7, taken=0, loss=float("nan"), embeddings_finite=False, largest_embedding=3.0,
    ...     weights_finite=False, prototypes_finite=True, gradient_norm=float("nan"),
    ...     learning_rate=0.1, precision="float32", scale=64.0, places=["a.jpg"])
    'Step 7: the weights of the network are not finite; ... The batch: a.jpg.'
    """
    what, why = _cause(
        taken,
        loss,
        embeddings_finite,
        largest_embedding,
        weights_finite,
        prototypes_finite,
        gradient_norm,
        learning_rate,
        precision,
        scale,
    )
    shown = "; ".join(places[:_SHOWN])
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return f"Step {step}: {what}; {why}. The step was not taken. The batch: {shown}{more}."


def _cause(
    taken: int,
    loss: float,
    embeddings_finite: bool,
    largest: float,
    weights_finite: bool,
    prototypes_finite: bool,
    norm: float,
    rate: float,
    precision: str,
    scale: float,
) -> tuple[str, str]:
    slower = f"lower optimizer.learning_rate (now {rate:.3g}) or lengthen schedule.warmup"
    if not weights_finite or not prototypes_finite:
        whose = "the prototypes" if weights_finite else "the weights of the network"
        if taken:
            return f"{whose} are not finite", f"the step before went too far: {slower}"
        return f"{whose} are not finite", (
            "no step made them so: the weights that the run began with are broken, or "
            "memory is; begin with other weights (backbone.weights) or an earlier checkpoint"
        )
    if not embeddings_finite and precision == "float16":
        return "embeddings are not finite", (
            "float16 overflows above 65,504 inside the network: choose precision bfloat16 or "
            "float32"
        )
    if not embeddings_finite:
        return "embeddings are not finite", (
            f"the network's numbers grew too far in the steps before: {slower}; also look at the "
            "pictures of the batch (facevis data inspect)"
        )
    if not math.isfinite(loss):
        return f"the loss is {loss}", (
            f"embeddings of length {largest:.3g} and scale {scale:g} overflow: lower head.scale, "
            f"or {slower}"
            if largest > _LONG
            else f"with scale {scale:g} the logits overflow: lower head.scale"
        )
    if precision == "float16":
        return f"the gradient is {norm}", (
            "float16 overflows in the way back even with the smallest loss scale: choose precision "
            "bfloat16 or float32"
        )
    return f"the gradient is {norm}", (
        f"a layer divides by almost nothing or its numbers grew too far: {slower}, and see that no "
        "picture of the batch is of one colour"
    )
