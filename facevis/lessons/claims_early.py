"""The numbers of lessons 1 to 7."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from facevis.datasets import load
from facevis.geometry import packing_angle, scale_bound
from facevis.lessons.numbers import END, Claim, best_confidence, share, statistic
from facevis.lessons.tapes import moment, tape
from facevis.live.material import material_for
from facevis.margins import Margin, target_cosine
from facevis.mining import count_pairs, count_triplets
from facevis.packings import largest_where

PER_CLASS, PEOPLE, DIM, BATCH = 20, 10**6, 512, 512
APART, THETA = math.radians(72.0), math.radians(24.0)
ARC = Margin.arcface(0.5)


def _epoch(number: int) -> int:
    """The step that ends an epoch of the triplet runs."""
    config = tape("triplet").config
    return number * (len(material_for(config).train) // config.batch_size)


@lru_cache(maxsize=16)
def _plane(name: str, member: int, step: int = END) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return moment(name, member, step)


def _lengths(name: str, member: int, step: int = END) -> np.ndarray:
    lengths: np.ndarray = np.linalg.norm(_plane(name, member, step)[0], axis=1)
    return lengths


def _per_class(name: str, member: int, measure: Callable[[np.ndarray], float]) -> float:
    """The median over the classes of what is measured on a class's embeddings."""
    points, _, labels = _plane(name, member)
    return float(np.median([measure(points[labels == k]) for k in np.unique(labels)]))


def _stretch(points: np.ndarray) -> float:
    """Spread away from the origin over spread across."""
    centre = points.mean(0)
    along = centre / np.linalg.norm(centre)
    across = np.array([-along[1], along[0]])
    return float(((points - centre) @ along).std() / ((points - centre) @ across).std())


def _longest_to_shortest(points: np.ndarray) -> float:
    lengths = np.linalg.norm(points, axis=1)
    return float(lengths.max() / lengths.min())


def _length_of(right: bool, step: int = 87) -> float:
    """Median length at the end of what had, or had not, the largest W·x (no bias) at a step."""
    points, vectors, labels = _plane("softmax-10-0", 0, step)
    ok = (points @ vectors.T).argmax(1) == labels
    return float(np.median(_lengths("softmax-10-0", 0)[ok == right]))


def _far_kin() -> float:
    """Share whose farthest picture of the same digit is farther than the nearest of another one."""
    points, _, labels = _plane("softmax-10-0", 0)
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    same = labels[:, None] == labels[None]
    farthest = np.where(same, distance, -1.0).max(1)
    nearest = np.where(same, np.inf, distance).min(1)
    return 100.0 * float((farthest > nearest).mean())


# --- lesson 2


def _is_strange() -> np.ndarray:
    header = tape("stranger").header
    return np.array(header["run"]["labels"]) >= len(header["run"]["class_names"])


def _sure(strange: bool) -> np.ndarray:
    """How sure the classifier is of the digits it has never seen, or of those it knows."""
    sure: np.ndarray = np.array(tape("stranger").header["extra"]["sure"])[_is_strange() == strange]
    return sure


def _passing(threshold: float, strange: bool) -> float:
    return 100.0 * float((_sure(strange) >= threshold).mean())


def _sevens() -> np.ndarray:
    """As which known digit each picture of a 7 is named."""
    header = tape("stranger").header
    labels = np.array(header["run"]["labels"])
    named = np.array(header["extra"]["named"])
    sevens: np.ndarray = named[labels == 7]
    return sevens


def _stranger_length(strange: bool) -> float:
    return float(np.median(_lengths("stranger", 0)[_is_strange() == strange]))


# --- lesson 3


def _digits() -> np.ndarray:
    return load("digits").labels


def _chord(angle: float) -> float:
    return 2.0 * math.sin(angle / 2.0)


def _even_pair_loss(classes: int = 10, margin: float = 1.0) -> float:
    """Mean contrastive loss over the digits' pairs: classes without spread, even on the circle."""
    different = [
        max(0.0, margin - _chord(2.0 * math.pi * k / classes)) ** 2 for k in range(1, classes)
    ]
    same, other = count_pairs(_digits())
    return other / (same + other) * sum(different) / (classes - 1)


def _pushing() -> float:
    """Share of the pairs of two digits that are still nearer than the margin at the end."""
    points, _, labels = _plane("contrastive", 0)
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    first, second = np.triu_indices(len(points), 1)
    distance = np.linalg.norm(points[first] - points[second], axis=1)
    return 100.0 * float((distance[labels[first] != labels[second]] < 1.0).mean())


# --- lesson 4


def _batch_triplets() -> float:
    """Valid triplets that a random batch of 128 of the digits holds on average."""
    size, batch = len(_digits()), tape("triplet").config.batch_size
    drawn = math.prod((batch - k) / (size - k) for k in range(3))
    return count_triplets(_digits()) * drawn


def _at_20(member: int) -> float:
    return share("triplet", member, "teaching_share", _epoch(20))


# --- lesson 5


def _triplets(people: float, images: int = PER_CLASS) -> float:
    return people * images * (images - 1) * (people * images - images)


def _pairs(people: float, images: int = PER_CLASS) -> float:
    return people * images * (people * images - 1) / 2


# --- lesson 6


def _circle(scale: float, classes: int, theta: float = 0.0) -> float:
    """Softmax probability of class 1 at θ from its prototype, prototypes evenly on the circle."""
    step = packing_angle(classes, 2)
    own = math.cos(theta)
    others = sum(math.exp(scale * (math.cos(theta - k * step) - own)) for k in range(1, classes))
    return 1.0 / (1.0 + others)


def _scale_where(probability: Callable[[float], float], wanted: float) -> float:
    """From which scale on a probability, which rises with it, is the one that is wanted."""
    return largest_where(lambda scale: probability(scale) < wanted, 0.0, 1000.0)


# --- lesson 7


def _two(margin: Margin, scale: float = 16.0, theta: float = THETA) -> float:
    """Softmax probability of class 1 between two prototypes, as training sees it."""
    own = float(target_cosine(theta, margin))
    return 1.0 / (1.0 + math.exp(scale * (math.cos(APART - theta) - own)))


def _border(m2: float) -> float:
    return math.degrees((APART - m2) / 2.0)


CLAIMS: dict[str, Claim] = {
    # 1
    "softmax_accuracy": Claim(lambda: share("softmax-10-0", 0, "accuracy"), 1),
    "softmax_accuracy_45": Claim(lambda: share("softmax-10-0", 0, "accuracy", 45)),
    "softmax_accuracy_265": Claim(lambda: share("softmax-10-0", 0, "accuracy", 265)),
    "softmax_loss": Claim(lambda: tape("softmax-10-0").at(END)["losses"][0], 4),
    "softmax_loss_265": Claim(lambda: tape("softmax-10-0").at(265)["losses"][0], 2),
    "softmax_median_first": Claim(lambda: np.median(_lengths("softmax-10-0", 0, 0)), 1),
    "softmax_median_265": Claim(lambda: np.median(_lengths("softmax-10-0", 0, 265))),
    "softmax_median": Claim(lambda: np.median(_lengths("softmax-10-0", 0))),
    "softmax_vectors_first": Claim(
        lambda: np.linalg.norm(_plane("softmax-10-0", 0, 0)[1], axis=1).mean(), 2
    ),
    "softmax_vectors": Claim(
        lambda: np.linalg.norm(_plane("softmax-10-0", 0)[1], axis=1).mean(), 2
    ),
    "softmax_stretch": Claim(lambda: _per_class("softmax-10-0", 0, _stretch), 1),
    "softmax_stretch_3": Claim(lambda: _per_class("softmax-3-0", 0, _stretch), 1),
    "softmax_in_class": Claim(lambda: _per_class("softmax-10-0", 0, _longest_to_shortest), 1),
    "softmax_early_right": Claim(lambda: _length_of(True)),
    "softmax_early_wrong": Claim(lambda: _length_of(False)),
    "softmax_far_kin": Claim(_far_kin),
    # 2
    "stranger_accuracy": Claim(lambda: share("stranger", 0, "accuracy")),
    "stranger_median": Claim(lambda: 100.0 * float(np.median(_sure(True)))),
    "stranger_half": Claim(lambda: _passing(0.5, True)),
    "stranger_named": Claim(lambda: _passing(0.9, True)),
    "stranger_named_known": Claim(lambda: _passing(0.9, False)),
    "stranger_very_sure": Claim(lambda: _passing(0.99, True)),
    "stranger_known_kept": Claim(lambda: _passing(0.99, False), 1),
    "stranger_extreme": Claim(lambda: _passing(0.999, True)),
    "stranger_extreme_known": Claim(lambda: _passing(0.999, False)),
    "stranger_sevens_three": Claim(lambda: 100.0 * (_sevens() == 3).mean()),
    "stranger_length": Claim(lambda: _stranger_length(True)),
    "stranger_length_known": Claim(lambda: _stranger_length(False)),
    # 3
    "pairs_images": Claim(lambda: len(_digits())),
    "pairs_digits": Claim(lambda: sum(count_pairs(_digits()))),
    "pairs_different_share": Claim(
        lambda: 100.0 * count_pairs(_digits())[1] / sum(count_pairs(_digits()))
    ),
    "pairs_example": Claim(lambda: max(0.0, 1.0 - 0.6) ** 2, 2),
    "pairs_chord": Claim(lambda: math.degrees(2.0 * math.asin(0.5))),
    "pairs_even_angle": Claim(lambda: math.degrees(packing_angle(10, 2))),
    "pairs_even_chord": Claim(lambda: _chord(packing_angle(10, 2)), 2),
    "pairs_even_loss": Claim(_even_pair_loss, 3),
    "pairs_loss": Claim(lambda: tape("contrastive").at(END)["losses"][0], 3),
    "pairs_inter": Claim(lambda: statistic("contrastive", 0, "w_inter"), 1),
    "pairs_intra": Claim(lambda: statistic("contrastive", 0, "intra"), 1),
    "pairs_accuracy": Claim(lambda: share("contrastive", 0, "accuracy"), 1),
    "pairs_pushing": Claim(_pushing),
    "pairs_silent": Claim(lambda: 100.0 - _pushing()),
    "pairs_million": Claim(lambda: 1e6 * (1e6 - 1) / 2 / 1e9),
    # 4
    "triplet_example": Claim(lambda: max(0.0, 0.5 + 0.2 - 0.6), 1),
    "triplet_count": Claim(lambda: count_triplets(_digits()) / 1e6),
    "triplet_batch": Claim(lambda: _batch_triplets() / 1e3),
    "triplet_batch_20": Claim(lambda: _batch_triplets() * _at_20(1) / 100.0 / 1e3, 1),
    "triplet_start": Claim(lambda: share("triplet", 1, "teaching_share", 1)),
    "triplet_step_20": Claim(lambda: _epoch(20)),
    "triplet_kept_20": Claim(lambda: tape("triplet").at(_epoch(20))["step"]),
    "triplet_all_20": Claim(lambda: _at_20(0), 1),
    "triplet_semi_20": Claim(lambda: _at_20(1), 1),
    "triplet_semi_wide_20": Claim(lambda: _at_20(4), 1),
    "triplet_hard_20": Claim(lambda: _at_20(2)),
    "triplet_all_accuracy": Claim(lambda: share("triplet", 0, "accuracy"), 1),
    "triplet_semi_accuracy": Claim(lambda: share("triplet", 1, "accuracy"), 1),
    "triplet_hard_accuracy": Claim(lambda: share("triplet", 2, "accuracy")),
    "triplet_hard_untrained": Claim(lambda: share("triplet", 2, "accuracy", 0)),
    "triplet_hard_loss_first": Claim(lambda: tape("triplet").at(1)["losses"][2], 2),
    "triplet_hard_loss": Claim(lambda: tape("triplet").at(END)["losses"][2], 3),
    "triplet_hard_inter": Claim(lambda: statistic("triplet", 2, "inter"), 2),
    # 5
    "costs_thousand_pairs": Claim(lambda: _pairs(1e3) / 1e6),
    "costs_thousand_triplets": Claim(lambda: _triplets(1e3) / 1e9, 1),
    "costs_million_parameters": Claim(lambda: PEOPLE * DIM / 1e6),
    "costs_million_gigabytes": Claim(lambda: PEOPLE * DIM * 4 / 1e9, 1),
    "costs_training_gigabytes": Claim(lambda: 3 * PEOPLE * DIM * 4 / 1e9, 1),
    "costs_logits_gigabytes": Claim(lambda: BATCH * PEOPLE * 4 / 1e9, 1),
    "costs_million_pairs": Claim(lambda: _pairs(PEOPLE) / 1e12),
    "costs_million_triplets": Claim(lambda: _triplets(PEOPLE) / 1e15, 1),
    "costs_triplet_centuries": Claim(lambda: _triplets(PEOPLE) / 1e6 / (100 * 365.25 * 86400), 1),
    "costs_public_parameters": Claim(lambda: 93431 * DIM / 1e6, 1),
    # 6
    "sphere_best_1": Claim(lambda: 100.0 * best_confidence(1.0, 10)),
    "sphere_floor_1": Claim(lambda: -math.log(best_confidence(1.0, 10)), 2),
    "sphere_circle_1": Claim(lambda: 100.0 * _circle(1.0, 10)),
    "sphere_scale_best": Claim(
        lambda: _scale_where(lambda scale: best_confidence(scale, 10), 0.9), 2
    ),
    "sphere_scale_10": Claim(lambda: scale_bound(10, 0.9), 2),
    "sphere_scale_circle": Claim(lambda: _scale_where(lambda scale: _circle(scale, 10), 0.9), 1),
    "sphere_scale_93431": Claim(lambda: scale_bound(93431, 0.9), 1),
    "sphere_circle_64_100": Claim(lambda: 100.0 * _circle(64.0, 100)),
    "sphere_edge_16": Claim(lambda: 100.0 * _circle(16.0, 10, math.radians(12.0))),
    "sphere_edge_64": Claim(lambda: 100.0 * _circle(64.0, 10, math.radians(12.0))),
    "sphere_intra": Claim(lambda: statistic("softmax-10-0", 0, "intra"), 1),
    "sphere_border": Claim(lambda: math.degrees(packing_angle(10, 2)) / 2.0),
    # 7
    "arc_m2": Claim(lambda: math.degrees(0.5), 1),
    "arc_boundary_plain": Claim(lambda: _border(0.0)),
    "arc_boundary": Claim(lambda: _border(0.5), 1),
    "arc_boundary_1": Claim(lambda: _border(1.0), 1),
    "arc_gap": Claim(lambda: 72.0 - 2.0 * _border(0.5), 1),
    "arc_room": Claim(lambda: APART, 2),
    "arc_pretended": Claim(lambda: math.degrees(THETA + 0.5), 1),
    "arc_cos": Claim(lambda: math.cos(THETA), 3),
    "arc_cos_margin": Claim(lambda: float(target_cosine(THETA, ARC)), 3),
    "arc_rival": Claim(lambda: math.cos(APART - THETA), 3),
    "arc_p_plain": Claim(lambda: 100.0 * _two(Margin())),
    "arc_p_margin": Claim(lambda: 100.0 * _two(ARC)),
    "arc_pull_plain": Claim(lambda: math.sin(THETA), 2),
    "arc_pull_margin": Claim(lambda: math.sin(THETA + 0.5), 2),
    "arc_pull_zero": Claim(lambda: math.sin(0.5), 2),
}
