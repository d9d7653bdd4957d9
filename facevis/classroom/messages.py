"""What browsers send to the room, validated: ``ValueError`` in one sentence is the answer to all
that is wrong. It has no effect itself.
"""

from __future__ import annotations

import json
from typing import Any

from facevis.classroom.poll import ACTS
from facevis.lessons.programme import LESSONS
from facevis.validation import choice, whole

LARGEST = 1024
"""Bytes of a message or of a form."""
_QUERY, _TEXT = 32, 64
"""Fields of a configuration, and letters of a name or a value."""


def parse_vote(text: str | None) -> tuple[int, int]:
    """Lesson and choice of a student's message.

    >>> parse_vote('{"type": "vote", "lesson": 7, "choice": 2}')
    (7, 2)
    """
    message = _read(text)
    if message.get("type") != "vote":
        raise ValueError("the message has no known type; send vote.")
    return _lesson(message), whole("choice", message.get("choice"), 0, 255)


def parse_act(text: str | None) -> tuple[int, str]:
    """Lesson and act of the lecturer's message.

    >>> parse_act('{"type": "poll", "lesson": 7, "act": "open"}')
    (7, 'open')
    """
    message = _read(text)
    if message.get("type") != "poll":
        raise ValueError("the message has no known type; send poll.")
    return _lesson(message), choice("act", message.get("act"), ACTS)


def parse_code(body: bytes) -> str:
    """The code that somebody would come in with."""
    code = _read(body.decode("utf-8", "replace")).get("code")
    if not isinstance(code, str) or len(code) > _TEXT:
        raise ValueError(f"code must be a text of at most {_TEXT} letters.")
    return code


def parse_try(body: bytes) -> dict[str, str]:
    """The configuration that a student would try, as the parameters of a link."""
    query = _read(body.decode("utf-8", "replace")).get("query")
    if not isinstance(query, dict) or len(query) > _QUERY:
        raise ValueError(f"query must be an object of at most {_QUERY} texts.")
    for name, value in query.items():
        if not isinstance(value, str) or max(len(name), len(value)) > _TEXT:
            raise ValueError(f"query must hold texts of at most {_TEXT} letters; send such.")
    return query


def _lesson(message: dict[str, Any]) -> int:
    return whole("lesson", message.get("lesson"), 1, len(LESSONS))


def _read(text: str | None) -> dict[str, Any]:
    if text is None:
        raise ValueError("the message is no text; send JSON as text.")
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise ValueError(f"the message is longer than {LARGEST} bytes; send a shorter one.")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("the message is not JSON; send an object in JSON.") from error
    if not isinstance(message, dict):
        raise ValueError("the message is no object; send an object in JSON.")
    return message
