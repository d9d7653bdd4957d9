"""The comparison over several seeds: trained on request, beside the run on screen."""

from __future__ import annotations

import html
from collections.abc import Callable

import numpy as np
import streamlit as st

from facevis.figures.tables import study_csv
from facevis.live import Member, RunConfig
from facevis.live.recording import STATISTICS
from facevis.live.rooms import rooms
from facevis.live.study import MOST_MEMBERS, Summary, claim, study_config, summarise
from facevis.live.trainer import LiveRun
from facevis.ui import runs, state
from facevis.ui.library_words import with_margin
from facevis.ui.quantities import spoken

Translate = Callable[..., str]

CHOICES = (5, 10, 20)
COLUMNS = (
    *("accuracy", "held_out_accuracy", "w_ec", "w_inter", "intra", "inter", "packing_share"),
    *("unseen_accuracy", "unseen_intra", "unseen_inter"),
)
_POLL = 0.7
_SHARE_OF_SEEDS = 0.9
"""The lecture's claim is said to hold where it holds in at least this share of the seeds."""


def section(t: Translate, config: RunConfig) -> None:
    """A button that trains every member with several seeds, its progress, and the table."""
    st.markdown(f"##### {t('seeds_title')}")
    current = state.run_on_screen("study")
    if current is None or current[1] != config or current[2].state not in ("training", "paused"):
        _offer(t, config, again=current is not None and current[1] == config)
    if current is not None and current[1] == config:
        _follow(t, current[2], config)


def _offer(t: Translate, config: RunConfig, *, again: bool) -> None:
    if not again:
        st.caption(t("seeds_lead"))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    most = MOST_MEMBERS // len(config.members)
    if state.read("seeds") is None:
        state.write({"seeds": CHOICES[0]})
    seeds = row.segmented_control(
        t("seeds_number"),
        [count for count in CHOICES if count <= most],
        key=state.key("seeds"),
        required=True,
    )
    if row.button(t("seeds_run"), type="secondary", key="seeds_run"):
        _start(t, config, int(seeds or CHOICES[0]))


def _start(t: Translate, config: RunConfig, seeds: int) -> None:
    before = state.run_on_screen("study")
    if before is not None:
        before[2].pause()
    try:
        token = rooms.open(study_config(config, seeds), last_only=True)
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return
    state.remember_run(token, config, "study")
    run = rooms.find(token)
    assert run is not None
    run.play()
    st.rerun()


def _follow(t: Translate, run: LiveRun, config: RunConfig) -> None:
    """Progress while it trains, then the table."""
    running = run.state == "training" or run.busy

    @st.fragment(run_every=_POLL if running else None)
    def show() -> None:
        run.ask()
        if running and run.state in ("finished", "failed"):
            st.rerun()  # the whole page: the polling ends
        if run.state in ("training", "paused", "recorded"):
            _progress(t, run)
        if run.error:
            st.warning(runs.plain(run.error))
        if run.recording.snapshots and run.step > 0:
            _table(t, run, config)

    show()


def _progress(t: Translate, run: LiveRun) -> None:
    columns = st.columns([5, 1], vertical_alignment="center")
    share = min(1.0, run.step / max(1, run.last_step))
    text = t("seeds_progress", models=len(run.members), step=run.step, steps=run.last_step)
    columns[0].progress(share, text=text)
    paused = run.state == "paused" and not run.busy
    label = t("seeds_resume") if paused else t("seeds_cancel")
    if columns[1].button(label, key="seeds_toggle"):
        if paused:
            run.play()
        else:
            run.pause()
        st.rerun()


def _table(t: Translate, run: LiveRun, config: RunConfig) -> None:
    frame = run.newest_frame()
    assert frame is not None
    seeds = len(run.members) // len(config.members)
    summary = summarise(frame.snapshot, seeds)
    names = [_name(t, member) for member in config.members]
    reference = st.selectbox(
        t("seeds_reference"),
        range(len(names)),
        index=_plain(config) or 0,
        format_func=lambda place: f"{place + 1} · {names[place]}",
        key="seeds_reference",
    )
    st.html(table_html(t, summary, names, reference))
    st.caption(t("seeds_note", seeds=seeds, step=frame.snapshot.step))
    st.download_button(
        t("seeds_csv"),
        data=study_csv(config, summary),
        file_name="facevis-seeds.csv",
        mime="text/csv",
        on_click="ignore",
    )
    _say_claim(t, summary, config)


def _name(t: Translate, member: Member) -> str:
    """A loss and what was set: two members may differ in that alone."""
    name = t(f"objective_{member.objective}")
    if not member.in_margin_family:
        return name
    assert member.margin is not None
    return with_margin(name, member.margin, member.scale)


def table_html(t: Translate, summary: Summary, names: list[str], reference: int) -> str:
    """Mean ± half interval for every member, and how it stands beside the reference."""
    columns = [
        name for name in COLUMNS if np.isfinite(summary.mean[:, STATISTICS.index(name)]).any()
    ]
    keys = [f"live_table_{column.removeprefix('unseen_')}" for column in columns]
    titles = [t(key) for key in keys]
    head = "".join(f"<th scope='col'>{html.escape(title)}</th>" for title in titles)
    unseen = sum(c.startswith("unseen") for c in columns)
    over = f"<th colspan='{len(columns) - unseen}'>{html.escape(t('seeds_seen'))}</th>"
    if unseen:
        over += f"<th colspan='{unseen}'>{html.escape(t('seeds_unseen'))}</th>"
    rows = []
    for member, name in enumerate(names):
        cells = "".join(_cell(t, summary, c, member, reference) for c in columns)
        rows.append(f"<tr><th scope='row'><b>{html.escape(name)}</b></th>{cells}</tr>")
    body = f"<thead><tr><td rowspan='2'></td>{over}</tr><tr>{head}</tr></thead>"
    body += f"<tbody>{''.join(rows)}</tbody>"
    theme = st.context.theme.type or "light"
    return (
        f"<div class='fv-root' data-theme='{theme}'><div class='fv-wide'>"
        f"<table class='fv-table fv-seeds'>{body}</table></div></div>"
    )


def _cell(t: Translate, summary: Summary, column: str, member: int, reference: int) -> str:
    place = STATISTICS.index(column)
    mean, half = summary.mean[member, place], summary.half[member, place]
    if not np.isfinite(mean):
        return "<td>–</td>"
    share = "accuracy" in column or column.endswith("share")
    factor, unit = (100.0, " %") if share else (1.0, "°")
    text = f"{mean * factor:.1f}{unit}"
    if np.isfinite(half):
        text += f" <small>± {half * factor:.1f}</small>"
    verdict = summary.verdict(column, member, reference)
    said = "" if member == reference else t(f"verdict_{verdict}")
    return f"<td>{spoken(text)}<i data-verdict='{verdict}'>{html.escape(said)}</i></td>"


def _plain(config: RunConfig) -> int | None:
    """Where the normalised softmax stands, if it is there."""
    names = [member.objective for member in config.members]
    return names.index("normalized_softmax") if "normalized_softmax" in names else None


def _say_claim(t: Translate, summary: Summary, config: RunConfig) -> None:
    """Whether the lecture's claim holds here, where it can be asked."""
    plain = _plain(config)
    names = [member.objective for member in config.members]
    if plain is None or "arcface" not in names:
        return
    arcface = names.index("arcface")
    if config.members[plain].scale != config.members[arcface].scale:
        st.info(t("claim_scales"))
        return
    found = claim(summary, plain, arcface)
    holds = found.both >= _SHARE_OF_SEEDS * found.seeds
    values = {"tighter": found.tighter, "apart": found.not_nearer, "seeds": found.seeds}
    say = st.success if holds else st.info
    say(t("claim_holds" if holds else "claim_fails", both=found.both, **values))
