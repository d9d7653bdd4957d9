"""What ``facevis data`` says: tables, sentences and the sheet of an inspection, and a progress bar.

It measures nothing; what was found it is given, and the words lie in ``assets/strings``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from PIL import Image
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from facevis.corpora import Corpus
from facevis.corpora.bins import BinSet
from facevis.corpora.inspecting import Inspection
from facevis.corpora.sheet import pairs_sheet, people_sheet
from facevis.writing import write_in_words

Words = Callable[..., str]
Report = Callable[[int, int], None]
SHOWN = 10
"""Damaged pictures that are named on the screen; a JSON has more."""
_BAR = 40
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@contextmanager
def progress(name: str) -> Iterator[Report]:
    """A bar on the standard error output, which vanishes when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = Console(stderr=True)
    silent = not screen.is_terminal
    left = TimeRemainingColumn()
    with Progress(*columns, left, console=screen, transient=True, disable=silent) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show(*lines: str | Table) -> None:
    """Print sentences as they are, unbroken, and tables."""
    console = Console()
    for line in lines:
        if isinstance(line, str):
            console.print(_printable(line), soft_wrap=True)
        else:
            console.print(line)


def _printable(text: str) -> Text:
    """A text in which nothing is a command: to Rich, to the terminal, or bytes of a file's name."""
    return Text(_COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text))


def tables(found: Inspection, words: Words) -> Iterator[Table]:
    """What was counted, and of a corpus how many identities have how many pictures."""
    title = _printable(found.name)
    table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
    for name, text in _rows(found, words):
        table.add_row(words(f"data_{name}"), text)
    yield table
    if found.people:
        bars = found.people.histogram
        most = max(number for *_, number in bars)
        shown = Table(title=words("data_histogram"), title_justify="left", box=SIMPLE)
        shown.add_column(words("data_images"), justify="right")
        shown.add_column(words("data_identities"), justify="right")
        shown.add_column("")
        for low, high, number in bars:
            span = count(low) if low == high else f"{count(low)}–{count(high)}"
            length = max(1, round(_BAR * number / most)) if number else 0
            shown.add_row(span, count(number), "█" * length)
        yield shown


def _rows(found: Inspection, words: Words) -> Iterator[tuple[str, str]]:
    yield "images", count(found.images)
    if found.people:
        people = found.people
        yield "identities", count(people.identities)
        spread = {"fewest": count(people.fewest), "most": count(people.most)}
        spread |= {"mean": _short(people.mean, words), "median": _short(people.median, words)}
        yield "per_identity", words("data_spread", **spread)
        yield "single", count(people.single)
    if found.pairs:
        yield "pairs", count(found.pairs.pairs)
        yield "same", count(found.pairs.same)
        yield "different", count(found.pairs.different)
        yield "folds", count(found.pairs.folds)
    sizes = [f"{width}×{height}: {count(number)}" for width, height, number in found.sizes]
    if found.distinct_sizes > len(sizes):
        more = count(found.distinct_sizes - len(sizes))
        sizes.append(words("data_more_sizes", count=more))
    yield "sizes", "\n".join(sizes) or "–"
    kinds = [f"{kind}: {count(number)}" for kind, number in found.formats.items()]
    yield "formats", "\n".join(kinds) or "–"
    yield "bytes", _short(found.bytes / found.looked_at / 1024, words)
    yield "damaged", count(found.damaged)


def sentences(found: Inspection, words: Words) -> Iterator[str]:
    """What must be said beside the tables: the part that was decoded, damage, remarks."""
    if found.looked_at < found.images:
        share = _short(100 * found.looked_at / found.images, words)
        yield words("data_part", count=count(found.looked_at), share=share)
    if found.damage:
        yield words("data_named", count=count(min(SHOWN, found.damaged)))
        yield from found.damage[:SHOWN]
    yield from found.remarks


def count(number: int) -> str:
    """Thousands apart, as both languages read them.

    >>> count(5822653).split()
    ['5', '822', '653']
    """
    return f"{number:,}".replace(",", "\u202f")


def _short(value: float, words: Words) -> str:
    """A number to a tenth, or to two digits where it is small.

    >>> from facevis.i18n import translator
    >>> _short(10.0, translator("ru")), _short(48.73, translator("ru"))
    ('10', '48,7')
    >>> _short(0.0123, translator("en"))
    '0.012'
    """
    text = f"{value:.1f}".removesuffix(".0") if value >= 1 or not value else f"{value:.2g}"
    return text.replace(".", words("figure_decimal"))


# -- files -----------------------------------------------------------------------------------------


def write_json(path: Path, found: Inspection) -> None:
    """Write an inspection, field by field as ``Inspection`` has them; an old file gives way."""
    content = {"format": "facevis-inspection-1", **asdict(found)}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    write_in_words(path, text.encode("utf-8", "backslashreplace"))


def sheet(source: Corpus | BinSet, found: Inspection, words: Words) -> Image.Image:
    """The sheet of a corpus or of pairs, with its title."""
    if isinstance(source, BinSet):
        title = words("data_title_pairs", name=found.name, pairs=count(len(source.same)))
        return pairs_sheet(source, title, words("data_same"), words("data_different"))
    many = {"images": count(len(source)), "identities": count(source.num_classes)}
    return people_sheet(source, words("data_title_people", name=found.name, **many))
