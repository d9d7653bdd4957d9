"""A poll counts every browser once and only while it is open; what was voted is read back later."""

import csv
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from facevis.classroom.limits import Limits
from facevis.classroom.poll import ACTS, PHASES, Poll
from facevis.classroom.room import Classroom
from facevis.classroom.votes import VotesFile, question_of
from facevis.lessons.programme import LESSONS

OPTIONS = 4
NOW = datetime(2026, 11, 26, 14, 30).astimezone()


class Voting(RuleBasedStateMachine):
    """Any order of acts and votes, beside a plain account of what should have been counted."""

    def __init__(self):
        super().__init__()
        self.poll, self.phase, self.counted = Poll(OPTIONS), "closed", {}

    @rule(ballot=st.sampled_from("abcdef"), choice=st.integers(-2, OPTIONS + 1))
    def vote(self, ballot, choice):
        result = self.poll.vote(ballot, choice)
        if self.phase == "closed":
            assert result == "closed"
        elif self.phase != "open":
            assert result == "locked"
        elif ballot in self.counted:
            assert result == "twice"
        elif not 0 <= choice < OPTIONS:
            assert result == "invalid"
        else:
            assert result == "counted"
            self.counted[ballot] = choice

    @rule()
    def open(self):
        assert self.poll.open() == (self.phase == "closed")
        self.phase = "open" if self.phase == "closed" else self.phase

    @rule()
    def lock(self):
        assert self.poll.lock() == (self.phase == "open")
        self.phase = "locked" if self.phase == "open" else self.phase

    @rule()
    def reveal(self):
        assert self.poll.reveal() == (self.phase != "revealed")
        self.phase = "revealed"

    @rule()
    def again(self):
        self.poll.again()
        self.phase, self.counted = "closed", {}

    @invariant()
    def counts_what_it_should(self):
        choices = list(self.counted.values())
        assert self.poll.phase == self.phase
        assert self.phase in PHASES
        assert self.poll.counts() == [choices.count(option) for option in range(OPTIONS)]
        assert self.poll.total == len(choices)
        assert {b: self.poll.choice(b) for b in self.counted} == self.counted


Voting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestVoting = Voting.TestCase


@pytest.fixture
def room(tmp_path):
    room = Classroom(Limits(), tmp_path / "votes.csv")
    room.show_lesson(8, "en")
    return room


def rows(room_or_path):
    path = getattr(room_or_path, "_votes", None)
    path = path.path if path else room_or_path
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def hold(room, lesson, *choices):
    room.act(lesson, "open")
    for number, choice in enumerate(choices):
        assert room.vote(f"ballot {number}", lesson, choice) == "counted"
    room.act(lesson, "lock")


def test_a_locked_poll_is_in_the_table_once_with_a_row_for_each_option(room):
    hold(room, 8, 0, 1, 1)
    room.act(8, "lock")
    room.act(8, "reveal")
    found = rows(room)
    question = question_of(8)
    assert [(row["lesson"], row["votes"], row["voters"]) for row in found] == [
        ("8", votes, "3") for votes in ("1", "2", "0")
    ]
    assert tuple(row["text"] for row in found) == question.options
    assert [row["right"] for row in found].count("1") == 1
    assert {row["question"] for row in found} == {question.key}


def test_revealing_an_open_poll_locks_it_and_keeps_its_votes(room):
    room.act(8, "open")
    room.vote("a", 8, 2)
    room.act(8, "reveal")
    assert [row["votes"] for row in rows(room)] == ["0", "0", "1"]
    assert room.vote("b", 8, 2) == "locked"


def test_a_poll_in_which_nobody_voted_is_not_kept(room):
    hold(room, 8)
    room.act(8, "reveal")
    assert not room._votes.path.exists()


def test_every_question_has_options_and_one_right_answer():
    for lesson in LESSONS:
        question = question_of(lesson.number)
        assert 2 <= len(question.options) <= 9
        assert sum(question.right) == 1
        assert all(question.options)


def test_votes_are_read_back_in_the_next_year_and_not_on_the_same_day(tmp_path):
    table, question = VotesFile(tmp_path / "votes.csv"), question_of(8)
    table.add(question, [3, 4, 1], NOW)
    assert table.earlier(question, NOW + timedelta(minutes=5)) is None
    assert table.earlier(question, NOW + timedelta(days=365)) == [3, 4, 1]


def test_of_a_day_the_last_poll_counts_and_days_are_summed(tmp_path):
    table, question = VotesFile(tmp_path / "votes.csv"), question_of(8)
    table.add(question, [9, 9, 9], NOW)
    table.add(question, [1, 0, 0], NOW + timedelta(minutes=9))
    table.add(question, [0, 2, 0], NOW + timedelta(days=3))
    assert table.earlier(question, NOW + timedelta(days=365)) == [1, 2, 0]


def test_of_a_last_poll_that_somebody_cut_short_no_earlier_one_is_mixed_in(tmp_path):
    table, question = VotesFile(tmp_path / "votes.csv"), question_of(8)
    table.add(question, [9, 9, 9], NOW)
    table.add(question, [1, 2, 3], NOW + timedelta(minutes=9))
    rows = table.path.read_bytes().splitlines(keepends=True)
    table.path.write_bytes(b"".join(rows[:-2]))
    assert table.earlier(question, NOW + timedelta(days=365)) == [1, 0, 0]


def test_votes_of_another_question_or_of_other_words_are_not_shown(tmp_path):
    table = VotesFile(tmp_path / "votes.csv")
    table.add(question_of(7), [5, 5, 5], NOW)
    text = table.path.read_text(encoding="utf-8")
    table.path.write_text(text.replace(question_of(7).key, "00000000"), encoding="utf-8")
    for number in (7, 8):
        assert table.earlier(question_of(number), NOW + timedelta(days=365)) is None


def test_earlier_votes_reach_the_desk(tmp_path):
    VotesFile(tmp_path / "votes.csv").add(question_of(8), [3, 4, 1], NOW - timedelta(days=370))
    room = Classroom(Limits(), tmp_path / "votes.csv")
    room.show_lesson(8, "en")
    assert room.overview()["poll"]["earlier"] == {"counts": [3, 4, 1], "total": 8}


def test_a_table_with_letters_of_all_kinds_in_its_path_is_written_and_read(tmp_path):
    table, question = VotesFile(tmp_path / "Голоса 2026" / "gø.csv"), question_of(8)
    table.add(question, [1, 1, 1], NOW)
    assert table.earlier(question, NOW + timedelta(days=1)) == [1, 1, 1]


damage = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["", '"', ",", "\n", "x", "\x00", "9" * 30])),
    max_size=6,
)


@given(damage)
@settings(max_examples=150, deadline=None)
def test_a_table_that_was_edited_by_hand_harms_nothing(tmp_path_factory, changes):
    table = VotesFile(tmp_path_factory.mktemp("votes") / "votes.csv")
    question = question_of(8)
    table.add(question, [3, 4, 1], NOW)
    text = table.path.read_text(encoding="utf-8")
    for place, piece in changes:
        text = text[:place] + piece + text[place + 1 :]
    table.path.write_text(text, encoding="utf-8")
    found = table.earlier(question, NOW + timedelta(days=365))
    assert found is None or (len(found) == 3 and all(votes >= 0 for votes in found))
    table.add(question, [1, 0, 0], NOW + timedelta(days=1))


def test_no_table_is_read_from_bytes_of_any_kind(tmp_path):
    table = VotesFile(tmp_path / "votes.csv")
    for content in (b"", b"\x00\xff" * 500, b"time,option\n1,2\n", b"\xef\xbb\xbf"):
        table.path.write_bytes(content)
        assert table.earlier(question_of(8), NOW) is None


def test_votes_that_cannot_be_written_are_said_and_written_with_the_next(tmp_path):
    path = tmp_path / "votes.csv"
    path.mkdir()  # a folder stands where the file should be
    room = Classroom(Limits(), path)
    room.show_lesson(8, "en")
    hold(room, 8, 0, 0)
    trouble = room.overview()["trouble"]
    assert str(path) in trouble
    assert trouble.count(".") - str(path).count(".") <= 1
    path.rmdir()
    room.act(8, "again")
    hold(room, 8, 2)
    assert room.overview()["trouble"] is None
    assert [row["votes"] for row in rows(path)] == ["2", "0", "0", "0", "0", "1"]


def test_a_poll_that_is_open_when_the_lecture_ends_is_kept(room):
    room.act(8, "open")
    room.vote("a", 8, 1)
    room.close()
    room.close()
    assert [row["votes"] for row in rows(room)] == ["0", "1", "0"]


def test_only_the_lesson_that_is_shown_takes_votes(room):
    room.act(8, "open")
    room.show_lesson(9, "en")
    assert room.vote("a", 8, 0) == "closed"
    room.show_lesson(8, "ru")
    assert room.vote("a", 8, 0) == "counted"
    room.show_nothing()
    assert room.vote("b", 8, 0) == "closed"


def test_the_acts_of_the_messages_are_those_of_a_poll():
    assert all(callable(getattr(Poll(2), act)) for act in ACTS)


def test_what_a_full_disk_cut_off_is_taken_back_and_written_later(tmp_path, monkeypatch):
    path, question = tmp_path / "votes.csv", question_of(8)
    table = VotesFile(path)
    table.add(question, [1, 2, 3], NOW - timedelta(days=400))
    before = path.read_bytes()

    def full(number):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("facevis.classroom.votes.os.fsync", full)
        with pytest.raises(ValueError, match="No space left"):
            table.add(question, [5, 5, 5], NOW - timedelta(days=30))
    assert path.read_bytes() == before
    table.write()
    assert VotesFile(path).earlier(question, NOW) == [6, 7, 8]


def test_a_table_whose_last_line_an_editor_left_open_goes_on_below_it(tmp_path):
    path, question = tmp_path / "votes.csv", question_of(8)
    VotesFile(path).add(question, [1, 2, 3], NOW - timedelta(days=400))
    path.write_bytes(path.read_bytes().rstrip(b"\r\n"))
    VotesFile(path).add(question, [5, 5, 5], NOW - timedelta(days=30))
    assert VotesFile(path).earlier(question, NOW) == [6, 7, 8]
