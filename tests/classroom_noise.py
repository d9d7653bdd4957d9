"""What may be sent to the room by mistake or on purpose."""

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TOGETHER = 64
"""Messages in each example."""

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
lesson = st.sampled_from([7, 7.0, "7", True, None, -1, 0, 99, 2**70, [7], {"7": 7}]) | json_values
choices = (
    st.sampled_from([1, 1.0, "1", True, None, -1, 256, 2**70, [1], float("nan")]) | json_values
)
kinds = st.sampled_from(["vote", "poll", "Vote", "state", "open", None, 5, ["vote"]]) | json_values
objects = st.fixed_dictionaries(
    {},
    optional={
        **{"type": kinds, "lesson": lesson, "choice": choices},
        **{"act": st.sampled_from(["open", "lock", "__init__", "vote", "_ballots"]) | json_values},
        **{"code": json_values, "query": json_values},
    },
)
deep = st.integers(1, 500).map(lambda depth: "[" * depth)
torn = objects.map(json.dumps).flatmap(lambda t: st.integers(0, len(t)).map(lambda end: t[:end]))
texts = st.one_of(
    objects.map(json.dumps), torn, st.text(max_size=80), json_values.map(json.dumps), deep
)
messages = st.lists(texts, min_size=TOGETHER, max_size=TOGETHER)
many = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def sentence(error):
    text = str(error)
    return 0 < len(text) < 400 and text.endswith(".")
