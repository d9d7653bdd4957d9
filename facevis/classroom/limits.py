"""How much of this machine a class may take; it knows nothing of who keeps to it."""

from __future__ import annotations

from dataclasses import dataclass

from facevis.validation import whole


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is full when."""

    students: int = 120
    """Seats: students' browsers that take part at once."""
    waiting: int = 60
    """Places in the line for a seat; who comes later is asked to try again."""
    sessions: int = 32
    """Windows of the lecturer's own app that are open at once."""
    kept_runs: int = 64
    """Small runs that are kept, finished ones among them."""
    training: int = 32
    """Small runs that train at once; others wait their turn."""
    memory_mib: int = 1024
    """MiB that the snapshots of all small runs may take."""
    uploads_mib: int = 1024
    """MiB that all uploaded pictures may take."""

    def __post_init__(self) -> None:
        """Refuse what no room can be."""
        whole("limits.students", self.students, 1, 1000)
        whole("limits.waiting", self.waiting, 0, 1000)
        whole("limits.sessions", self.sessions, 1, 1000)
        whole("limits.kept_runs", self.kept_runs, 1, 10_000)
        whole("limits.training", self.training, 1, 1000)
        whole("limits.memory_mib", self.memory_mib, 16, 1_000_000)
        whole("limits.uploads_mib", self.uploads_mib, 1, 1_000_000)


_in_force = Limits()


def limits() -> Limits:
    """Those in force in this process."""
    return _in_force


def enforce(chosen: Limits) -> None:
    """Put others in force; before anybody asks."""
    global _in_force
    _in_force = chosen
