"""Where the files beside the code lie: in a checkout ``assets/``, in a wheel inside the package."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).with_name("assets")
_CHECKOUT = Path(__file__).parents[1] / "assets"


def asset_path(*parts: str) -> Path:
    """The path of an asset, whether or not it exists.

    >>> asset_path("strings", "en.toml").exists()
    True
    """
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return root.joinpath(*parts)
