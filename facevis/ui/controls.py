"""Controls that pages share: widgets in, values in ``state``; nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from facevis.datasets import DATASETS
from facevis.live.projection import KINDS
from facevis.models import NETWORKS
from facevis.ui import runs, state, uploads

Translate = Callable[..., str]
Callback = Callable[[], None]


def nothing() -> None:
    """The callback of a control that concerns nobody else."""


def data(t: Translate, changed: Callback = nothing, chosen: Callback | None = None) -> str | None:
    """Which pictures and classes; the dataset (a name or a path), None while it is chosen.

    ``chosen`` hears of another dataset alone.
    """
    select(t, "dataset", (*DATASETS, state.OWN), chosen or changed)
    dataset = _own_pictures(t) if state.read("dataset") == state.OWN else state.read("dataset")
    columns = st.columns(2)
    number(columns[0], t, "identities", 0, 1000, 1, changed, help=t("identities_help"))
    number(columns[1], t, "unseen", 0, 1000, 1, changed, help=t("unseen_help"))
    return dataset


def dimension(t: Translate, changed: Callback = nothing) -> None:
    """Circle or sphere."""
    st.segmented_control(
        t("dimension"),
        (2, 3),
        key=state.key("embedding_dim"),
        format_func=lambda dim: t(f"dimension_{dim}"),
        on_change=changed,
        required=True,
    )


def training(t: Translate, changed: Callback = nothing) -> None:
    """Network, batches, seed and steps."""
    with st.expander(t("training")):
        select(t, "network", NETWORKS, changed)
        columns = st.columns(2)
        number(columns[0], t, "batch_size", 2, 8192, 16, changed)
        number(columns[1], t, "learning_rate", 1e-7, 10.0, 1e-3, changed, format="%.4f")
        number(columns[0], t, "seed", 0, 2**31 - 1, 1, changed)
        number(columns[1], t, "steps", 1, 1_000_000, 100, changed)
        number(
            *(st, t, "images_per_class", 0, 100_000, 1, changed), help=t("images_per_class_help")
        )


def select(
    t: Translate,
    name: str,
    choices: Sequence[str],
    changed: Callback = nothing,
    words: str | None = None,
    place: Any = st,
) -> None:
    """A list of named choices; ``words`` begins their keys, if not the field's name."""
    words = words or name
    place.selectbox(
        t(words),
        choices,
        key=state.key(name),
        format_func=lambda choice: t(f"{words}_{choice}"),
        on_change=changed,
    )


def number(
    place: Any,
    t: Translate,
    name: str,
    low: float,
    high: float,
    step: float,
    changed: Callback = nothing,
    words: str | None = None,
    **options: Any,
) -> None:
    """A number field."""
    place.number_input(
        t(words or name), low, high, step=step, key=state.key(name), on_change=changed, **options
    )


def projection_kind(t: Translate, place: Any = st) -> None:
    """How more than three dimensions are seen on a sphere."""
    place.segmented_control(
        t("open_projection"),
        KINDS,
        key=state.key("kind"),
        format_func=lambda kind: t(f"open_projection_{kind}"),
        required=True,
    )


def _own_pictures(t: Translate) -> str | None:
    folder = st.text_input(t("own_folder"), key=state.key("own_folder"), help=t("own_folder_help"))
    upload = st.file_uploader(t("own_zip"), type="zip", key=state.own_key("own_zip"))
    if upload is None:
        return folder.strip() or None
    try:
        return str(uploads.keep(upload.file_id, upload.name, upload.size, upload.getvalue))
    except ValueError as error:
        st.error(runs.plain(str(error)))
        return None
