"""What tests of ``facevis evaluate`` try it on: drawn people, a list, a network, the command."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from facevis import cli
from facevis.live.config import Member, RunConfig

MEMBERS = (Member(objective="arcface"), Member(objective="softmax"))
CONFIG = RunConfig(members=MEMBERS, identities=4, unseen=4, embedding_dim=4, steps=5)
WEIGHTS = np.random.default_rng(0).standard_normal((3 * 8 * 8, 6)).astype(np.float32)


def people(folder, count=5, each=4, side=9, seed=0):
    """Pictures that resemble those of the same person."""
    rng = np.random.default_rng(seed)
    for person in range(count):
        face = rng.integers(0, 200, (side, side, 3))
        for number in range(each):
            path = folder / f"p{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noisy = face + rng.integers(0, 56, (side, side, 3))
            Image.fromarray(noisy.astype(np.uint8)).save(path)
    return folder


def listing(folder, count=20):
    """A list of genuine and impostor pairs in turn."""
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(count):
        (a, b), (i, j) = rng.permutation(5)[:2], rng.permutation(4)[:2]
        lines += [f"p{a}/{i}.png p{a}/{j}.png 1", f"p{a}/{i}.png p{b}/{j}.png 0"]
    path = folder / "pairs.txt"
    path.write_text("\n".join(dict.fromkeys(lines)))
    return path


def network(path, shape=("N", 3, 8, 8), weights=WEIGHTS, last=(), inputs=1, outputs=1):
    """Pictures, flattened in the order of planes, times a matrix."""
    nodes, planes = [], "x"
    if shape[-1] == 3:
        nodes, planes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])], "t"
    nodes.append(helper.make_node("Flatten", [planes], ["f"]))
    nodes.append(helper.make_node("MatMul", ["f", "w"], ["y"]))
    nodes += [helper.make_node(kind, ["y"], ["y1"]) for kind in last]
    result = "y1" if last else "y"
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    given += [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1])] * (inputs - 1)
    found = [helper.make_tensor_value_info(result, TensorProto.FLOAT, None)]
    found += [helper.make_tensor_value_info("f", TensorProto.FLOAT, None)] * (outputs - 1)
    graph = helper.make_graph(nodes, "g", given, found, [numpy_helper.from_array(weights, "w")])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def run(model, *arguments, out):
    cli.main(["evaluate", str(model), "--out", str(out), *map(str, arguments)])


def refused(model, *arguments, out):
    """What the command says when it ends, one sentence of one line; nothing is written."""
    with pytest.raises(SystemExit) as end:
        run(model, *arguments, out=out)
    said = str(end.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert not out.exists() or list(out.iterdir()) == []
    return said


def result(folder):
    def no_nan(text):
        raise AssertionError(f"{text} is no JSON")

    text = (folder / "verification.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=no_nan)
