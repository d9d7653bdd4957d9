"""Fuzz one parser, guided by coverage; needs ``pip install atheris``, which no test does.

    PYTHONPATH=tests python tests/fuzzing/fuzz.py recordio -max_total_time=120

What follows the name is libFuzzer's. It ends with the input of a fault in ``crash-…``; such an
input becomes a test in ``tests/hostile``.
"""

import sys
import tempfile
import warnings
from pathlib import Path


def main():
    import atheris  # the suite looks at every module, and does not need it

    with atheris.instrument_imports(include=["facevis", "zipfile"]):
        from fuzzing.parsers import PARSERS, SEEDS

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

    warnings.simplefilter("error")
    corpus = Path(tempfile.mkdtemp(prefix=f"facevis-{name}-"))
    for number, seed in enumerate(SEEDS[name]()):
        (corpus / str(number)).write_bytes(seed)
    options = ["-max_len=20000", "-rss_limit_mb=3000", *sys.argv[2:], str(corpus)]
    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
