"""The students' server: who comes in, and that nothing is there but what students need."""

import json
import re
import socket

import pytest
from classroom import SECONDS, ask, classroom, enter, handshake, join
from websockets.exceptions import InvalidStatus

from facevis.classroom import handouts, routes
from facevis.classroom.guard import HEADERS


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One room for tests that leave it as it was."""
    with classroom(tmp_path_factory.mktemp("room")) as opened:
        yield opened


@pytest.fixture
def own(tmp_path):
    """A room of a test's own."""
    with classroom(tmp_path) as opened:
        yield opened


# -- coming in ----------------------------------------------------------------------------------


def test_the_page_carries_the_words_of_both_languages_and_nothing_ends_its_script(shared):
    answer = ask(shared[1], "/")
    page = answer.body.decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    found = re.search(r'<script type="application/json" id="words">(.*?)</script>', page, re.DOTALL)
    words = json.loads(found[1])
    assert set(words) == {"en", "ru"}
    assert words["ru"]["live_room_join"] != words["en"]["live_room_join"]
    assert "<" not in found[1]


def test_no_word_can_end_the_script_that_carries_it(monkeypatch):
    word = "</script><script>alert(1)</script>\u2028<!--"
    monkeypatch.setattr(handouts, "browser_strings", lambda language: {"live_x": word})
    page = handouts.shell().data.decode()
    carried = re.search(r'id="words">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(carried)["en"] == {"live_x": word}
    assert "<" not in carried
    assert "\u2028" not in carried


def test_the_code_opens_the_door_and_the_cookie_is_for_the_server_alone(shared):
    room, url = shared
    answer = ask(url, "/facevis/join", body={"code": room.door.code.lower()})
    assert (answer.status, answer.body) == (204, b"")
    name, *rules = answer.headers["Set-Cookie"].split("; ")
    assert re.fullmatch(r"facevis_seat=[\w-]{24}", name)
    assert {rule.lower() for rule in rules} == {"httponly", "path=/", "samesite=strict"}
    assert ask(url, "/facevis/joined", cookie=name).status == 204
    assert ask(url, "/facevis/joined").json() == {"joined": False}
    assert ask(url, "/facevis/joined", cookie="facevis_seat=" + "A" * 24).status == 200


def test_who_has_a_cookie_keeps_it(shared):
    room, url = shared
    cookie = join(url, room)
    answer = ask(url, "/facevis/join", cookie=cookie, body={"code": room.door.code})
    assert answer.status == 204
    assert "Set-Cookie" not in answer.headers


def test_a_wrong_code_is_refused_and_many_are_slowed_down(own):
    room, url = own
    answers = [ask(url, "/facevis/join", body={"code": "WRONG"}) for _ in range(11)]
    assert [answer.status for answer in answers] == [403] * 10 + [429]
    assert answers[0].json() == {"error": "code"}
    assert answers[-1].json() == {"error": "slow"}
    assert ask(url, "/facevis/join", body={"code": room.door.code}).status == 429
    assert all("Set-Cookie" not in answer.headers for answer in answers)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"code": 5}', b'{"code": "' + b"A" * 2000 + b'"}', b"\xff" * 99]
)
def test_a_form_that_is_none_is_answered_in_words(shared, body):
    answer = ask(shared[1], "/facevis/join", body=body)
    assert answer.status == 400
    assert answer.json()["error"].endswith(".")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "x" * 300, "a b"])
def test_a_host_that_is_no_address_of_this_machine_is_refused(shared, host):
    answer = ask(shared[1], "/", Host=host)
    assert answer.status == 421 if host else answer.status in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8600", "[::1]:8600", "10.1.2.3:80"])
def test_an_address_is_answered(shared, host):
    assert ask(shared[1], "/", Host=host).status == 200


def test_a_page_of_another_origin_is_refused(shared):
    room, url = shared
    cookie = join(url, room)
    for path in ("/facevis/seat", "/facevis/stream/x"):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
            with pytest.raises(InvalidStatus) as refused:
                enter(url, path, cookie, origin=origin)
            assert refused.value.response.status_code == 403
    form = {"code": room.door.code}
    assert ask(url, "/facevis/join", body=form, Origin="http://evil.example").status == 403
    assert ask(url, "/facevis/join", body=form, Origin=url).status == 204


def test_a_socket_meant_for_another_host_is_refused(shared):
    for host, status in (("evil.example", b" 403 "), ("127.0.0.1", b" 101 ")):
        with handshake(shared[1], f"Host: {host}") as line:
            assert status in line.recv(4096).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "path", ["/", "/facevis/joined", "/facevis/web/live.js", "/nowhere", "/facevis/lesson/1.json"]
)
def test_every_answer_tells_browsers_what_they_may_do(shared, path):
    answer = ask(shared[1], path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    # Nothing but this machine's own; Plotly builds functions of text, pictures come as data too.
    assert rules["default-src"] == rules["connect-src"] == rules["form-action"] == "'self'"
    assert rules["script-src"] == "'self' 'unsafe-eval'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["object-src"] == "'none'"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "uvicorn" not in str(answer.headers).lower()


def test_a_lesson_of_thousands_of_digits_is_no_place(shared):
    assert ask(shared[1], f"/facevis/lesson/{'9' * 6000}.json").status == 404


# -- files --------------------------------------------------------------------------------------


def test_all_that_the_page_needs_is_there(shared):
    _, url = shared
    for path in ("web/live.js", "web/classroom/student.js", "web/lesson/page.js"):
        answer = ask(url, f"/facevis/{path}")
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/javascript")
    plotly = ask(url, "/facevis/plotly/plotly.min.js", Accept_Encoding="gzip")
    assert plotly.headers["Content-Encoding"] == "gzip"
    assert len(plotly.body) < 2_000_000
    assert ask(url, "/facevis/tapes/triplet.tape").body.startswith(b"\x1f\x8b")


def test_a_file_that_is_known_is_not_sent_again(shared):
    _, url = shared
    first = ask(url, "/facevis/web/live.js")
    again = ask(url, "/facevis/web/live.js", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


OUTSIDE = [
    *(
        "../app.py",
        "../../app.py",
        "../strings/en.toml",
        "..%2fstrings%2fen.toml",
        "%2e%2e/strings",
    ),
    *(
        "..\\strings\\en.toml",
        "..%5cstrings%5cen.toml",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc/passwd",
    ),
    *(
        "",
        ".",
        "./live.js/../../strings/en.toml",
        "live.js%00.txt",
        "lesson",
        "lesson/",
        "%c0%ae%c0%ae/",
    ),
    *(
        "classroom/../../strings/en.toml",
        "C:%5cWindows%5cwin.ini",
        "file:///etc/passwd",
        "live.js/",
    ),
]


@pytest.mark.parametrize("part", ["web", "tapes", "plotly"])
def test_no_path_reaches_a_file_outside_the_table(shared, part):
    for outside in OUTSIDE:
        answer = ask(shared[1], f"/facevis/{part}/{outside}")
        assert answer.status in (400, 404), outside
        assert b"import" not in answer.body


def test_the_table_holds_what_is_in_three_folders_and_nothing_else():
    kinds = {name.partition("/")[0] for name in handouts.files()}
    assert kinds == {"web", "tapes", "plotly"}
    suffixes = {path.suffix for path in handouts.files().values()}
    assert suffixes <= {".js", ".css", ".html", ".tape"}


@pytest.mark.parametrize(
    "path",
    [
        *("/facevis/desk/x", "/facevis/notes/en", "/facevis/qr.svg?text=a", "/_stcore/health"),
        *("/facevis/runs/x/openset.json", "/facevis/training/x.json", "/_stcore/upload_file/a/b"),
        *("/_stcore/stream", "/media/x", "/facevis/uploads", "/docs", "/openapi.json"),
    ],
)
def test_what_is_the_lecturers_is_not_here(shared, path):
    room, url = shared
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = ask(url, path, method=method, body=b"{}", cookie=join(url, room))
        assert answer.status in (404, 405)


def test_a_form_that_breaks_off_harms_nothing(shared, caplog):
    room, url = shared
    for part in (b"", b'{"co'):
        line = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        head = b"POST /facevis/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30\r\n\r\n"
        line.sendall(head + part)
        line.close()
    assert ask(url, "/facevis/join", body={"code": room.door.code}).status == 204
    assert "Traceback" not in caplog.text


def test_a_form_that_does_not_come_is_not_waited_for(shared, monkeypatch):
    monkeypatch.setattr(routes, "BODY_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", int(shared[1].rpartition(":")[2]))) as line:
        head = "POST /facevis/join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30\r\n\r\n"
        line.sendall(head.encode())
        line.settimeout(SECONDS)
        assert line.recv(4096).startswith(b"HTTP/1.1 400 ")
