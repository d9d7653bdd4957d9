"""The command opens a classroom where it says, and listens nowhere else."""

import http.client
import re
import socket
import sys

import psutil
import pytest
import served
from classroom import ask

from facevis import cli
from facevis.classroom import room as rooming
from facevis.classroom.addresses import reachable
from facevis.classroom.limits import Limits
from facevis.ui.server import answer_at_once


def listening(port):
    """Where the process that listens on a port listens: address and port."""
    found = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    process = next(c.pid for c in found if c.laddr.port == port)
    family = {process, *(child.pid for child in psutil.Process(process).children(recursive=True))}
    return {(c.laddr.ip, c.laddr.port) for c in found if c.pid in family}


def test_without_a_classroom_only_loopback_listens(serve, tmp_path):
    command = ["-m", "facevis", "app", "--no-browser", "--runs", str(tmp_path), "--port"]
    with serve(*command) as app:
        assert listening(app.port) == {("127.0.0.1", app.port)}
        assert "join code" not in app.log.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no numbers for sockets")
def test_the_app_answers_to_no_name_that_is_not_this_machines(serve, tmp_path):
    with serve(*served.app(tmp_path)) as app:
        for host, status in ((f"127.0.0.1:{app.port}", 200), (f"other.example:{app.port}", 421)):
            connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)
            connection.request("GET", "/", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


def test_the_app_holds_no_small_message_back():
    """Streamlit's socket does, and a page needs a hundred answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answer_at_once()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as line:
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_classroom_opens_one_more_port_and_says_where_and_with_which_code(serve, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = ["-m", "facevis", "app", "--no-browser", "--runs", str(tmp_path), "--classroom"]
        command += ["--students-address", "127.0.0.1", "--students-port", str(port)]
        command += ["--votes", str(tmp_path / "votes.csv"), "--port"]
        with serve(*command) as app:
            said = app.log.read_text()
            places = listening(app.port)
            (students,) = {port for _, port in places} - {app.port}
            assert places == {("127.0.0.1", app.port), ("127.0.0.1", students)}
            assert f"Port {port} is in use; facevis listens on {students}." in said
            url = f"http://127.0.0.1:{students}"
            code = re.search(rf"Students come to {url}, join code (\w{{6}});", said)[1]
            assert f"facevis is at http://127.0.0.1:{app.port} " in said
            assert ask(url, "/facevis/join", body={"code": code}).status == 204
            assert ask(url, "/_stcore/health").status == 404
            assert ask(app.url, "/facevis/join", body={"code": code}).status in (404, 405)
    assert not re.search("Traceback|Exception", app.log.read_text())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--classroom", "--address", "0.0.0.0"], "address is 0.0.0.0, where students could reach"),
        (["--classroom", "--students-port", "0"], "students-port is 0; give a number from 1"),
        (["--classroom", "--students-address", "256.0.0.1"], "facevis cannot listen on"),
    ],
)
def test_what_cannot_be_opened_ends_in_one_sentence(options, sentence):
    with pytest.raises(SystemExit, match=re.escape(sentence)):
        cli.main(["app", "--no-browser", *options])
    assert rooming.current() is None


def test_an_impossible_limit_is_said_before_anything_listens():
    said = r"^limits.students is 0; give a whole number from 1 to 1000\.$"
    with pytest.raises(SystemExit, match=said):
        cli.main(["app", "--classroom", "--limits.students", "0"])


def test_every_option_has_a_help_text(capsys):
    with pytest.raises(SystemExit):
        cli.main(["app", "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    names = ["classroom, --no-classroom", "students-address STR", "students-port INT", "votes PATH"]
    names += [f"limits.{name.replace('_', '-')} INT" for name in Limits.__dataclass_fields__]
    for name in names:
        assert re.search(rf"--{re.escape(name)} [A-Z][^-]{{20,}}", said), name


def test_addresses_of_the_network_are_no_loopback_and_an_own_one_is_taken_as_it_is():
    assert all("127.0.0.1" not in address for address in reachable("0.0.0.0", 8600))
    assert reachable("127.0.0.1", 8600) == ["http://127.0.0.1:8600"]
    assert reachable("fd00::5", 8600) == ["http://[fd00::5]:8600"]
