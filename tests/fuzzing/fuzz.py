"""Fuzz one parser, guided by coverage; needs ``pip install atheris``, which no test does.

    PYTHONPATH=tests python tests/fuzzing/fuzz.py recordio -max_total_time=120

What follows the name is libFuzzer's. It ends with the input of a fault in ``crash-…``; such an
input becomes a test in ``tests/hostile``.
"""

import contextlib
import sys
import tempfile
import warnings
from pathlib import Path


def main():
    import atheris  # the suite looks at every module, and does not need it

    with atheris.instrument_imports(include=["facevis", "zipfile"]):
        from fuzzing.parsers import ARCHIVES, PARSERS, SEEDS, in_member

    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in PARSERS:
        raise SystemExit(f"{name!r} is no parser; name one of {', '.join(PARSERS)}.")
    parse = PARSERS[name]

    def once(data):
        try:
            parse(data)
        except ValueError as error:
            said = str(error)
            if not said.endswith(".") or "\n" in said:
                raise AssertionError(f"no sentence: {said!r}") from error

    def mutated(data, most, seed):
        """Of an archive seven times in eight one member; else bytes anywhere."""
        if name in ARCHIVES and seed % 8:
            with contextlib.suppress(Exception):  # what is no archive any more is bytes
                found = in_member(
                    name, data, seed // 8, lambda old: atheris.Mutate(old or b"?", len(old) + 64)
                )
                return found if len(found) <= most else data
        return atheris.Mutate(data, most)

    warnings.simplefilter("error")
    corpus = Path(tempfile.mkdtemp(prefix=f"facevis-{name}-"))
    for number, seed in enumerate(SEEDS[name]()):
        (corpus / str(number)).write_bytes(seed)
    options = ["-max_len=20000", "-rss_limit_mb=3000", *sys.argv[2:], str(corpus)]
    atheris.Setup([sys.argv[0], *options], once, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
