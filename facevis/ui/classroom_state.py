"""The classroom as the lecturer's pages know it: who leads, and what students are shown.

Of several windows of the app one leads. Students see a lesson, or a run of pictures that everybody
has; pictures of one's own are not shown to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facevis.classroom.room import Classroom, current
from facevis.datasets import DATASETS
from facevis.live.rooms import rooms
from facevis.ui import state
from facevis.ui.windows import is_open, this_window

_SHOWN, _PAGE, _SAID = "classroom:shown", "classroom:page", "classroom:said"


def led() -> Classroom | None:
    """The classroom, if this window leads it."""
    room = current()
    return room if room is not None and room.leads(this_window(), is_open) else None


def begin(page: str) -> None:
    """Before a page is drawn: nothing of it is shown yet, and students see what they saw."""
    same = state.recall(_PAGE) == page
    state.keep(_SAID, said() if same else "room_settling")
    state.keep(_PAGE, page)
    state.keep(_SHOWN, False)


def end() -> None:
    """After a page was drawn: what is no lesson and no run is not shown."""
    room = led()
    if room is not None and not shown():
        room.show_nothing()


def shown() -> bool:
    """Whether students see what is on this page."""
    return bool(state.recall(_SHOWN))


def said() -> str:
    """What of it the lecturer is told when the page is drawn."""
    return "room_shown" if shown() else "room_not_shown"


def said_before() -> str:
    """What of it holds while the page is being drawn, however long that takes."""
    return str(state.recall(_SAID))


def show_lesson(number: int, run: tuple[str, str, Any] | None) -> dict[str, Any]:
    """Show a lesson to students; what the lesson's page is told of the room, if there is one."""
    room = current()
    if room is None:
        return {}
    if room.leads(this_window(), is_open):
        everybodys = run is not None and run[2].config.dataset in DATASETS
        room.show_lesson(number, state.language(), run[:2] if run and everybodys else None)
        state.keep(_SHOWN, True)
    told = {"desk": room.desk, "addresses": room.addresses, "code": room.door.code}
    return {"room": told}


def show_run(data: Mapping[str, Any]) -> None:
    """Show students the run of a live view, if it is one that they may see."""
    room, run = led(), rooms.find(data["token"])
    if room is not None and run is not None and run.config.dataset in DATASETS:
        room.show_run(**data)
        state.keep(_SHOWN, True)


def take_lead() -> None:
    """Students see this window from now on."""
    room = current()
    if room is not None:
        room.take_lead(this_window())
