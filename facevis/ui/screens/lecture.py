"""The lecture: one lesson at a time, drawn in the browser from the lesson's bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from facevis.lessons.bundle import bundle
from facevis.lessons.bundle import opening as opening_of
from facevis.lessons.export import file_name, lesson_html
from facevis.lessons.programme import WITH_RUN
from facevis.link_parts import ignored_part
from facevis.live.stream import BASE
from facevis.ui import classroom_state, lecture_run, progress, runs, state

Translate = Callable[..., str]

_STUB = f"""
export default function (component) {{
  // The stub runs from a blob, where a path has no host to be relative to.
  const web = window.location.origin + "{BASE}/web";
  import(web + "/plotly.js").then((plotly) => plotly.loadPlotly("{BASE}"));
  const ready = import(web + "/lesson/mount.js");
  ready.then((lesson) => lesson.mount(component));
  return () => ready.then((lesson) => lesson.unmount(component));
}}
"""
_BARE = """<style>
header[data-testid="stHeader"], [data-testid="stSidebar"],
[data-testid="stSidebarCollapsedControl"],
[data-testid="stExpandSidebarButton"], footer { display: none !important; }
.stMainBlockContainer { padding: 1rem 1.6rem 0 !important; max-width: none !important; }
</style>"""


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """Link → lesson, its bundle, draw it."""
    if query is not None:
        opened, ignored = opening_of(query)
        if "run" in query and opened["number"] == WITH_RUN:
            ignored += _begin_run(query["run"])
        state.keep("lecture", {**opened, "opening": state.fresh_number()})
        runs.tell_ignored(t, ignored)
    shown: dict[str, Any] = state.recall("lecture")
    present = shown["view"] == "present"
    if present:
        st.html(_BARE)
    else:
        with st.sidebar:
            _beside(t, shown["number"])
    if shown["number"] == WITH_RUN and _on_its_way(t):
        return
    try:
        run = lecture_run.shown()
        told = bundle(shown["number"], state.language(), shown["values"], run)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    st.query_params.from_dict(_query(shown))
    component = st.components.v2.component("facevis_lesson", js=_STUB, isolate_styles=False)
    component(
        data={
            **told,
            **classroom_state.show_lesson(shown["number"], run),
            "base": BASE,
            "theme": st.context.theme.type or "light",
            **{name: shown[name] for name in ("view", "hidden", "revealed", "start", "opening")},
        },
        key="lesson",
        on_go_change=_go,
        on_present_change=_present,
        height="content",
    )


def _begin_run(name: str) -> list[str]:
    try:
        lecture_run.begin(name)
    except ValueError as error:
        return [ignored_part("run", name, error)]
    return []


def _on_its_way(t: Translate) -> bool:
    """Whether a run is yet to come on stage, and how far; then the way back to the recording."""
    stage = lecture_run.stage()
    survey = stage.survey if stage is not None else None
    if survey is not None and survey.error:
        st.warning(runs.plain(survey.error))
    if survey is not None and survey.running:
        progress.follow(t, survey, lecture_run.end)
        return True
    if lecture_run.shown() is not None:
        st.button(t("lecture_own_recording"), on_click=lecture_run.end, type="tertiary")
    return False


def _beside(t: Translate, number: int) -> None:
    """What the lecture is, and the lesson to take away."""
    st.caption(t("lecture_lead"))
    language = state.language()
    st.download_button(
        t("export_lesson"),
        data=lambda: lesson_html(number, language).encode(),
        file_name=file_name(number),
        mime="text/html",
        help=t("export_help"),
        on_click="ignore",
    )


def _query(shown: Mapping[str, Any]) -> dict[str, str]:
    query = {"lesson": str(shown["number"]), "lang": state.language()}
    if shown["view"] == "present":
        query["view"] = "present"
    stage = lecture_run.stage()
    if stage is not None and shown["number"] == WITH_RUN:
        query["run"] = stage.link
    if shown["hidden"]:
        query["hide"] = ",".join(shown["hidden"])
    return query


def _told(name: str) -> Any:
    return (state.recall("lesson") or {}).get(name)


def _go() -> None:
    """Another lesson: what the link said of the one before is over."""
    number = _told("go")
    if isinstance(number, int):
        opened, _ = opening_of({"lesson": str(number)})
        shown = state.recall("lecture")
        kept = {name: shown[name] for name in ("view", "opening", "hidden")}
        state.keep("lecture", {**opened, **kept})


def _present() -> None:
    view = _told("present")
    if view in ("present", "normal"):
        state.keep("lecture", {**state.recall("lecture"), "view": view})
