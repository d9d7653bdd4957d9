"""The folder of a run is the truth about it: configuration, metrics, checkpoints, environment.

``config.json``, ``environment.json``, ``metrics.jsonl``, ``checkpoints/step-00000100/``,
``tensorboard/``. It knows folders; PyTorch is loaded by those who train only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from facevis import __version__
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.journal import METRICS
from facevis.fullscale.plain import flat
from facevis.writing import clear, growing, write_whole

CONFIG, ENVIRONMENT, CHECKPOINTS = "config.json", "environment.json", "checkpoints"


def prepare(folder: Path, config: FullScaleConfig) -> None:
    """Make the folder of a new run, or accept one of the same configuration, to go on with it.

    A folder that holds a run with other settings is refused, each difference named; one whose run
    ended before its first step takes the new ones.
    """
    try:
        if (folder / CONFIG).exists():
            _accept(folder, config)
            return
        if not folder.exists():
            _begin(folder, config)
            return
        clear(folder)
        if any(folder.iterdir()):
            raise ValueError(
                f"{folder} is not empty and holds no run; choose another --out for the new run."
            )
        write_whole(folder / CONFIG, config.to_json())
    except OSError as error:
        raise _not_writable(folder, error) from error


def _begin(folder: Path, config: FullScaleConfig) -> None:
    """A new folder that has its configuration from the first moment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with growing(folder) as partial:
            partial.mkdir()
            (partial / CONFIG).write_text(config.to_json(), encoding="utf-8")
    except OSError:
        if not (folder / CONFIG).exists():
            raise
        _accept(folder, config)  # another process of the run, or another app, was quicker


def _accept(folder: Path, config: FullScaleConfig) -> None:
    different = config.differences(read_config(folder))
    if not different:
        return
    if (folder / ENVIRONMENT).exists() and not (folder / METRICS).exists():
        with locked(folder):
            write_whole(folder / CONFIG, config.to_json())
        return
    raise ValueError(
        f"{folder} holds a run with other settings ({'; '.join(different)}); choose "
        f"another --out, or go on with it as it is: facevis train resume {folder}."
    )


def _not_writable(folder: Path, error: OSError) -> ValueError:
    return ValueError(
        f"{folder} cannot be written ({error.strerror}); make room or correct its permissions, or "
        "choose another --out (for the app, another --runs)."
    )


def read_config(folder: Path) -> FullScaleConfig:
    """The configuration of the run in a folder."""
    path = folder / CONFIG
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ValueError(f"{folder} holds no run ({CONFIG} is missing); check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ValueError(
            f"{path} cannot be read ({reason}); restore it from a copy or correct its permissions."
        ) from error
    try:
        config = FullScaleConfig.from_json(text)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error
    # A run is what it was begun as, not what the defaults happen to be.
    missing = sorted(flat(dataclasses.asdict(config)).keys() - flat(json.loads(text)).keys())
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(
            f"{path} lacks {', '.join(missing[:5])}{more}; write into it what the run began with."
        )
    return config


def write_environment(folder: Path, device: str, processes: int) -> None:
    """What the run runs on, for whoever wants to repeat it."""
    import torch

    gpus = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    found = {
        "facevis": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "gpus": gpus if device == "cuda" else [],
        "processes": processes,
        "threads": torch.get_num_threads(),
    }
    try:
        write_whole(folder / ENVIRONMENT, json.dumps(found, indent=1))
    except OSError as error:
        raise _not_writable(folder, error) from error


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else trains in this folder meanwhile; the lock goes with the process."""
    lock = FileLock(str(folder / ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"another process trains in {folder}; wait for it, stop it, or choose another --out."
        ) from error
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        yield
    finally:
        lock.release()
