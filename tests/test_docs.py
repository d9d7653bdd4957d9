"""The documents for whoever builds on facevis: the reference, the citation, the way in.

The reference is built once, as `make docs` builds it, with warnings as errors and no network.
"""

import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from facevis import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PUBLIC = (
    *("margins", "objectives", "mining", "geometry", "packings", "statistics"),
    *("verification", "datasets", "corpora", "live", "fullscale"),
    *("fullscale.config_parts", "fullscale.recipes"),
)
"""What a program that builds on facevis may import; every module has its page."""

BUILD = """
import socket
import sys

def refuse(*_):
    raise OSError("the reference is built without a network")

socket.socket.connect = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


def public_names(module):
    """What `__all__` names; without it, functions, classes and constants of the module's own."""
    if hasattr(module, "__all__"):
        return {f"{module.__name__}.{name}" for name in module.__all__}
    return {
        f"{module.__name__}.{name}"
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (name.isupper() or getattr(value, "__module__", None) == module.__name__)
        and (name.isupper() or inspect.isclass(value) or inspect.isfunction(value))
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The built pages by their path."""
    pytest.importorskip("sphinx", reason='no Sphinx: pip install -e ".[docs]" brings it')
    pytest.importorskip("furo", reason='no Furo: pip install -e ".[docs]" brings it')
    folder = tmp_path_factory.mktemp("reference")
    command = [sys.executable, "-c", BUILD, "-W", "--keep-going", "-q", "-d", folder / "trees"]
    done = subprocess.run(
        [*map(str, [*command, ROOT / "docs", folder / "pages"])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    built = folder / "pages"
    return {
        path.relative_to(built).as_posix(): path.read_text(encoding="utf-8")
        for path in built.rglob("*.html")
    }


def test_every_public_name_has_its_place_on_a_page(pages):
    places = {place for text in pages.values() for place in re.findall(r'id="([\w.-]+)"', text)}
    wanted = {
        name for module in PUBLIC for name in public_names(import_module(f"facevis.{module}"))
    }
    assert len(wanted) > 100
    assert {name for name in wanted if not {name, f"module-{name}"} & places} == set()


def test_what_is_public_is_seen_with_and_without_a_list():
    names = public_names(import_module("facevis.margins"))
    assert {"facevis.margins.psi", "facevis.margins.Margin", "facevis.margins.TAILS"} <= names
    assert not names & {"facevis.margins.Tensor", "facevis.margins.choice", "facevis.margins.math"}
    assert "facevis.live.Ensemble" in public_names(import_module("facevis.live"))


def test_formulas_and_examples_are_on_the_pages_as_written(pages):
    text = re.sub(r"<[^>]+>", "", pages["reference/margins.html"])
    assert "ψ(φ) = (−1)^k cos φ − 2k, k = ⌊φ/π⌋" in text
    assert "&gt;&gt;&gt; Margin.arcface(0.5)\nMargin(m1=1.0, m2=0.5, m3=0.0)" in text


def test_what_the_theme_leaves_to_screen_readers_is_mended(pages):
    for name in ("index.html", "reference/verification.html"):
        assert 'role="heading" aria-level="2"' in pages[name]
        assert 'role="heading">' not in pages[name]
    assert 'class="sig-line"' in pages["reference/verification.html"]
    # A list of definitions begins with a term.
    assert [name for name, text in pages.items() if re.search(r"<dl[^>]*>\s*<dd", text)] == []


def test_the_example_of_the_first_page_runs():
    text = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    code = re.search(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)[1]
    space = {}
    exec(textwrap.dedent(code), space)
    assert space["loss"].item() > 0


def test_the_pages_load_nothing_from_elsewhere(pages):
    loaded = {
        address
        for text in pages.values()
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", text)
        for address in re.findall(r'(?:src|href)="([^"]*)"', tag)
    }
    assert any(address.partition("?")[0].endswith("reference.css") for address in loaded)
    assert {address for address in loaded if re.match(r"(?:\w+:)?//", address)} == set()


def test_every_library_of_the_reference_is_pinned_and_named():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    libraries = [re.split(r"[<>=]", line)[0] for line in PROJECT["optional-dependencies"]["docs"]]
    assert "sphinx" in libraries
    assert [name for name in libraries if f"\n{name}==" not in pins] == []
    assert [name for name in libraries if name not in readme] == []
    app = " ".join(PROJECT["dependencies"])
    assert [name for name in libraries if name in app] == []


def test_the_citation_agrees_with_the_project():
    yaml = pytest.importorskip("yaml", reason='no PyYAML: pip install -e ".[docs]" brings it')
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "type", "abstract", "keywords"} <= set(citation)
    assert citation["title"].startswith(PROJECT["name"])
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == [{"name": "The facevis authors"}]


def test_contributing_names_the_commands_and_every_room():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [
        name for name in ("app", "check", "bench", "docs") if f"`make {name}`" not in text
    ] == []
    floors = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = set(re.findall(r"^\| .+ \| `facevis/([\w/]+?)(?:\.py|/)?` ", text, re.MULTILINE))
    assert len(rooms) >= 8
    assert {room for room in rooms if room.split("/")[0] not in floors} == set()
