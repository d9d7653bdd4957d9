"""The process that trains: ``python -m facevis.fullscale.train RUN``.

It is started alone, or by torchrun in each process; RUN is a folder that ``facevis train``
prepared. It joins the other processes, sees that nobody else trains there, ends in good order when
it is told to (SIGTERM, Ctrl+C), and says a fault in one sentence. What a step is lies in
``training``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from facevis.fullscale import ranks, running, runs
from facevis.fullscale.faults import machine_faults
from facevis.fullscale.processes import joined
from facevis.fullscale.training import Training

_MOMENT = 3.0
"""Seconds in which the processes of a machine are ended after one of them fell."""


@contextlib.contextmanager
def _asked_to_stop(training: Training) -> Iterator[None]:
    """SIGTERM and Ctrl+C end the run after the step that is going on."""

    def stop(number: int, frame: object) -> None:
        training.asked_to_stop = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train(folder: Path) -> None:
    """Train the run of a folder, in this process' part; ``ValueError`` in words."""
    config = runs.read_config(folder)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(joined(config))
        if ranks.rank() == 0:
            stack.enter_context(runs.locked(folder))
            running.note(folder, running.leader(ranks.world()), ranks.world())
            runs.write_environment(folder, device.type, ranks.world())
        with machine_faults():
            training = Training(folder, config, device)
        stack.enter_context(_asked_to_stop(training))
        training.run()


def main() -> None:
    """One process of a run; a fault ends in one sentence."""
    if len(sys.argv) != 2:
        raise SystemExit("name the folder of the run: python -m facevis.fullscale.train RUN")
    try:
        train(Path(sys.argv[1]))
    except ValueError as error:
        # All processes meet the same fault, and the first on each machine says it: the others are
        # ended meanwhile, unless the fault is theirs alone.
        if int(os.environ.get("LOCAL_RANK", 0)):
            time.sleep(_MOMENT)
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(2) from error
    except KeyboardInterrupt:  # before the first step, when nothing can be lost
        raise SystemExit(130) from None
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        # All is written. Threads of PyTorch's that still end can abort a process on its way out.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
