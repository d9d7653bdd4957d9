"""Run every ``bench_*.py`` beside this file, one after the other, and print one table.

A benchmark is a program that prints one JSON object as its last line: figures by name, and under
``bounds`` what they must reach, such as ``{"speedup": 6.1, "bounds": {"speedup": ">= 5"}}``. This
file knows nothing of what they measure: it starts them, keeps what they print in ``results.json``
and sets it against the last one committed. ``python benchmarks/run.py ensemble`` runs the files
whose name contains the word and leaves the other results as they are. Ctrl+C ends it with what was
measured until then. The exit status is 1 if a benchmark broke or missed a bound.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import kept
import psutil
import report
from machine import alike, busy, code, in_words, machine

HERE = Path(__file__).parent
PATIENCE = 60
"""Minutes after which a benchmark is taken to hang."""
TIDYING = 20.0
"""Seconds that an interrupted benchmark has to stop the app and the browser that it started."""
CANNOT = 77
"""The exit status of a benchmark that cannot be measured here, such as without a browser."""
QUIET = 15
"""Percent of the processors that others may use when a benchmark begins."""
TOLD = 30
"""Lines of a broken benchmark's last words."""
Entry = dict[str, Any]


def measure(path: Path, minutes: float = PATIENCE) -> Entry:
    """Run one benchmark in a process of its own: its figures, or why there are none."""
    began = time.monotonic()
    found: Entry
    with _scratch() as out, _scratch() as err:
        try:
            status = _run([sys.executable, str(path)], out, err, 60 * minutes)
            if status == CANNOT:
                found = {"status": "skipped", "why": _last_line(err)}
            elif status:
                raise ValueError(f"exit status {status}: {_last_line(err)}")
            else:
                figures = report.last_object(_text(out))
                found = {"status": report.status_of(figures), "figures": figures}
        except subprocess.TimeoutExpired:
            found = _broken(f"no end after {minutes:g} minutes", err)
        except ValueError as error:
            found = _broken(str(error), err)
    return found | {"seconds": round(time.monotonic() - began, 1)}


def _broken(why: str, err: IO[str]) -> Entry:
    """An entry without figures; what the benchmark said of its end is shown, and not kept."""
    for line in _text(err).splitlines()[-TOLD:]:
        say(f"    {line}")
    return {"status": "broken", "why": why}


def _scratch() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


def _run(command: list[str], out: IO[str], err: IO[str], seconds: float) -> int:
    """The exit status; whatever comes between, nothing that it started stays behind."""
    # In a session of its own: Ctrl+C is for this program, which then ends the benchmark in order.
    process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
    try:
        return process.wait(seconds)
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt it, so that it can tidy up; end by force what is left of it and its children."""
    family = psutil.Process(process.pid).children(recursive=True)
    try:
        process.terminate() if os.name == "nt" else process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TIDYING)
    finally:
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        process.kill()
        process.wait()


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _last_line(file: IO[str]) -> str:
    lines = _text(file).strip().splitlines() or ["it said nothing"]
    return lines[-1].strip()[:200]


class Session:
    """One call of this program: what it measured, and what that is set against."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.machine = machine()
        before = kept.committed(results)
        self.against = "the last commit" if before is not None else f"{results.name} as it lay"
        self.before = kept.lying(results) if before is None else before
        self.measured: kept.Entries = {}

    def take(self, path: Path, place: str, minutes: float) -> None:
        """Measure one benchmark, say how it went, and keep it at once."""
        name = path.stem.removeprefix("bench_")
        last = self.before.get(name, {}).get("seconds")
        say(f"[{place}] {name} ..." + (f" ({duration(last)} the last time)" if last else ""))
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        about = {"date": now, **code(self.results), "machine": self.machine, "busy": busy()}
        entry = self.measured[name] = measure(path, minutes) | about
        why = f": {entry['why']}" if "why" in entry else ""
        say(f"[{place}] {name}: {entry['status']} after {duration(entry['seconds'])}{why}")
        if entry["status"] == "skipped":
            return  # what another machine measured stays
        try:
            kept.keep(name, entry, self.results)
        except (OSError, ValueError) as error:
            say(f"{self.results.name} could not be written: {error}")

    def comparable(self, name: str) -> bool:
        """Whether the last value of a benchmark is from this kind of machine."""
        return alike(self.before.get(name, {}).get("machine", {}), self.machine)

    def lines(self) -> list[tuple[str, ...]]:
        """The rows of the table."""
        found = []
        for name, entry in self.measured.items():
            if "figures" in entry:
                last = self.before.get(name, {}).get("figures")
                found += report.rows(name, entry["figures"], last, self.comparable(name))
            else:
                verdict = "skipped" if entry["status"] == "skipped" else "BROKEN"
                found.append((name, "-", entry["why"], "", verdict, "", ""))
        return found

    def notes(self) -> list[str]:
        """What must be known to read the table."""
        said = [f"Measured on {in_words(self.machine)}."]
        disturbed = [name for name, entry in self.measured.items() if entry["busy"] > QUIET]
        if disturbed:
            these = ", ".join(disturbed)
            said.append(f"The machine had other work when these began: {these}. Measure them anew.")
        compared = [name for name in self.measured if "figures" in self.before.get(name, {})]
        if not compared:
            return [*said, "There is nothing to compare with yet: commit benchmarks/results.json."]
        said.append(f"Compared with {self.against}: {self._origins(compared)}.")
        others = [name for name in compared if not self.comparable(name)]
        if others:
            last = in_words(self.before[others[0]]["machine"])
            said.append(f"Another machine ({last}) measured {', '.join(others)}: not judged.")
        return [*said, report.RULE]

    def _origins(self, names: list[str]) -> str:
        """Which commits and days the last values are of."""
        origins: dict[str, list[str]] = {}
        for name in names:
            entry = self.before[name]
            changed = " with changes" if entry["dirty"] else ""
            commit = entry["commit"][:7] if entry["commit"] else "a folder without git"
            origin = f"{commit}{changed} of {entry['date'][:10]}"
            origins.setdefault(origin, []).append(name)
        return "; ".join(f"{origin} ({', '.join(these)})" for origin, these in origins.items())


def say(line: str) -> None:
    """Progress; the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def chosen(words: list[str]) -> list[Path]:
    """The benchmarks whose name contains one of the words; all without words."""
    paths = sorted(HERE.glob("bench_*.py"))
    return [path for path in paths if not words or any(word in path.stem for word in words)]


def main(arguments: list[str] | None = None, results: Path | None = None) -> int:
    """Measure, print, and say by the exit status whether everything held."""
    parser = argparse.ArgumentParser(description="Run the benchmarks and compare their figures.")
    parser.add_argument("words", nargs="*", help="run those whose name contains one of the words")
    parser.add_argument("--minutes", type=float, default=PATIENCE, help="patience with each")
    asked = parser.parse_args(arguments)
    paths = chosen(asked.words)
    if not paths:
        say(f"no benchmark in {HERE.name}/ matches {' '.join(asked.words)!r}")
        return 1
    try:
        session = Session(results or kept.RESULTS)
    except ValueError as error:
        say(str(error))
        return 1
    interrupted = False
    try:
        for number, path in enumerate(paths, 1):
            session.take(path, f"{number}/{len(paths)}", asked.minutes)
    except KeyboardInterrupt:
        interrupted = True
        say(f"stopped; {len(session.measured)} of {len(paths)} are measured and kept")
    lines = session.lines()
    if lines:
        print(report.table(lines), *session.notes(), sep="\n\n", flush=True)
    return 130 if interrupted else int(any(line[4] in ("MISSED", "BROKEN") for line in lines))


def _end_in_order() -> None:
    """Whoever ends this program ends it like Ctrl+C; under ``nohup`` a closed terminal does not."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


if __name__ == "__main__":
    _end_in_order()
    sys.exit(main())
