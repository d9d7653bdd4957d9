"""A run that stands in for a lesson's recording: one of the app, a kept one, or a trained network.

A link names it; a network first has to look at some people, which takes a while.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from facevis.atlas import Survey, model_of_run
from facevis.atlas.survey import Question
from facevis.fullscale import jobs
from facevis.library import toys
from facevis.live.material import material_for
from facevis.live.rooms import check_fit, rooms
from facevis.live.shown import ShownRun
from facevis.ui import state
from facevis.ui.dimensions_state import EMBEDDINGS

_KEY = "lecture:run"
IDENTITIES, IMAGES_EACH = 24, 15


@dataclass(frozen=True)
class Stage:
    """What stands in, or is on its way."""

    link: str
    """What an address calls it."""
    title: str
    token: str = ""
    survey: Survey | None = None
    kept: bool = False
    """Whether it was opened from the disk, for this lesson alone."""


def begin(name: str) -> None:
    """Put the run of that name on stage; ``ValueError`` in words if it cannot be."""
    end()
    state.keep(_KEY, _stage(name))


def _stage(name: str) -> Stage:
    live = rooms.watch(name)
    if live is not None:
        return Stage(name, toys.stem_of(live.recording), name)
    folder = jobs.runs_folder() / name
    if name != folder.name or name.startswith("."):
        raise ValueError(f"{name[:40]!r} is no name of a run; open it from the page of all runs.")
    if toys.is_toy(folder):
        recording = toys.recording_of(folder)
        material = material_for(recording.config)
        check_fit(recording, material)
        return Stage(name, name, rooms.show(ShownRun(recording, material)), kept=True)
    model = model_of_run(folder)
    question = Question(people=model.trained_on, identities=IDENTITIES, images_each=IMAGES_EACH)
    last = model.at(model.moments[-1:])
    return Stage(name, name, "", Survey(last, question, jobs.runs_folder() / EMBEDDINGS))


def end() -> None:
    """The lesson shows its own recording again."""
    before: Stage | None = state.take(_KEY)
    if before is None:
        return
    if before.survey is not None:
        before.survey.cancel()
    if before.kept or before.survey is not None:
        rooms.forget(before.token)


def stage() -> Stage | None:
    """What stands in, with a token as soon as it can be shown."""
    found: Stage | None = state.recall(_KEY)
    if found is not None and not found.token and found.survey is not None and found.survey.run:
        found = replace(found, token=rooms.show(found.survey.run))
        state.keep(_KEY, found)
    return found


def shown() -> tuple[str, str, ShownRun] | None:
    """Token, title and run, if one can be shown."""
    found = stage()
    run = rooms.watch(found.token) if found is not None else None
    return (found.token, found.title, run) if found is not None and run is not None else None
