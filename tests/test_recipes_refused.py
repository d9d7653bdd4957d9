"""What is wrong on the command line of a training: every number, and fields that do not fit."""

import dataclasses
from typing import get_args, get_origin, get_type_hints

import pytest

from facevis import cli
from facevis.fullscale.config import FullScaleConfig


def numbers(kind, before=""):
    """Name and type of each field that is a number, those of the parts too."""
    for name, hint in get_type_hints(kind).items():
        hint = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if dataclasses.is_dataclass(hint):
            yield from numbers(hint, f"{before}{name}.")
        elif hint in (int, float):
            yield before + name, hint


NUMBERS = dict(numbers(FullScaleConfig))
REALS = [name for name, kind in NUMBERS.items() if kind is float]


def refusal(tmp_path, capsys, *flags):
    """What the command says, its lines and frames taken away; nothing may be written."""
    with pytest.raises(SystemExit) as left:
        cli.main(["train", "demo", *flags, "--prepare", "--out", str(tmp_path / "run")])
    assert left.value.code not in (0, None)
    assert list(tmp_path.iterdir()) == []
    printed = capsys.readouterr()
    said = f"{left.value.code} {printed.out} {printed.err}"
    assert "Traceback" not in said
    return " ".join(said.replace("│", " ").split())


def flag(name):
    return f"--{name.replace('_', '-')}"


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, "-1") for name in NUMBERS] + [(name, v) for name in REALS for v in ("nan", "inf")],
)
def test_a_number_that_cannot_be_is_refused_by_its_name(name, value, tmp_path, capsys):
    """No field takes a negative number, none takes what is no number or has no end."""
    said = refusal(tmp_path, capsys, flag(name), value)
    margin = name in ("head.m1", "head.m2", "head.m3")
    shown = f"margin {name.removeprefix('head.')}" if margin else name
    assert f"{shown} is {NUMBERS[name](value)}; give a" in said
    assert said.count("; give a") == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--batch-size 30 --accumulate 4", "batch_size 30 does not divide into 1 processes"),
        ("--batch-size 8 --nproc 3", "batch_size 8 does not divide into 3 processes"),
        ("--head.objective triplet", "head.objective triplet compares pictures of the same"),
        (
            "--head.objective triplet --data.identities-per-batch 32 --accumulate 2",
            "head.objective triplet compares all pictures of a batch, and accumulate would",
        ),
        (
            "--data.identities-per-batch 3 --data.images-per-identity 5",
            "data.identities_per_batch × data.images_per_identity is 15, and batch_size is 128",
        ),
        ("--head.objective softmax --head.sub-centers 2", "head.objective softmax has one proto"),
        ("--head.objective softmax --head.sample-rate 0.5", "head.objective softmax has one"),
        (
            "--head.objective magface --schedule.margin-warmup 5",
            "schedule.margin_warmup is for head.objective margin",
        ),
        ("--precision float16", "precision float16 is for GPUs"),
        ("--data.size 40", "data.size is 40, and mobilefacenet halves pictures"),
        ("--head.objective adaface --head.adaface-m 1.5", "head.adaface_m is 1.5; give a number"),
        ("--head.objective adaface --head.adaface-h 0", "head.adaface_h is 0.0; give a finite"),
        ("--head.objective magface --head.magface-weight 1e7", "head.magface_weight is 10000000.0"),
        ("--head.m1 0", "margin m1 is 0.0; give a number above 0 to 10"),
        ("--head.m1 10.5", "margin m1 is 10.5; give a number above 0 to 10"),
        ("--head.m2 3.2", "margin m2 is 3.2; give a number from 0 to 3.14159 (radians)"),
        ("--head.m3 2.5", "margin m3 is 2.5; give a number from 0 to 2"),
        ("--head.objective curricularface --head.m2 4", "margin m2 is 4.0; give a number"),
        ("--schedule.milestones 5 0", "schedule.milestones is 0; give a whole number from 1"),
    ],
)
def test_what_does_not_fit_together_is_said_in_one_sentence(flags, sentence, tmp_path, capsys):
    assert refusal(tmp_path, capsys, *flags.split()).count(sentence) == 1
