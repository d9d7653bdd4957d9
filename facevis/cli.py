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
from facevis.data_command import Data
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
class Compare:
    """Train losses side by side over several seeds; a table, and files to take away."""

    out: Path
    """Folder for the files; files of other names in it stay as they are."""
    losses: tuple[str, ...] = ()
    """2 to 6 losses, a margin after a colon: arcface cosface:0.2 sphereface:1.5 combined:1,0.3,0.2
    triplet:0.2; left out, softmax triplet sphereface cosface arcface."""
    seeds: int = 5
    """How often each loss is trained, from other initial weights."""
    dataset: str = "digits"
    """Name of a dataset, or path of a folder or zip."""
    identities: int | None = 7
    """Number of classes in training."""
    unseen: int = 3
    """Number of classes beside those that are never trained on."""
    images_per_class: int | None = None
    """Training images per class; the others are held out. Left out, all train."""
    dim: tuple[int, ...] = (2,)
    """Dimension of the embeddings, one for all losses; pictures need 2 or 3."""
    scale: float | None = None
    """Scale s, one for all losses; left out, 8 in three dimensions, else 24."""
    steps: int = 1000
    """Training steps."""
    seed: int = 0
    """The first seed; it also deals out images and batches."""
    sweep: str | None = None
    """Instead of losses: one value to sweep, m1, m2, m3 or scale."""
    low: Annotated[float, tyro.conf.arg(name="from")] = 0.0
    """First value of the sweep."""
    high: Annotated[float, tyro.conf.arg(name="to")] = 1.0
    """Last value of the sweep."""
    count: int = 21
    """How many values the sweep has."""
    formats: tuple[str, ...] = ("png", "csv")
    """What to write: png svg csv gif mp4."""
    lang: str = "en"
    """Language of table and pictures, en or ru."""
    theme: str = "light"
    """Colours of the pictures, light or dark."""

    def run(self) -> None:
        """Train, write and print; every fault ends in one sentence."""
        # PyTorch is loaded for those who train only.
        from facevis.compare import Order, compare, configured

        order = Order(self.seeds, self.out, self.formats, self.lang, self.theme)
        try:
            config = configured(
                losses=self.losses,
                dim=self.dim,
                scale=self.scale,
                sweep=(self.sweep, self.low, self.high, self.count) if self.sweep else None,
                dataset=self.dataset,
                identities=self.identities,
                unseen=self.unseen,
                images_per_class=self.images_per_class,
                steps=self.steps,
                seed=self.seed,
            )
            compare(config, order)
        except ValueError as error:
            raise SystemExit(str(error)) from error
        except KeyboardInterrupt as error:
            raise SystemExit("Stopped; files that were written until then are whole.") from error


@dataclass(frozen=True)
class Evaluate:
    """Try a model on people it never saw: verification and identification, a table and files."""

    model: Annotated[Path, tyro.conf.Positional]
    """The folder of a training run, weights (.pth, .pt, .safetensors), an .onnx file, or a
    recording of facevis (.npz, saved with its state)."""
    out: Path
    """Folder for the files; files of other names in it stay as they are."""
    folder: Path | None = None
    """Pictures, one subfolder for each person; left out with --pairs, a recording is tried on its
    own unseen identities."""
    pairs: Path | None = None
    """A list (lines "path path 1" or 0, or LFW's pairs.txt), or a verification set (.bin)."""
    root: Path | None = None
    """Where the paths of the list begin; left out, its own folder."""
    step: int | None = None
    """Which checkpoint of a run; left out, the last."""
    backbone: str | None = None
    """The network that weights are of: iresnet18, iresnet34, iresnet50, iresnet100, iresnet200,
    mobilefacenet, vit_t, vit_s or vit_b."""
    device: str | None = None
    """Where a run or weights are computed: auto (default), cpu or cuda."""
    size: int | None = None
    """Side of the pictures of an .onnx model that takes any; left out, 112. One that facevis
    wrote says this and the next three itself."""
    channels: str | None = None
    """Order of the colours of an .onnx model, rgb (default) or bgr."""
    mean: float | None = None
    """An .onnx model sees (x − mean) / std, pixels x from 0 to 255; default 127.5."""
    std: float | None = None
    """The other half of it; default 127.5."""
    flip: bool = False
    """Add to every embedding that of the picture's mirror image, as LFW-style protocols do."""
    formats: tuple[str, ...] = ("png", "csv", "json")
    """What to write: png svg csv json."""
    lang: str = "en"
    """Language of table and pictures, en or ru."""
    theme: str = "light"
    """Colours of the pictures, light or dark."""

    def run(self) -> None:
        """Measure, write and print; every fault ends in one sentence."""
        # PyTorch is loaded for those who evaluate only.
        from facevis.embedders import OnnxOptions
        from facevis.evaluate import Order, evaluate
        from facevis.fullscale.embedding import NetworkOptions

        order = Order(
            model=self.model,
            folder=self.out,
            people=self.folder,
            pairs=self.pairs,
            root=self.root,
            flip=self.flip,
            onnx=OnnxOptions(self.size, self.channels, self.mean, self.std),
            network=NetworkOptions(self.backbone, self.step, self.device),
            formats=self.formats,
            language=self.lang,
            theme=self.theme,
        )
        try:
            evaluate(order)
        except ValueError as error:
            raise SystemExit(str(error)) from error
        except KeyboardInterrupt as error:
            raise SystemExit("Stopped; files that were written until then are whole.") from error


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
    raise SystemExit(f"ports {wanted} to {last} on {address} are all taken; name a free --{name}.")


def shipped(name: str) -> Path:
    """A file beside ``assets``: in a checkout at the top, in a wheel among the assets.

    >>> shipped("app.py").is_file(), shipped(".streamlit/config.toml").is_file()
    (True, True)
    """
    inside = asset_path(name)
    return inside if inside.exists() else asset_path().parent / name
