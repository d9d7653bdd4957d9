"""Pictures downloaded once, through scikit-learn's fetchers; offline it is said in words."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

import numpy as np

from facevis.datasets.dataset import Dataset

TIMEOUT_SECONDS = 10.0


def olivetti() -> Dataset:
    """40 people, 10 pictures each, 64×64 (AT&T Laboratories Cambridge)."""
    from sklearn.datasets import fetch_olivetti_faces

    bunch = _fetch("the Olivetti faces", fetch_olivetti_faces, n_retries=1, delay=0.1)
    images = np.rint(bunch.images * 255).astype(np.uint8)[..., None]
    names = tuple(f"person {k + 1}" for k in range(int(bunch.target.max()) + 1))
    source = (
        "Olivetti faces, AT&T Laboratories Cambridge (Samaria and Harter 1994), no open licence"
    )
    return Dataset("olivetti", images, bunch.target.astype(np.int64), names, source)


def lfw() -> Dataset:
    """Labeled Faces in the Wild: the people with at least 20 pictures (Huang et al. 2007)."""
    from sklearn.datasets import fetch_lfw_people

    options = {"min_faces_per_person": 20, "color": True, "n_retries": 1, "delay": 0.1}
    bunch = _fetch("Labeled Faces in the Wild", fetch_lfw_people, **options)
    images = np.rint(bunch.images * (255 if bunch.images.max() <= 1 else 1)).astype(np.uint8)
    source = "Labeled Faces in the Wild (Huang et al. 2007), for research"
    names = tuple(str(name) for name in bunch.target_names)
    return Dataset("lfw", images, bunch.target.astype(np.int64), names, source)


def mnist_full() -> Dataset:
    """All 70,000 digits of MNIST, from OpenML."""
    from sklearn.datasets import fetch_openml

    options = {"version": 1, "as_frame": False, "n_retries": 1, "delay": 0.1}
    bunch = _fetch("MNIST", fetch_openml, name="mnist_784", **options)
    images = bunch.data.reshape(-1, 28, 28, 1).astype(np.uint8)
    source = "MNIST, LeCun, Cortes and Burges (CC BY-SA 3.0), from OpenML"
    labels = bunch.target.astype(np.int64)
    return Dataset("mnist-full", images, labels, tuple("0123456789"), source)


def _fetch(what: str, fetch: Callable[..., Any], **options: Any) -> Any:
    try:
        with _patience(TIMEOUT_SECONDS):
            return fetch(**options)
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", "") or error).rstrip(".") or type(error).__name__
        raise ValueError(
            f"{what} could not be downloaded ({reason}); connect to the network once, or choose "
            "pictures that need none: digits, mnist or faces."
        ) from error


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """No socket opened meanwhile waits longer than this."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
