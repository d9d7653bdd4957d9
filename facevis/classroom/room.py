"""The classroom of this process: who is there, what the lecturer shows, and what was voted.

The lecturer's pages say what is shown, the students' server asks what to tell. Safe for many
threads; it knows neither sockets nor pages.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from facevis.classroom.door import Door
from facevis.classroom.limits import Limits
from facevis.classroom.poll import Poll
from facevis.classroom.seats import Seats
from facevis.classroom.votes import Question, VotesFile, question_of

log = logging.getLogger(__name__)
NOTHING: dict[str, Any] = {"kind": "none"}
SHOWN = ("projection", "sweep", "members", "taped", "still", "aligned")
"""What a view of a run is told besides token and mode."""


class Classroom:
    """One lecturer and a room of students."""

    def __init__(self, limits: Limits, votes: Path) -> None:
        self.limits = limits
        self.door = Door()
        self.seats = Seats(limits.students, limits.waiting)
        self.desk = secrets.token_urlsafe(18)
        """What the lecturer's page knows and nobody else."""
        self.addresses: list[str] = []
        self.trouble: str | None = None
        self._votes = VotesFile(votes)
        self._scene = NOTHING
        self._leader: str | None = None
        self._polls: dict[int, tuple[Question, Poll]] = {}
        self._earlier: dict[int, list[int] | None] = {}
        self._listeners: set[Callable[[], None]] = set()
        self._lock = threading.RLock()

    # -- what the lecturer shows ----------------------------------------------------------------

    def leads(self, session: str, active: Callable[[str], bool]) -> bool:
        """Whether students see what this session of the app shows: the first one that asks leads,
        until it ends or another takes the lead."""
        with self._lock:
            if self._leader is None or not active(self._leader):
                self._leader = session
            return self._leader == session

    def take_lead(self, session: str) -> None:
        """From now on students see what this session shows."""
        with self._lock:
            self._leader = session

    def show_lesson(self, number: int, lang: str, run: tuple[str, str] | None = None) -> None:
        """Show a lesson; ``run`` (token, title) stands in for its recording."""
        self._poll(number)  # made here: it reads a file
        shown = None if run is None else {"token": run[0], "title": run[1]}
        self._show({"kind": "lesson", "number": number, "lang": lang, "run": shown})

    def show_run(self, token: str, mode: str, **more: Any) -> None:
        """Show a run as it is viewed: ``mode`` is "single", "compare" or "sweep"."""
        told = {name: more.get(name) for name in SHOWN if more.get(name) is not None}
        self._show({"kind": "run", "token": token, "mode": mode, "projection": None, **told})

    def show_nothing(self) -> None:
        """What the lecturer looks at is not for students."""
        self._show(NOTHING)

    def _show(self, scene: dict[str, Any]) -> None:
        with self._lock:
            if scene == self._scene:
                return
            self._scene = scene
        self._tell()

    @property
    def scene(self) -> dict[str, Any]:
        """What is shown."""
        return self._scene

    # -- polls ----------------------------------------------------------------------------------

    def vote(self, token: str, lesson: int, choice: int) -> str:
        """A student's vote on the lesson that is shown."""
        if self._lesson() != lesson:
            return "closed"
        result = self._poll(lesson)[1].vote(token, choice)
        if result == "counted":
            self._tell()
        return result

    def act(self, lesson: int, act: str) -> None:
        """The lecturer opens, locks or reveals a poll, or begins it again."""
        question, poll = self._poll(lesson)
        if act == "reveal":
            self._keep_if(poll.lock(), question, poll)
        done = getattr(poll, act)()
        self._keep_if(done and act == "lock", question, poll)
        self._tell()

    def withheld(self, lesson: int) -> bool:
        """Whether a lesson's answer is not yet for students: it is being asked about, or was and
        the lecturer looks at something else for a while."""
        with self._lock:
            phase = self._polls[lesson][1].phase if lesson in self._polls else "closed"
        return phase in ("open", "locked") or (self._lesson() == lesson and phase != "revealed")

    def close(self) -> None:
        """The lecture is over: polls that are still open are locked, and their votes kept."""
        for question, poll in list(self._polls.values()):
            self._keep_if(poll.lock(), question, poll)
        self._write(self._votes.write)

    def _keep_if(self, locked: bool, question: Question, poll: Poll) -> None:
        if locked and poll.total:
            now = datetime.now().astimezone()
            self._write(lambda: self._votes.add(question, poll.counts(), now))

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
            self.trouble = None
        except ValueError as error:
            log.warning("%s", error)
            self.trouble = str(error)

    def _lesson(self) -> int | None:
        scene = self._scene
        return scene["number"] if scene["kind"] == "lesson" else None

    def _poll(self, lesson: int) -> tuple[Question, Poll]:
        with self._lock:
            known = self._polls.get(lesson)
        if known is not None:
            return known
        question = question_of(lesson)
        earlier = self._votes.earlier(question, datetime.now().astimezone())  # reads a file
        with self._lock:
            self._earlier.setdefault(lesson, earlier)
            return self._polls.setdefault(lesson, (question, Poll(len(question.options))))

    # -- what is told ---------------------------------------------------------------------------

    def state(self, token: str) -> dict[str, Any]:
        """What a student's page is told."""
        with self._lock:
            scene, lesson = self._scene, self._lesson()
        if lesson is None:
            return {"type": "state", "scene": scene, "poll": None}
        poll = self._poll(lesson)[1]
        phase = poll.phase
        told = {
            "lesson": lesson,
            "phase": phase,
            "choice": poll.choice(token),
            "total": poll.total,
            "counts": poll.counts() if phase == "revealed" else None,
        }
        return {"type": "state", "scene": scene, "poll": told}

    def overview(self) -> dict[str, Any]:
        """What the lecturer's page is told."""
        joined, waiting = self.seats.numbers()
        lesson = self._lesson()
        told = None
        if lesson is not None:
            poll, earlier = self._poll(lesson)[1], self._earlier[lesson]
            told = {
                "lesson": lesson,
                "phase": poll.phase,
                "counts": poll.counts(),
                "total": poll.total,
                "earlier": earlier and {"counts": earlier, "total": sum(earlier)},
            }
        return {
            "type": "desk",
            "joined": joined,
            "waiting": waiting,
            "limit": self.limits.students,
            "poll": told,
            "trouble": self.trouble,
        }

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener``, from any thread, when something is shown or voted; the way out."""
        with self._lock:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


_here: Classroom | None = None


def current() -> Classroom | None:
    """The classroom of this process, if it was opened."""
    return _here


def open_classroom(limits: Limits, votes: Path) -> Classroom:
    """Open the classroom of this process."""
    global _here
    _here = Classroom(limits, votes)
    return _here


def close_classroom() -> None:
    """There is none any more."""
    global _here
    _here = None
