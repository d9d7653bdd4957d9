"""Pictures, tables and films of the run on screen: made beside the page, with progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import streamlit as st

from facevis import library
from facevis.figures import FORMATS, Cancelled, take_away
from facevis.figures.tables import history_csv
from facevis.fullscale import jobs
from facevis.i18n import translator
from facevis.library.toys import taken_from
from facevis.live import Recording
from facevis.live.trainer import LiveRun
from facevis.ui import state
from facevis.ui.library_words import size
from facevis.ui.runs import plain

Translate = Callable[..., str]

CHOICES = (*FORMATS, "history")
_POLL = 0.4
_MIME = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "csv": "text/csv",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "history": "text/csv",
}
log = logging.getLogger(__name__)


class Job:
    """One file in the making, on a thread of its own."""

    def __init__(self, run: LiveRun, format: str, language: str, theme: str) -> None:
        self.format, self.run = format, run
        self.share, self.data, self.error = 0.0, b"", ""
        self._cancelled = threading.Event()
        # The run goes on recording; what is taken away is what there is now.
        recording = Recording(run.recording.config, list(run.recording.snapshots))
        self.step = recording.snapshots[-1].step if recording.snapshots else 0
        options = {"words": translator(language), "theme": theme}
        self._thread = threading.Thread(
            target=self._work, args=(recording, run, options), daemon=True
        )
        self._thread.start()

    @property
    def name(self) -> str:
        """What the file is called."""
        if self.format == "history":
            return "facevis-history.csv"
        return f"facevis-step-{self.step}.{self.format}"

    @property
    def running(self) -> bool:
        """Whether it is still being made."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Stop at the next picture; nothing is kept."""
        self._cancelled.set()

    def _work(self, recording: Recording, run: LiveRun, options: dict[str, Any]) -> None:
        try:
            if self.format == "history":
                self.data = history_csv(recording)
                return
            self.data = take_away(
                recording, run.material, self.format, progress=self._progress, **options
            )
        except Cancelled:
            pass  # it was wished for
        except Exception as error:  # the page goes on, and says what went wrong
            log.exception("a file could not be made")
            self.error = str(error) or type(error).__name__

    def _progress(self, done: int, total: int) -> None:
        self.share = done / max(1, total)
        if self._cancelled.is_set():
            raise Cancelled


def section(t: Translate, run: LiveRun) -> None:
    """Choose a format, make the file, save it."""
    with st.expander(t("take_away")):
        _section(t, run)
        keep(t, run)


def keep(t: Translate, run: LiveRun) -> None:
    """A button that puts the run on the page of all runs."""
    if st.button(t("runs_keep_this"), help=t("runs_keep_this_help"), key=state.own_key("keep")):
        try:
            folder = library.keep(taken_from(run), jobs.runs_folder())
        except ValueError as error:
            st.error(plain(str(error)))
        else:
            st.success(plain(t("runs_kept", name=folder.name)))


def _choices(run: LiveRun) -> tuple[str, ...]:
    """What can be made of a run: pictures are of two or three dimensions."""
    return CHOICES if run.config.embedding_dim <= 3 else ("csv", "history")


def _section(t: Translate, run: LiveRun) -> None:
    job: Job | None = state.recall(state.own_key("job"))
    if job is not None and job.run is not run:
        job.cancel()  # a file of the run that was here before
        job = None
    running = job is not None and job.running

    @st.fragment(run_every=_POLL if running else None)
    def show() -> None:
        if running and job is not None and not job.running:
            st.rerun()
        if job is not None and job.running:
            _progress(t, job)
        else:
            _offer(t, run, job)

    show()


def _offer(t: Translate, run: LiveRun, job: Job | None) -> None:
    choices = _choices(run)
    if state.read("format") not in choices:
        state.write({"format": choices[0]})
    row = st.container(horizontal=True, vertical_alignment="bottom")
    format = row.segmented_control(
        t("take_away_format"),
        choices,
        key=state.key("format"),
        format_func=lambda name: t("take_away_history") if name == "history" else name.upper(),
        required=True,
    )
    if row.button(t("take_away_make")):
        theme = st.context.theme.type or "light"
        state.keep(state.own_key("job"), Job(run, format or choices[0], state.language(), theme))
        st.rerun()
    if job is not None and job.error:
        st.error(plain(job.error))
    if job is not None and job.data:
        row.download_button(
            t("take_away_save", name=job.name, size=size(t, len(job.data))),
            data=job.data,
            file_name=job.name,
            mime=_MIME[job.format],
            on_click="ignore",
            type="primary",
        )


def _progress(t: Translate, job: Job) -> None:
    columns = st.columns([5, 1], vertical_alignment="center")
    columns[0].progress(min(1.0, job.share), text=t("take_away_making", name=job.format.upper()))
    if columns[1].button(t("seeds_cancel"), key=state.own_key("stop_job")):
        job.cancel()
