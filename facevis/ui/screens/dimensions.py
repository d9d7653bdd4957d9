"""What a trained network makes of people in all its dimensions, on the sphere and in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import streamlit as st

from facevis.atlas import cache
from facevis.atlas.people import MOST_PICTURES
from facevis.atlas.survey import Survey
from facevis.fullscale import jobs
from facevis.fullscale.config_parts import BACKBONE_NAMES
from facevis.links import start_from_query
from facevis.ui import controls, progress, runs, state
from facevis.ui import dimensions_state as dimensions
from facevis.ui.dimensions_state import DRAWN, FILE, NOBODY, OTHER, Asked
from facevis.ui.live_view import live_view, view_data
from facevis.ui.openset_part import openset_part
from facevis.ui.projection_state import CHOSEN
from facevis.ui.quantities import spoken

Translate = Callable[..., str]


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Controls → question, have it surveyed, draw the part that is looked at."""
    if query is not None:
        ignored = dimensions.begin(query)
        state.begin_at(start_from_query(query, ignored))
        state.keep("dimensions:ignored", ignored)
    # The page is drawn anew when the survey is done: what of the link was ignored stays in sight.
    runs.tell_ignored(t, state.recall("dimensions:ignored", []))
    with st.sidebar:
        asked = _sidebar(t)
    st.caption(t("dims_lead"))
    found = dimensions.survey()
    _offer(t, asked, found)
    found = dimensions.survey()
    if found is None:
        st.info(t("dims_waiting"))
        return
    _follow(t, found[1])
    if found[1].run is not None:
        _draw(t, *found)


# -- what is asked --------------------------------------------------------------------------------


def _sidebar(t: Translate) -> Asked | None:
    names = dimensions.trained_runs()
    if state.read("source") not in (*names, FILE):
        state.write({"source": names[0] if names else FILE})
    st.selectbox(
        t("dims_model"),
        [*names, FILE],
        key=state.key("source"),
        format_func=lambda name: t("dims_model_file") if name == FILE else name,
        on_change=dimensions.take_source,
    )
    source, train = state.read("source"), ""
    sets: tuple[str, ...] = ()
    if source == FILE:
        _file(t)
    else:
        job = jobs.look(jobs.runs_folder() / source)
        if job.config is not None:
            train, sets = job.config.data.train, job.config.follow.sets
        steps = list(job.checkpoints)
        if state.read("until") not in steps:
            state.write({"until": steps[-1] if steps else None})
        st.selectbox(t("dims_until"), steps, key=state.key("until"), help=t("dims_until_help"))
    _people(t, train, sets)
    _kept(t)
    return dimensions.asked(train, sets)


def _file(t: Translate) -> None:
    st.text_input(t("dims_path"), key=state.key("path"), help=t("dims_path_help"))
    path = (state.read("path") or "").lower().strip()
    if path.endswith((".pth", ".pt", ".safetensors")):
        st.selectbox(
            t("dims_backbone"),
            ("", *BACKBONE_NAMES),
            key=state.key("backbone"),
            format_func=lambda name: name or t("dims_backbone_own"),
        )
    if path.endswith(".onnx"):
        with st.expander(t("dims_onnx")):
            controls.select(t, "channels", ("rgb", "bgr"), words="dims_channels")
            columns = st.columns(3)
            for name in ("mean", "std"):
                if state.read(name) is None:
                    state.write({name: 127.5})
            controls.number(columns[0], t, "mean", -1e6, 1e6, 0.5, words="dims_mean")
            controls.number(columns[1], t, "std", 1e-6, 1e6, 0.5, words="dims_std")
            controls.number(columns[2], t, "size", 0, 512, 16, words="dims_size")


def _people(t: Translate, train: str, sets: tuple[str, ...]) -> None:
    own = ["train"] if train else []
    numbered = [f"set {k}" for k in range(len(sets))]

    def title(name: str) -> str:
        if name.startswith("set "):
            spec = sets[int(name[4:])]
            return t("dims_people_set", name=spec if ":" in spec else spec[-40:])
        return t(f"dims_people_{name}")

    choices = {
        "people": [*own, *numbered, DRAWN, OTHER],
        "strangers": [*numbered, NOBODY, OTHER] if train else [NOBODY, OTHER],
    }
    for name, options in choices.items():
        if state.read(name) not in options:
            state.write({name: options[0]})
        st.selectbox(
            t(f"dims_{name}"),
            options,
            key=state.key(name),
            format_func=title,
            help=t(f"dims_{name}_help"),
        )
        if state.read(name) == OTHER:
            st.text_input(
                t("dims_set_path"), key=state.key(f"{name}_path"), help=t("dims_set_path_help")
            )
    columns = st.columns(2)
    controls.number(columns[0], t, "identities", 2, 1000, 1, words="dims_identities")
    controls.number(columns[1], t, "images_each", 1, 1000, 1, words="dims_images_each")
    st.caption(t("dims_most", count=MOST_PICTURES))


def _kept(t: Translate) -> None:
    """How much is kept, and a way to be rid of it."""
    folder = jobs.runs_folder() / dimensions.EMBEDDINGS
    size = cache.size_of(folder)
    if size:
        st.button(
            t("dims_clear", size=spoken(f"{size / 2**20:.1f}")),
            help=t("dims_clear_help"),
            on_click=lambda: cache.clear(folder),
            type="tertiary",
        )


# -- the survey -----------------------------------------------------------------------------------


def _offer(t: Translate, asked: Asked | None, found: tuple[Asked, Survey] | None) -> None:
    """A button that looks, where what is asked is not what is seen."""
    if asked is None:
        if found is None:
            st.button(t("dims_look"), type="primary", key="dims_look", disabled=True)
        return
    known = found is not None and found[0] == asked and not found[1].error
    if known:
        return
    if state.take("dimensions:at_once"):
        _begin(asked)
        return
    if st.button(t("dims_look"), type="primary", key="dims_look"):
        state.take("dimensions:ignored")
        if _begin(asked):
            st.rerun()
        return
    if found is not None and found[1].run is not None:
        st.caption(t("dims_changed"))


def _begin(asked: Asked) -> bool:
    try:
        dimensions.begin_survey(asked)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return False
    return True


def _follow(t: Translate, survey: Survey) -> None:
    """Progress while it is made; what went wrong."""
    if survey.error:
        st.error(runs.plain(survey.error))
    if survey.running:
        progress.follow(t, survey, dimensions.end_survey)


def _draw(t: Translate, asked: Asked, survey: Survey) -> None:
    assert survey.run is not None
    for remark in survey.remarks[:3]:
        st.warning(runs.plain(remark))
    part = st.segmented_control(
        t("open_part"),
        dimensions.PARTS,
        key=state.key("part"),
        format_func=lambda name: t(f"dims_part_{name}"),
        required=True,
        label_visibility="collapsed",
    )
    token = dimensions.token_of(survey)
    query = {"part": part or dimensions.PARTS[0], "lang": state.language()}
    if asked.source != FILE:
        query = {"run": asked.source, **query}
        if asked.until is not None:
            query["step"] = str(asked.until)
    if part == "landing":
        projection = _sphere(t, survey)
        query["proj"] = projection
        _landing(token, survey, projection)
    else:
        members = survey.run.describe("")["members"]
        openset_part(token, str(part), members, "dims_openset", shown=True)
    st.query_params.from_dict(query)
    if asked.source != FILE:
        link = urlencode({"lesson": 13, "run": asked.source, "lang": state.language()})
        st.markdown(f"[{t('dims_lecture')}](lecture?{link})")


def _sphere(t: Translate, survey: Survey) -> str:
    """Which sphere: that of three people, or the directions that hold most."""
    assert survey.run is not None
    names = survey.run.material.dataset.class_names[: survey.run.material.num_classes]
    st.caption(t("dims_prototypes" if survey.own_prototypes else "dims_means"))
    columns = st.columns([2, 1, 1, 1], vertical_alignment="bottom")
    controls.projection_kind(t, columns[0])
    if state.read("kind") == "span":
        three = dimensions.projection(len(names)).partition(":")[2].split(",")
        for column, name, chosen in zip(columns[1:], CHOSEN, three, strict=False):
            state.write({name: int(chosen)})
            column.selectbox(
                t(f"dims_{name}"),
                range(len(names)),
                key=state.key(name),
                format_func=names.__getitem__,
            )
    return dimensions.projection(len(names))


def _landing(token: str, survey: Survey, projection: str) -> None:
    assert survey.run is not None
    several = len(survey.run.recording.snapshots) > 1
    data = view_data(token, "compare", projection=projection, taped=True, still=not several)
    live_view(data, key="live_dimensions", on_reseed=lambda: None)
