"""A student's seat: everybody sees what the lecturer shows, and every vote is counted once."""

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from classroom import SECONDS, Student, ask, classroom, handshake, join, until
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from facevis.classroom import seat, serving
from facevis.classroom.limits import Limits
from facevis.classroom.room import Classroom
from facevis.classroom.seats import GRACE_SECONDS


@pytest.fixture
def own(tmp_path):
    """A room of a test's own."""
    with classroom(tmp_path) as opened:
        yield opened


def test_the_answer_is_withheld_until_it_is_revealed(own):
    room, url = own
    room.show_lesson(7, "en")
    with Student(url, room) as student:
        student.state()

        def lesson(number, lang="en"):
            answer = ask(url, f"/facevis/lesson/{number}.json?lang={lang}", cookie=student.cookie)
            assert answer.status == 200
            return answer.json()

        for act in ("open", "lock"):
            for lang in ("en", "ru"):
                told = lesson(7, lang)
                assert told["withheld"] is True
                assert (told["answer"], told["text"], told["takeaway"]) == ("", "", "")
                assert [option["right"] for option in told["question"]["options"]] == [None] * 3
            room.act(7, act)
        assert lesson(8)["answer"]
        room.act(7, "reveal")
        told = lesson(7)
        assert "withheld" not in told
        assert told["answer"]
        assert [option["right"] for option in told["question"]["options"]].count(True) == 1
        assert lesson(7, "ru")["lang"] == "ru"
        assert ask(url, "/facevis/lesson/99.json", cookie=student.cookie).status == 404


def test_the_answer_stays_withheld_while_the_lecturer_shows_something_else(own):
    room, url = own
    room.show_lesson(7, "en")
    room.act(7, "open")
    room.show_nothing()
    with Student(url, room) as student:
        student.state()
        told = ask(url, "/facevis/lesson/7.json", cookie=student.cookie).json()
        assert (told["withheld"], told["answer"]) == (True, "")


def test_a_vote_goes_from_closed_to_revealed(own):
    room, url = own
    room.show_lesson(7, "en")
    with Student(url, room) as student:
        assert student.state()["poll"]["phase"] == "closed"
        assert student.vote(7, 1) == "closed"
        room.act(7, "open")
        student.state(lambda state: state["poll"]["phase"] == "open")
        assert student.vote(7, 9) == "invalid"
        assert student.vote(8, 1) == "closed"
        assert student.vote(7, 1) == "counted"
        assert student.vote(7, 2) == "twice"
        told = student.state(lambda state: state["poll"]["choice"] is not None)["poll"]
        assert told == {"lesson": 7, "phase": "open", "choice": 1, "total": 1, "counts": None}
        with Student(url, room, student.cookie) as window:
            assert window.state()["poll"]["choice"] == 1
            assert window.vote(7, 2) == "twice"
        room.act(7, "lock")
        with Student(url, room) as late:
            assert late.state()["poll"]["phase"] == "locked"
            assert late.vote(7, 0) == "locked"
        room.act(7, "reveal")
        told = student.state(lambda state: state["poll"]["phase"] == "revealed")["poll"]
        assert told["counts"] == [0, 1, 0]
        assert student.vote(7, 0) == "locked"
    assert room.overview()["poll"]["counts"] == [0, 1, 0]


def test_a_hundred_votes_at_once_are_counted_once_each(own):
    room, url = own
    room.show_lesson(7, "en")
    room.act(7, "open")
    cookies = [join(url, room) for _ in range(100)]

    async def vote(number, begin):
        headers = {"Cookie": cookies[number]}
        address = url.replace("http", "ws", 1) + "/facevis/seat"
        async with connect(address, additional_headers=headers, open_timeout=SECONDS) as line:
            await line.recv()
            await begin.wait()
            message = json.dumps({"type": "vote", "lesson": 7, "choice": number % 3})
            for _ in range(2):  # everybody presses twice
                await line.send(message)
            results = []
            while len(results) < 2:
                told = json.loads(await asyncio.wait_for(line.recv(), SECONDS))
                results += [told["result"]] if told["type"] == "voted" else []
            return results

    async def everybody():
        begin = asyncio.Event()
        votes = [asyncio.create_task(vote(number, begin)) for number in range(100)]
        while room.seats.numbers()[0] < 100:
            await asyncio.sleep(0.01)
        begin.set()
        return await asyncio.gather(*votes)

    # On a thread of its own: a browser of another test may have its loop on this one.
    with ThreadPoolExecutor(1) as thread:
        results = thread.submit(lambda: asyncio.run(everybody())).result()
    assert results == [["counted", "twice"]] * 100
    told = room.overview()
    assert (told["joined"], told["poll"]["total"]) == (100, 100)
    assert told["poll"]["counts"] == [34, 33, 33]


def test_a_late_joiner_gets_the_state_and_everybody_every_change(own):
    room, url = own
    room.show_lesson(7, "en")
    room.act(7, "open")
    with Student(url, room) as first, Student(url, room) as late:
        first.vote(7, 2)
        assert late.state(lambda state: state["poll"]["total"] == 1)["poll"]["choice"] is None
        room.show_lesson(8, "ru")
        for student in (first, late):
            scene = student.state(lambda state: state["scene"]["number"] == 8)["scene"]
            assert scene == {"kind": "lesson", "number": 8, "lang": "ru", "run": None}
        room.show_run("token", "sweep", sweep={"name": "m2"}, theme="dark", strings={"a": "b"})
        scene = late.state(lambda state: state["scene"]["kind"] == "run")["scene"]
        expected = {"kind": "run", "token": "token", "mode": "sweep", "projection": None}
        assert scene == {**expected, "sweep": {"name": "m2"}}
        room.show_nothing()
        state = late.state(lambda state: state["scene"]["kind"] == "none")
        assert state["poll"] is None


def test_a_phase_is_told_at_once_and_votes_when_it_is_time(own, monkeypatch):
    monkeypatch.setattr(seat, "EVERY", 10**6)
    room, url = own
    room.show_lesson(7, "en")
    with Student(url, room) as student:
        student.state()
        for act, phase in (("open", "open"), ("lock", "locked"), ("reveal", "revealed")):
            room.act(7, act)
            assert student.state(lambda state, phase=phase: state["poll"]["phase"] == phase)
            room.vote("ballot", 7, 1)
        assert student.last["poll"]["counts"] == [0, 1, 0]


def test_many_votes_are_told_in_few_messages(own):
    room, url = own
    room.show_lesson(7, "en")
    room.act(7, "open")
    with Student(url, room) as student:
        student.state()
        heard = []
        for number in range(300):
            room.vote(f"ballot {number}", 7, 0)
            time.sleep(0.002)
        room.act(7, "lock")
        student.hear(lambda told: heard.append(told) or told["poll"]["phase"] == "locked")
    assert heard[-1]["poll"]["total"] == 300
    assert len(heard) < 30


# -- coming and going ---------------------------------------------------------------------------


def test_a_full_room_says_the_place_in_the_line_and_then_gives_a_seat(tmp_path, monkeypatch):
    monkeypatch.setattr("facevis.classroom.seats.GRACE_SECONDS", 0.2)
    monkeypatch.setattr("facevis.classroom.seat.LINE_SECONDS", 0.05)
    with classroom(tmp_path, students=2, waiting=2) as (room, url), ExitStack() as stack:
        room.show_lesson(7, "en")
        room.act(7, "open")
        first = Student(url, room)
        first.state()
        stack.enter_context(Student(url, room)).state()
        third, fourth = (stack.enter_context(Student(url, room)) for _ in range(2))
        assert third.hear() == {"type": "full", "position": 1, "limit": 2}
        assert fourth.hear()["position"] == 2
        fifth = stack.enter_context(Student(url, room))
        assert fifth.hear() == {"type": "full", "position": None, "limit": 2}
        with pytest.raises(ConnectionClosed):
            fifth.hear()
        fourth.socket.send(json.dumps({"type": "vote", "lesson": 7, "choice": 0}))
        assert "wait for a seat" in fourth.hear(lambda told: told["type"] == "error")["message"]
        assert ask(url, "/facevis/lesson/7.json", cookie=fourth.cookie).status == 503
        first.leave()
        assert third.hear(lambda told: told["type"] == "state")["scene"]["number"] == 7
        assert fourth.hear(lambda told: told["type"] == "full")["position"] == 1
        assert room.overview()["poll"]["total"] == 0


def test_a_tab_that_is_killed_gives_its_seat_back(own, monkeypatch):
    room, url = own
    with Student(url, room) as student:
        student.state()
        assert room.seats.numbers() == (1, 0)
        student.socket.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: not room.seats._known[student.token])
    assert not room._listeners
    assert room.seats.numbers() == (1, 0)
    monkeypatch.setattr(room.seats, "_clock", lambda: time.monotonic() + GRACE_SECONDS)
    assert room.seats.numbers() == (0, 0)


def test_a_phone_that_is_gone_without_a_word_gives_its_seat_back(tmp_path, monkeypatch):
    monkeypatch.setattr(serving, "PING_SECONDS", 0.1)
    monkeypatch.setattr(serving, "SILENT_SECONDS", 0.2)
    with classroom(tmp_path) as (room, url):
        cookie = join(url, room)
        with handshake(url, "Host: 127.0.0.1", f"Cookie: {cookie}") as line:
            assert b" 101 " in line.recv(4096)
            until(lambda: room._listeners)
            until(lambda: not room._listeners)  # it answered no ping


def test_coming_and_going_leaves_nothing_behind(own):
    room, url = own
    with Student(url, room) as student:
        student.state()
        threads = threading.active_count()
        for number in range(60):
            with Student(url, room, student.cookie if number % 2 else None) as other:
                other.state()
                if number % 3 == 0:
                    other.socket.socket.close()
        until(lambda: len(room._listeners) == 1)
        assert sum(room.seats._known.values()) == 1
        assert threading.active_count() <= threads + 2


def test_the_server_ends_with_sockets_open_and_joins_its_thread(tmp_path):
    before = set(threading.enumerate())
    with ExitStack() as stack:
        with classroom(tmp_path) as (room, url):
            assert "students" in {thread.name for thread in set(threading.enumerate()) - before}
            student = stack.enter_context(Student(url, room))
            student.state()
        left = {thread.name for thread in set(threading.enumerate()) - before}
        assert "students" not in left
        with pytest.raises(ConnectionClosed):
            student.hear()
        with pytest.raises(OSError):
            ask(url, "/")


def test_small_messages_are_not_held_back_for_more(tmp_path):
    """Else every answer waits for the phone to say that it got the one before."""
    server = serving.StudentsServer(Classroom(Limits(), tmp_path / "votes.csv"), "127.0.0.1", 0)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port)):
        until(lambda: server._server.server_state.connections)
        (connection,) = server._server.server_state.connections
        line = connection.transport.get_extra_info("socket")
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    server.stop()
