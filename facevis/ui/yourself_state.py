"""What the page about your own faces keeps: in memory, of one session, until it is forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import streamlit as st

from facevis.atlas import Model, model_of_file, model_of_run
from facevis.atlas.people import People
from facevis.atlas.survey import class_means, material_of, snapshot_of
from facevis.embedders import PACKAGED, Embedder, packaged_model
from facevis.live import Recording, RunConfig
from facevis.live.config import Member
from facevis.live.rooms import rooms
from facevis.live.shown import ShownRun
from facevis.photographs import Detector, Photograph
from facevis.photographs.gallery import Portrait, in_size, portrait
from facevis.photographs.reading import MOST
from facevis.ui import state
from facevis.validation import path_of

OTHER = "other"
_CHUNK = 16


class Held:
    """Portraits by the digest of their bytes, embeddings, and the run that shows them."""

    def __init__(self) -> None:
        self.portraits: dict[str, Portrait | str] = {}
        """Or the sentence that says why there is none."""
        self.shots: dict[str, Photograph] = {}
        """What the camera took."""
        self.points: dict[tuple[str, str], np.ndarray] = {}
        self.shown: tuple[object, str] | None = None
        self.folder: tuple[str, list[Portrait], list[str]] | None = None
        """Path, portraits and faults of a folder that was read."""

    def forget(self) -> None:
        """Let go of everything, at once."""
        self.portraits.clear()
        self.shots.clear()
        self.points.clear()
        self.folder = None
        if self.shown is not None:
            rooms.forget(self.shown[1])
            self.shown = None


@st.cache_resource(scope="session", show_spinner=False, on_release=Held.forget)
def held() -> Held:
    """This session's; let go of when the session ends."""
    return Held()


@st.cache_resource(show_spinner=False)
def _detector() -> Detector:
    return Detector()


@st.cache_resource(show_spinner=False)
def _sface() -> Embedder:
    return packaged_model()


def begin(query: Mapping[str, str]) -> list[str]:
    """A link carries nothing of this page but its language."""
    state.write({"name": "", "model": PACKAGED, "source": "upload"})
    return []


def forget() -> None:
    """Pictures, crops, embeddings, uploads, the path, the shown run."""
    held().forget()
    state.write({"folder": "", "name": ""})
    # Another widget takes the place of the one that holds the uploads.
    state.keep("yourself:round", state.recall("yourself:round", 0) + 1)


def round_key(name: str) -> str:
    """The key of a widget that is emptied by ``forget``."""
    return f"yourself:{name}:{state.recall('yourself:round', 0)}"


def digest(data: bytes) -> str:
    """Of a picture's bytes."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def portrait_of(photograph: Photograph) -> Portrait | str:
    """Its faces, looked for once; or why there are none to look for."""
    store = held().portraits
    key = f"{digest(photograph.data)} {photograph.person}/{photograph.name}"
    if key not in store:
        try:
            store[key] = portrait(photograph, _detector())
        except ValueError as error:
            store[key] = str(error)
    return store[key]


def portraits(
    photographs: Iterable[Photograph], progress: Callable[[int], None] = lambda done: None
) -> tuple[list[Portrait], list[str]]:
    """Portraits, and sentences about what is none; at most ``MOST`` photographs."""
    found: list[Portrait] = []
    faults: list[str] = []
    for number, photograph in enumerate(photographs):
        if number == MOST:
            faults.append(f"only the first {MOST} pictures are taken; leave some out.")
            break
        one = portrait_of(photograph)
        if isinstance(one, str):
            faults.append(one)
        else:
            found.append(one)
        progress(number + 1)
    return found, faults


# -- embedding ------------------------------------------------------------------------------------


def model() -> tuple[str, Embedder] | None:
    """A digest and the model that is asked for, None while its path is missing."""
    if state.read("model") == PACKAGED:
        return PACKAGED, _sface()
    path = (state.read("path") or "").strip()
    if not path:
        return None
    found = _opened(path)
    moment = found.moments[-1]
    return moment.digest, moment.open()


def _opened(path: str) -> Model:
    place = path_of(path)
    return model_of_run(place) if place.is_dir() else model_of_file(place)


def embed(
    name: str, embedder: Embedder, faces: list[Portrait], progress: Callable[[float], object]
) -> np.ndarray:
    """Embeddings (N, D) of the chosen faces; each is made once."""
    store = held().points
    keys = [(name, digest(face.crop.tobytes())) for face in faces]
    missing = [n for n, key in enumerate(keys) if key not in store]
    for first in range(0, len(missing), _CHUNK):
        rows = missing[first : first + _CHUNK]
        crops = in_size(np.stack([faces[n].crop for n in rows]), embedder.size)
        for n, point in zip(rows, embedder.embed(crops)[0], strict=True):
            store[keys[n]] = point
        progress(min(1.0, (first + _CHUNK) / len(missing)))
    return np.stack([store[key] for key in keys])


def token_of(points: np.ndarray, faces: list[Portrait], people: np.ndarray) -> str:
    """The token of the run that shows these people on the sphere."""
    store = held()
    names, labels = np.unique(people, return_inverse=True)
    said = digest(points.tobytes() + "\0".join(people).encode())
    if store.shown is not None:
        if store.shown[0] == said and rooms.watch(store.shown[1]) is not None:
            return store.shown[1]
        rooms.forget(store.shown[1])
    crops = np.stack([face.crop for face in faces])
    titles = tuple(map(str, names))
    everybody = People("yourself", crops, labels, titles, np.arange(len(names)), len(names))
    material = material_of(everybody)
    centres = class_means(points, labels, len(names))
    snapshot = snapshot_of(points, labels, centres, own_prototypes=False)
    config = RunConfig(
        members=(Member(objective="normalized_softmax"),),
        dataset="yourself",
        embedding_dim=points.shape[1],
        steps=1,
    )
    run = ShownRun(Recording(config, [snapshot]), material, titles=[("", "")])
    store.shown = said, rooms.show(run)
    return store.shown[1]
