"""The command line: ``facevis app`` opens the app, from a checkout or from an installed wheel."""

from __future__ import annotations

import socket
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from facevis import __version__
from facevis.assets import asset_path

_PORTS_TRIED = 20


@dataclass(frozen=True)
class App:
    """Open the app in the browser."""

    port: int = 8501
    """Port to listen on; if it is taken, the next free one."""
    address: str = "127.0.0.1"
    """Address to listen on; the default is this machine only."""
    browser: bool = True
    """Whether to open a browser window."""

    def run(self) -> None:
        """Serve until interrupted."""
        if not 1 <= self.port <= 65535:
            raise SystemExit(f"port is {self.port}; give a number from 1 to 65535.")
        port = free_port(self.address, self.port)
        if port != self.port:
            print(f"Port {self.port} is in use; facevis listens on {port}.")
        script, config = _shipped("app.py"), _shipped("streamlit.toml")
        from streamlit.web.cli import main as streamlit  # a second of imports only this needs

        sys.argv = ["streamlit", "run", str(script), *flags(config.read_text(encoding="utf-8"))]
        sys.argv += [f"--server.port={port}", f"--server.address={self.address}"]
        sys.argv += [f"--server.headless={str(not self.browser).lower()}"]
        streamlit()


@dataclass(frozen=True)
class Version:
    """Print the version."""

    def run(self) -> None:
        """Print it."""
        print(f"facevis {__version__}")


Command = (
    Annotated[App, tyro.conf.subcommand("app")]
    | Annotated[Version, tyro.conf.subcommand("version")]
)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of ``facevis``."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--version"]:
        arguments = ["version"]
    command: App | Version = tyro.cli(
        Command,  # type: ignore[arg-type]
        args=arguments,
        prog="facevis",
        description="Margins on the hypersphere, live.",
    )
    command.run()


def free_port(address: str, wanted: int) -> int:
    """The first free port from ``wanted`` on."""
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise SystemExit(f"ports {wanted} to {port} on {address} are all in use; name a free --port.")


def flags(config: str) -> list[str]:
    """The settings of a Streamlit config.toml as command-line flags.

    >>> flags('[server]\\naddress = "127.0.0.1"\\n[theme.dark]\\nprimaryColor = "red"')
    ['--server.address=127.0.0.1', '--theme.dark.primaryColor=red']
    """

    def walk(table: dict, prefix: str) -> list[str]:
        found = []
        for name, value in table.items():
            if isinstance(value, dict):
                found += walk(value, f"{prefix}{name}.")
            else:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                found.append(f"--{prefix}{name}={text}")
        return found

    return walk(tomllib.loads(config), "")


def _shipped(name: str) -> Path:
    """app.py and Streamlit's settings: inside the wheel among the assets, else in the checkout."""
    inside = asset_path(name)
    if inside.exists():
        return inside
    checkout = asset_path().parent
    return checkout / (name if name == "app.py" else ".streamlit/config.toml")
