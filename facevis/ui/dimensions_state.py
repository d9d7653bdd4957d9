"""What the page about many dimensions is asked, and the survey that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facevis.atlas import Model, model_of_file, model_of_run
from facevis.atlas.survey import Question, Survey
from facevis.embedders import OnnxOptions
from facevis.fullscale import jobs
from facevis.i18n import Said
from facevis.link_parts import ignored_part
from facevis.live.projection import KINDS
from facevis.live.rooms import rooms
from facevis.ui import projection_state, state
from facevis.ui.projection_state import CHOSEN, FIRST_THREE
from facevis.validation import path_of

PARTS = ("landing", "verification", "hardest", "enrolment", "identification")
FILE, OTHER, NOBODY, DRAWN = ":file", "other", "nobody", "drawn"
"""What stands in the lists beside runs and sets; no run has a colon in its name."""
DRAWN_PEOPLE = "faces:identities=48,images=20,size=112"
EMBEDDINGS = ".embeddings"
"""Folder in the folder of all runs where embeddings are kept."""
_CHANNELS = ("rgb", "bgr")


@dataclass(frozen=True)
class Asked:
    """Which model, up to which of its moments, and whom it is shown."""

    source: str
    """Name of a run, or ``FILE``."""
    question: Question
    until: int | None = None
    path: str = ""
    backbone: str | None = None
    onnx: OnnxOptions = field(default_factory=OnnxOptions)

    def model(self) -> Model:
        """Open it; ``ValueError`` in words."""
        if self.source == FILE:
            path = path_of(self.path)
            if path.is_dir():
                return model_of_run(path)
            return model_of_file(path, self.backbone, self.onnx)
        return model_of_run(jobs.runs_folder() / self.source, self.until)


def begin(query: Mapping[str, str]) -> list[str]:
    """Take the state from the link; returns what of it was ignored."""
    values, ignored = projection_state.begin(query, PARTS, 1000)
    values |= {"identities": 24, "images_each": 12}
    names = trained_runs()
    run = query.get("run")
    if run is not None and run not in names:
        ignored.append(ignored_part("run", run, Said("link_no_checkpoint")))
        run = None
    values["source"] = run or (names[0] if names else FILE)
    step = query.get("step", "")
    if run and step:
        steps = [str(s) for s in jobs.look(jobs.runs_folder() / run).checkpoints]
        if step in steps:
            values["until"] = int(step)
        else:
            ignored.append(
                ignored_part("step", step, Said("link_choose", choices=", ".join(steps)))
            )
    state.write(values)
    state.keep("dimensions:at_once", run is not None)
    return ignored


def trained_runs() -> list[str]:
    """Names of the full-scale runs that have a checkpoint, newest first."""
    found = jobs.find(jobs.runs_folder())
    return [job.name for job in found if job.checkpoints and job.config is not None]


def take_source() -> None:
    """Callback of the model: its own checkpoints and sets."""
    state.write({"until": None, "people": None, "strangers": None, "kind": KINDS[0], **FIRST_THREE})


def asked(train: str, sets: Sequence[str]) -> Asked | None:
    """What the widgets ask, None while a path is missing."""
    named = {
        "train": train,
        DRAWN: DRAWN_PEOPLE,
        OTHER: (state.read("people_path") or "").strip(),
        NOBODY: "",
        **{f"set {k}": path for k, path in enumerate(sets)},
    }
    people = named[state.read("people")]
    strangers = named[state.read("strangers") or NOBODY]
    if state.read("strangers") == OTHER:
        strangers = (state.read("strangers_path") or "").strip()
    path = (state.read("path") or "").strip()
    source = state.read("source")
    if not people or (source == FILE and not path):
        return None
    question = Question(
        people=people,
        strangers="" if strangers == people else strangers,
        identities=state.read("identities"),
        images_each=state.read("images_each"),
    )
    if source != FILE:
        return Asked(source, question, state.read("until"))
    backbone = state.read("backbone")
    onnx = OnnxOptions()
    if path.lower().endswith(".onnx"):
        channels = state.read("channels")
        onnx = OnnxOptions(
            size=state.read("size") or None,
            channels=None if channels == _CHANNELS[0] else channels,
            mean=_unless(state.read("mean"), 127.5),
            std=_unless(state.read("std"), 127.5),
        )
    return Asked(FILE, question, None, path, backbone or None, onnx)


def _unless(value: float | None, usual: float) -> float | None:
    """What the model may say itself is left out while nobody changed it."""
    return None if value == usual else value


def projection(classes: int) -> str:
    """How the sphere is chosen, as the stream takes it; whom there are no more is somebody else."""
    if state.read("kind") == "pca":
        return "pca"
    wanted = [state.read(name) or 0 for name in CHOSEN[:classes]]
    free = (k for k in range(classes) if k not in wanted)
    three: list[int] = []
    for k in wanted:
        three.append(k if k < classes and k not in three else next(free, 0))
    return "span:" + ",".join(map(str, three))


# -- the survey of this session -------------------------------------------------------------------


def begin_survey(question: Asked) -> None:
    """Look with this model; the survey before is over."""
    model = question.model()
    end_survey()
    cache = jobs.runs_folder() / EMBEDDINGS
    state.keep("dimensions:survey", (question, Survey(model, question.question, cache)))


def survey() -> tuple[Asked, Survey] | None:
    """What was asked last, and how far it is."""
    found: tuple[Asked, Survey] | None = state.recall("dimensions:survey")
    return found


def end_survey() -> None:
    """Forget the survey and its pictures."""
    before = state.take("dimensions:survey")
    if before is not None:
        before[1].cancel()
    token = state.take("dimensions:token")
    if token is not None:
        rooms.forget(token[1])


def token_of(made: Survey) -> str:
    """The token of a survey that is done."""
    known = state.recall("dimensions:token")
    if known is not None and known[0] is made and rooms.watch(known[1]) is made.run:
        token: str = known[1]
        return token
    assert made.run is not None
    token = rooms.show(made.run)
    state.keep("dimensions:token", (made, token))
    return token
