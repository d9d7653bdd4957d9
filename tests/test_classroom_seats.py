"""Seats are bounded and go round; who waits moves up; a wrong code is slow to guess."""

import re

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from facevis.classroom import seats as module
from facevis.classroom.door import LENGTH, LETTERS, WITHIN_SECONDS, WRONG, Door
from facevis.classroom.limits import Limits
from facevis.classroom.seats import GRACE_SECONDS, SOCKETS, Seats


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def come(seats):
    """Somebody comes in and looks for a seat."""
    token = seats.admit()
    assert seats.enter(token)
    seats.place(token)
    return token


def test_a_seat_is_kept_for_a_while_after_the_last_socket_closes(clock):
    seats = Seats(1, 5, clock)
    first, second = come(seats), come(seats)
    assert seats.enter(first)  # a second window
    seats.leave(first)
    clock.now += 10 * GRACE_SECONDS
    assert (seats.place(first), seats.place(second)) == (0, 1)
    seats.leave(first)
    clock.now += GRACE_SECONDS - 1
    assert seats.place(second) == 1
    assert seats.seated(first)
    clock.now += 1
    assert seats.place(second) == 0
    assert not seats.seated(first)


def test_who_comes_back_in_time_keeps_the_seat(clock):
    seats = Seats(1, 5, clock)
    first, second = come(seats), come(seats)
    seats.leave(first)
    clock.now += GRACE_SECONDS / 2
    assert seats.enter(first)
    clock.now += 10 * GRACE_SECONDS
    assert (seats.place(first), seats.place(second)) == (0, 1)


def test_who_leaves_the_line_loses_the_place_and_others_move_up(clock):
    seats = Seats(1, 5, clock)
    _, second, third = come(seats), come(seats), come(seats)
    assert seats.place(third) == 2
    seats.leave(second)
    assert seats.place(third) == 1
    assert seats.numbers() == (1, 1)


def test_a_browser_has_so_many_sockets_and_no_more():
    seats = Seats(1, 1)
    token = seats.admit()
    assert [seats.enter(token) for _ in range(SOCKETS + 1)] == [True] * SOCKETS + [False]
    assert not seats.enter("never given")


def test_tokens_of_those_who_are_long_away_are_forgotten_and_no_others(monkeypatch):
    monkeypatch.setattr(module, "_TOKENS_EACH", 2)
    seats = Seats(1, 1)
    sitting, waiting = come(seats), come(seats)
    tokens = [seats.admit() for _ in range(100)]
    assert seats.knows(sitting)
    assert seats.knows(waiting)
    assert sum(map(seats.knows, tokens)) == 2
    assert seats.knows(tokens[-1])


def test_tokens_are_unguessable_and_never_the_same():
    seats = Seats(2, 2)
    tokens = {seats.admit() for _ in range(500)}
    assert len(tokens) == 500
    assert all(re.fullmatch(r"[\w-]{24}", token) for token in tokens)


class Rooming(RuleBasedStateMachine):
    """Any coming and going: never more seats than there are, no seat is empty while one waits."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.seats = Seats(3, 2, self.clock)
        self.open = {}

    def one_of(self, data, tokens):
        """By place, since tokens are never the same twice."""
        return list(tokens)[data.draw(st.integers(0, len(tokens) - 1))]

    @rule()
    def come(self):
        self.open[come(self.seats)] = 1

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def another_window(self, data):
        token = self.one_of(data, self.open)
        if self.seats.enter(token):
            self.open[token] += 1
        self.seats.place(token)

    @precondition(lambda self: any(self.open.values()))
    @rule(data=st.data())
    def close(self, data):
        token = self.one_of(data, [t for t, sockets in self.open.items() if sockets])
        self.seats.leave(token)
        self.open[token] -= 1

    @rule(seconds=st.sampled_from([1, 29, 31]))
    def wait(self, seconds):
        self.clock.now += seconds

    @invariant()
    def is_a_room(self):
        seated, waiting = self.seats.numbers()
        assert seated <= 3
        assert waiting <= 2
        assert not waiting or seated == 3
        places = [p for t in list(self.seats._line) if (p := self.seats.place(t))]
        assert places == list(range(1, waiting + 1))


Rooming.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestRooming = Rooming.TestCase


def test_the_code_is_easy_to_read_out_and_taken_as_it_is_typed(clock):
    door = Door(clock)
    assert re.fullmatch(f"[{LETTERS}]{{{LENGTH}}}", door.code)
    assert not set("ILO01") & set(LETTERS)
    typed = f" {door.code[:3].lower()} {door.code[3:]}\n"
    assert door.try_code(typed, "a") == "in"
    assert len({Door().code for _ in range(50)}) == 50


def test_wrong_codes_are_slowed_down_for_their_address_alone(clock):
    door = Door(clock)
    wrong = "A" * LENGTH if door.code != "A" * LENGTH else "B" * LENGTH
    for _ in range(WRONG):
        assert door.try_code(wrong, "192.168.1.7") == "code"
    assert door.try_code(wrong, "192.168.1.7") == "slow"
    assert door.try_code(door.code, "192.168.1.7") == "slow"
    assert door.try_code(door.code, "192.168.1.8") == "in"
    clock.now += WITHIN_SECONDS + 1
    assert door.try_code(door.code, "192.168.1.7") == "in"


def test_another_address_of_the_same_ipv6_network_is_no_way_around(clock):
    door = Door(clock)
    for number in range(WRONG):
        door.try_code("", f"2001:db8::{number:x}")
    assert door.try_code("", "2001:db8::ffff") == "slow"
    assert door.try_code("", "2001:db8:0:1::1") == "code"
    for _ in range(WRONG + 1):
        last = door.try_code("", "::ffff:192.168.1.7")
    assert last == "slow"
    assert door.try_code("", "::ffff:192.168.1.8") == "code"


def test_the_memory_of_wrong_codes_is_bounded():
    door = Door()
    for number in range(6000):
        door.try_code("", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(door._wrong) <= 4096


@pytest.mark.parametrize(
    ("name", "value"),
    [("students", 0), ("students", 1.5), ("waiting", -1), ("memory_mib", True), ("sessions", "3")],
)
def test_an_impossible_limit_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} is .*; give a whole number"):
        Limits(**{name: value})
