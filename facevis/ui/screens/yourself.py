"""Your own photographs: faces found and aligned, and where they lie among other people's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facevis.embedders import PACKAGED
from facevis.embedders.packaged import THRESHOLD
from facevis.photographs import Photograph, of_folder
from facevis.photographs.gallery import Place, Portrait, place
from facevis.photographs.reading import MOST
from facevis.ui import quantities, runs, state
from facevis.ui import yourself_state as yourself
from facevis.ui.live_view import live_view, view_data

Translate = Callable[..., str]

_SOURCES = ("upload", "camera")
_SUFFIXES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm"]
_NEAREST, _FAULTS = 8, 5
_REFERENCE = math.degrees(math.acos(THRESHOLD))


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Pictures in, faces shown, then the answer: who is nearest."""
    runs.begin(t, query, yourself.begin)
    with st.sidebar:
        you, uploads = _sidebar(t)
    st.header(t("you_title"))
    st.caption(t("you_privacy"))
    mine, faults = yourself.portraits([*uploads, *yourself.held().shots.values()])
    _say(faults)
    _mine(t, mine)
    others = _others(t)
    seen = [one for one in (*mine, *others) if one.faces]
    people = np.array([you if one in mine else one.person for one in seen])
    if not any(one.faces for one in mine):
        st.info(t("you_waiting"))
    elif len(seen) < 2:
        st.info(t("you_alone"))
    else:
        _answer(t, seen, people, you)
    st.query_params.from_dict({"lang": state.language()})


# -- what is asked --------------------------------------------------------------------------------


def _sidebar(t: Translate) -> tuple[str, list[Photograph]]:
    name = st.text_input(t("you_name"), key=state.key("name"), placeholder=t("you_default"))
    you = (name or "").strip()[:60] or t("you_default")
    st.segmented_control(
        t("you_source"),
        _SOURCES,
        key=state.key("source"),
        format_func=lambda source: t(f"you_source_{source}"),
        required=True,
    )
    # The uploader stays: one that is not drawn loses its files.
    files = st.file_uploader(
        t("you_upload"),
        type=_SUFFIXES,
        accept_multiple_files=True,
        key=yourself.round_key("uploads"),
    )
    if state.read("source") == "camera":
        shot = st.camera_input(t("you_camera"), key=yourself.round_key("camera"))
        if shot is not None:
            shots, data = yourself.held().shots, shot.getvalue()
            number = len(shots) + 1
            name = t("you_shot", number=number)
            shots.setdefault(yourself.digest(data), Photograph(name, "", data))
    st.text_input(t("you_folder"), key=state.key("folder"), help=t("you_folder_help", most=MOST))
    st.selectbox(
        t("you_model"),
        (PACKAGED, yourself.OTHER),
        key=state.key("model"),
        format_func=lambda name: t(f"you_model_{name}"),
        help=t("you_model_help"),
    )
    if state.read("model") == yourself.OTHER:
        st.text_input(t("you_path"), key=state.key("path"), help=t("you_path_help"))
    st.button(
        t("you_forget"), on_click=yourself.forget, help=t("you_forget_help"), key="you_forget"
    )
    return you, [Photograph(file.name, "", file.getvalue()) for file in files]


def _others(t: Translate) -> list[Portrait]:
    """Portraits of the folder, read once, until another is named."""
    path = (state.read("folder") or "").strip()
    if not path:
        return []
    store = yourself.held()
    if store.folder is None or store.folder[0] != path:
        bar = st.progress(0.0, text=t("you_reading", done=0))

        def reading(done: int) -> None:
            bar.progress(done / MOST, t("you_reading", done=done))

        try:
            read = yourself.portraits(of_folder(path), reading)
        except ValueError as error:
            st.error(runs.plain(str(error)))
            return []
        finally:
            bar.empty()
        store.folder = path, *read
    _, found, faults = store.folder
    _say(faults)
    without = [one.name for one in found if not one.faces]
    count = len(found) - len(without)
    st.caption(t("you_folder_found", count=count, people=len({one.person for one in found})))
    if without:
        names = runs.plain(", ".join(without[:3]))
        st.warning(t("you_folder_none", count=len(without), names=names))
    if several := sum(len(one.faces) > 1 for one in found):
        st.caption(t("you_folder_several", count=several))
    return found


def _say(faults: list[str]) -> None:
    for fault in faults[:_FAULTS]:
        st.warning(runs.plain(fault))


# -- faces ----------------------------------------------------------------------------------------


def _mine(t: Translate, mine: list[Portrait]) -> None:
    """Each picture with its faces, and the crop that the network gets."""
    if not mine:
        return
    st.subheader(t("you_faces"))
    st.caption(t("you_faces_help"))
    with st.container(horizontal=True):
        for number, one in enumerate(mine):
            with st.container(width=300, border=True):
                _portrait(t, one, number)


def _portrait(t: Translate, one: Portrait, number: int) -> None:
    if len(one.faces) > 1:
        choices = range(len(one.faces))
        one.chosen = st.selectbox(
            t("you_several", count=len(one.faces)),
            choices,
            key=yourself.round_key(f"face {number} {one.name}"),
            format_func=lambda face: t("you_face", number=face + 1),
        )
    columns = st.columns([3, 2], vertical_alignment="bottom")
    columns[0].image(one.drawn())
    if one.faces:
        columns[1].image(one.crop)
    st.caption(runs.plain(one.name[-60:]))
    if not one.faces:
        st.warning(t("you_none"))
        return
    for remark in one.remarks[one.chosen]:
        st.warning(t(f"you_{remark}"))


# -- the answer -----------------------------------------------------------------------------------


def _answer(t: Translate, seen: list[Portrait], people: np.ndarray, you: str) -> None:
    bar = st.progress(0.0, text=t("you_embedding"))

    def embedding(share: float) -> None:
        bar.progress(share, t("you_embedding"))

    try:
        chosen = yourself.model()
        if chosen is None:
            st.info(t("you_model_waiting"))
            return
        points = yourself.embed(*chosen, seen, embedding)
        found = place(points, people, you)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    finally:
        bar.empty()
    packaged = state.read("model") == PACKAGED
    _nearest(t, found, seen, packaged)
    _histogram(t, found, packaged)
    if len(set(people)) >= 2:
        st.subheader(t("you_sphere"))
        st.caption(t("you_sphere_help", dim=points.shape[1]))
        token = yourself.token_of(points, seen, people)
        data = view_data(token, "compare", projection="pca", taped=True, still=True)
        live_view(data, key="live_yourself", on_reseed=lambda: None)


def _nearest(t: Translate, found: Place, seen: list[Portrait], packaged: bool) -> None:
    if found.nearest:
        first = found.nearest[0]
        st.subheader(t("you_nearest"))
        person, angle = runs.plain(first.person), _angle(first.angle)
        st.markdown(t("you_nearest_is", person=person, angle=angle))
        if packaged:
            close = "you_alike" if first.angle <= _REFERENCE else "you_apart"
            st.markdown(t(close, threshold=_angle(_REFERENCE)))
        with st.container(horizontal=True):
            for near in found.nearest[:_NEAREST]:
                with st.container(width=134, border=True):
                    st.image(seen[near.theirs].crop)
                    st.markdown(f"**{_angle(near.angle)}°** {runs.plain(near.person[:40])}")
    if len(found.own):
        low, high = found.own.min(), found.own.max()
        st.markdown(
            t("you_own", count=len(found.own), low=_angle(low), high=_angle(high)),
        )
    if packaged:
        st.caption(
            t(
                "you_threshold",
                cosine=quantities.spoken(str(THRESHOLD)),
                threshold=_angle(_REFERENCE),
            )
        )


def _histogram(t: Translate, found: Place, packaged: bool) -> None:
    """Shares of pairs by the angle: one person, two people, and you with the others."""
    figure = go.Figure()
    edges = np.arange(0, 182, 3)
    colours = {"genuine": "#2ec27e", "impostor": "#c64600", "to_others": "#7a86f0"}
    for name, colour in colours.items():
        angles = getattr(found, name)
        if len(angles):
            share = np.histogram(angles, edges)[0] / len(angles)
            title = t(f"you_{name}")
            figure.add_bar(
                x=edges[:-1] + 1.5, y=share, name=title, marker_color=colour, opacity=0.6
            )
    if found.nearest:
        figure.add_vline(found.nearest[0].angle, line_width=3, line_color=colours["to_others"])
    if packaged:
        figure.add_vline(_REFERENCE, line_dash="dot", line_color="gray")
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        height=280,
        margin={"l": 50, "r": 10, "t": 10, "b": 40},
        xaxis={"title": t("you_angle"), "range": [0, 130]},
        yaxis={"title": t("you_share"), "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.15},
    )
    st.subheader(t("you_histogram"))
    st.plotly_chart(figure, config={"displayModeBar": False}, key="you_histogram")
    st.caption(t("you_histogram_help"))


def _angle(degrees: float) -> str:
    """In the way of the language."""
    return quantities.spoken(f"{degrees:.1f}")
