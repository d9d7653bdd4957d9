"""The numbers that lessons speak of, each computed by the package: a text names them, and no text
holds a result typed in by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from facevis.datasets import load
from facevis.geometry import (
    admissible_radius,
    max_arcface,
    max_cosface,
    packing_angle,
    scale_bound,
)
from facevis.lessons.tapes import STRANGER_LOSSES, last_points, tape
from facevis.live.material import material_for
from facevis.margins import Margin, psi, target_cosine
from facevis.mining import count_pairs, count_triplets


@dataclass(frozen=True)
class Claim:
    """A number and how it is written."""

    value: Callable[[], float]
    digits: int = 0
    unit: str = ""


def claim_text(name: str, language: str) -> str:
    """A claim as a text in this language writes it; an unknown one is a ``ValueError``."""
    if name not in CLAIMS:
        raise ValueError(f"there is no number called {name!r}.")
    claim = CLAIMS[name]
    text = f"{claim.value():,.{claim.digits}f}".replace("-", "−")
    if language == "ru":
        text = text.replace(",", " ").replace(".", ",")
    return text + claim.unit


def _degrees(count: int, dim: int) -> float:
    return math.degrees(packing_angle(count, dim))


def best_confidence(scale: float, classes: int) -> float:
    """The largest softmax probability of one class at scale s: e^s / (e^s + (C − 1)·e^−s).

    All other cosines are −1, so no prototypes and no embedding reach more.

    >>> round(best_confidence(1.0, 10), 3)
    0.451
    """
    return 1.0 / (1.0 + (classes - 1) * math.exp(-2.0 * scale))


def _statistic(name: str, member: int, statistic: str, step: int = 10**9) -> float:
    return float(tape(name).at(step)["statistics"][member][statistic])


def _share(name: str, member: int, statistic: str, step: int = 10**9) -> float:
    return 100.0 * _statistic(name, member, statistic, step)


def _epoch(number: int) -> int:
    """The step that ends an epoch of the triplet runs."""
    config = tape("triplet").config
    return number * (len(material_for(config).train) // config.batch_size)


def _strangers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the digits never trained on: how sure the classifier is; and of the known ones."""
    header = tape("stranger").header
    labels = np.array(header["run"]["labels"])
    sure = np.array(header["extra"]["sure"])
    strange = labels >= len(header["run"]["class_names"])
    return sure[strange], sure[~strange], strange


@lru_cache(maxsize=8)
def _pair_cosines(member: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of all genuine and of all impostor pairs of strangers, each falling."""
    points, labels = last_points("strangers", member)
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    first, second = np.triu_indices(len(points), 1)
    cosines = (points @ points.T)[first, second]
    same = labels[first] == labels[second]
    return -np.sort(-cosines[same]), -np.sort(-cosines[~same])


def strangers_tar(member: int, far: float) -> float:
    """Share of genuine pairs above the threshold that lets at most ``far`` of the impostors pass."""
    genuine, impostor = _pair_cosines(member)
    threshold = impostor[math.floor(far * len(impostor) + 1e-9)]
    return float((genuine > threshold).mean())


def _tar(loss: str, far: float) -> float:
    return 100.0 * strangers_tar(STRANGER_LOSSES.index(loss), far)


_SURE_STRANGERS = 0.9

CLAIMS: dict[str, Claim] = {
    # 1
    "softmax_accuracy": Claim(lambda: _share("softmax-10", 0, "accuracy"), 1),
    "softmax_longest": Claim(lambda: tape("softmax-10").at(10**9)["extent"][0]),
    "softmax_longest_first": Claim(lambda: tape("softmax-10").at(0)["extent"][0], 1),
    "softmax_loss": Claim(lambda: tape("softmax-10").at(10**9)["losses"][0], 4),
    # 2
    "stranger_named": Claim(lambda: 100.0 * (_strangers()[0] >= _SURE_STRANGERS).mean()),
    "stranger_median": Claim(lambda: 100.0 * float(np.median(_strangers()[0]))),
    "stranger_very_sure": Claim(lambda: 100.0 * (_strangers()[0] >= 0.99).mean()),
    "stranger_known_kept": Claim(lambda: 100.0 * (_strangers()[1] >= 0.99).mean(), 1),
    "stranger_accuracy": Claim(lambda: _share("stranger", 0, "accuracy")),
    # 3
    "pairs_digits": Claim(lambda: count_pairs(load("digits").labels)[0] + count_pairs(load("digits").labels)[1]),
    "pairs_images": Claim(lambda: len(load("digits").labels)),
    "pairs_different_share": Claim(lambda: 100.0 * count_pairs(load("digits").labels)[1] / sum(count_pairs(load("digits").labels)), 0),
    "pairs_inter": Claim(lambda: _statistic("contrastive", 0, "w_inter"), 1),
    "pairs_chord": Claim(lambda: 2.0 * math.degrees(math.asin(0.5)), 0),
    "pairs_million": Claim(lambda: 1e6 * (1e6 - 1) / 2 / 1e9, 0),
    # 4
    "triplet_count": Claim(lambda: count_triplets(load("digits").labels) / 1e6, 0),
    "triplet_first": Claim(lambda: _share("triplet", 1, "teaching_share", 3), 0),
    "triplet_all_20": Claim(lambda: _share("triplet", 0, "teaching_share", _epoch(20)), 1),
    "triplet_semi_20": Claim(lambda: _share("triplet", 1, "teaching_share", _epoch(20)), 1),
    "triplet_semi_wide_20": Claim(lambda: _share("triplet", 4, "teaching_share", _epoch(20)), 1),
    "triplet_hard_20": Claim(lambda: _share("triplet", 2, "teaching_share", _epoch(20)), 0),
    "triplet_hard_accuracy": Claim(lambda: _share("triplet", 2, "accuracy"), 0),
    "triplet_semi_accuracy": Claim(lambda: _share("triplet", 1, "accuracy"), 1),
    "triplet_silent_semi": Claim(lambda: 100.0 - _share("triplet", 1, "teaching_share", _epoch(20)), 0),
    "triplet_step_20": Claim(lambda: _epoch(20)),
    # 5
    "costs_million_parameters": Claim(lambda: 1e6 * 512 / 1e6),
    "costs_million_gigabytes": Claim(lambda: 1e6 * 512 * 4 / 1e9, 1),
    "costs_training_gigabytes": Claim(lambda: 3 * 1e6 * 512 * 4 / 1e9, 1),
    "costs_logits_gigabytes": Claim(lambda: 512 * 1e6 * 4 / 1e9, 1),
    "costs_million_pairs": Claim(lambda: 2e7 * (2e7 - 1) / 2 / 1e12),
    "costs_million_triplets": Claim(lambda: 1e6 * 20 * 19 * (2e7 - 20) / 1e15, 1),
    "costs_casia_parameters": Claim(lambda: 93431 * 512 / 1e6, 1),
    # 6
    "sphere_best_1": Claim(lambda: 100.0 * best_confidence(1.0, 10)),
    "sphere_scale_10": Claim(lambda: scale_bound(10, 0.9), 2),
    "sphere_scale_93431": Claim(lambda: scale_bound(93431, 0.9), 1),
    "sphere_best_4": Claim(lambda: 100.0 * best_confidence(4.0, 10)),
    # 7
    "arc_boundary_plain": Claim(lambda: 36.0),
    "arc_boundary": Claim(lambda: math.degrees((math.radians(72.0) - 0.5) / 2.0), 1),
    "arc_m2": Claim(lambda: math.degrees(0.5), 1),
    "arc_cos": Claim(lambda: math.cos(math.radians(24.0)), 3),
    "arc_cos_margin": Claim(lambda: float(target_cosine(math.radians(24.0), Margin.arcface(0.5))), 3),
    "arc_gradient": Claim(lambda: math.sin(math.acos(0.6) + 0.5) / math.sin(math.acos(0.6)), 3),
    # 8
    "margin_intra_without": Claim(lambda: _statistic("margin-0", 0, "intra"), 1),
    "margin_intra_with": Claim(lambda: _statistic("margin-0", 10, "intra"), 1),
    "margin_inter_without": Claim(lambda: _statistic("margin-0", 0, "w_inter"), 1),
    "margin_inter_with": Claim(lambda: _statistic("margin-0", 10, "w_inter"), 1),
    "margin_accuracy_with": Claim(lambda: _share("margin-0", 10, "accuracy")),
    "margin_held_without": Claim(lambda: _share("margin-0", 0, "held_out_accuracy"), 1),
    "margin_held_with": Claim(lambda: _share("margin-0", 10, "held_out_accuracy"), 1),
    "margin_accuracy_beyond": Claim(lambda: _share("margin-0", 20, "accuracy")),
    "margin_bound_7": Claim(lambda: max_arcface(7, 2), 3),
    "margin_best_7": Claim(lambda: _degrees(7, 2), 1),
    # 9
    "formula_cosface_zero": Claim(lambda: 1.0 - float(target_cosine(0.0, Margin.cosface(0.35))), 2),
    "formula_arcface_zero": Claim(lambda: 1.0 - float(target_cosine(0.0, Margin.arcface(0.5))), 3),
    "formula_sphereface_zero": Claim(lambda: 1.0 - float(target_cosine(0.0, Margin.sphereface(1.35)))),
    "formula_psi_end": Claim(lambda: float(psi(1.35 * math.pi)), 3),
    "formula_intra_sphereface": Claim(lambda: _statistic("family", 1, "intra"), 1),
    "formula_intra_arcface": Claim(lambda: _statistic("family", 3, "intra"), 1),
    "formula_intra_cosface": Claim(lambda: _statistic("family", 2, "intra"), 1),
    "formula_intra_softmax": Claim(lambda: _statistic("family", 0, "intra"), 1),
    # 10
    "circle_angle_10": Claim(lambda: _degrees(10, 2)),
    "circle_bound_10": Claim(lambda: max_cosface(10, 2), 3),
    "circle_bound_7": Claim(lambda: max_cosface(7, 2), 3),
    "circle_bound_8": Claim(lambda: max_cosface(8, 2), 3),
    "circle_arcface_10": Claim(lambda: max_arcface(10, 2), 3),
    "circle_loss_fits": Claim(lambda: tape("cosface").at(10**9)["losses"][0], 2),
    "circle_loss_not": Claim(lambda: tape("cosface").at(10**9)["losses"][1], 2),
    "circle_accuracy_not": Claim(lambda: _share("cosface", 1, "accuracy")),
    "circle_accuracy_fits": Claim(lambda: _share("cosface", 0, "accuracy"), 1),
    "circle_rho_015": Claim(lambda: math.degrees(admissible_radius(Margin.cosface(0.15), packing_angle(10, 2))), 1),
    # 11
    "dimension_circle": Claim(lambda: _degrees(10, 2)),
    "dimension_sphere": Claim(lambda: _degrees(10, 3), 1),
    "dimension_free": Claim(lambda: _degrees(10, 9), 1),
    "dimension_cosface_sphere": Claim(lambda: max_cosface(10, 3), 3),
    "dimension_limit": Claim(lambda: math.degrees(math.acos(-1.0 / (513 - 1))), 2),
    # 12
    "strangers_softmax_2": Claim(lambda: _tar("softmax", 1e-2)),
    "strangers_softmax_4": Claim(lambda: _tar("softmax", 1e-4)),
    "strangers_plain_2": Claim(lambda: _tar("normalized_softmax", 1e-2)),
    "strangers_plain_3": Claim(lambda: _tar("normalized_softmax", 1e-3)),
    "strangers_plain_4": Claim(lambda: _tar("normalized_softmax", 1e-4)),
    "strangers_arcface_2": Claim(lambda: _tar("arcface", 1e-2)),
    "strangers_arcface_3": Claim(lambda: _tar("arcface", 1e-3)),
    "strangers_arcface_4": Claim(lambda: _tar("arcface", 1e-4)),
    "strangers_triplet_2": Claim(lambda: _tar("triplet", 1e-2)),
    "strangers_triplet_4": Claim(lambda: _tar("triplet", 1e-4)),
    "strangers_least_accuracy": Claim(lambda: min(_share("strangers", m, "accuracy") for m in range(len(STRANGER_LOSSES)))),
    # 13
    "full_intra_plain": Claim(lambda: _statistic("fullscale", 0, "intra"), 1),
    "full_intra_arcface": Claim(lambda: _statistic("fullscale", 2, "intra"), 1),
    "full_wec_plain": Claim(lambda: _statistic("fullscale", 0, "w_ec"), 1),
    "full_wec_arcface": Claim(lambda: _statistic("fullscale", 2, "w_ec"), 1),
    "full_winter_plain": Claim(lambda: _statistic("fullscale", 0, "w_inter"), 1),
    "full_winter_arcface": Claim(lambda: _statistic("fullscale", 2, "w_inter"), 1),
    "full_inter_plain": Claim(lambda: _statistic("fullscale", 0, "inter"), 1),
    "full_inter_arcface": Claim(lambda: _statistic("fullscale", 2, "inter"), 1),
    "full_unseen_plain": Claim(lambda: _share("fullscale", 0, "unseen_accuracy"), 1),
    "full_unseen_arcface": Claim(lambda: _share("fullscale", 2, "unseen_accuracy"), 1),
    "full_simplex": Claim(lambda: _degrees(96, 512), 1),
}
"""Every number by its name, in the order of the lessons."""
