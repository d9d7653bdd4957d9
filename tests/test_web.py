"""The browser's own tests, run by node."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_browser_modules_pass_their_tests(node):
    files = sorted(str(path) for path in (ROOT / "tests" / "web").glob("*.test.mjs"))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-4000:]
