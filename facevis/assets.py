"""Where the files beside the code lie: in a checkout ``assets/``, in a wheel inside the package."""

from __future__ import annotations

from importlib.util import find_spec
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


def plotly_path() -> Path:
    """Plotly's own file for the browser, as its wheel brings it.

    >>> plotly_path().name
    'plotly.min.js'
    """
    spec = find_spec("plotly")  # found, not imported: it would take half a second
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
