"""Every message to the room is what it should be, or a sentence that says what is wrong."""

import json

import pytest
from classroom_noise import many, messages, sentence
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.classroom.messages import parse_act, parse_code, parse_try, parse_vote


@given(messages)
@settings(many, max_examples=160)
def test_ten_thousand_messages_are_a_vote_or_a_sentence(sent):
    for text in sent:
        try:
            number, choice = parse_vote(text)
        except ValueError as error:
            assert sentence(error)
        else:
            told = json.loads(text)
            assert (told["type"], told["lesson"], told["choice"]) == ("vote", number, choice)
            assert type(number) is type(choice) is int


@given(messages)
@settings(many, max_examples=30)
def test_acts_codes_and_configurations_are_what_they_are_or_a_sentence(sent):
    for text in sent:
        for parse in (parse_act, lambda t: parse_code(t.encode()), lambda t: parse_try(t.encode())):
            try:
                found = parse(text)
            except ValueError as error:
                assert sentence(error)
            else:
                assert isinstance(found, tuple | str | dict)


@given(st.binary(max_size=200))
def test_any_bytes_are_no_form(body):
    for parse in (parse_code, parse_try):
        with pytest.raises(ValueError):
            parse(body)
