"""The command line: ``facevis app`` opens the app, ``facevis compare`` trains losses side by side,
``facevis data`` looks into face sets and converts them, ``facevis evaluate`` tries models on
strangers, ``facevis export`` writes networks and lessons as files, ``facevis train`` trains face
networks.

The app's settings (no usage statistics, no prompts) lie beside app.py, where Streamlit prefers them
to those of the working directory; address and port are always named. It knows no page.
"""

from __future__ import annotations

import errno
import os
import runpy
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from facevis import __version__
from facevis.arguments import command_of
from facevis.assets import asset_path
from facevis.classroom.limits import Limits, enforce
from facevis.compare_command import Compare
from facevis.data_command import Data
from facevis.evaluate_command import Evaluate
from facevis.export_command import Export
from facevis.fullscale import jobs
from facevis.train_command import Training

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
    runs: Path = Path("runs")
    """Folder of the runs that the app starts and shows."""
    classroom: bool = False
    """Let a class in: students on the local network follow, vote and look, with a join code. The
    app itself stays on this machine."""
    students_address: str = "0.0.0.0"
    """Address that students' browsers come to; the default is all of this machine's."""
    students_port: int = 8600
    """Port that they come to; if it is taken, the next free one."""
    votes: Path = Path("votes.csv")
    """Table to which every vote is added, for the next year; with a classroom only."""
    limits: Limits = field(default_factory=Limits)

    def run(self) -> None:
        """Serve until interrupted."""
        enforce(self.limits)
        if self.classroom and not self.address.startswith("127.") and self.address != "::1":
            raise SystemExit(
                f"address is {self.address}, where students could reach the whole app; in a "
                "classroom leave it at 127.0.0.1 and say --students-address."
            )
        port = self._port(self.address, "port", self.port)
        os.environ["FACEVIS_RUNS"] = str(self.runs.absolute())
        jobs.tidy(self.runs.absolute())
        if self.classroom:
            self._open_classroom(port)
        host = f"[{self.address}]" if ":" in self.address else self.address
        print(f"facevis is at http://{host}:{port} (Ctrl+C ends it).", flush=True)
        sys.argv = ["streamlit", "run", str(shipped("app.py"))]
        sys.argv += [f"--server.port={port}", f"--server.address={self.address}"]
        sys.argv += [f"--server.headless={str(not self.browser).lower()}"]
        # The same as `python -m streamlit run`: the command line knows Streamlit as a command only.
        runpy.run_module("streamlit", run_name="__main__", alter_sys=False)

    def _port(self, address: str, name: str, wanted: int, taken: int = 0) -> int:
        if not 1 <= wanted <= 65535:
            raise SystemExit(f"{name} is {wanted}; give a number from 1 to 65535.")
        port = free_port(address, wanted, name, taken)
        if port != wanted:
            print(f"Port {wanted} is in use; facevis listens on {port}.", flush=True)
        return port

    def _open_classroom(self, taken: int) -> None:
        """Listen to students, and say where; they are answered when the app runs.

        ``taken`` is the app's own port, on which nobody listens yet.
        """
        # PyTorch is loaded for those who serve only.
        from facevis.classroom import room, serving

        port = self._port(self.students_address, "students-port", self.students_port, taken)
        classroom = room.open_classroom(self.limits, self.votes.absolute())
        if hasattr(signal, "SIGHUP"):  # a terminal that is closed ends the lecture like Ctrl+C
            signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        server = serving.StudentsServer(classroom, self.students_address, port)
        serving.appoint(server)
        places = " or ".join(classroom.addresses) or f"port {port}, but no network was found"
        code = classroom.door.code
        print(f"Students come to {places}, join code {code}; votes: {self.votes}.", flush=True)


@dataclass(frozen=True)
class Version:
    """Print the version."""

    def run(self) -> None:
        """Print it."""
        print(f"facevis {__version__}")


Command = (
    Annotated[App, tyro.conf.subcommand("app")]
    | Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Data, tyro.conf.subcommand("data")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Export, tyro.conf.subcommand("export")]
    | Annotated[Training, tyro.conf.subcommand("train")]
    | Annotated[Version, tyro.conf.subcommand("version")]
)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of ``facevis``."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--version"]:
        arguments = ["version"]
    command: App | Compare | Data | Evaluate | Export | Training | Version
    command = command_of(Command, arguments, "facevis", "Margins on the hypersphere, live.")
    command.run()


def free_port(address: str, wanted: int, name: str = "port", taken: int = 0) -> int:
    """The first port from ``wanted`` on that can be listened on, and is not ``taken``."""
    last = min(wanted + _PORTS_TRIED, 65536) - 1
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in range(wanted, last + 1):
        if port == taken:
            continue
        try:
            # Unlike a bare bind, this also takes a port whose last connections still fade away.
            with socket.create_server((address, port), family=family):
                return port
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise SystemExit(
                    f"facevis cannot listen on {address!r}; name an address of this machine, "
                    f"such as --{name.replace('port', 'address')} 127.0.0.1."
                ) from error
    raise SystemExit(
        f"ports {wanted} to {last} on {address} are all taken or forbidden; name a free --{name}."
    )


def shipped(name: str) -> Path:
    """A file beside ``assets``: in a checkout at the top, in a wheel among the assets.

    >>> shipped("app.py").is_file(), shipped(".streamlit/config.toml").is_file()
    (True, True)
    """
    inside = asset_path(name)
    return inside if inside.exists() else asset_path().parent / name
