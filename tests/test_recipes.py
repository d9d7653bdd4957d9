"""Recipes are whole configurations: valid, the papers' settings, kept in full, changed by flags."""

import dataclasses
import json
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from facevis import cli
from facevis.fullscale.config import FullScaleConfig
from facevis.fullscale.config_parts import BackboneConfig, HeadConfig
from facevis.fullscale.heads import rule_of
from facevis.fullscale.plain import flat
from facevis.fullscale.recipes import RECIPES
from facevis.fullscale.runs import read_config
from facevis.fullscale.schedules import learning_rate

CASIA = [name for name in RECIPES if name.startswith("casia-")]
LARGE = ["ms1mv3-r50", "ms1mv3-r100", "glint360k-r100", "webface42m-r100"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_fits_together_and_has_its_name(name):
    config = RECIPES[name]()
    config.check()
    config.check(processes=8)
    rule_of(config.head)
    assert config.recipe == name
    assert RECIPES[name].__doc__


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_its_text(name):
    config = RECIPES[name]()
    assert FullScaleConfig.from_json(config.to_json()) == config
    assert config.differences(FullScaleConfig.from_json(config.to_json())) == []


def leaves(kind, before=""):
    """Name and type of each field, those of the parts too."""
    for name, hint in get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from leaves(hint, f"{before}{name}.")
        else:
            yield before + name, hint


def test_the_text_has_all_fields():
    assert set(flat(json.loads(RECIPES["demo"]().to_json()))) == {
        n for n, _ in leaves(FullScaleConfig)
    }


# The ArcFace paper: Deng et al., CVPR 2019, section 3.1 and Table 2


@pytest.mark.parametrize("name", CASIA)
def test_on_casia_it_is_the_papers_schedule(name):
    config = RECIPES[name]()
    assert config.batch_size == 512
    assert config.optimizer.name == "sgd"
    assert config.optimizer.momentum == 0.9
    assert config.optimizer.weight_decay == 5e-4
    assert config.schedule.steps == 32_000
    rates = {0: 0.1, 19_999: 0.1, 20_000: 0.01, 27_999: 0.01, 28_000: 0.001, 31_999: 0.001}
    for step, rate in rates.items():
        found = learning_rate(step, config.optimizer.learning_rate, config.schedule)
        assert found == pytest.approx(rate, rel=1e-12)
    assert config.backbone == BackboneConfig(name="iresnet50", embedding_dim=512)
    assert config.data.size == 112
    assert config.head.scale == 64.0


@pytest.mark.parametrize(
    ("name", "margin"),
    [
        ("casia-arcface", (1.0, 0.5, 0.0)),
        ("casia-cosface", (1.0, 0.0, 0.35)),
        ("casia-sphereface", (1.35, 0.0, 0.0)),
        ("casia-cm1", (1.0, 0.3, 0.2)),
        ("casia-cm2", (0.9, 0.4, 0.15)),
        ("casia-normalized-softmax", (1.0, 0.0, 0.0)),
    ],
)
def test_on_casia_it_has_the_papers_margin(name, margin):
    head = RECIPES[name]().head
    assert head.objective == "margin"
    assert (head.m1, head.m2, head.m3) == margin
    assert rule_of(head).margin.as_tuple() == margin


def test_the_other_losses_of_the_papers_table():
    assert RECIPES["casia-softmax"]().head.objective == "softmax"
    triplet = RECIPES["casia-triplet"]()
    assert (triplet.head.objective, triplet.head.distance) == ("triplet", 0.35)
    assert triplet.data.identities_per_batch * triplet.data.images_per_identity == 512


@pytest.mark.parametrize(
    ("name", "pictures"),
    [("ms1mv3-r50", 5_179_510), ("glint360k-r100", 17_091_657), ("webface42m-r100", 42_474_558)],
)
def test_large_sets_are_seen_twenty_times(name, pictures):
    """The sizes are those that the sets' authors publish."""
    config = RECIPES[name]()
    assert config.schedule.steps * config.batch_size / pictures == pytest.approx(20, rel=0.01)
    assert (config.optimizer.learning_rate, config.batch_size) == (0.1, 1024)


# The command line

VALUES = {
    **{"recipe": "mine", "batch_size": 24, "backbone.name": "vit_t", "head.objective": "margin"},
    **{"data.identities_per_batch": 4, "data.images_per_identity": 6, "data.train": "faces/"},
    **{"schedule.milestones": (5, 7), "follow.sets": ("a.bin", "b"), "backbone.weights": "w.pth"},
    **{"head.sample_rate": 0.5, "backbone.dropout": 0.25, "schedule.factor": 0.25},
    **{"optimizer.momentum": 0.5, "head.adaface_m": 0.5},
}
"""Where a value of the kind is not enough: what has limits, or must fit other fields."""


def another(name, hint, now):
    """A value that the field does not have yet."""
    if name in VALUES:
        return VALUES[name]
    if get_origin(hint) is Literal:
        return next(value for value in get_args(hint) if value != now)
    return not now if hint is bool else hint(now + 1)


def flags(name, value):
    before, _, last = name.replace("_", "-").rpartition(".")
    dotted = f"--{before}." if before else "--"
    if isinstance(value, bool):
        return [f"{dotted}{'' if value else 'no-'}{last}"]
    values = value if isinstance(value, tuple) else (value,)
    return [dotted + last, *map(str, values)]


def test_every_field_is_set_on_the_command_line(tmp_path, capsys):
    now = flat(dataclasses.asdict(dataclasses.replace(RECIPES["casia-cm1"](), head=HeadConfig())))
    asked = {name: another(name, hint, now[name]) for name, hint in leaves(FullScaleConfig)}
    asked["head.objective"] = "margin"
    given = [flag for name, value in asked.items() for flag in flags(name, value)]
    cli.main(["train", "casia-cm1", *given, "--prepare", "--out", str(tmp_path / "run")])
    assert flat(dataclasses.asdict(read_config(tmp_path / "run"))) == asked
    assert "torchrun" in capsys.readouterr().out
    # All but one are others than before: the objective, which the margin's warm-up needs.
    assert [name for name in asked if asked[name] == now[name]] == ["head.objective"]


def test_a_run_is_printed_in_full_before_it_begins(tmp_path, capsys, monkeypatch):
    launched = []
    monkeypatch.setattr("facevis.fullscale.launch.launch", lambda *given: launched.append(given))
    cli.main(["train", "demo", "--seed", "5", "--nproc", "2", "--out", str(tmp_path / "run")])
    printed = FullScaleConfig.from_json(capsys.readouterr().out)
    assert (
        printed == dataclasses.replace(RECIPES["demo"](), seed=5) == read_config(tmp_path / "run")
    )
    ((folder, machines),) = launched
    assert (folder, machines.nproc) == (tmp_path / "run", 2)


def test_the_folder_has_the_recipes_name_if_none_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.main(["train", "casia-cosface", "--prepare"])
    assert read_config(tmp_path / "runs" / "casia-cosface") == RECIPES["casia-cosface"]()


def test_an_unknown_recipe_is_answered_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["train", "casia-arcfaec"])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert "casia-arcfaec" in said.out + said.err
    assert "casia-arcface" in said.out + said.err
