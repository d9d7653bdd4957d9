"""The full-scale page: put a run together and start it, choose among runs, watch one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from facevis.fullscale import jobs
from facevis.fullscale.jobs import Job
from facevis.fullscale.watching import Watch, watches
from facevis.i18n import browser_strings
from facevis.live.stream import BASE
from facevis.ui import fullscale_state as fullscale
from facevis.ui import quantities, runs, state
from facevis.ui.live_view import browser_component
from facevis.ui.quantities import size
from facevis.ui.screens import fullscale_draft

Translate = Callable[..., str]

_LOOK = 15.0
"""How often the list of runs is looked at anew, seconds; at once where the run watched moves on."""
_RUNS_BEFORE_SCROLLING = 6
_WORDS = ("live_full_", "live_table_", "live_lost")
_AGES = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))


def page(t: Translate, query: Mapping[str, str] | None) -> None:
    """A new run, the list of runs, the one that is watched."""
    runs.begin(t, query, fullscale.begin)
    st.caption(t("full_lead"))
    if fullscale.drafting():
        fullscale_draft.draw(t)
    elif st.button(t("full_new"), type="primary", icon=":material/add:"):
        fullscale.drafting(True)
        st.rerun()
    found = jobs.find(jobs.runs_folder())
    if not found:
        state.write({"run": None})
        st.query_params.from_dict({"lang": state.language()})
        st.info(t("full_none", folder=runs.plain(str(jobs.runs_folder()))))
        return
    _choose([job.name for job in found])
    _list(t)
    name = state.read("run")
    st.query_params.from_dict({"run": name, "lang": state.language()})
    _watch(jobs.runs_folder() / name)


# -- the list -------------------------------------------------------------------------------------


def _list(t: Translate) -> None:
    """All runs, and what can be done with the chosen one; it looks again by itself."""

    @st.fragment(run_every=_LOOK)
    def show() -> None:
        found = {job.name: job for job in jobs.find(jobs.runs_folder())}
        if not found:
            st.rerun()
        changed = _choose(list(found))
        st.markdown(f"**{t('full_runs')}**")
        with st.container(height=330 if len(found) > _RUNS_BEFORE_SCROLLING else "content"):
            _radio(t, found)
        chosen = found[state.read("run")]
        _said()
        _actions(t, chosen)
        if state.take("full:chosen") or changed:
            st.rerun()

    show()


def _choose(names: list[str]) -> bool:
    """See that a run is chosen that there is; whether that is another one."""
    wanted = state.take("full:next") or state.read("run")
    chosen = wanted if wanted in names else names[0]
    before = state.read("run")
    state.write({"run": chosen})
    return bool(chosen != before)


def _radio(t: Translate, found: dict[str, Job]) -> None:
    st.radio(
        t("full_runs"),
        list(found),
        key=state.key("run"),
        format_func=runs.plain,
        captions=[_caption(t, job) for job in found.values()],
        on_change=_chosen,
        label_visibility="collapsed",
    )


def _chosen() -> None:
    """Another run is chosen: the page is drawn anew, and what was said is past."""
    state.keep("full:chosen", True)
    state.take("full:said")


def _caption(t: Translate, job: Job) -> str:
    """State, step, loss and age in one line."""
    parts = [t(f"full_row_{job.state}", place=job.place)]
    if job.steps:
        parts.append(t("full_row_step", step=job.step, steps=job.steps))
    if job.state in ("training", "stopping"):
        loss = Watch(job.folder).last_loss()
        parts += [] if loss is None else [t("full_row_loss", loss=quantities.spoken(f"{loss:.4g}"))]
    return runs.plain(" · ".join([*parts, age(t, time.time() - job.changed)]))


def age(t: Translate, seconds: float) -> str:
    """How long ago, in the largest unit."""
    for name, length in _AGES:
        if seconds >= length and seconds >= 2:
            return t("full_row_ago", time=t(f"full_{name}", n=int(seconds / length)))
    return t("full_now")


def _said() -> None:
    """What the last action had to say, until the next one."""
    said = state.recall("full:said")
    if said is not None:
        (st.error if said[0] == "error" else st.success)(runs.plain(said[1]))


def _do(work: Callable[[], str | None]) -> None:
    """An action on a run; what cannot be done is said. It gives the run that is chosen then."""
    state.take("full:said")
    try:
        name = work()
    except ValueError as error:
        state.keep("full:said", ("error", str(error)))
    else:
        if name is not None:
            state.keep("full:next", name)
    st.rerun()


def _actions(t: Translate, job: Job) -> None:
    """What can be done with a run as it is now."""
    waits = job.state == "queued"
    row = st.container(horizontal=True, vertical_alignment="center")
    if job.alive or waits:
        pressed = row.button(
            t("full_stop"),
            icon=":material/stop:",
            help=t("full_stop_help"),
            disabled=job.state == "stopping",
            key="full:stop",
        )
        if pressed:
            _do(lambda: jobs.stop(job.folder))
    elif job.state in ("stopped", "failed"):
        with row.popover(t("full_resume"), icon=":material/play_arrow:"):
            _resume(t, job)
    if not job.alive and not waits:
        with row.popover(t("full_rename"), icon=":material/edit:"):
            _rename(t, job)
        with row.popover(t("full_delete"), icon=":material/delete:"):
            _delete(t, job)
    if job.checkpoints and job.config is not None:
        query = {"run": job.name, "lang": state.language()}
        row.link_button(t("full_dimensions"), f"dimensions?{urlencode(query)}")
        row.link_button(t("full_lecture"), f"lecture?{urlencode({'lesson': 13, **query})}")


def _resume(t: Translate, job: Job) -> None:
    processes = st.number_input(
        t("full_processes"), 1, 1024, job.processes, key=f"full:processes:{job.name}"
    )
    if st.button(t("full_resume_now"), type="primary", key="full:resume"):
        _do(lambda: jobs.resume(job.folder, int(processes)))


def _rename(t: Translate, job: Job) -> None:
    name = st.text_input(t("full_rename_to"), job.name, key=f"full:rename:{job.name}")
    if st.button(t("full_rename"), type="primary", key="full:rename"):
        _do(lambda: jobs.rename(job.folder, name.strip()).name)


def _delete(t: Translate, job: Job) -> None:
    st.markdown(t("full_delete_sure", name=f"**{runs.plain(job.name)}**", size=size_of(t, job)))
    if st.button(t("full_delete_now"), type="primary", key="full:delete"):
        _do(lambda: jobs.delete(job.folder))


def size_of(t: Translate, job: Job) -> str:
    """What the folder of a run takes on the disk."""
    total = 0
    for path in job.folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return size(t, total)


# -- the view -------------------------------------------------------------------------------------


def _watch(folder: Path) -> None:
    component = browser_component("facevis_training", "training/mount.js")
    words = browser_strings(state.language())
    data = {
        "token": watches.token_of(folder),
        "base": BASE,
        "theme": st.context.theme.type or "light",
        "lang": state.language(),
        "strings": {key: text for key, text in words.items() if key.startswith(_WORDS)},
    }
    component(data=data, key="training", height="content", on_moved_change=lambda: None)
