"""The table of measured figures tells what was measured, what was missed and what became worse."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import kept
import machine
import psutil
import pytest
import report
import run

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("bench_*.py"))
PLACE = {"cores": 2, "cpu": "one", "gpus": [], "system": "Linux", "memory_gib": 8}
PLACE |= {"python": "3.11", "torch": "2.6"}


def entry(figures, **changed):
    about = {"status": "met", "seconds": 3.0, "date": "2026-01-02T00:00:00+00:00"}
    about |= {"commit": "a" * 40, "dirty": False, "machine": PLACE}
    return about | {"figures": figures} | changed


def program(folder, name, *lines):
    path = folder / f"bench_{name}.py"
    path.write_text("\n".join(lines))
    return path


def speed(value, bound=">= 5"):
    return f"print({json.dumps({'speedup': value, 'bounds': {'speedup': bound}})!r})"


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder with benchmarks of its own and its results, outside git, on the machine PLACE."""
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "machine", lambda: PLACE)
    monkeypatch.setattr(run, "busy", lambda: 0.0)
    monkeypatch.setattr(run, "code", lambda path: {"commit": "b" * 40, "dirty": True})
    monkeypatch.setattr(kept, "code", lambda path: {"commit": None, "dirty": None})
    return tmp_path / "results.json"


def test_the_result_is_the_last_line():
    assert report.last_object('warming up\n{"a": 1}\n\n') == {"a": 1}


@pytest.mark.parametrize(
    ("output", "word"),
    [
        *((output, "JSON|Expecting|Extra") for output in ("", "done", "[1]", '{"a": 1}\ndone')),
        ('{"a": NaN}', "NaN is no figure"),
        ('{"bounds": 1}', "bounds"),
        ('{"a": 1, "bounds": {"a": ">=5"}}', "'>=5' of a is not like"),
        ('{"a": 1, "bounds": {"a": ">= x"}}', "'>= x' of a is not like"),
    ],
)
def test_anything_else_is_refused(output, word):
    with pytest.raises(ValueError, match=word):
        report.last_object(output)


@pytest.mark.parametrize(
    ("value", "bound", "held"),
    [(5, ">= 5", True), (4.9, ">= 5", False), (30, "<= 30", True), (None, "<= 30", False)],
)
def test_a_figure_meets_its_bound_or_not(value, bound, held):
    assert report.meets(value, bound) is held


def test_a_bound_without_a_figure_is_missed():
    (row,) = report.rows("x", {"bounds": {"speedup": ">= 5"}})
    assert row[4] == "MISSED"
    assert report.status_of({"bounds": {"speedup": ">= 5"}}) == "missed"


def test_nested_figures_have_dotted_names_and_their_last_values():
    result = {"alone": {"steps": 2.0}, "bounds": {"alone.steps": "> 1"}}
    assert report.rows("x", result, {"alone": {"steps": 1.9}}) == [
        ("x", "alone.steps", "2", "> 1", "met", "1.9", "×1.05")
    ]


@pytest.mark.parametrize(
    ("last", "value", "bound", "said"),
    [
        (10.0, 8.1, ">= 5", "×0.81"),  # within the noise
        (10.0, 7.9, ">= 5", "×0.79 WORSE"),
        (10.0, 12.6, ">= 5", "×1.26 better"),
        (5.1, 4.9, ">= 5", "×0.961 WORSE, now missed"),
        (4.9, 5.1, ">= 5", "×1.04 better, now met"),
        (20, 26, "<= 30", "×1.3 WORSE"),  # less is better
        (20, 15, "<= 30", "×0.75 better"),
        (10.0, 1.0, "", "×0.1"),  # nobody said which way is better
        (1e-13, 9e-13, "<= 1e-6", "×9"),  # rounding, far within its bound
        (0, 0, "<= 0", "="),
        (0, 2, "<= 0", "+2 WORSE, now missed"),
        (-1.5, 1.0, "< 2", "+2.5"),  # no ratio over zero
        (True, False, "", "differs"),
        ([1, 2], [1, 2], "", ""),
    ],
)
def test_worse_is_what_crossed_its_bound_or_left_the_noise(last, value, bound, said):
    assert report.change(last, value, bound) == said


def test_another_machine_is_shown_and_not_judged(results, capsys):
    program(results.parent, "a", speed(6.0))
    other = entry({"speedup": 60.0}, commit=None, dirty=None, machine=PLACE | {"gpus": ["Big"]})
    kept.keep("a", other, results)
    assert run.main([], results) == 0
    said = capsys.readouterr().out
    assert "×0.1 " in said
    assert "WORSE" not in said
    assert re.search(r"Another machine \(2 cores .* Big.*\) measured a: not judged", said)
    assert "results.json as it lay: a folder without git of 2026-01-02 (a)." in said


@pytest.mark.parametrize(("busy", "told"), [(3.0, False), (60.0, True)])
def test_other_work_on_the_machine_is_told_and_kept(results, monkeypatch, capsys, busy, told):
    program(results.parent, "a", speed(6.0))
    monkeypatch.setattr(run, "busy", lambda: busy)
    run.main([], results)
    assert ("other work when these began: a." in capsys.readouterr().out) is told
    assert json.loads(results.read_text())["a"]["busy"] == busy


def test_a_part_leaves_the_other_results_as_they_were(results, capsys):
    program(results.parent, "a", speed(6.0))
    program(results.parent, "b", "raise SystemExit('not asked for')")
    old = {"a": entry({"speedup": 9.0}), "b": entry({"speedup": 7.0})}
    for name, one in old.items():
        kept.keep(name, one, results)
    assert run.main(["a"], results) == 0
    now = json.loads(results.read_text())
    assert now["b"] == old["b"]
    assert now["a"]["figures"]["speedup"] == 6.0
    assert now["a"]["status"] == "met"
    assert (now["a"]["commit"], now["a"]["dirty"]) == ("b" * 40, True)
    said = capsys.readouterr().out
    assert "×0.667 WORSE" in said
    assert "aaaaaaa of 2026-01-02 (a)" in said
    assert not list(results.parent.glob(".*"))


def test_what_breaks_is_said_what_cannot_be_measured_stays_and_the_rest_goes_on(results, capsys):
    program(results.parent, "a", "raise ValueError('no | such thing')")
    program(results.parent, "b", "import sys; print('no browser', file=sys.stderr); sys.exit(77)")
    program(results.parent, "c", speed(6.0))
    program(results.parent, "d", "print('no object')")
    kept.keep("b", entry({"speedup": 7.0}), results)
    assert run.main([], results) == 1
    now = json.loads(results.read_text())
    assert {name: one["status"] for name, one in now.items()} == {
        "a": "broken",
        "b": "met",
        "c": "met",
        "d": "broken",
    }
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [8] * 6
    assert "exit status 1: ValueError: no \\| such thing" in rows[2]
    assert "no browser" in rows[3]
    assert "skipped" in rows[3]
    assert "met" in rows[4]


@pytest.mark.parametrize(("bound", "status"), [(">= 5", 0), (">= 7", 1)])
def test_a_missed_bound_is_the_exit_status(results, capsys, bound, status):
    program(results.parent, "a", speed(6.5, bound))
    assert run.main([], results) == status
    assert json.loads(results.read_text())["a"]["status"] == ("missed" if status else "met")


def test_a_word_that_no_benchmark_has_is_said(results, capsys):
    program(results.parent, "a", speed(6.0))
    assert run.main(["nothing"], results) == 1
    assert "matches 'nothing'" in capsys.readouterr().err


def test_a_damaged_file_of_results_is_said_before_anything_is_measured(results, capsys):
    program(results.parent, "a", "raise SystemExit('measured')")
    for text in ("<<<<<<< HEAD", "[]", '{"a": {"status": "met"}}'):
        results.write_text(text)
        assert run.main([], results) == 1
        assert "restore it (git checkout) or delete it" in capsys.readouterr().err
        assert results.read_text() == text


def gone(pid):
    """Whether a process ends within seconds; that nobody has asked for its end yet is no life."""
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or process.wait(10) is None
    except psutil.NoSuchProcess:
        return True


HANGS = (
    "import pathlib, subprocess, sys, time",
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
    "here = pathlib.Path(__file__)",
    "here.with_name('part').write_text(str(child.pid))",
    "here.with_name('part').rename(here.with_name('child'))",
    "try: time.sleep(600)",
    "finally: here.with_name('tidied').touch()",
)


def test_what_hangs_is_ended(tmp_path):
    found = run.measure(program(tmp_path, "slow", "import time; time.sleep(600)"), minutes=0.005)
    assert (found["status"], found["why"]) == ("broken", "no end after 0.005 minutes")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interruption_keeps_what_was_measured_until_then(tmp_path):
    """The program itself, as Ctrl+C meets it, in a copy of the folder that no git knows."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name in ("run.py", "kept.py", "report.py", "machine.py"):
        (folder / name).write_bytes((ROOT / "benchmarks" / name).read_bytes())
    program(folder, "a", speed(6.0))
    program(folder, "b", *HANGS)
    program(folder, "c", speed(6.0))
    command = [sys.executable, str(folder / "run.py")]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
        while not (folder / "child").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "1 of 3 are measured and kept" in err
    assert "| a " in out
    found = json.loads((folder / "results.json").read_text())
    assert list(found) == ["a"]
    assert (found["a"]["commit"], found["a"]["dirty"]) == (None, None)
    assert (folder / "tidied").exists()
    assert gone(int((folder / "child").read_text()))


def test_the_last_commit_is_compared_with_and_its_state_is_told(tmp_path, monkeypatch):
    """In a repository of its own; the results alone make no code dirty."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    monkeypatch.setattr(machine, "HERE", folder)
    path = folder / "results.json"
    kept.keep("a", entry({"speedup": 6.0}), path)
    assert kept.committed(path) is None
    assert machine.code(path) == {"commit": None, "dirty": None}
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    kept.keep("a", entry({"speedup": 7.0}), path)
    assert kept.committed(path)["a"]["figures"] == {"speedup": 6.0}
    assert kept.lying(path)["a"]["figures"] == {"speedup": 7.0}
    state = machine.code(path)
    assert re.fullmatch(r"[0-9a-f]{40}", state["commit"])
    assert state["dirty"] is False
    (tmp_path / "new.py").touch()
    assert machine.code(path)["dirty"] is True


def test_a_machine_is_told_without_its_name():
    found = machine.machine()
    assert found.keys() == PLACE.keys()
    assert found["cores"] >= 1
    assert machine.alike(found, found)
    name = os.uname().nodename if hasattr(os, "uname") else None
    assert name not in found.values()
    for changed in ({"cores": 0}, {"gpus": ["Big"]}, {"cpu": "another"}):
        assert not machine.alike(found, found | changed)


def measured():
    """The part of the README about figures, by blocks: paragraphs and tables."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^## Measured\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)[1].split("\n\n")


COMMAND = re.compile(r"`python (benchmarks/bench_\w+\.py)[^`]*`")


def test_every_row_of_the_readme_has_a_command_that_exists():
    """In its last cell or, of the whole table, in the paragraph above it."""
    named, tables, above = set(), 0, ""
    for block in measured():
        if not block.startswith(("|", "<!--")):
            above = block
            named |= set(COMMAND.findall(block))
            continue
        head, _, *rows = [line for line in block.splitlines() if line.startswith("|")]
        tables += 1
        last = COMMAND.findall(above)
        for row in rows:
            if "command" in head:
                cell = row.strip(" |").split("|")[-1].strip()
                last = last if cell == "the same" else COMMAND.findall(cell)
            assert len(last) == 1, row
            named |= set(last)
    assert tables >= 4
    assert {ROOT / path for path in named} == set(BENCHMARKS)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_every_benchmark_has_bounds_skips_without_a_browser_and_tells_its_minutes(path):
    text = path.read_text(encoding="utf-8")
    assert '"bounds"' in text
    assert ("needed_chromium()" in text) is ("sync_playwright" in text)
    told = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{path.stem.removeprefix('bench_')}` \|.* min", told, re.MULTILINE)
