"""The numbers of lessons 8 to 13."""

from __future__ import annotations

import math

import numpy as np

from facevis.geometry import admissible_radius, feasible, max_arcface, max_cosface, packing_angle
from facevis.lessons.numbers import (
    END,
    Claim,
    degrees,
    share,
    statistic,
    stranger_scores,
    strangers_at,
)
from facevis.lessons.tapes import SEEDS, STRANGER_LOSSES, last_points, tape
from facevis.margins import Margin, psi, target_cosine


def _target(at: float, margin: Margin, tail: str = "monotone") -> float:
    return float(target_cosine(math.radians(at), margin, tail))


def _taken(at: float, margin: Margin) -> float:
    """What a margin takes off the cosine at an angle."""
    return math.cos(math.radians(at)) - _target(at, margin)


def _gap(at: float, margin: Margin) -> float:
    """θ2 − θ1 on the boundary of class 1, in degrees."""
    return math.degrees(math.acos(_target(at, margin))) - at


def _rho(margin: Margin, count: int = 10, dim: int = 2) -> float:
    return math.degrees(admissible_radius(margin, packing_angle(count, dim)))


def _end_loss(name: str, member: int) -> float:
    """The mean of the last five kept losses: one batch alone is a matter of luck."""
    return float(sum(frame["losses"][member] for frame in tape(name).header["frames"][-5:]) / 5)


def _most(margin: Margin) -> int:
    """The most classes on a circle that can meet a margin."""
    return max(count for count in range(2, 100) if feasible(margin, count, 2))


def _placed_loss(places: int, doubled: int, m3: float, scale: float) -> float:
    """CosFace's mean loss of classes without spread, evenly on ``places`` spots of a circle; on the
    first ``doubled`` of them two classes."""
    spots = [*range(places), *range(doubled)]
    angles = 2.0 * math.pi * np.array(spots) / places
    cosines = np.cos(angles[:, None] - angles[None])
    others = np.exp(scale * (cosines - 1.0 + m3))
    np.fill_diagonal(others, 0.0)
    return float(np.log1p(others.sum(1)).mean())


def _member(loss: str) -> int:
    return STRANGER_LOSSES.index(loss)


def _tar(loss: str, far: float) -> float:
    return 100.0 * strangers_at(_member(loss), far).tar


def _tar_claim(loss: str, far: float) -> Claim:
    return Claim(lambda: _tar(loss, far))


def _full_claim(member: int, what: str) -> Claim:
    return Claim(lambda: statistic("fullscale", member, what), 1)


def _lost(loss: str) -> float:
    """Of the TAR at FAR 1e-2, the share that is gone at 1e-4, percent."""
    return 100.0 * (1.0 - _tar(loss, 1e-4) / _tar(loss, 1e-2))


def _threshold(loss: str, far: float) -> float:
    return strangers_at(_member(loss), far).threshold_deg


def _rank_one(loss: str) -> float:
    points, labels = last_points("strangers", _member(loss))
    points = points / np.linalg.norm(points, axis=1, keepdims=True)
    cosines = points @ points.T
    np.fill_diagonal(cosines, -2.0)
    return 100.0 * float((labels[cosines.argmax(1)] == labels).mean())


def _known_angles(member: int) -> tuple[np.ndarray, np.ndarray]:
    """Degrees from every trained picture to its own prototype, and to all others (512-D run)."""
    points, labels = last_points("fullscale", member)
    known = labels < points.shape[1]
    angles = np.degrees(np.arccos(np.clip(points[known], -1.0, 1.0)))
    own = np.arange(points.shape[1])[None] == labels[known][:, None]
    return angles[own], angles[~own]


PLAIN, SPHERE, COS, ARC = range(4)
M_SPHERE, M_COS, M_ARC = Margin.sphereface(1.35), Margin.cosface(0.35), Margin.arcface(0.5)

CLAIMS: dict[str, Claim] = {
    # 8
    "margin_intra_without": Claim(lambda: statistic("margin-0", 0, "intra"), 1),
    "margin_intra_with": Claim(lambda: statistic("margin-0", 10, "intra"), 1),
    "margin_intra_outlier": Claim(lambda: statistic("margin-0", 4, "intra"), 1),
    "margin_inter_without": Claim(lambda: statistic("margin-0", 0, "w_inter"), 1),
    "margin_inter_with": Claim(lambda: statistic("margin-0", 10, "w_inter"), 1),
    "margin_best_7": Claim(lambda: degrees(7, 2), 1),
    "margin_bound_7": Claim(lambda: max_arcface(7, 2), 3),
    "margin_share_without": Claim(lambda: share("margin-0", 0, "packing_share")),
    "margin_share_with": Claim(lambda: share("margin-0", 10, "packing_share")),
    "margin_accuracy_with": Claim(lambda: share("margin-0", 10, "accuracy")),
    "margin_accuracy_least": Claim(
        lambda: min(share(f"margin-{s}", m, "accuracy") for s in SEEDS for m in range(11))
    ),
    "margin_accuracy_beyond": Claim(lambda: share("margin-0", 20, "accuracy")),
    "margin_accuracy_beyond_1": Claim(lambda: share("margin-1", 20, "accuracy")),
    "margin_accuracy_beyond_2": Claim(lambda: share("margin-2", 20, "accuracy")),
    "margin_held_without": Claim(lambda: share("margin-0", 0, "held_out_accuracy"), 1),
    "margin_held_with": Claim(lambda: share("margin-0", 10, "held_out_accuracy"), 1),
    "margin_held_without_1": Claim(lambda: share("margin-1", 0, "held_out_accuracy"), 1),
    "margin_held_with_1": Claim(lambda: share("margin-1", 10, "held_out_accuracy"), 1),
    "margin_held_without_2": Claim(lambda: share("margin-2", 0, "held_out_accuracy"), 1),
    "margin_held_with_2": Claim(lambda: share("margin-2", 10, "held_out_accuracy"), 1),
    "margin_unseen_without": Claim(lambda: share("margin-0", 0, "unseen_accuracy")),
    "margin_unseen_with": Claim(lambda: share("margin-0", 10, "unseen_accuracy")),
    "margin_unseen_without_1": Claim(lambda: share("margin-1", 0, "unseen_accuracy")),
    "margin_unseen_with_1": Claim(lambda: share("margin-1", 10, "unseen_accuracy")),
    "margin_unseen_without_2": Claim(lambda: share("margin-2", 0, "unseen_accuracy")),
    "margin_unseen_with_2": Claim(lambda: share("margin-2", 10, "unseen_accuracy")),
    "margin_chance": Claim(lambda: 100.0 / 3.0),
    "margin_loss_with": Claim(lambda: tape("margin-0").at(END)["losses"][10], 2),
    "margin_loss_beyond": Claim(lambda: tape("margin-0").at(END)["losses"][20], 1),
    # 9
    "formula_sphereface_zero": Claim(lambda: _taken(0.0, M_SPHERE)),
    "formula_arcface_zero": Claim(lambda: _taken(0.0, M_ARC), 3),
    "formula_cosface_zero": Claim(lambda: _taken(0.0, M_COS), 2),
    "formula_sphereface_ten": Claim(lambda: _taken(10.0, M_SPHERE), 3),
    "formula_arcface_ten": Claim(lambda: _taken(10.0, M_ARC), 3),
    "formula_sphereface_sixty": Claim(lambda: _taken(60.0, M_SPHERE), 3),
    "formula_arcface_sixty": Claim(lambda: _taken(60.0, M_ARC), 3),
    "formula_gap_arcface": Claim(lambda: _gap(0.0, M_ARC), 1),
    "formula_gap_cosface_zero": Claim(lambda: _gap(0.0, M_COS), 1),
    "formula_gap_cosface_ninety": Claim(lambda: _gap(90.0, M_COS), 1),
    "formula_gap_sphereface_ninety": Claim(lambda: _gap(90.0, M_SPHERE), 1),
    "formula_psi_end": Claim(lambda: float(psi(1.35 * math.pi)), 3),
    "formula_raw_end": Claim(lambda: _target(180.0, M_SPHERE, "raw"), 3),
    "formula_jump": Claim(
        lambda: (
            _target(180.0 - math.degrees(0.5) - 1e-6, M_ARC, "linear")
            - _target(180.0 - math.degrees(0.5) + 1e-6, M_ARC, "linear")
        ),
        3,
    ),
    "formula_intra_softmax": Claim(lambda: statistic("family", PLAIN, "intra"), 1),
    "formula_intra_sphereface": Claim(lambda: statistic("family", SPHERE, "intra"), 1),
    "formula_intra_arcface": Claim(lambda: statistic("family", ARC, "intra"), 1),
    "formula_intra_cosface": Claim(lambda: statistic("family", COS, "intra"), 1),
    "formula_inter_softmax": Claim(lambda: statistic("family", PLAIN, "w_inter"), 1),
    "formula_inter_sphereface": Claim(lambda: statistic("family", SPHERE, "w_inter"), 1),
    "formula_inter_arcface": Claim(lambda: statistic("family", ARC, "w_inter"), 1),
    "formula_inter_cosface": Claim(lambda: statistic("family", COS, "w_inter"), 1),
    "formula_used_arcface": Claim(lambda: 100.0 * 0.5 / max_arcface(7, 2)),
    "formula_used_cosface": Claim(lambda: 100.0 * 0.35 / max_cosface(7, 2)),
    # 10
    "circle_angle_10": Claim(lambda: degrees(10, 2)),
    "circle_bound_10": Claim(lambda: max_cosface(10, 2), 3),
    "circle_bound_7": Claim(lambda: max_cosface(7, 2), 3),
    "circle_bound_8": Claim(lambda: max_cosface(8, 2), 3),
    "circle_arcface_10": Claim(lambda: max_arcface(10, 2), 3),
    "circle_most_cosface": Claim(lambda: _most(M_COS)),
    "circle_most_arcface": Claim(lambda: _most(M_ARC)),
    "circle_rho_plain": Claim(lambda: _rho(Margin()), 1),
    "circle_rho_015": Claim(lambda: _rho(Margin.cosface(0.15)), 1),
    "circle_rho_arcface": Claim(lambda: _rho(M_ARC), 1),
    "circle_rho_sphereface": Claim(lambda: _rho(M_SPHERE), 1),
    "circle_loss_fits": Claim(lambda: _end_loss("cosface", 0), 2),
    "circle_loss_not": Claim(lambda: _end_loss("cosface", 1), 2),
    "circle_accuracy_fits": Claim(lambda: share("cosface", 0, "accuracy"), 1),
    "circle_accuracy_not": Claim(lambda: share("cosface", 1, "accuracy")),
    "circle_share_not": Claim(lambda: share("cosface", 1, "packing_share"), 1),
    "circle_even_fits": Claim(lambda: _placed_loss(10, 0, 0.15, 16.0), 2),
    "circle_even_not": Claim(lambda: _placed_loss(10, 0, 0.35, 16.0), 2),
    "circle_shared_fits": Claim(lambda: _placed_loss(9, 1, 0.15, 16.0), 2),
    "circle_shared_not": Claim(lambda: _placed_loss(9, 1, 0.35, 16.0), 2),
    "circle_even_fits_64": Claim(lambda: _placed_loss(10, 0, 0.15, 64.0), 2),
    "circle_even_not_64": Claim(lambda: _placed_loss(10, 0, 0.35, 64.0), 1),
    # 11
    "dimension_circle": Claim(lambda: degrees(10, 2)),
    "dimension_sphere": Claim(lambda: degrees(10, 3), 1),
    "dimension_sphere_whole": Claim(lambda: degrees(10, 3)),
    "dimension_4": Claim(lambda: degrees(10, 4), 1),
    "dimension_8": Claim(lambda: degrees(10, 8)),
    "dimension_free": Claim(lambda: degrees(10, 9), 1),
    "dimension_free_3": Claim(lambda: degrees(3, 2)),
    "dimension_free_4": Claim(lambda: degrees(4, 3), 1),
    "dimension_sphere_6": Claim(lambda: degrees(6, 3)),
    "dimension_sphere_12": Claim(lambda: degrees(12, 3), 1),
    "dimension_cosface_sphere": Claim(lambda: max_cosface(10, 3), 3),
    "dimension_cosface_circle": Claim(lambda: max_cosface(10, 2), 3),
    "dimension_limit": Claim(lambda: math.degrees(math.acos(-1.0 / (513 - 1))), 2),
    "dimension_random": Claim(lambda: math.degrees(1.0 / math.sqrt(512.0)), 1),
    "dimension_many": Claim(lambda: math.floor(degrees(10**6, 512))),
    # 12
    "strangers_pictures": Claim(lambda: len(last_points("strangers", 0)[1])),
    "strangers_genuine": Claim(lambda: len(stranger_scores(0).genuine)),
    "strangers_impostors": Claim(lambda: stranger_scores(0).impostors),
    "strangers_passed_4": Claim(lambda: math.floor(1e-4 * stranger_scores(0).impostors)),
    "strangers_least_accuracy": Claim(
        lambda: min(share("strangers", m, "accuracy") for m in range(len(STRANGER_LOSSES)))
    ),
    **{
        f"strangers_{short}_{power}": _tar_claim(loss, 10.0**-power)
        for short, loss in (
            ("softmax", "softmax"),
            ("plain", "normalized_softmax"),
            ("triplet", "triplet"),
            ("sphereface", "sphereface"),
            ("cosface", "cosface"),
            ("arcface", "arcface"),
        )
        for power in (2, 3, 4)
    },
    "strangers_lost_plain": Claim(lambda: _lost("normalized_softmax")),
    "strangers_lost_triplet": Claim(lambda: _lost("triplet")),
    "strangers_threshold_plain_2": Claim(lambda: _threshold("normalized_softmax", 1e-2)),
    "strangers_threshold_plain_4": Claim(lambda: _threshold("normalized_softmax", 1e-4)),
    "strangers_threshold_softmax_2": Claim(lambda: _threshold("softmax", 1e-2)),
    "strangers_threshold_arcface_2": Claim(lambda: _threshold("arcface", 1e-2)),
    "strangers_rank_plain": Claim(lambda: _rank_one("normalized_softmax"), 1),
    "strangers_rank_arcface": Claim(lambda: _rank_one("arcface"), 1),
    # 13
    **{
        f"full_{short}_{name}": _full_claim(member, what)
        for member, name in enumerate(("plain", "cosface", "arcface"))
        for short, what in (
            ("intra", "intra"),
            ("wec", "w_ec"),
            ("winter", "w_inter"),
            ("inter", "inter"),
        )
    },
    "full_unseen_intra_plain": Claim(lambda: statistic("fullscale", 0, "unseen_intra"), 1),
    "full_unseen_intra_arcface": Claim(lambda: statistic("fullscale", 2, "unseen_intra"), 1),
    "full_unseen_inter_plain": Claim(lambda: statistic("fullscale", 0, "unseen_inter"), 1),
    "full_unseen_inter_arcface": Claim(lambda: statistic("fullscale", 2, "unseen_inter"), 1),
    "full_accuracy_least": Claim(lambda: min(share("fullscale", m, "accuracy") for m in range(3))),
    "full_unseen_plain": Claim(lambda: share("fullscale", 0, "unseen_accuracy"), 1),
    "full_unseen_cosface": Claim(lambda: share("fullscale", 1, "unseen_accuracy"), 1),
    "full_unseen_arcface": Claim(lambda: share("fullscale", 2, "unseen_accuracy"), 1),
    "full_own_plain": Claim(lambda: _known_angles(0)[0].mean()),
    "full_own_arcface": Claim(lambda: _known_angles(2)[0].mean()),
    "full_simplex": Claim(lambda: degrees(96, 512), 1),
    "full_bound_cosface": Claim(lambda: max_cosface(96, 512), 2),
    "full_circle_96": Claim(lambda: degrees(96, 2), 2),
    "full_m2": Claim(lambda: math.degrees(0.5), 1),
}
