"""The samples of one WebDataset shard: where each picture lies, and its label.

Nothing is ever unpacked, so that a link, or a path that leaves the archive, can do no harm; they
are ignored. The format is told in ``shards``.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator

from facevis.corpora.mapped import MappedFile

PICTURES = ("jpg", "jpeg", "png", "webp")
LABELS = ("cls", "json", "txt")
"""Endings of a label's file; the first one that says a label counts."""
MAX_LABEL_BYTES = 1 << 20
MAX_NAME = 200

_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
_DAMAGE = (tarfile.TarError, ValueError, OverflowError, EOFError)
_Span = tuple[int, int]


def samples(file: MappedFile, remarks: list[str]) -> Iterator[tuple[str, int, int]]:
    """Label, offset and size of every whole sample; sentences about the rest go to ``remarks``.

    ``ValueError`` if the file is no tar archive, or a compressed one.
    """
    incomplete = 0
    for members in _members(file, remarks).values():
        picture = next((members[end] for end in PICTURES if end in members), None)
        label = _label(file, members)
        if picture is None or label is None:
            incomplete += 1
        else:
            yield (label, *picture)
    if incomplete:
        remarks.append(
            f"{incomplete} samples of {file.path.name} have no picture or no label and were left "
            "out."
        )


def _members(file: MappedFile, remarks: list[str]) -> dict[str, dict[str, _Span]]:
    """Offset and size of every member, by the key of its sample and its ending."""
    found: dict[str, dict[str, _Span]] = {}
    ignored, end = 0, 0
    try:
        with tarfile.open(file.path, "r:") as archive:
            try:
                for member in archive:
                    if member.size < 0:
                        break  # a damaged header, which would lead back to where we were
                    key, suffix = _key(member.name)
                    strange = member.name.startswith("/") or ".." in member.name.split("/")
                    if not member.isdir() and (strange or member.type not in _PLAIN):
                        ignored += 1
                    elif key and member.isfile() and member.offset_data + member.size <= file.size:
                        span = (member.offset_data, member.size)
                        found.setdefault(key, {}).setdefault(suffix, span)
            except _DAMAGE:
                pass  # the missing end mark says so below
            end = archive.offset
    except _DAMAGE as error:
        if file.size >= 512:
            raise ValueError(
                f"{file.path.name} is no tar archive, or a compressed one; unpack a .tar.gz to a "
                ".tar first."
            ) from error
    if file.read(end, 512) != bytes(512):
        remarks.append(
            f"{file.path.name} is cut off or damaged at byte {min(end, file.size)}; the "
            f"{len(found)} samples before it were kept."
        )
    if ignored:
        remarks.append(f"{ignored} links or paths that leave {file.path.name} were ignored.")
    return found


def _key(name: str) -> tuple[str, str]:
    """The key of a sample and the ending; an empty key for what belongs to none.

    >>> _key("a.b/0001.face.jpg"), _key("README"), _key("._0001.jpg")
    (('a.b/0001', 'face.jpg'), ('', ''), ('', ''))
    """
    folder, slash, base = name.rpartition("/")
    key, _, suffix = base.partition(".")
    return (f"{folder}{slash}{key}", suffix.lower()) if key and suffix else ("", "")


def _label(file: MappedFile, members: dict[str, _Span]) -> str | None:
    for kind in LABELS:
        offset, size = members.get(kind, (0, 0))
        if not 0 < size <= MAX_LABEL_BYTES:
            continue
        try:
            text = file.read(offset, size).decode("utf-8").strip()
            label = _from_json(json.loads(text)) if kind == "json" else text
        except (ValueError, RecursionError):
            continue  # no text, or no JSON: another member may say the label
        if label and len(label) <= MAX_NAME and label.isprintable():
            return label
    return None


def _from_json(value: object) -> str | None:
    """``label`` or ``identity`` of an object: a number or a name."""
    fields = value if isinstance(value, dict) else {}
    for name in ("label", "identity"):
        label = fields.get(name)
        if isinstance(label, str | int | float) and not isinstance(label, bool):
            return str(label).strip()
    return None
