"""What a benchmark was measured on: the machine, without its name, and the state of the code.

It knows the system and git; of benchmarks it knows nothing.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
LIKE = ("cores", "cpu", "gpus", "system")
"""Machines that agree in these are one machine to a comparison."""
_GPUS = (
    "import json, torch; "
    "print(json.dumps([torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]))"
)


def machine() -> dict[str, Any]:
    """Processor, memory, the GPUs that PyTorch sees, system and versions."""
    return {
        "cores": _cores(),
        "cpu": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "gpus": _gpus(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether figures of the two machines may be set against each other."""
    return all(one.get(name) == other.get(name) for name in LIKE)


def busy() -> float:
    """The share of the processors that others use, in percent, over half a second."""
    return psutil.cpu_percent(interval=0.5)


def in_words(found: dict[str, Any]) -> str:
    """A machine in one line."""
    gpus = ", ".join(found["gpus"]) or "no GPU"
    return (
        f"{found['cores']} cores of {found['cpu']}, {found['memory_gib']} GiB, {gpus}, "
        f"{found['system']}, Python {found['python']}, PyTorch {found['torch']}"
    )


def code(kept: Path) -> dict[str, Any]:
    """The commit that is measured, and whether anything but the ``kept`` results differs from it.

    Without git, or in somebody else's repository, both are unknown: None.
    """
    # An unpacked archive may lie within a repository that is not facevis.
    if (git("rev-parse", "--show-prefix") or "").strip() != f"{HERE.name}/":
        return {"commit": None, "dirty": None}
    commit = git("rev-parse", "HEAD")
    changes = git("status", "--porcelain", "--", ":/", f":(top,exclude){HERE.name}/{kept.name}")
    return {"commit": commit and commit.strip(), "dirty": bool(changes)}


def git(*arguments: str) -> str | None:
    """What git says in this folder; None if it cannot."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=HERE, capture_output=True, encoding="utf-8", errors="replace"
        )
    except OSError:
        return None
    return None if done.returncode else done.stdout


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if named:
            return named[0]
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    """Names of the GPUs; asked in a process of its own, which gives their memory back."""
    if metadata.version("torch").endswith("+cpu"):
        return []  # this build sees none
    done = subprocess.run([sys.executable, "-c", _GPUS], capture_output=True, text=True)
    return [] if done.returncode else json.loads(done.stdout.splitlines()[-1])
