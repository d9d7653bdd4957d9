"""``facevis data``: what is in a face set, the set in another form, and pairs drawn from it.

It is light: pictures are read when work begins. Results go to the standard output, progress to the
other one. What a set is, and how it is written, ``facevis.corpora`` knows; words ``data_report``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from facevis.arguments import in_one_sentence
from facevis.i18n import LANGUAGES, translator
from facevis.validation import choice, whole

if TYPE_CHECKING:
    from facevis.corpora import Corpus
    from facevis.corpora.bins import BinSet

Words = Callable[..., str]
Set = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SET")]


@dataclass(frozen=True)
class Inspect:
    """Say what is in a face set: pictures, identities, sizes, formats, damaged pictures."""

    source: Set
    """A folder with train.rec, with one subfolder per identity or with .tar shards, a .rec, a .tar,
    a list (.lst .txt .tsv .csv), a .bin of pairs, or a made-up set (faces:identities=12)."""
    sheet: Path | None = None
    """Write a PNG with some of the pictures, a row for each identity, or pairs side by side."""
    json: Path | None = None
    """Write what was found as JSON."""
    limit: int | None = None
    """Decode only so many pictures, drawn at random; left out, all."""
    lang: str = "en"
    """Language of table and sheet, en or ru."""

    def run(self) -> None:
        """Look, write and print; every fault ends in one sentence."""
        _in_words(self._inspect)

    def _inspect(self) -> None:
        from facevis.corpora.inspecting import inspect
        from facevis.corpora.sheet import write_png
        from facevis.data_report import progress, sentences, sheet, show, tables, write_json

        words = _words(self.lang)
        for name, path, suffix in (("sheet", self.sheet, ".png"), ("json", self.json, ".json")):
            if path is not None:
                _writable(name, path, suffix)
        source = _opened(self.source)
        with progress(words("data_looking")) as report:
            found = inspect(source, report, limit=self.limit)
        show(*tables(found, words), *sentences(found, words))
        if self.json:
            write_json(self.json, found)
            show(words("data_file", path=self.json))
        if self.sheet:
            write_png(self.sheet, sheet(source, found, words))
            show(words("data_file", path=self.sheet))


@dataclass(frozen=True)
class Convert:
    """Write a face set in another form; pictures stay as they are, damaged ones are left out."""

    source: Set
    """As for facevis data inspect; a .bin becomes a folder with pairs.txt."""
    target: Annotated[Path, tyro.conf.Positional]
    """A new folder, or, for a list, a new file (.lst .txt .tsv .csv)."""
    format: str
    """recordio, folder, list or webdataset."""
    size: int | None = None
    """Side of the pictures in pixels; those of another size are cropped, scaled and saved anew."""
    png: bool = False
    """Save as PNG, not JPEG, what is saved anew."""
    per_shard: int | None = None
    """Pictures in a .tar of webdataset; left out, 10000."""
    lang: str = "en"
    """Language of what is said, en or ru."""

    def run(self) -> None:
        """Write it and say what was left out; every fault ends in one sentence."""
        _in_words(self._convert)

    def _convert(self) -> None:
        from facevis.corpora.bins import BinSet
        from facevis.corpora.converting import FORMATS, convert, unpack_bin
        from facevis.data_report import SHOWN, count, progress, show

        words = _words(self.lang)
        choice("format", self.format, FORMATS)
        if self.per_shard is not None and self.format != "webdataset":
            raise ValueError("per_shard is for webdataset only; leave it out.")
        source = _opened(self.source)
        options: dict[str, Any] = {"size": self.size, "png": self.png}
        if isinstance(source, BinSet):
            if self.format != "folder":
                raise ValueError(
                    f"{source.name} holds pairs and no identities; give --format folder, which "
                    "writes its pictures and pairs.txt."
                )
            with progress(words("data_converting")) as report:
                done = unpack_bin(source, self.target, progress=report, **options)
        else:
            if self.per_shard is not None:
                options["per_shard"] = self.per_shard
            show(*source.remarks)
            with progress(words("data_converting")) as report:
                done = convert(source, self.target, self.format, progress=report, **options)
        if done.left_out:
            show(words("data_left_out", count=count(done.left_out)), *done.sentences[:SHOWN])
        show(words("data_converted", count=count(done.written), path=self.target))


@dataclass(frozen=True)
class Pairs:
    """Draw pairs for verification: half genuine, half impostors, no person in two folds."""

    source: Set
    """As for facevis data inspect, but no .bin."""
    out: Annotated[Path, tyro.conf.Positional]
    """A new .bin as InsightFace reads it, or a .txt that names the files."""
    pairs_per_fold: int = 600
    """Pairs in each fold; LFW has 600."""
    folds: int = 10
    """Folds; InsightFace's own tools take a .bin for ten."""
    size: int | None = None
    """Side of the pictures of a .bin in pixels, most often 112; left out, as they are."""
    seed: int = 0
    """Draws other pairs."""
    lang: str = "en"
    """Language of what is said, en or ru."""

    def run(self) -> None:
        """Draw and write; every fault ends in one sentence."""
        _in_words(self._pairs)

    def _check(self, listed: bool) -> None:
        """What can be known before a set is opened."""
        from facevis.corpora.decoding import MAX_SIZE, MIN_SIZE

        _writable("out", self.out, ".txt" if listed else ".bin", " or .txt")
        if self.out.exists():
            raise ValueError(f"{self.out} exists already; choose another name.")
        if self.size is not None:
            whole("size", self.size, MIN_SIZE, MAX_SIZE)
            if listed:
                raise ValueError("a .txt leaves the files as they are; leave out the size.")
        whole("folds", self.folds, 2, 1000)
        if whole("pairs_per_fold", self.pairs_per_fold, 2, 1_000_000) % 2:
            raise ValueError(
                f"pairs_per_fold is {self.pairs_per_fold}; give an even number, since half of the "
                "pairs are genuine."
            )
        whole("seed", self.seed, 0, 2**31 - 1)

    def _pairs(self) -> None:
        from facevis.corpora import building
        from facevis.corpora.bins import BinSet
        from facevis.data_report import SHOWN, count, progress, show

        words = _words(self.lang)
        listed = self.out.suffix.lower() == ".txt"
        self._check(listed)
        source = _opened(self.source)
        if isinstance(source, BinSet):
            raise ValueError(f"{source.name} holds pairs already; give a set of identities.")
        if listed:
            building.check_files(source)
        show(*source.remarks)
        number = self.pairs_per_fold * self.folds
        with progress(words("data_reading")) as report:
            pairs, damaged = building.readable_pairs(source, number, self.folds, self.seed, report)
        if listed:
            building.write_pair_list(self.out, source, pairs)
        else:
            with progress(words("data_writing")) as report:
                building.write_pairs_bin(self.out, source, pairs, self.size, report)
        if damaged:
            show(words("data_left_out", count=count(len(damaged))), *damaged[:SHOWN])
        show(words("data_paired", count=count(number), folds=self.folds, path=self.out))


@dataclass(frozen=True)
class Data:
    """Face sets: inspect one, convert it, draw pairs from it."""

    what: Annotated[
        Annotated[Inspect, tyro.conf.subcommand("inspect")]
        | Annotated[Convert, tyro.conf.subcommand("convert")]
        | Annotated[Pairs, tyro.conf.subcommand("pairs")],
        tyro.conf.arg(name=""),
    ]
    """inspect, convert or pairs."""

    def run(self) -> None:
        """Run it."""
        self.what.run()


# -- what is opened and written -------------------------------------------------------------------


def _in_words(work: Callable[[], None]) -> None:
    with in_one_sentence("Stopped; nothing half written is left."):
        try:
            work()
        except OSError as error:
            name = str(error.filename or "a file")[-80:]
            raise ValueError(
                f"{name} cannot be used ({error.strerror}); check its name and permissions."
            ) from error


def _words(language: str) -> Words:
    return translator(choice("lang", language, LANGUAGES))


def _opened(spec: str) -> Corpus | BinSet:
    from facevis.corpora.opening import open_any

    return open_any(spec)


def _writable(name: str, path: Path, suffix: str, other: str = "") -> None:
    """What can be known before hours of work: the ending of a file's name, and its folder."""
    if path.suffix.lower() != suffix:
        raise ValueError(f"{name} is {str(path)!r}; give a name that ends in {suffix}{other}.")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} for {path.name}; make it first.")
