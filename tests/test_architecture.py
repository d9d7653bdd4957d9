"""The walls of the house: imports point down, and the screen's libraries stay upstairs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {
    "ui": 1,
    "cli": 1,
    "__main__": 1,
    "live": 2,
    "objectives": 3,
    "mining": 3,
    "statistics": 3,
    "datasets": 3,
    "models": 3,
    "margins": 4,
    "geometry": 4,
    "packings": 4,
    "validation": 5,
    "assets": 5,
    "i18n": 4,
    "__init__": 5,
}
ONLY_IN = {
    "streamlit": ("facevis/ui/", "app.py", "facevis/cli.py"),
    "starlette": ("facevis/live/stream.py",),
    "plotly": ("facevis/ui/", "facevis/figures/"),
}


def imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "facevis":
                found |= {f"facevis.{alias.name}" for alias in node.names}
    return found


def faults(path: str, source: str) -> list[str]:
    """What this file imports that it must not."""
    parts = Path(path).with_suffix("").parts
    room = parts[1] if parts[0] == "facevis" else "ui"
    own, wrong = LAYERS[room], []
    for name in imports(source):
        top, *rest = name.split(".")
        if top == "facevis" and rest and rest[0] in LAYERS:
            other = LAYERS[rest[0]]
            if rest[0] != room and other < own:
                wrong.append(f"{path} (layer {own}) imports {name} (layer {other})")
        elif top in ONLY_IN and not path.startswith(ONLY_IN[top]):
            wrong.append(f"{path} imports {top}")
    return wrong


def sources():
    files = [*(ROOT / "facevis").rglob("*.py"), ROOT / "app.py"]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def test_imports_point_down_only():
    assert [fault for path, source in sources().items() for fault in faults(path, source)] == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("facevis/margins.py", "from facevis.objectives import MarginObjective"),
        ("facevis/objectives.py", "import facevis.live.trainer"),
        ("facevis/live/trainer.py", "import streamlit as st"),
        ("facevis/statistics.py", "import plotly.graph_objects as go"),
        ("facevis/live/rooms.py", "from starlette.routing import Route"),
        ("facevis/datasets/own.py", "from facevis import ui"),
    ],
)
def test_the_check_can_fail(path, line):
    assert faults(path, line)


def test_the_core_leaves_the_screens_libraries_out():
    code = (
        "import sys, facevis.margins, facevis.geometry, facevis.objectives, facevis.mining, "
        "facevis.statistics, facevis.live; "
        "print(sorted({'streamlit', 'plotly', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_no_room_is_named_after_nothing():
    names = {Path(path).stem for path in sources()}
    assert not names & {"utils", "helpers", "common", "misc"}


def test_app_py_is_short():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 15
