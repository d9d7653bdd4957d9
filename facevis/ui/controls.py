"""The sidebar of the playground: widgets in, the name of a dataset out.

What the widgets say becomes a configuration in ``state``; nothing is computed here.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from facevis.datasets import DATASETS
from facevis.live.presets import PRESETS
from facevis.margins import GRADIENTS, TAILS
from facevis.mining import MINING
from facevis.models import NETWORKS
from facevis.objectives import MARGIN_FAMILY, OBJECTIVES
from facevis.ui import state

Translate = Callable[..., str]


def sidebar(t: Translate) -> str | None:
    """Draw all controls; the chosen dataset (a name or a path), None while it is being chosen."""
    st.selectbox(
        t("preset"),
        [*PRESETS, state.OWN],
        key="preset",
        format_func=lambda name: t(f"preset_{name}"),
        on_change=state.take_preset,
    )
    _select(t, "objective", OBJECTIVES, state.take_objective)
    st.segmented_control(
        t("dimension"),
        (2, 3),
        key="embedding_dim",
        format_func=lambda dim: t(f"dimension_{dim}"),
        on_change=state.take_dimension,
        required=True,
    )
    _select(t, "dataset", (*DATASETS, state.OWN))
    dataset = _own_pictures(t) if state.recall("dataset") == state.OWN else state.recall("dataset")
    columns = st.columns(2)
    _number(columns[0], t, "identities", 0, 1000, 1, help=t("identities_help"))
    _number(columns[1], t, "images_per_class", 0, 100_000, 1, help=t("images_per_class_help"))
    objective = state.recall("objective")
    if objective in ("contrastive", "triplet"):
        _pair_controls(t, objective)
    with st.expander(t("training")):
        _training_controls(t)
    if objective in MARGIN_FAMILY:
        with st.expander(t("margin_details")):
            _select(t, "tail", TAILS)
            _select(t, "gradient", GRADIENTS)
            _number(st, t, "warmup", 0, 1_000_000, 50)
    return dataset


def _training_controls(t: Translate) -> None:
    _select(t, "network", NETWORKS)
    columns = st.columns(2)
    _number(columns[0], t, "batch_size", 2, 8192, 16)
    _number(columns[1], t, "learning_rate", 1e-7, 10.0, 1e-3, format="%.4f")
    _number(columns[0], t, "seed", 0, 2**31 - 1, 1)
    _number(columns[1], t, "steps", 1, 1_000_000, 100)


def _pair_controls(t: Translate, objective: str) -> None:
    _number(st, t, "distance_margin", 0.001, 10.0, 0.05, format="%.2f")
    if objective == "triplet":
        _select(t, "mining", MINING)
        st.toggle(t("squared"), key="squared", on_change=state.touched)


def _own_pictures(t: Translate) -> str | None:
    folder = st.text_input(t("own_folder"), key="own_folder", help=t("own_folder_help"))
    upload = st.file_uploader(t("own_zip"), type="zip", key="own_zip")
    if upload is None:
        return folder.strip() or None
    # A folder of its own per upload: the same zip is read once, another one is another dataset.
    path = _uploads() / Path(upload.file_id).name / Path(upload.name).name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(upload.getvalue())
        partial.replace(path)
    return str(path)


@lru_cache(maxsize=1)
def _uploads() -> Path:
    """Where uploaded pictures lie until the app ends."""
    folder = tempfile.mkdtemp(prefix="facevis-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _select(
    t: Translate, name: str, choices: tuple[str, ...], change: Callable[[], None] = state.touched
) -> None:
    st.selectbox(
        t(name),
        choices,
        key=name,
        format_func=lambda choice: t(f"{name}_{choice}"),
        on_change=change,
    )


def _number(
    place: Any, t: Translate, name: str, low: float, high: float, step: float, **options: str
) -> None:
    place.number_input(t(name), low, high, step=step, key=name, on_change=state.touched, **options)
