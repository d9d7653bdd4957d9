"""What was measured of one model, as a table and in plain types."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from facevis.jsonable import jsonable
from facevis.verification import (
    ANGLES_DEG,
    FARS,
    FoldAccuracy,
    Identification,
    OperatingPoint,
    Roc,
    Scores,
    TarIntervals,
    auc,
    eer,
    roc,
    tar_at_far,
)

FPIRS = FARS[:2]
MOST_POINTS = 20_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """What was measured of one model."""

    name: str
    settings: str
    scores: Scores
    intervals: TarIntervals | None = None
    """Of TAR at ``FARS``, and then at ``band``."""
    band: np.ndarray | None = None
    accuracy: FoldAccuracy | None = None
    found: Identification | None = None

    @property
    def tar(self) -> list[OperatingPoint]:
        """TAR at ``FARS``."""
        return [tar_at_far(self.scores, far) for far in FARS]

    @property
    def tpir(self) -> list[OperatingPoint]:
        """TPIR at ``FPIRS``, where there are strangers."""
        known = self.found is not None and self.found.open_set is not None
        return [self.found.tpir(fpir) for fpir in FPIRS] if self.found and known else []


def thinned(curve: Roc, most: int = MOST_POINTS) -> Roc:
    """A ROC of at most about ``most`` corners: evenly along TAR, and along the logarithm of FAR.

    >>> corners = np.linspace(0, 1, 1001)
    >>> few = thinned(Roc(corners, corners, -corners), 100)
    >>> len(few.far) <= 100, float(few.far[0]), float(few.far[-1])
    (True, 0.0, 1.0)
    """
    count = len(curve.far)
    if count <= most:
        return curve
    levels = np.geomspace(curve.far[curve.far > 0][0], 1.0, most // 3)
    heights = np.linspace(0.0, 1.0, most // 3)
    found = np.r_[np.searchsorted(curve.tar, heights), np.searchsorted(curve.far, levels)]
    ends = np.linspace(0, count - 1, most // 3).astype(int)
    kept = np.unique(np.r_[ends, found.clip(0, count - 1)])
    return Roc(curve.far[kept], curve.tar[kept], curve.threshold[kept])


def roc_csv(results: Sequence[Result]) -> bytes:
    """The corners of each model's ROC, models by name and settings; an empty cell is no number."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("model", "settings", "far", "tar", "threshold", "threshold_deg"))
    for result in results:
        curve = thinned(roc(result.scores))
        columns = curve.far, curve.tar, curve.threshold, _degrees(curve.threshold)
        for row in np.stack(columns, axis=1).tolist():
            writer.writerow((as_text(result.name), result.settings, *jsonable(row)))
    return text.getvalue().encode()


def as_text(name: str) -> str:
    """A name from outside as a cell that no spreadsheet takes for a formula.

    >>> as_text("=SUM(A1)"), as_text("net")
    ("'=SUM(A1)", 'net')
    """
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def entry(result: Result) -> dict[str, Any]:
    """A model's part of the JSON file: shares from 0 to 1, thresholds as cosines and degrees."""
    scores, found, folds, ends = result.scores, result.found, result.accuracy, result.intervals
    tar = [_operating(point) for point in result.tar]
    for k, point in enumerate(tar):
        point |= {"low": ends.low[k] if ends else None, "high": ends.high[k] if ends else None}
    return {
        "name": result.name,
        "settings": result.settings,
        "genuine_pairs": len(scores.genuine),
        "impostor_pairs": scores.impostors,
        "auc": auc(scores),
        "eer": eer(scores),
        "tar_at_far": tar,
        "identities_resampled": ends.identities if ends else None,
        "accuracy": folds
        and {
            "mean": folds.mean,
            "standard_error": folds.standard_error,
            "folds": folds.accuracies,
            "thresholds": folds.thresholds,
            "thresholds_deg": _degrees(folds.thresholds),
        },
        "identification": found
        and {
            "gallery": found.gallery,
            "mated_probes": len(found.ranks),
            "non_mated_probes": found.non_mated,
            "cmc": found.cmc,
            "tpir_at_fpir": [_operating(point) for point in result.tpir],
        },
        "angles_deg": ANGLES_DEG,
        "accepted": {"genuine": scores.accepted[0], "impostor": scores.accepted[1]},
    }


def _operating(point: OperatingPoint) -> dict[str, Any]:
    return {**asdict(point), "threshold_deg": point.threshold_deg}


def _degrees(cosines: np.ndarray) -> np.ndarray:
    """Angles; NaN for a threshold that nothing or everything reaches."""
    angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
    return np.where(np.isfinite(cosines), angles, np.nan)
