"""The table of measured figures tells what was measured, and what was missed."""

import runpy
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "benchmarks" / "run.py"


@pytest.fixture(scope="module")
def bench():
    return runpy.run_path(str(RUN))


def test_the_result_is_the_last_line(bench):
    assert bench["last_object"]('warming up\n{"a": 1}\n\n') == {"a": 1}


@pytest.mark.parametrize("output", ["", "done", "[1]", '{"a": 1}\ndone'])
def test_anything_else_is_refused(bench, output):
    with pytest.raises(ValueError):
        bench["last_object"](output)


@pytest.mark.parametrize(
    ("value", "bound", "held"),
    [(5, ">= 5", True), (4.9, ">= 5", False), (30, "<= 30", True), (None, "<= 30", False)],
)
def test_a_figure_meets_its_bound_or_not(bench, value, bound, held):
    assert bench["meets"](value, bound) is held


def test_a_bound_without_a_figure_is_missed(bench):
    (row,) = bench["rows"]("x", {"bounds": {"speedup": ">= 5"}})
    assert row[-1] == "MISSED"


def test_nested_figures_have_dotted_names(bench):
    rows = bench["rows"]("x", {"alone": {"steps": 2.0}, "bounds": {"alone.steps": "> 1"}})
    assert rows == [("x", "alone.steps", "2", "> 1", "met")]


def test_a_broken_benchmark_is_named(bench, tmp_path):
    path = tmp_path / "bench_broken.py"
    path.write_text("raise SystemExit(3)")
    assert bench["measure"](path) == [("broken", "-", "exit status 3", "", "BROKEN")]


@pytest.mark.parametrize(("bound", "status"), [(">= 5", 0), (">= 7", 1)])
def test_a_missed_bound_is_the_exit_status(bench, tmp_path, monkeypatch, capsys, bound, status):
    line = f'{{"speedup": 6.5, "bounds": {{"speedup": "{bound}"}}}}'
    (tmp_path / "bench_a.py").write_text(f"print({line!r})")
    monkeypatch.setitem(bench["main"].__globals__, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert bench["main"]() == status
    assert "speedup" in capsys.readouterr().out
