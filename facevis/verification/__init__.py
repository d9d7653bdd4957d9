"""Open-set evaluation: may two pictures be the same person, who is it, and how sure is that?

Embeddings of identities that were never in training, compared by the cosine of their angle. Plain
arrays; it knows no network and no screen.
"""

from facevis.verification.bootstrap import TarIntervals, bootstrap_tar
from facevis.verification.curves import (
    FARS,
    OperatingPoint,
    Roc,
    auc,
    eer,
    far_grid,
    roc,
    tar_at_far,
)
from facevis.verification.folds import (
    FOLDS,
    FoldAccuracy,
    fold_pairs,
    kfold_accuracy,
    people_accuracy,
)
from facevis.verification.hardest import Hardest, hardest_pairs
from facevis.verification.identify import Identification, identification, split_gallery
from facevis.verification.pairs import (
    ANGLES_DEG,
    Scores,
    compare_all,
    compare_pairs,
    pair_similarities,
    sample_pairs,
)

__all__ = [
    "ANGLES_DEG",
    "FARS",
    "FOLDS",
    "FoldAccuracy",
    "Hardest",
    "Identification",
    "OperatingPoint",
    "Roc",
    "Scores",
    "TarIntervals",
    "auc",
    "bootstrap_tar",
    "compare_all",
    "compare_pairs",
    "eer",
    "far_grid",
    "fold_pairs",
    "hardest_pairs",
    "identification",
    "kfold_accuracy",
    "pair_similarities",
    "people_accuracy",
    "roc",
    "sample_pairs",
    "split_gallery",
    "tar_at_far",
]
