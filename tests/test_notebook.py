"""The notebook runs from its first cell to its last, and what it says of its numbers is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "docs" / "margins.ipynb"
CELLS = json.loads(PATH.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
PROSE = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
RESULT = re.compile(r"\d[.,]\d|\d\s*[%°]")
"""A figure as a table has it: a fraction, a percentage, an angle."""

AFTERWARDS = """
import json, sys, time
print(json.dumps({
    "seconds": time.process_time(),
    "figures": plt.get_fignums(),
    "intra": {name: table.intra for name, table in tables.items()},
    "w_inter": {name: table.w_inter for name, table in tables.items()},
    "best": best,
    "tars": tars,
    "shown": [len(points) for points in (units[0][~unseen], units[0][unseen])],
    "app": sorted({"streamlit", "starlette"} & set(sys.modules)),
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the cells have made, run one after the other without a kernel or a screen."""
    program = ["import matplotlib", "matplotlib.use('Agg')", *CODE, AFTERWARDS]
    command = [sys.executable, "-W", "error", "-c", "\n".join(program)]
    folder = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_takes_seconds_and_needs_no_app(told):
    # Of one thread: what it takes on a machine that does nothing else.
    assert told["seconds"] < 30
    assert told["app"] == []


def test_every_part_has_its_figure(told):
    assert told["figures"] == [1, 2, 3, 4]
    assert min(told["shown"]) > 100


def test_margins_narrow_the_classes_and_spread_the_prototypes(told):
    for name in ("sphereface", "cosface", "arcface"):
        assert told["intra"][name] < told["intra"]["normalized_softmax"]
        assert told["w_inter"][name] > told["w_inter"]["normalized_softmax"]
    assert max(told["w_inter"].values()) <= told["best"] + 1e-3


def test_a_circle_has_little_room_for_strangers(told):
    assert len(told["tars"]) == 5
    for circle, circle_strict, wide, wide_strict in told["tars"].values():
        assert 0 <= circle < wide <= 1
        assert 0 <= circle_strict < wide_strict <= 1


def test_no_figure_is_typed_into_the_prose():
    assert RESULT.findall(PROSE) == []
    assert RESULT.findall("TAR is 12.5 or 13 %, at 40°") == ["2.5", "3 %", "0°"]


def test_no_outputs_are_kept():
    kept = [cell["id"] for cell in CELLS if cell.get("outputs") or cell.get("execution_count")]
    assert kept == []
