"""The numbers of lessons 1 to 7."""

from __future__ import annotations

import math

import numpy as np

from facevis.datasets import load
from facevis.geometry import scale_bound
from facevis.lessons.numbers import END, Claim, best_confidence, share, statistic
from facevis.lessons.tapes import tape
from facevis.live.material import material_for
from facevis.margins import Margin, target_cosine
from facevis.mining import count_pairs, count_triplets

_SURE = 0.9


def _epoch(number: int) -> int:
    """The step that ends an epoch of the triplet runs."""
    config = tape("triplet").config
    return number * (len(material_for(config).train) // config.batch_size)


def _sure(strange: bool) -> np.ndarray:
    """How sure the classifier is of the digits it has never seen, or of those it knows."""
    header = tape("stranger").header
    labels = np.array(header["run"]["labels"])
    chosen = (labels >= len(header["run"]["class_names"])) == strange
    return np.array(header["extra"]["sure"])[chosen]


def _share_of(values: np.ndarray) -> float:
    return 100.0 * float(values.mean())


CLAIMS: dict[str, Claim] = {
    # 1
    "softmax_accuracy": Claim(lambda: share("softmax-10", 0, "accuracy"), 1),
    "softmax_longest": Claim(lambda: tape("softmax-10").at(END)["extent"][0]),
    "softmax_longest_first": Claim(lambda: tape("softmax-10").at(0)["extent"][0], 1),
    "softmax_loss": Claim(lambda: tape("softmax-10").at(END)["losses"][0], 4),
    # 2
    "stranger_named": Claim(lambda: _share_of(_sure(True) >= _SURE)),
    "stranger_median": Claim(lambda: 100.0 * float(np.median(_sure(True)))),
    "stranger_very_sure": Claim(lambda: _share_of(_sure(True) >= 0.99)),
    "stranger_known_kept": Claim(lambda: _share_of(_sure(False) >= 0.99), 1),
    "stranger_accuracy": Claim(lambda: share("stranger", 0, "accuracy")),
    # 3
    "pairs_digits": Claim(
        lambda: count_pairs(load("digits").labels)[0] + count_pairs(load("digits").labels)[1]
    ),
    "pairs_images": Claim(lambda: len(load("digits").labels)),
    "pairs_different_share": Claim(
        lambda: (
            100.0 * count_pairs(load("digits").labels)[1] / sum(count_pairs(load("digits").labels))
        ),
        0,
    ),
    "pairs_inter": Claim(lambda: statistic("contrastive", 0, "w_inter"), 1),
    "pairs_chord": Claim(lambda: 2.0 * math.degrees(math.asin(0.5)), 0),
    "pairs_million": Claim(lambda: 1e6 * (1e6 - 1) / 2 / 1e9, 0),
    # 4
    "triplet_count": Claim(lambda: count_triplets(load("digits").labels) / 1e6, 0),
    "triplet_first": Claim(lambda: share("triplet", 1, "teaching_share", 3), 0),
    "triplet_all_20": Claim(lambda: share("triplet", 0, "teaching_share", _epoch(20)), 1),
    "triplet_semi_20": Claim(lambda: share("triplet", 1, "teaching_share", _epoch(20)), 1),
    "triplet_semi_wide_20": Claim(lambda: share("triplet", 4, "teaching_share", _epoch(20)), 1),
    "triplet_hard_20": Claim(lambda: share("triplet", 2, "teaching_share", _epoch(20)), 0),
    "triplet_hard_accuracy": Claim(lambda: share("triplet", 2, "accuracy"), 0),
    "triplet_semi_accuracy": Claim(lambda: share("triplet", 1, "accuracy"), 1),
    "triplet_silent_semi": Claim(
        lambda: 100.0 - share("triplet", 1, "teaching_share", _epoch(20)), 0
    ),
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
    # 7
    "arc_boundary_plain": Claim(lambda: 36.0),
    "arc_boundary": Claim(lambda: math.degrees((math.radians(72.0) - 0.5) / 2.0), 1),
    "arc_m2": Claim(lambda: math.degrees(0.5), 1),
    "arc_cos": Claim(lambda: math.cos(math.radians(24.0)), 3),
    "arc_cos_margin": Claim(
        lambda: float(target_cosine(math.radians(24.0), Margin.arcface(0.5))), 3
    ),
    "arc_gradient": Claim(lambda: math.sin(math.acos(0.6) + 0.5) / math.sin(math.acos(0.6)), 3),
}
