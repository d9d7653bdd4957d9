"""``facevis train``: recipes by name, every field of theirs as a flag, and taking a run up again.

It is light: PyTorch is loaded when training begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

import tyro

from facevis.arguments import in_one_sentence
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.recipes import RECIPES

_STOPPED = "Stopped; go on with: facevis train resume {}"


@dataclass(frozen=True)
class Train:
    """Train a face network."""

    config: Annotated[FullScaleConfig, tyro.conf.arg(name="")]
    out: Path | None = None
    """Folder of the run; left out, runs/NAME. A run of the same settings there is gone on with."""
    nproc: int = 1
    """Processes on this machine."""
    nodes: int = 1
    """Machines; start the same command on each."""
    node: int = 0
    """Number of this machine, 0 for the one that the others meet at."""
    rendezvous: str = ""
    """HOST:PORT of the machine that the others meet at; needed with more than one."""
    prepare: bool = False
    """Only write the folder of the run, to start it with torchrun or a scheduler."""

    def run(self) -> None:
        """Prepare the folder and train; every fault ends in one sentence."""
        folder = self.out or Path("runs") / self.config.recipe
        with in_one_sentence(_STOPPED.format(folder)):
            self._train(folder)

    def _train(self, folder: Path) -> None:
        from facevis.fullscale.heads import rule_of
        from facevis.fullscale.launch import Machines, check, launch
        from facevis.fullscale.runs import prepare

        machines = Machines(self.nproc, self.nodes, self.rendezvous, self.node)
        rule_of(self.config.head)  # the limits of margins are known there
        self.config.check(self.nproc * self.nodes)
        if not self.prepare:
            check(self.config, machines)
        prepare(folder, self.config)
        if self.prepare:
            print(
                f"{folder} is prepared; start it with: torchrun --nproc-per-node N "
                f"-m facevis.fullscale.train {folder}"
            )
            return
        if self.nodes == 1 and _is_finished(folder):
            return
        print(self.config.to_json())
        launch(folder, machines)


@dataclass(frozen=True)
class Resume:
    """Go on with a run from its last checkpoint, on any number of processes."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Folder of the run."""
    nproc: int = 1
    """Processes on this machine."""
    nodes: int = 1
    """Machines; start the same command on each."""
    node: int = 0
    """Number of this machine, 0 for the one that the others meet at."""
    rendezvous: str = ""
    """HOST:PORT of the machine that the others meet at; needed with more than one."""

    def run(self) -> None:
        """Train on; every fault ends in one sentence."""
        with in_one_sentence(_STOPPED.format(self.folder)):
            self._train(self.folder)

    def _train(self, folder: Path) -> None:
        from facevis.fullscale.launch import Machines, launch

        machines = Machines(self.nproc, self.nodes, self.rendezvous, self.node)
        if self.nodes == 1 and _is_finished(folder):
            return
        launch(folder, machines)


def _is_finished(folder: Path) -> bool:
    """Whether nothing is left to do; that is said."""
    from facevis.fullscale.standing import last_entries

    events = [entry for entry in last_entries(folder) if entry["kind"] == "event"]
    done = bool(events) and events[-1].get("event") == "finished"
    if done:
        print(f"{folder} is finished: all its {events[-1]['step']} steps are done.")
    return done


def _recipe(name: str) -> Any:
    config = RECIPES[name]()
    about = (RECIPES[name].__doc__ or "").split("\n\n")[0]
    told = tyro.conf.subcommand(name, default=Train(config), description=" ".join(about.split()))
    return Annotated[Train, told]


if TYPE_CHECKING:
    Recipe = Train | Resume
else:
    Recipe = Union[(*map(_recipe, RECIPES), Annotated[Resume, tyro.conf.subcommand("resume")])]


@dataclass(frozen=True)
class Training:
    """Train a face network by a recipe, or go on with a run."""

    what: Annotated[Recipe, tyro.conf.arg(name="")]
    """A recipe, or resume."""

    def run(self) -> None:
        """Run it."""
        self.what.run()
