"""What a run will need: parameters and memory by counting, speed by taking its first steps.

``needs`` counts without data, and without memory of that size. ``Probe`` starts
``python -m facevis.fullscale.needs CONFIG_FILE``, which opens the data, takes a few real steps and
leaves nothing behind. It is light: PyTorch is loaded when something is counted.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from facevis.fullscale.config import PAIR_LOSSES, FullScaleConfig
from facevis.validation import whole
from facevis.writing import scratch

WARM_UP, MEASURED = 2, 10
"""Steps of a probe: those that find out how to compute, and those that are timed."""
_HEAD_PIECE, _HEAD_PIECE_GPU = 2**20, 2**25
"""Logits that the head computes at once."""
_MOMENT = 3.0
"""Seconds in which a cancelled probe may tidy up."""


@dataclass(frozen=True)
class Needs:
    """What a run will need. Bytes are for each device, those of a checkpoint for all together."""

    identities: int | None
    """None where nobody said how many there are; then the head is not counted."""
    network_parameters: int
    head_parameters: int | None
    fixed_bytes: int
    """Weights, gradients and what the optimizer remembers, of the network and of the prototypes."""
    activation_bytes: int
    """An estimate: what the forward pass keeps for the backward pass, and the head's logits."""
    checkpoint_bytes: int

    @property
    def device_bytes(self) -> int:
        """All of it, on each device; an estimate. Libraries take up to 1 GB more."""
        return self.fixed_bytes + self.activation_bytes


def needs(config: FullScaleConfig, identities: int | None = None, processes: int = 1) -> Needs:
    """Count what a run on so many processes will need; takes a second and no memory.

    ``identities`` is how many people train; made-up sets say it themselves. ``ValueError`` in words
    for a configuration that does not fit together.

    >>> from facevis.fullscale.recipes import demo
    >>> found = needs(demo())
    >>> found.identities, found.head_parameters
    (300, 38400)
    """
    from facevis.corpora.synthetic import KINDS, settings_of

    config.check(processes)
    if identities is None and config.data.train.partition(":")[0] in KINDS:
        identities = settings_of(config.data.train)[1]["identities"]
    number = 8 if config.precision == "float64" else 4
    remembered = 2 if config.optimizer.name == "adamw" else int(config.optimizer.momentum > 0)
    network, buffers, activations = _count_network(config, processes)
    # Averaging over processes keeps the gradients a second time.
    fixed = network * (2 + remembered + (processes > 1)) + buffers
    head = None
    if config.head.objective in PAIR_LOSSES:
        head = 0
    elif identities is not None:
        whole("identities", identities, 2, 2**40)
        head, local, taken = _count_head(config, identities, processes)
        fixed += local * (1 + remembered) + taken
        if taken < local:  # chosen prototypes are copied, with what is remembered of them
            fixed += taken * (1 + remembered)
        activations += _logits(config, local // config.backbone.embedding_dim)
    return Needs(
        identities,
        network,
        head,
        fixed * number,
        activations,
        ((network + (head or 0)) * (1 + remembered) + buffers) * number,
    )


def _count_network(config: FullScaleConfig, processes: int) -> tuple[int, int, int]:
    """Parameters, other numbers it keeps, and bytes from forward to backward pass."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from facevis.fullscale.networks import build_network
    from facevis.models.backbones import count_parameters

    dtype = torch.float64 if config.precision == "float64" else torch.float32
    with torch.device("meta"):
        network = build_network(config).train().to(dtype)
    size, part = config.data.size, config.batch_size // (processes * config.accumulate)
    with FakeTensorMode(allow_non_fake_inputs=True):
        network.to_empty(device="cpu")
        own = {p.untyped_storage()._cdata for p in (*network.parameters(), *network.buffers())}
        kept: dict[int, torch.UntypedStorage] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = storage
            return tensor

        half = config.precision in ("bfloat16", "float16")
        with (
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
            torch.autocast("cpu", torch.bfloat16, enabled=half),
        ):
            network(torch.empty(part, 3, size, size, dtype=dtype))
        buffers = sum(buffer.numel() for buffer in network.buffers())
        activations = sum(storage.nbytes() for storage in kept.values())
    return count_parameters(network), buffers, activations


def _count_head(config: FullScaleConfig, identities: int, processes: int) -> tuple[int, int, int]:
    """Numbers in the prototypes of all processes, of one, and of those in one step of it."""
    each = config.head.sub_centers * config.backbone.embedding_dim
    rows = -(-identities // processes)
    batch = min(config.batch_size, rows)  # its classes take part in any case
    taken = min(rows, max(int(config.head.sample_rate * rows), batch))
    bias = identities if config.head.objective == "softmax" else 0
    return identities * each + bias, rows * each, taken * each


def _logits(config: FullScaleConfig, rows: int) -> int:
    """Bytes of two pieces of the logits and of the gathered batch."""
    import torch

    gpu = config.device == "cuda" or (config.device == "auto" and torch.cuda.is_available())
    piece = min(rows * config.batch_size, _HEAD_PIECE_GPU if gpu else _HEAD_PIECE)
    return 4 * (2 * piece + 4 * config.batch_size * config.backbone.embedding_dim)


# -- a probe ---------------------------------------------------------------------------------------


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
            [sys.executable, "-m", "facevis.fullscale.needs", str(file), str(processes)],
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
    from facevis.fullscale.train import Training

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

            launch_processes(file, Machines(processes), "facevis.fullscale.needs")
        else:
            measure(file)
    except ValueError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(2) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
