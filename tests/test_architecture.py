"""The house has few rooms and imports point down: ARCHITECTURE.md, held by machine."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LAYERS = (
    {
        *("alignment", "assets", "geometry", "i18n", "jsonable", "margins", "memory"),
        *("packings", "validation", "writing"),
    },
    {
        "adaptive",
        "corpora",
        "datasets",
        "intervals",
        "mining",
        "models",
        "objectives",
        "photographs",
        "statistics",
        "verification",
    },
    {
        *("atlas", "classroom", "embedders", "figures", "fullscale"),
        *("lessons", "library", "link_parts", "links", "live"),
    },
    {
        "__main__",
        "app",
        "arguments",
        "cli",
        "compare",
        "compare_command",
        "data_command",
        "data_report",
        "evaluate",
        "evaluate_command",
        "evaluate_report",
        "export_command",
        "train_command",
        "trials",
        "ui",
    },
)
"""Rooms from the ground up; a room may use its own floor and those below."""

ALLOWED = {
    "streamlit": ("facevis/ui/", "app.py"),
    "starlette": (
        *("facevis/lessons/routes.py", "facevis/live/stream.py"),
        *("facevis/live/openset_routes.py", "facevis/fullscale/routes.py"),
        *("facevis/classroom/desk.py", "facevis/classroom/guard.py"),
        *("facevis/classroom/routes.py", "facevis/classroom/seat.py", "facevis/ui/front.py"),
    ),
    "uvicorn": ("facevis/classroom/connections.py", "facevis/classroom/serving.py"),
    "matplotlib": ("facevis/figures/",),
    "av": ("facevis/figures/film.py",),
    "rich": (
        *("facevis/compare.py", "facevis/data_report.py", "facevis/evaluate.py"),
        *(
            "facevis/evaluate_report.py",
            "facevis/export_command.py",
            "facevis/fullscale/screen.py",
            "facevis/train_command.py",
        ),
    ),
    "cv2": ("facevis/photographs/",),
    "onnxruntime": ("facevis/embedders/onnx_model.py",),
    "plotly": ("facevis/figures/", "facevis/ui/"),
}
"""Where a library may be imported."""

NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


def room(module):
    """``facevis.live.stream`` is in the room ``live``; the package itself is in none."""
    parts = module.split(".")
    return parts[1] if parts[0] == "facevis" and len(parts) > 1 else None


def imported_modules(source, package):
    """Every module that is imported anywhere in the source, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            origin = ".".join([*base, node.module] if node.module else base)
            origin = origin if node.level else node.module
            # `from facevis import margins` imports a module, `from facevis import __version__` not.
            yield from (
                (f"{origin}.{a.name}" for a in node.names) if origin == "facevis" else [origin]
            )


def faults(sources):
    """What breaks the table, in words; sources are texts by their path below the root."""
    floors = {name: floor for floor, rooms in enumerate(LAYERS) for name in rooms}
    uses, found = {}, []
    for path, source in sources.items():
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        here = room(module) or ("app" if module == "app" else None)
        if here is not None and here not in floors:
            found.append(f"{path}: the room {here} stands on no floor")
        for name in imported_modules(source, package):
            library, there = name.partition(".")[0], room(name)
            if library in ALLOWED and not path.startswith(ALLOWED[library]):
                found.append(f"{path} imports {library}")
            if there in floors and here in floors and there != here:
                uses.setdefault(here, set()).add(there)
                if floors[there] > floors[here]:
                    found.append(f"{path} imports {name}, which stands above it")
        if Path(path).stem in NAMELESS:
            found.append(f"{path}: a room with no name")
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as cycle:
        found.append(f"rooms use each other: {' -> '.join(cycle.args[1])}")
    return found


def project_sources():
    files = [ROOT / "app.py", *sorted((ROOT / "facevis").rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_imports_point_down():
    sources = project_sources()
    assert len(sources) > 20
    assert not faults(sources)


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("facevis/margins.py", "from facevis.live import Ensemble", "stands above it"),
        ("facevis/margins.py", "def f():\n    from facevis import objectives", "stands above it"),
        ("facevis/live/rooms.py", "from ..ui import state", "stands above it"),
        ("facevis/live/rooms.py", "import streamlit as st", "imports streamlit"),
        ("facevis/live/rooms.py", "from starlette.routing import Route", "imports starlette"),
        ("facevis/live/rooms.py", "import plotly.graph_objects", "imports plotly"),
        ("facevis/cli.py", "def f():\n    from streamlit.web import cli", "imports streamlit"),
        ("facevis/live/utils.py", "", "a room with no name"),
        ("facevis/attic.py", "", "stands on no floor"),
    ],
)
def test_the_check_can_fail(path, source, fault):
    assert fault in " ".join(faults({path: source}))


def test_the_check_sees_rooms_that_use_each_other():
    circle = {
        "facevis/mining.py": "import facevis.models",
        "facevis/models/small.py": "from facevis import mining",
    }
    assert "rooms use each other" in " ".join(faults(circle))


def test_the_check_accepts_what_is_allowed():
    allowed = {
        "facevis/__init__.py": "",
        "facevis/live/stream.py": "from starlette.routing import Route\nfrom facevis import live",
        "facevis/ui/main.py": "import streamlit as st\nfrom facevis.live.rooms import rooms",
        "app.py": "import streamlit as st\nfrom facevis.ui.server import MAIN",
    }
    assert not faults(allowed)


CORE = ["margins", "geometry", "mining", "objectives", "statistics", "datasets", "models", "live"]
CORE += ["intervals", "figures", "lessons.export", "verification"]


def loaded_after(statement):
    names = "streamlit", "plotly", "starlette"
    code = f"import sys\n{statement}\nprint(*[n for n in {names} if n in sys.modules])"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_the_core_is_a_library_without_the_app():
    assert loaded_after("\n".join(f"import facevis.{name}" for name in CORE)).split() == []


def test_the_library_check_can_fail():
    assert loaded_after("import facevis.live.stream").split() == ["starlette"]


def test_the_app_is_a_door_and_no_room():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 15


def test_files_stay_readable():
    long = {path: text.count("\n") for path, text in project_sources().items()}
    assert not {path: lines for path, lines in long.items() if lines > 350}


WRITERS = {
    "facevis/writing.py": "the one place",
    "facevis/classroom/votes.py": "a table that grows",
    "facevis/fullscale/journal.py": "a journal that grows",
    "facevis/fullscale/queue.py": "a log that grows",
    "facevis/fullscale/checkpoint.py": "a folder that many processes fill",
    **{
        f"facevis/{name}.py": "fills what writing gives it"
        for name in (
            *("atlas/cache", "corpora/bins", "corpora/building", "corpora/converting"),
            *("corpora/folders", "corpora/keeping", "corpora/lists", "corpora/naming"),
            *("corpora/recordio_writing", "corpora/synthetic"),
            *("fullscale/probe", "fullscale/runs"),
            *("library/toys", "library/unpacking"),
        )
    },
}
"""Who touches a disk, and why; newcomers use ``facevis.writing`` and stand in tests/writers.py."""


def test_what_must_survive_is_written_in_one_place():
    opening = re.compile(
        r"write_text\(|write_bytes\(|mkdtemp|TemporaryFile|os\.open\(|\.open\(\s*\"[wax]"
    )
    found = {path for path, text in project_sources().items() if opening.search(undocumented(text))}
    assert found == WRITERS.keys()


def undocumented(source):
    """A source without its docstrings, whose examples write as they like."""
    return re.sub(r'""".*?"""', "", source, flags=re.DOTALL)
