"""Whatever is sent to the room, by whoever: a sentence comes back, and nothing has happened."""

import pytest
from classroom import SECONDS, Student, ask, classroom, join, socket_of
from classroom_noise import many, messages, sentence, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from facevis.classroom import connections, seat, serving
from facevis.classroom.messages import LARGEST, parse_vote
from facevis.classroom.seats import SOCKETS


@pytest.fixture(scope="module")
def voting(tmp_path_factory):
    """A room in the midst of a vote, with patience for one who sends without end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seat, "MESSAGES_AT_ONCE", 10**9)
        patch.setattr(connections, "BYTES_AT_ONCE", 10**9)
        # A ping draws a number, and hypothesis takes that for one of its own strategies'.
        patch.setattr(serving, "PING_SECONDS", 10**6)
        with classroom(tmp_path_factory.mktemp("room")) as (room, url):
            room.show_lesson(7, "en")
            room.act(7, "open")
            with Student(url, room) as student:
                student.state()
                yield room, url, student


def no_vote(text):
    try:
        return parse_vote(text) is None
    except ValueError:
        return True


@given(sent=messages)
@settings(many, max_examples=50)
def test_three_thousand_messages_over_a_socket_have_no_effect(voting, sent):
    room, _, student = voting
    before = room.state(student.token), room.overview(), room.door.code
    sent = [text for text in sent if no_vote(text)]
    for number, text in enumerate(sent):
        # A quarter of them as bytes, which no message of ours is.
        student.socket.send(text.encode("utf-8", "replace") if number % 4 == 0 else clean(text))
    for _ in sent:
        answer = student.hear()
        assert answer["type"] == "error"
        assert sentence(answer["message"])
    assert (room.state(student.token), room.overview(), room.door.code) == before


def clean(text):
    """Halves of letters cannot be sent over a socket."""
    return text.encode("utf-8", "replace").decode()


def test_after_all_of_it_the_room_goes_on(voting):
    room, url, student = voting
    with Student(url, room) as other:
        assert other.state()["poll"]["total"] == 0
        assert other.vote(7, 1) == "counted"
    assert student.state(lambda state: state["poll"]["total"] == 1)


@given(
    path=st.sampled_from(["/facevis/join", "/facevis/try"]),
    body=st.binary(max_size=300) | texts.map(lambda text: text.encode("utf-8", "replace")),
)
@settings(many, max_examples=150)
def test_any_form_is_answered_and_lets_nobody_in(voting, path, body):
    _, url, student = voting
    answer = ask(url, path, body=body, cookie=student.cookie if path.endswith("try") else None)
    assert answer.status in (400, 403, 429)
    assert "Set-Cookie" not in answer.headers


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
@settings(many, max_examples=150)
def test_any_cookie_is_nobodys(voting, cookie):
    _, url, _ = voting
    assert ask(url, "/facevis/joined", cookie=f"facevis_seat={cookie}").status == 200


@pytest.mark.parametrize("size", [LARGEST + 1, 4000])
def test_a_long_message_is_answered_in_words(voting, size):
    student = voting[2]
    student.socket.send("x" * size)
    assert student.hear()["message"] == (
        f"the message is longer than {LARGEST} bytes; send a shorter one."
    )


@pytest.mark.parametrize("text", ["x" * 5000, b"x" * 100_000, "ы" * 3000])
def test_a_longer_one_ends_the_socket_and_nothing_else(voting, text):
    room, url, _ = voting
    with Student(url, room) as loud:
        loud.state()
        loud.socket.send(text)
        with pytest.raises(ConnectionClosed) as closed:
            loud.hear()
    assert closed.value.rcvd.code == 1009
    assert ask(url, "/").status == 200


@pytest.mark.parametrize("body", [b"x" * 5000, b"x" * 1_000_000])
def test_a_long_form_is_not_read(voting, body):
    answer = ask(voting[1], "/facevis/join", body=body)
    assert answer.status == 400
    assert "longer than" in answer.json()["error"]


def test_who_sends_too_fast_is_cut_off_and_may_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(seat, "MESSAGES_AT_ONCE", 20)
    with classroom(tmp_path) as (room, url):
        room.show_lesson(7, "en")
        with Student(url, room) as loud:
            loud.state()
            with pytest.raises(ConnectionClosed) as closed:
                send_without_end(loud)
        assert closed.value.rcvd.code == seat.TOO_FAST
        with Student(url, room, loud.cookie) as again:
            assert again.state()["scene"]["number"] == 7


def send_without_end(student):
    while True:
        student.vote(7, 0)


def test_a_socket_without_a_known_cookie_is_told_to_join(voting):
    for cookie in ("", "facevis_seat=" + "A" * 24):
        with socket_of(voting[1], "/facevis/seat", cookie) as line:
            with pytest.raises(ConnectionClosed) as closed:
                line.recv(timeout=SECONDS)
            assert closed.value.rcvd.code == seat.UNKNOWN


def test_one_browser_does_not_open_windows_without_end(voting):
    room, url, _ = voting
    cookie = join(url, room)
    windows = [Student(url, room, cookie) for _ in range(SOCKETS + 1)]
    with pytest.raises(ConnectionClosed) as closed:
        windows[-1].hear()
    assert closed.value.rcvd.code == seat.TOO_MANY
    for window in windows:
        window.leave()
