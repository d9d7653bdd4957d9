"""A little writer of RecordIO, word by word after the format: the oracle of its tests."""

import struct

MAGIC = b"\x0a\x23\xd7\xce"


def packed(label, picture, key=0):
    """MXNet's ``pack``: one label in the header, several behind it."""
    if isinstance(label, tuple):
        return (
            struct.pack("=IfQQ", len(label), 0.0, key, 0)
            + struct.pack(f"={len(label)}f", *label)
            + picture
        )
    return struct.pack("=IfQQ", 0, label, key, 0) + picture


def framed(body):
    """dmlc-core's ``WriteRecord``, word by word: parts end where an aligned word is the magic."""
    words = [body[at : at + 4] for at in range(0, len(body), 4)]
    parts, current = [], b""
    for word in words:
        if word == MAGIC:
            parts.append(current)
            current = b""
        else:
            current += word
    parts.append(current)
    marks = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    record = b""
    for mark, part in zip(marks, parts, strict=True):
        record += MAGIC + struct.pack("<I", (mark << 29) + len(part)) + part
        record += b"\0" * ((4 - len(part)) % 4)
    return record


def lay(folder, bodies, keys=None, name="train"):
    """Write ``name.rec`` and ``name.idx``; the offsets of the records."""
    rec, lines, offsets = b"", [], []
    for key, body in zip(keys or range(len(bodies)), bodies, strict=True):
        lines.append(f"{key}\t{len(rec)}\n")
        offsets.append(len(rec))
        rec += framed(body)
    (folder / f"{name}.rec").write_bytes(rec)
    (folder / f"{name}.idx").write_text("".join(lines))
    return offsets


def insightface(pictures, classes):
    """The bodies of a set as InsightFace lays it out: about the set, pictures, identities."""
    count = len(pictures)
    bodies = [packed((count + 1, count + 1 + classes), b"")]
    bodies += [packed(label, data) for data, label in pictures]
    for k in range(classes):
        places = [i for i, (_, label) in enumerate(pictures, 1) if label == k] or [0, -1]
        bodies.append(packed((places[0], places[-1] + 1), b""))
    return bodies


PICTURES = [(b"first", 0), (b"second!", 0), (b"third picture", 1), (b"4", 2)]


def contents(corpus):
    return [
        (corpus.encoded(i), int(corpus.identities[label])) for i, label in enumerate(corpus.labels)
    ]
