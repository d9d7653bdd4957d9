"""What every hostile or broken input must come to: one sentence, and nothing else at all.

A door is refused with a ``ValueError`` whose message says what, where and what to do. Meanwhile no
file outside the test's own folder is touched, no name of a pickle is looked up, nothing is started
or called over the network, and memory stays bounded.
"""

import contextlib
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

MIB = 2**20
MOST = 160 * MIB
"""Memory that one bad input may cost; a picture of the largest size that is allowed is refused."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NEVER = (
    *("pickle.find_class", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn"),
    *("os.fork", "socket.connect", "ctypes.dlopen", "webbrowser.open"),
)
_CHANGING = (
    *("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.chown", "os.utime", "os.setxattr", "shutil.rmtree", "shutil.move"),
)
_BOTH = ("os.rename", "os.link", "os.symlink", "shutil.move")
_REMEDY = re.compile(
    r"(?:[;:,] |\bor |\band |\bfrom )(?:then )?"
    r"(add|bring|check|choose|close|copy|correct|delete|export|fetch|get|give|join|leave|let|list|"
    r"make|name|pack|put|read|record|remove|rename|repack|restore|save|send|split|take|try|unpack|"
    r"wait|write|zip)\b|was left out|must be |needs at least"
)
_RAW = re.compile(
    r"Traceback|\[Errno|object at 0x|<class '|weights_only|add_safe_globals|ONNXRuntimeError"
)

_watched: list[tuple[Path, list[str]]] = []


def _hook(event, args):
    if not _watched:
        return
    folder, found = _watched[-1]
    if event in _NEVER:
        found.append(f"{event} {args[:2]}")
    writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITING
    if writes or event in _CHANGING:
        paths = args[:2] if event in _BOTH else args[:1]
        # Whole trees are removed by names below a descriptor.
        below = args[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1
        found += [f"{event} {path!r}" for path in paths if not _allowed(path, folder, below)]


def _allowed(path, folder, below=-1):
    if isinstance(path, int):  # a descriptor that is open already
        return True
    base = f"/proc/self/fd/{below}" if isinstance(below, int) and below >= 0 else ""
    place = Path(base, os.fsdecode(path)).resolve()
    # Python keeps what it has compiled beside its sources.
    return place.is_relative_to(folder) or "__pycache__" in place.parts or str(place) == os.devnull


sys.addaudithook(_hook)


@contextlib.contextmanager
def harmless(folder):
    """Whatever happens inside stays in the folder, runs nothing, and takes little memory."""
    found = []
    before = _forget_peak()
    _watched.append((folder.resolve(), found))
    temporary, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        _watched.pop()
    assert not found, found
    taken = _peak() - before
    assert taken < MOST, taken
    assert not list(folder.rglob("sprung*")), "a payload ran"


def _status(name):
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) << 10
    return 0  # another system: there the cases are judged by their words alone


def _forget_peak():
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


class Trap:
    """Unpickled by an ordinary reader, it makes a folder: the mark that it ran."""

    def __init__(self, folder):
        self.mark = str(folder / "sprung")

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def full_sentence(said):
    """It is one line, ends as a sentence, is short, has no raw words, and says what to do."""
    assert said == said.strip()
    assert said.endswith("."), said
    assert "\n" not in said, said
    assert len(said) <= 600, said
    assert said.isprintable(), said
    assert not _RAW.search(said), said
    assert _REMEDY.search(said), said
    assert len(said.split()) >= 5, said
    return said


def refused(folder, door, *given, says):
    """The door gives one sentence with all of these words, and nothing comes of it."""
    before = sorted(folder.rglob("*"))
    with harmless(folder), pytest.raises(ValueError) as error:
        door(*given)
    assert sorted(folder.rglob("*")) == before
    said = full_sentence(str(error.value))
    for words in says:
        assert words in said, said


def table(*rows):
    """Rows as parameters; each begins with its name."""
    names = [row[0] for row in rows]
    assert len(set(names)) == len(names)
    return [pytest.param(*row[1:], id=row[0]) for row in rows]
