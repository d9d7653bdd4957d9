"""What a viewer of a run may say, and the words it is answered with: JSON, validated."""

from __future__ import annotations

import json
from typing import Any

from facevis.live.config import MOST_MEMBERS
from facevis.margins import Margin
from facevis.validation import whole, within

LARGEST_MESSAGE = 4096


def parse_command(text: str) -> dict[str, Any]:
    """Validate a viewer's message; whatever is wrong raises ``ValueError`` in one sentence.

    >>> parse_command('{"type": "step", "count": 2}')
    {'type': 'step', 'count': 2}
    """
    if len(text) > LARGEST_MESSAGE:
        raise ValueError(
            f"the message is longer than {LARGEST_MESSAGE} characters; send a shorter one."
        )
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("the message is not JSON; send an object in JSON.") from error
    kind = message.get("type") if isinstance(message, dict) else None
    if kind in ("ack", "play", "pause", "rewind"):
        return {"type": kind}
    if kind == "step":
        return {"type": kind, "count": whole("count", message.get("count", 1), 1, 1000)}
    if kind == "speed":
        speed = message.get("steps_per_second")
        value = None if speed is None else within("steps_per_second", speed, 0.1, 1e6)
        return {"type": kind, "steps_per_second": value}
    if kind == "set":
        return _parse_set(message)
    if kind == "anatomy":
        sample = whole("sample", message.get("sample"), 0, 2**53)
        return {"type": kind, "sample": sample, "id": whole("id", message.get("id", 0), 0, 2**53)}
    raise ValueError(
        "the message has no known type; send ack, play, pause, step, rewind, speed, set or anatomy."
    )


def _parse_set(message: dict[str, Any]) -> dict[str, Any]:
    margin, scale = message.get("margin"), message.get("scale")
    if margin is not None:
        if not isinstance(margin, list) or len(margin) != 3:
            raise ValueError("margin must be a list of three numbers, m1, m2, m3.")
        margin = Margin(*margin)
    return {
        "type": "set",
        "member": whole("member", message.get("member", 0), 0, MOST_MEMBERS - 1),
        "margin": margin,
        "scale": None if scale is None else within("scale", scale, 1e-3, 1e4),
        "id": whole("id", message.get("id", 0), 0, 2**53),
    }


def answer_of(number: int, result: dict[str, Any]) -> str:
    """What a question about a sample is answered with, or why it cannot be."""
    if "error" in result:
        return message_of("error", id=number, message=result["error"])
    return message_of("anatomy", id=number, **result)


def message_of(kind: str, **fields: Any) -> str:
    """One message as text."""
    return json.dumps({"type": kind, **fields})
