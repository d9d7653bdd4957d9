"""What the documents say is so: their examples run, their commands and their links exist."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from PIL import Image

from facevis import __version__
from facevis.datasets import DATASETS
from facevis.i18n import strings
from facevis.objectives import OBJECTIVES

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), ROOT / "benchmarks" / "README.md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = [
    pytest.param(found, id=f"{path.stem}-{number}")
    for path in DOCUMENTS
    for number, found in enumerate(
        re.findall(
            r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
    )
]
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)")
PATH = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|js|md|toml|txt))`")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

SHOWN = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
PICTURES = ROOT / "docs" / "pictures"

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_the_documents_have_examples():
    assert {example.id.partition("-")[0] for example in EXAMPLES} >= {"README", "TRAINING"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs_as_it_stands(example, tmp_path):
    """In a process of its own; what a print is said to show, it shows."""
    command = [sys.executable, "-c", example]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^print\(.*\)  # (.+)$", example, re.MULTILINE)
    assert [line for line in said if line not in done.stdout.splitlines()] == []


@every_document
def test_every_make_command_exists(path):
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert named <= make_targets()


@every_document
def test_every_link_to_a_file_leads_somewhere(path):
    links = LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@every_document
def test_every_file_named_by_its_path_exists(path):
    named = [name for name in PATH.findall(path.read_text(encoding="utf-8")) if "/" in name]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_checks_of_links_and_paths_see_them():
    assert LINK.findall("see [a](b/c.md#d) and [e](https://f)") == ["b/c.md", "https://f"]
    assert PATH.findall("`assets/web/formula.js`, `make app`, `x.y`") == ["assets/web/formula.js"]


def test_the_readme_names_the_four_commands_of_the_makefile():
    assert make_targets() >= {"app", "test", "check", "bench"}
    assert [
        name for name in ("app", "test", "check", "bench") if f"make {name}" not in README
    ] == []


def test_the_readme_names_every_dataset_and_objective():
    assert [name for name in DATASETS if f"`{name}`" not in README] == []
    words = README.lower().replace("normalised softmax", "normalized_softmax")
    assert [name for name in OBJECTIVES if name not in words] == []


def test_the_readme_names_every_library_and_the_wheel_as_it_is():
    libraries = [re.split(r"[<>=]", line)[0] for line in PROJECT["dependencies"]]
    words = README.lower().replace("pytorch", "torch")
    assert [name for name in libraries if name.lower() not in words] == []
    assert f"facevis-{__version__}-py3-none-any.whl" in README


def test_every_library_that_is_imported_is_a_dependency():
    """One that only comes along with another may be gone after its next version."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "facevis").rglob("*.py"))
    imported = set(re.findall(r"^ *(?:import|from) ([A-Za-z0-9_]+)", text, re.MULTILINE))
    brought = packages_distributions()
    needed = {brought[name][0].lower() for name in imported & brought.keys()} - {"facevis"}
    named = {re.split(r"[<>=]", line)[0].lower() for line in PROJECT["dependencies"]}
    assert needed - named == set()
    assert {"streamlit", "torch", "pillow"} <= needed


def test_every_dependency_is_pinned_for_every_platform():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["test"], *extras["dev"]]
    names = {re.split(r"[<>=\[]", line)[0].lower() for line in wanted} - {"facevis"}
    assert names <= {line.partition("==")[0].lower() for line in lines}
    # An exact version and nothing else: no build of one machine (+cpu), no place to fetch it from.
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert "torch==2.13.0" in lines
    assert "torch==2.13.0" in README


def test_the_readme_shows_every_picture_once_and_says_what_is_on_it():
    files = [path.relative_to(ROOT).as_posix() for path in PICTURES.glob("*.webp")]
    assert sorted(path for _, path in SHOWN) == sorted(files)
    assert [path for text, path in SHOWN if len(text.split()) < 8] == []


def test_every_page_has_its_picture_and_the_film_comes_first():
    pages = {name.removeprefix("page_") for name in strings("en") if name.startswith("page_")}
    assert {path.stem for path in PICTURES.glob("*.webp")} == {*pages, "students", "film"}
    assert SHOWN[0][1] == "docs/pictures/film.webp"
    with Image.open(PICTURES / "film.webp") as film:
        assert film.n_frames > 30


def test_pictures_are_light_enough_for_a_slow_line():
    sizes = {path.stem: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert sum(sizes.values()) <= 5_000_000
    assert sizes.pop("film") <= 3_000_000
    assert max(sizes.values()) <= 250_000
