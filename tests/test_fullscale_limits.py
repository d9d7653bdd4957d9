"""Configurations that cannot be: every limit names its field, every place in a file is named."""

import dataclasses
import json
import math
from typing import get_args, get_origin, get_type_hints

import pytest
from runs import small

from facevis import cli
from facevis.fullscale import runs
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.heads import rule_of
from facevis.fullscale.plain import flat

LARGE, TINY = 2**31 - 1, 1e-300

LIMITS = {
    **{"data.size": (16, 512), "data.workers": (0, 256), "data.most_damaged": (0, LARGE)},
    **{"data.identities_per_batch": (0, LARGE), "data.images_per_identity": (2, 1024)},
    **{"backbone.embedding_dim": (2, 4096), "backbone.dropout": (0.0, 0.9)},
    **{"head.m1": (TINY, 10.0), "head.m2": (0.0, math.pi), "head.m3": (0.0, 2.0)},
    **{"head.scale": (TINY, 1e6), "head.sub_centers": (1, 64), "head.sample_rate": (1e-6, 1.0)},
    **{"head.distance": (TINY, None), "head.adaface_m": (0.0, 1.0), "head.adaface_h": (TINY, None)},
    **{"head.magface_weight": (0.0, 1e6), "optimizer.learning_rate": (TINY, 1e30)},
    **{"optimizer.weight_decay": (0.0, 10.0), "optimizer.momentum": (0.0, 0.9999)},
    **{"optimizer.clip": (0.0, 1e9), "schedule.steps": (1, LARGE), "schedule.warmup": (0, LARGE)},
    **{"schedule.power": (TINY, None), "schedule.factor": (0.0, 1.0)},
    **{"schedule.milestones": (1, LARGE), "schedule.margin_warmup": (0, LARGE)},
    **{"follow.every": (1, LARGE), "follow.evaluate_every": (0, LARGE)},
    **{"follow.angle_identities": (0, 10_000), "follow.checkpoint_every": (1, LARGE)},
    **{"follow.keep": (1, 1000), "batch_size": (2, LARGE), "accumulate": (1, 4096)},
    "seed": (0, LARGE),
}
"""The least and the greatest value of every field with numbers; TINY stands for above 0."""


def leaves(kind, before=""):
    for name, hint in get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from leaves(hint, f"{before}{name}.")
        else:
            yield before + name, get_args(hint)[0] if get_origin(hint) is tuple else hint


NUMBERS = {name: kind for name, kind in leaves(FullScaleConfig) if kind in (int, float)}


def with_value(name, value):
    """The configuration in which one field has this value, by way of a file's text."""
    tree = json.loads(FullScaleConfig().to_json())
    *parts, last = name.split(".")
    table = tree
    for part in parts:
        table = table[part]
    table[last] = [value] if isinstance(table[last], list) else value
    config = FullScaleConfig.from_json(json.dumps(tree))
    rule_of(config.head)  # the margins' limits are known there
    return config


def test_every_number_has_limits_here():
    assert NUMBERS.keys() == LIMITS.keys()


@pytest.mark.parametrize("name", LIMITS)
def test_a_number_at_its_limits_is_taken_and_beyond_them_is_refused_by_name(name):
    low, high = LIMITS[name]
    whole = NUMBERS[name] is int
    shown = f"margin {name[5:]}" if name in ("head.m1", "head.m2", "head.m3") else name
    for value in (low, high):
        if value is not None:
            found = flat(dataclasses.asdict(with_value(name, value)))[name]
            assert found in (value, (value,))
    below = low - 1 if whole else 0.0 if low == TINY else low - 1e-7
    above = [] if high is None else [high + 1 if whole else high * (1 + 1e-7)]
    for value in (below, *above, -LARGE - 1 if whole else -1e300, *([] if whole else [math.nan])):
        with pytest.raises(ValueError, match=f"^{shown} is .+; give a .*number ") as refused:
            with_value(name, value)
        assert "\n" not in str(refused.value)
    for value in (True, "3", None, [1]) if name != "schedule.milestones" else (True, "3", None):
        with pytest.raises(ValueError, match=f"^the configuration's {name} is .+; give an? "):
            with_value(name, value)


@pytest.mark.parametrize("name", [n for n, kind in NUMBERS.items() if kind is int])
def test_a_fraction_is_no_whole_number(name):
    with pytest.raises(ValueError, match=f"^the configuration's {name} is 2.5; give an int"):
        with_value(name, 2.5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data__train": ""}, "data.train is empty; name the pictures"),
        ({"data__size": 40}, "data.size is 40, and mobilefacenet halves pictures four times"),
        ({"batch_size": 9, "accumulate": 2}, "batch_size 9 does not divide into 1 processes"),
        ({"accumulate": 8}, "8 parts of two pictures or more"),
        ({"head__objective": "triplet"}, "set data.identities_per_batch to batch_size /"),
        ({"head__objective": "contrastive"}, "contrastive compares pictures of the same"),
        (
            {"head__objective": "triplet", "data__identities_per_batch": 2, "accumulate": 2},
            "set accumulate to 1",
        ),
        ({"data__identities_per_batch": 3}, "is 12, and batch_size is 8; make them equal"),
        ({"head__objective": "softmax", "head__sub_centers": 2}, "leave head.sub_centers and"),
        ({"head__objective": "softmax", "head__sample_rate": 0.5}, "leave head.sub_centers and"),
        ({"head__objective": "adaface", "schedule__margin_warmup": 5}, "leave it at 0"),
        ({"precision": "float16"}, "choose bfloat16 or float32 on a CPU"),
    ],
)
def test_fields_that_do_not_fit_together_are_named(changes, sentence):
    with pytest.raises(ValueError, match=r"^(data|batch|head|schedule|precision)") as refused:
        small(**changes).check()
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("processes", "fine"), [(1, True), (2, True), (3, False), (8, False)])
def test_a_batch_divides_into_the_processes_or_they_are_named(processes, fine):
    config = small()
    if fine:
        config.check(processes)
        return
    with pytest.raises(ValueError, match=f"^batch_size 8 does not divide into {processes} proc"):
        config.check(processes)


def test_transformers_take_pictures_of_any_size():
    small(data__size=50, backbone__name="vit_t").check()


# Files


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('"text"', "the configuration's whole is no table of fields"),
        ('{"data": 5}', "the configuration's data is no table of fields"),
        ('{"follow": {"sats": []}}', "has a field follow.sats that nothing knows"),
        ('{"optimizer": {"name": "adam"}}', "optimizer.name is 'adam'; choose one of sgd, adamw"),
        ('{"follow": {"sets": "lfw.bin"}}', "follow.sets is 'lfw.bin'; give a list"),
        ('{"follow": {"sets": [5]}}', "follow.sets is 5; give a str"),
        ('{"schedule": {"milestones": [10, "x"]}}', "schedule.milestones is 'x'; give an int"),
        ('{"compile": "yes"}', "compile is 'yes'; give a bool"),
        (f'{{"head": {{"scale": {"9" * 400}}}}}', "head.scale is too large"),
        (f'{{"seed": {"9" * 5000}}}', "is not JSON"),
        ('{"head": {"m2": NaN}, "recipe": 3}', "recipe is 3; give a str"),
    ],
)
def test_what_a_file_has_wrong_is_said_with_its_place(tmp_path, text, sentence):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json: ") as refused:
        runs.read_config(tmp_path)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_not_called_missing(tmp_path):
    (tmp_path / "config.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match=r"config.json cannot be read \(it is no text\); restore"):
        runs.read_config(tmp_path)


def test_what_the_configuration_of_a_run_lacks_is_named(tmp_path):
    told = json.loads(FullScaleConfig().to_json())
    del told["head"]["m2"], told["seed"]
    (tmp_path / "config.json").write_text(json.dumps(told))
    with pytest.raises(ValueError, match=r"config.json lacks head.m2, seed; write into it what"):
        runs.read_config(tmp_path)


def test_what_is_left_out_has_its_default():
    config = FullScaleConfig.from_json('{"head": {"m2": 0.25, "scale": 32}}')
    assert (config.head.m2, config.head.scale, config.head.m3) == (0.25, 32.0, 0.0)
    assert isinstance(config.head.scale, float)
    assert config.differences(FullScaleConfig()) == [
        "head.m2: 0.25, not 0.5",
        "head.scale: 32.0, not 64.0",
    ]


# The command line


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--batch-size", "1"), "batch_size is 1; give a whole number from 2"),
        (("--optimizer.learning-rate", "nan"), "optimizer.learning_rate is nan; give"),
        (("--head.m2", "4"), "margin m2 is 4.0; give a number from 0 to 3.14159"),
        (("--data.size", "40"), "data.size is 40, and mobilefacenet"),
        (("--nproc", "3"), "batch_size 128 does not divide into 3"),
        (("--head.objective", "arcface"), "arcface"),
        (("--seed", "three"), "three"),
    ],
)
def test_a_flag_out_of_range_ends_in_words_and_nothing_is_written(
    flags, sentence, tmp_path, capsys
):
    with pytest.raises(SystemExit) as left:
        cli.main(["train", "demo", *flags, "--out", str(tmp_path / "run")])
    printed = capsys.readouterr()
    said = " ".join(f"{left.value.code} {printed.out} {printed.err}".replace("│", " ").split())
    assert left.value.code not in (0, None)
    assert sentence in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
