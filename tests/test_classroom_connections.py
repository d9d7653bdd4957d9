"""Connections that ask nothing, floods below the messages, more of both than there is room for."""

import contextlib
import socket
import time

import pytest
from classroom import Student, ask, classroom, join, socket_of, until
from websockets.exceptions import ConnectionClosed

from facevis.classroom.connections import Connections


class Transport:
    def __init__(self, address):
        self.address, self.closed = address, False

    def get_extra_info(self, name):
        return (self.address, 1) if name == "peername" else None

    def is_closing(self):
        return self.closed


def test_one_address_has_half_of_the_connections_and_all_have_no_more_than_there_are():
    connections = Connections(most=6)
    of_one = [Transport("192.0.2.7") for _ in range(4)]
    assert [connections.admit(transport) for transport in of_one] == [True, True, True, False]
    others = [Transport(f"192.0.2.{n}") for n in range(10, 14)]
    assert [connections.admit(transport) for transport in others] == [True, True, True, False]
    of_one[0].closed = True
    assert connections.admit(others[3])
    assert not connections.admit(of_one[3])


def silent(url):
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_who_asks_nothing_is_hung_up_on_and_who_is_served_is_not(tmp_path, monkeypatch, said):
    monkeypatch.setattr("facevis.classroom.connections.ASK_SECONDS", 0.4)
    with classroom(tmp_path) as (room, url), Student(url, room) as student, silent(url) as line:
        line.sendall(said)
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(100) == b""
        assert time.monotonic() - began > 0.2
        room.show_lesson(3, "en")
        student.state(lambda state: state["scene"].get("number") == 3)


def test_of_too_many_connections_the_newest_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("facevis.classroom.serving.SPARE", 0)
    monkeypatch.setattr("facevis.classroom.serving.REQUESTS_EACH", 8)
    with classroom(tmp_path, students=1, waiting=1) as (room, url):
        lines = [silent(url) for _ in range(12)]
        shut = set()

        def refused():
            shut.update(line for line in lines if line not in shut and ended(line))
            return len(shut) >= 4

        until(refused)
        assert len(shut) == 4, "half of 16 stay"
        for line in lines:
            line.close()
        until(lambda: answers(url))
        assert join(url, room)


def answers(url):
    try:
        return ask(url, "/").status == 200
    except OSError:
        return False


def ended(line):
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def drown(line, frame):
    for _ in range(400):
        line.socket.sendall(frame * 100)
        time.sleep(0.001)
    line.recv(timeout=10)
    raise AssertionError("240 kB of nothing were taken")


@pytest.mark.parametrize("flood", ["ping", "empty"])
def test_a_flood_below_the_messages_is_cut_off(tmp_path, flood):
    with classroom(tmp_path) as (room, url):
        cookie = join(url, room)
        frame = {"ping": b"\x89\x80\0\0\0\0", "empty": b"\x01\x80\0\0\0\0"}[flood]
        with socket_of(url, "/facevis/seat", cookie) as line:
            line.recv(timeout=10)
            with pytest.raises((OSError, ConnectionClosed)):
                drown(line, frame)
        assert ask(url, "/").status == 200
