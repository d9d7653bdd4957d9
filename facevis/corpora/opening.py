"""One word for every face set: a path or a made-up set, opened by what is there."""

from __future__ import annotations

from pathlib import Path

from facevis.corpora.bins import SUFFIX, BinSet, read_bin
from facevis.corpora.corpus import Corpus
from facevis.corpora.folders import FolderCorpus
from facevis.corpora.lists import SUFFIXES, ListCorpus
from facevis.corpora.recordio import RecordIO, is_recordio
from facevis.corpora.shards import ShardCorpus, is_shards
from facevis.corpora.synthetic import KINDS, made_up

CHOICES = (
    "a folder with train.rec, with one subfolder per identity or with .tar shards, a .rec, a .tar, "
    "a list (.lst, .txt, .tsv, .csv), or faces:… or noise:…"
)


def open_corpus(spec: str | Path, cache: Path | None = None) -> Corpus:
    """Open what ``spec`` names; ``cache`` is a folder for what takes long to find or to draw.

    Raises ``ValueError`` in one sentence if nothing can be read there.

    >>> corpus = open_corpus("faces:identities=3,images=2,size=32")
    >>> len(corpus), corpus.num_classes, corpus.picture(0, 32).shape
    (6, 3, (32, 32, 3))
    >>> open_corpus("no/such/place")
    Traceback (most recent call last):
    ...
    ValueError: there is no no/such/place; give a folder with train.rec, ...
    """
    if isinstance(spec, str) and spec.partition(":")[0] in KINDS:
        return made_up(spec, cache)
    try:
        return _opened(Path(spec), cache)
    except OSError as error:
        raise ValueError(
            f"{str(spec)[-80:]} cannot be read ({error.strerror}); check its name and permissions."
        ) from error


def open_any(spec: str) -> Corpus | BinSet:
    """A verification set where ``spec`` names a ``.bin``, else what ``open_corpus`` opens."""
    return read_bin(spec) if spec.lower().endswith(SUFFIX) else open_corpus(spec)


def _opened(path: Path, cache: Path | None) -> Corpus:
    if is_recordio(path):
        return RecordIO(path, cache)
    if is_shards(path):
        return ShardCorpus(path, cache)
    if path.is_dir():
        return FolderCorpus(path)
    if not path.exists():
        raise ValueError(f"there is no {str(path)[-80:]}; give {CHOICES}.")
    if path.suffix.lower() in SUFFIXES:
        return ListCorpus(path)
    raise ValueError(f"{path.name} is no face set that can be read; give {CHOICES}.")
