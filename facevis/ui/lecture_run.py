"""A run that stands in for a lesson's recording: one of the app, a kept one, or a trained network.

A link names it; a network first has to look at some people, which takes a while.
"""

from __future__ import annotations

from facevis.atlas import Survey, model_of_run
from facevis.atlas.survey import Question
from facevis.fullscale import jobs
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun
from facevis.ui import state
from facevis.ui.dimensions_state import EMBEDDINGS

_KEY = "lecture:run"
IDENTITIES, IMAGES_EACH = 24, 15

OnStage = tuple[str, str, ShownRun]


def begin(name: str) -> None:
    """Put the run of that name on stage; ``ValueError`` in words if it cannot be."""
    end()
    live = rooms.watch(name)
    if live is not None:
        title = live.titles[0][0] if live.titles else live.material.dataset.name
        state.keep(_KEY, (name, title, None))
        return
    folder = jobs.runs_folder() / name
    if name != folder.name or name.startswith("."):
        raise ValueError(f"{name[:40]!r} is no name of a run; open it from the page of all runs.")
    model = model_of_run(folder)
    question = Question(people=model.trained_on, identities=IDENTITIES, images_each=IMAGES_EACH)
    last = model.moments[-1:]
    survey = Survey(model.at(last), question, jobs.runs_folder() / EMBEDDINGS)
    state.keep(_KEY, (None, name, survey))


def end() -> None:
    """The lesson shows its own recording again."""
    before = state.take(_KEY)
    if before is not None and before[2] is not None:
        before[2].cancel()


def survey() -> Survey | None:
    """What is still on its way to the stage, or failed."""
    found = state.recall(_KEY)
    made: Survey | None = found[2] if found else None
    return made


def name() -> str:
    """What a link calls the run; empty if there is none."""
    found = state.recall(_KEY)
    return (found[1] if found[2] is not None else found[0]) if found else ""


def on_stage() -> OnStage | None:
    """Token, name and run, if one stands in."""
    found = state.recall(_KEY)
    if found is None:
        return None
    token, name, made = found
    if token is None and made.run is not None:
        token = rooms.show(made.run)
        state.keep(_KEY, (token, name, made))
    run = rooms.watch(token) if token else None
    return (token, name, run) if run is not None else None
