"""A classroom with its server, and students who speak to it as browsers do."""

import contextlib
import http.client
import json
import socket
import time
from urllib.parse import urlsplit

from websockets.sync.client import connect

from facevis.classroom.limits import Limits
from facevis.classroom.room import Classroom
from facevis.classroom.serving import StudentsServer

SECONDS = 20


@contextlib.contextmanager
def classroom(folder, **limits):
    """A room and the address of its server."""
    room = Classroom(Limits(**limits), folder / "votes.csv")
    server = StudentsServer(room, "127.0.0.1", 0)
    server.start()
    try:
        yield room, f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    def json(self):
        return json.loads(self.body)


def ask(url, path, *, cookie=None, body=None, method=None, **headers):
    """One request, with the path as it is written."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookie:
        named["Cookie"] = cookie
    method = method or ("GET" if body is None else "POST")
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=named)
        return Answer(connection.getresponse())


def join(url, room):
    """The cookie of somebody who knows the code."""
    answer = ask(url, "/facevis/join", body={"code": room.door.code})
    assert answer.status == 204, answer.body
    return answer.headers["Set-Cookie"].partition(";")[0]


def socket_of(url, path, cookie="", **options):
    address = url.replace("http", "ws", 1) + path
    headers = {"Cookie": cookie} if cookie else {}
    return connect(
        address,
        additional_headers=headers,
        open_timeout=SECONDS,
        close_timeout=5,
        ping_interval=None,
        **options,
    )


class Student:
    """A browser with a cookie and a socket of its seat."""

    def __init__(self, url, room, cookie=None):
        self.cookie = cookie or join(url, room)
        self.token = self.cookie.partition("=")[2]
        self.last = None
        self._stack = contextlib.ExitStack()
        self.socket = self._stack.enter_context(socket_of(url, "/facevis/seat", self.cookie))

    def hear(self, wanted=lambda message: True):
        """The next message that is wanted; that the server is there is said in between."""
        while True:
            message = json.loads(self.socket.recv(timeout=SECONDS))
            if message["type"] == "here":
                continue
            if message["type"] == "state":
                self.last = message
            if wanted(message):
                return message

    def state(self, wanted=lambda state: True):
        """The newest state, or the next one that is wanted."""
        if self.last is not None and wanted(self.last):
            return self.last
        return self.hear(lambda message: message["type"] == "state" and wanted(message))

    def vote(self, lesson, choice):
        self.socket.send(json.dumps({"type": "vote", "lesson": lesson, "choice": choice}))
        return self.hear(lambda message: message["type"] == "voted")["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        self._stack.close()


def enter(*place, **options):
    with socket_of(*place, **options):
        pass


def handshake(url, *headers):
    """A socket that asks to become a WebSocket, and says and hears no more by itself."""
    line = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=SECONDS)
    asked = [
        *("GET /facevis/seat HTTP/1.1", *headers, "Connection: Upgrade", "Upgrade: websocket"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""),
    ]
    line.sendall("\r\n".join(asked).encode())
    return line


def until(so):
    limit = time.monotonic() + SECONDS
    while not so():
        assert time.monotonic() < limit
        time.sleep(0.01)
