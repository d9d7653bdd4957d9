"""The command line serves the app on this machine alone, from any folder, or says why not."""

import re
import socket
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from facevis import __version__, cli

ROOT = Path(__file__).parents[1]


def test_version_is_printed(capsys):
    cli.main(["--version"])
    assert capsys.readouterr().out == f"facevis {__version__}\n"


def test_python_dash_m_is_the_command_line(tmp_path):
    command = [sys.executable, "-m", "facevis", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == f"facevis {__version__}\n"


def test_a_taken_port_gives_way_to_the_next_free_one():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port < cli.free_port("127.0.0.1", port) <= port + 20


def test_a_free_port_is_kept():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert cli.free_port("127.0.0.1", port) == port


def test_taken_ports_end_in_one_sentence(monkeypatch):
    monkeypatch.setattr(cli, "_PORTS_TRIED", 1)
    flag = "students-port"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = f"{port} on 127.0.0.1 are all taken or forbidden; .+ --{flag}"
        with pytest.raises(SystemExit, match=words):
            cli.free_port("127.0.0.1", port, flag)


def test_students_get_another_port_than_the_app_which_does_not_listen_yet():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert port < cli.free_port("127.0.0.1", port, taken=port) <= port + 20


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_an_impossible_port_is_named(port):
    with pytest.raises(SystemExit, match=f"port is {port}; give a number"):
        cli.main(["app", "--port", port])


def test_an_address_of_no_machine_is_named():
    with pytest.raises(SystemExit, match=r"cannot listen on .+; name an address"):
        cli.main(["app", "--address", "256.0.0.1"])


def test_the_shipped_settings_keep_the_app_private_and_the_trainer_fast():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["showEmailPrompt"] is False
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["runner"]["postScriptGC"] is False
    assert settings["logger"]["hideWelcomeMessage"] is True


@pytest.fixture(scope="module")
def elsewhere(serve, tmp_path_factory):
    """The app, started from a folder and a home without settings."""
    folder = tmp_path_factory.mktemp("elsewhere")
    home = {"HOME": str(folder), "USERPROFILE": str(folder)}
    command = ["-m", "facevis", "app", "--no-browser", "--port"]
    with serve(*command, cwd=folder, environment=home) as app:
        yield app


def test_the_app_runs_from_a_folder_without_settings(elsewhere):
    with urllib.request.urlopen(f"{elsewhere.url}/facevis/web/live.js", timeout=10) as answer:
        assert answer.status == 200


def test_the_app_asks_for_nothing_announces_no_statistics_and_knows_its_settings(elsewhere):
    unwanted = r"usage stat|e-?mail|not a valid config option"
    said = elsewhere.log.read_text()
    assert not re.search(unwanted, said, re.IGNORECASE)
    assert f"facevis is at http://127.0.0.1:{elsewhere.port} " in said


def test_with_a_browser_nothing_of_streamlits_own_lies_over_the_page(
    serve, browser, tmp_path_factory
):
    """As ``make app`` runs it, for a developer whose tools Streamlit would advertise for."""
    home = tmp_path_factory.mktemp("home")
    (home / ".agents").mkdir()
    silent = {"HOME": str(home), "USERPROFILE": str(home), "BROWSER": "true"}
    with serve("-m", "facevis", "app", "--port", environment=silent) as app:
        page = browser.new_page()
        page.goto(app.url)
        page.wait_for_function("window.__facevis?.at(-1)?.frames > 0")
        page.wait_for_timeout(3000)
        assert page.locator(".stSkillsNudge, .stToast").count() == 0
        page.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc/net")
def test_the_app_listens_on_loopback_only(elsewhere):
    ours = [address for address, port in _listening() if port == elsewhere.port]
    assert ours == ["0100007F"]  # 127.0.0.1 as Linux writes it


def _listening():
    """Address and port of every listening TCP socket, hexadecimal address first."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            local, state = line.split()[1], line.split()[3]
            address, _, port = local.partition(":")
            if state == "0A":
                yield address, int(port, 16)
