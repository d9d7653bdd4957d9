"""Any bytes, and any whole file with some of its bytes changed, are read or refused in words."""

import functools

import pytest
from fuzzing.parsers import ARCHIVES, PARSERS, SEEDS, in_member
from hostile.judging import full_sentence, harmless
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

seeds = functools.cache(lambda name: SEEDS[name]())
changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "double", "end"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, b"\0" * 8, b"\x7f"]),
    ),
    max_size=5,
)


def changed(data, how):
    for kind, share, value in how:
        at = int(share * len(data))
        if kind == "set":
            data = data[:at] + value + data[at + len(value) :]
        elif kind == "cut":
            data = data[:at] + data[at + value[0] :]
        elif kind == "insert":
            data = data[:at] + value + data[at:]
        elif kind == "double":
            data = data[:at] + data[max(0, at - 40) :]
        else:
            data = data[:at]
    return data


def read_or_refused(name, data, folder):
    said = None
    with harmless(folder):
        try:
            PARSERS[name](data)
        except ValueError as error:
            said = str(error)
    if said is not None:
        full_sentence(said)


@pytest.mark.parametrize("name", PARSERS)
def test_a_whole_input_is_read(name):
    for data in seeds(name):
        PARSERS[name](data)


quiet = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", PARSERS)
@quiet
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name, data, place):
    read_or_refused(name, data, place)


@pytest.mark.parametrize("name", PARSERS)
@quiet
@given(which=st.integers(0, 9), how=changes)
@example(which=0, how=[("set", 0.42943953529421697, b"\x00\x01")])  # a name of 256 letters in a run
def test_a_changed_input_is_read_or_refused(name, which, how, place):
    whole = seeds(name)
    read_or_refused(name, changed(whole[which % len(whole)], how), place)


@pytest.mark.parametrize("name", ARCHIVES)
@settings(quiet, max_examples=50)
@given(which=st.integers(0, 9), member=st.integers(0, 20), how=changes)
def test_an_archive_of_which_one_member_is_changed_is_read_or_refused(
    name, which, member, how, place
):
    whole = seeds(name)[which % len(seeds(name))]
    read_or_refused(name, in_member(name, whole, member, lambda old: changed(old, how)), place)


@pytest.fixture
def place():
    """The folder in which the parsers' files lie."""
    from fuzzing import parsers

    return parsers._place()
