"""Starting a run: here, as several processes, or as this machine's part of many.

One process needs no launcher. Several are started by PyTorch's elastic agent, which is what
torchrun is. It knows folders, processes and ports; it does not know what is trained.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from facevis.fullscale import runs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.processes import device_of
from facevis.validation import whole

_PORT = 29400
TRAIN = "facevis.fullscale.train"


@dataclass(frozen=True)
class Machines:
    """Over how many processes and machines a run goes."""

    nproc: int = 1
    """Processes on this machine."""
    nodes: int = 1
    """Machines; start the same command on each."""
    rendezvous: str = ""
    """host:port of the machine that the others meet at; needed with more than one."""
    node: int = 0
    """Number of this machine, 0 for the one that the others meet at."""
    job: str = "facevis"
    """Name of the meeting, where several runs meet at one address."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        whole("nproc", self.nproc, 1, 1024)
        whole("nodes", self.nodes, 1, 4096)
        whole("node", self.node, 0, self.nodes - 1)
        if self.nodes > 1 and not self.rendezvous:
            raise ValueError(
                f"{self.nodes} machines need a place to meet; name the first machine on each of "
                "them, --rendezvous HOST:29400."
            )


def launch(folder: Path, machines: Machines) -> None:
    """Train the prepared run of a folder; ``ValueError`` in words where it cannot begin or dies."""
    check(runs.read_config(folder), machines)
    if machines.nproc == machines.nodes == 1:
        from facevis.fullscale.train import train

        train(folder)
        return
    launch_processes(folder, machines)


def check(config: FullScaleConfig, machines: Machines) -> None:
    """Refuse what these machines cannot train, before a folder is made for it."""
    config.check(machines.nproc * machines.nodes)
    for place in range(machines.nproc):
        device_of(config, place, machines.nproc)


def launch_processes(folder: Path, machines: Machines, module: str = TRAIN) -> None:
    """Run a module with the folder of a run as its argument, in each of several processes."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    host, port = _meeting_place(machines)
    if host and machines.node == 0:
        _check_free(host, port)
    _prepare_environment(machines)
    settings = LaunchConfig(
        min_nodes=machines.nodes,
        max_nodes=machines.nodes,
        nproc_per_node=machines.nproc,
        run_id=machines.job,
        rdzv_backend="c10d",
        rdzv_endpoint=f"{host or 'localhost'}:{port}",
        rdzv_configs={"is_host": machines.node == 0} if host else {},
        max_restarts=0,
        start_method="spawn",
    )
    for name in list(logging.root.manager.loggerDict):  # each has a level of its own
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    command = [sys.executable, "-m", module, str(folder)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            elastic_launch(settings, command[0])(*command[1:])
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode == 2:  # said by the process itself
            raise SystemExit(2) from error
        raise ValueError(
            f"a process of the run ended without a word (exit code {failure.exitcode}); if it was "
            "killed, memory may have run out. Go on with: "
            f"facevis train resume {folder} --nproc {machines.nproc}"
        ) from error
    except SignalException as error:
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from error
        raise SystemExit(128 + int(error.sigval)) from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"the processes of the run did not find each other ({reason}); check "
            "--rendezvous, and that nothing else listens there."
        ) from error


def _meeting_place(machines: Machines) -> tuple[str, int]:
    """Host and port; no host and any free port on one machine."""
    if not machines.rendezvous:
        return "", 0
    host, _, port = machines.rendezvous.rpartition(":")
    if not host:
        host, port = machines.rendezvous, str(_PORT)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(
            f"rendezvous is {machines.rendezvous!r}; give HOST:PORT, such as 10.0.0.1:{_PORT}."
        )
    return host, int(port)


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host.strip("[]"), port), family=family):
            pass
    except OSError as error:
        raise ValueError(
            f"this machine cannot listen on {host}:{port} ({error.strerror}); the port is in use, "
            "or the address is another machine's: choose another port with --rendezvous, or give "
            "this machine its number with --node."
        ) from error


def _prepare_environment(machines: Machines) -> None:
    threads = max(1, (os.cpu_count() or 1) // machines.nproc)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if sys.platform == "win32":  # PyTorch for Windows is built without libuv
        os.environ.setdefault("USE_LIBUV", "0")
    if machines.nodes == 1 and not torch.cuda.is_available():
        # gloo would look up this machine's name, which many laptops do not resolve.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "")
    if not os.environ.get("GLOO_SOCKET_IFNAME"):
        os.environ.pop("GLOO_SOCKET_IFNAME", None)
