"""How sure a mean over a few seeds is. Plain arrays; it does not know what was measured.

Source: Student, "The probable error of a mean", Biometrika 1908.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from facevis.validation import within


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Mean and half-width of Student's t interval over the first axis: x̄ ± t·s/√n.

    Shape (n, ...) → two arrays (...), in the unit of the values; s is the standard deviation with
    n − 1, t the quantile of Student's t with n − 1 degrees of freedom at (1 + confidence)/2.
    ``confidence`` lies between 0 and 1. A NaN or an infinity among the n values makes that mean and
    half-width NaN: a seed that diverged is no seed to leave out quietly. One value has a mean and
    no half-width (NaN). No values at all raise ``ValueError``.

    >>> mean, half = mean_interval([1.0, 2.0, 3.0])
    >>> round(float(mean), 2), round(float(half), 2)
    (2.0, 2.48)
    """
    within("confidence", confidence, 1e-6, 1.0 - 1e-6)
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim == 0 or len(numbers) == 0:
        raise ValueError(f"values have shape {numbers.shape}; give at least one along the first.")
    count = len(numbers)
    whole = np.isfinite(numbers).all(axis=0)
    numbers = np.where(whole, numbers, np.nan)
    mean = numbers.mean(axis=0)
    if count == 1:
        return mean, np.full_like(mean, np.nan)
    quantile = float(stats.t.ppf((1.0 + confidence) / 2.0, count - 1))
    return mean, quantile * numbers.std(axis=0, ddof=1) / np.sqrt(count)


__all__ = ["mean_interval"]
