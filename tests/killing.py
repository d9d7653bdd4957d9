"""Train a run in processes that are killed: ``python killing.py RUN SEED TIMES``.

Everything is loaded once; each attempt is a fork, so that most of its life is training. Prints the
step of the last checkpoint at each death.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import facevis.fullscale.evaluation  # noqa: F401  what a run needs is loaded before the forks
from facevis.fullscale import checkpoint
from facevis.fullscale.journal import read_journal
from facevis.fullscale.train import train


def last_step(folder):
    return (checkpoint.steps(folder / "checkpoints") or [0])[-1]


def steps_since(moment, folder):
    entries = read_journal(folder)
    return sum(entry["kind"] == "train" and entry["time"] > moment for entry in entries)


def attempt(folder, steps, seconds):
    """A process that trains and is killed so many seconds after so many steps, or its start."""
    began = time.time()
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    while steps > steps_since(began, folder):
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
        raise SystemExit("it ended before it was killed; give the run more steps")


def main():
    folder, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    for number in range(int(sys.argv[3])):
        steps = chance.randint(1, 6) if number % 4 else 0
        attempt(folder, steps, chance.uniform(0.0, 0.02 if steps else 0.3))
        print(last_step(folder), flush=True)


if __name__ == "__main__":
    main()
