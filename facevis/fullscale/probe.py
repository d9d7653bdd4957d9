"""How fast a run will be, found by taking its first steps in a process of its own.

``Probe`` starts ``python -m facevis.fullscale.probe CONFIG_FILE``, which opens the data, takes a
few real steps and leaves nothing behind. It is light: PyTorch is loaded in that process only.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from facevis.fullscale.config import FullScaleConfig
from facevis.validation import whole
from facevis.writing import scratch

WARM_UP, MEASURED = 2, 10
"""Steps of a probe: those that find out how to compute, and those that are timed."""
_MOMENT = 3.0
"""Seconds in which a cancelled probe may tidy up."""


class Probe:
    """A process that takes the first steps of a run, to see how fast it is.

    ``ValueError`` in words for a configuration that does not fit together.
    """

    def __init__(self, config: FullScaleConfig, processes: int = 1) -> None:
        config.check(whole("processes", processes, 1, 1024))
        self._folder = scratch()
        file = self._folder / "config.json"
        file.write_text(config.to_json(), encoding="utf-8")
        self.progress: tuple[str, float] = ("starting", 0.0)
        """Phase (starting, opening, measuring) and the share of it that is done."""
        self.result: dict[str, Any] | None = None
        """images_per_second, identities, pictures, peak_bytes, seconds_left_for_the_run."""
        self.error = ""
        """In words why there is no result."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "facevis.fullscale.probe", str(file), str(processes)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._cancelled = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not come to an end yet."""
        return self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def cancel(self) -> None:
        """End it and all it started; again is no harm."""
        self._cancelled = True
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            family = [process, *process.children(recursive=True)]
            if sys.platform != "win32":
                process.send_signal(signal.SIGINT)  # it tidies up, if it is quick
            for one in psutil.wait_procs(family, _MOMENT)[1]:
                with contextlib.suppress(psutil.Error):
                    one.kill()
        self.wait()

    def _follow(self) -> None:
        said: deque[str] = deque(maxlen=50)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(target=said.extend, args=[self._process.stderr], daemon=True)
        errors.start()
        result = None
        with self._process:
            for line in self._process.stdout:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    if "phase" in entry:
                        self.progress = entry["phase"], entry["done"] / entry["of"]
                    elif "images_per_second" in entry:
                        result = entry
            errors.join()
        code = self._process.returncode
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._cancelled:
            self.error = "the measurement was cancelled."
        elif result is None:
            lines = [line.strip() for line in said if line.strip()]
            self.error = (
                lines[-1]
                if code == 2 and lines
                else f"the measurement ended without a word (exit code {code}); if it was killed, "
                "memory may have run out: lower batch_size or raise accumulate."
            )
        self.result = None if self._cancelled else result


# -- in the process of a probe ---------------------------------------------------------------------


def _say(**entry: Any) -> None:
    print(json.dumps(entry), flush=True)


def measure(file: Path) -> None:
    """Take a few steps of a configuration, and print lines of JSON on the way and at the end."""
    from facevis.fullscale import ranks
    from facevis.fullscale.faults import machine_faults
    from facevis.fullscale.processes import joined
    from facevis.fullscale.training import Training

    try:
        config = FullScaleConfig.from_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror}); check the path.") from error
    steps = config.schedule.steps
    few = replace(config, schedule=replace(config.schedule, steps=max(steps, WARM_UP + MEASURED)))
    with (
        tempfile.TemporaryDirectory(dir=file.parent) as folder,
        joined(few) as device,
        machine_faults(),
    ):
        first = ranks.rank() == 0
        if first:
            _say(phase="opening", done=0, of=1)
        training = Training(Path(folder), few, device)
        seconds = _time_steps(training, first)
        speed = config.batch_size * MEASURED / seconds
        if first:
            _say(
                images_per_second=speed,
                identities=training.corpus.num_classes,
                pictures=len(training.corpus),
                peak_bytes=_peak(device.type),
                seconds_left_for_the_run=steps * config.batch_size / speed,
            )


def _time_steps(training: Any, first: bool) -> float:
    """Seconds of the measured steps."""
    import torch

    began = 0.0
    for step, parts in zip(range(WARM_UP + MEASURED), training.batches(), strict=False):
        if step == WARM_UP:
            began = time.monotonic()
        training.step(step, parts)
        if training.stopping:  # whoever asked is gone
            raise SystemExit(1)
        if first:
            _say(phase="measuring", done=step + 1, of=WARM_UP + MEASURED)
    if training.device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - began


def _peak(device: str) -> int:
    """Bytes that were in use at most: on the GPU, or by this process."""
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    with contextlib.suppress(OSError, StopIteration):  # only Linux keeps it there
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    """Measure here, or in several processes; a fault ends in one sentence."""
    file, processes = Path(sys.argv[1]), int((*sys.argv, "1")[2])
    try:
        if processes > 1:
            from facevis.fullscale.launch import Machines, launch_processes

            launch_processes(file, Machines(processes), "facevis.fullscale.probe")
        else:
            measure(file)
    except ValueError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(2) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
