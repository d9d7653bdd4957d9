"""The browser's copy of the formula says what Python's says, on a grid."""

import json
import math
import subprocess
from pathlib import Path

import torch

from facevis.margins import TAILS, Margin, target_cosine

FORMULA = Path(__file__).parents[1] / "assets" / "web" / "formula.js"
MARGINS = [(1, 0, 0), (1.35, 0, 0), (1, 0.5, 0), (1, 0, 0.35), (0.9, 0.4, 0.15), (4, 1.2, 0.3)]
ANGLES = [math.pi * i / 97 for i in range(98)]
SCRIPT = """
import { targetCosine } from FORMULA;
const { margins, tails, angles } = JSON.parse(process.argv[1]);
const all = margins.map(([m1, m2, m3]) =>
  tails.map((tail) => angles.map((a) => targetCosine(a, { m1, m2, m3 }, tail))));
console.log(JSON.stringify(all));
"""


def test_browser_formula_equals_python_formula(node) -> None:
    script = SCRIPT.replace("FORMULA", json.dumps(FORMULA.as_uri()))
    grid = json.dumps({"margins": MARGINS, "tails": TAILS, "angles": ANGLES})
    command = [node, "--input-type=module", "-e", script, grid]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    angles = torch.tensor(ANGLES, dtype=torch.float64)
    for margin, tables in zip(MARGINS, json.loads(output), strict=True):
        for tail, values in zip(TAILS, tables, strict=True):
            expected = target_cosine(angles, Margin(*margin), tail)
            torch.testing.assert_close(torch.tensor(values, dtype=torch.float64), expected)
