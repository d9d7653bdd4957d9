"""The wheel is the whole app: installed with no checkout beside it, it finds what it needs."""

import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from facevis import __version__

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # hatchling itself, so that nothing is fetched: the environment of the tests builds the wheel.
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel in a folder of its own; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True)
    return folder


def run_installed(folder, *command):
    """Run Python elsewhere, with the installed files before the checkout's."""
    return subprocess.run(
        [sys.executable, *command],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": str(folder)},
    ).stdout.strip()


def test_the_wheel_carries_every_asset(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assets = [path for path in (ROOT / "assets").rglob("*") if path.is_file()]
    assert assets
    assert {f"facevis/{path.relative_to(ROOT).as_posix()}" for path in assets} <= names


def test_the_wheel_carries_the_licence_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "test" in name.lower() or "bench" in name.lower()]


def test_the_installed_command_line_runs_from_anywhere(installed):
    assert run_installed(installed, "-m", "facevis", "--version") == f"facevis {__version__}"
    assert [path.stem for path in (installed / "bin").glob("facevis*")] == ["facevis"]


def test_the_installed_package_finds_its_own_files(installed):
    code = (
        "from facevis import cli, i18n; from facevis.assets import asset_path; "
        "print(asset_path(), cli.shipped('app.py'), cli.shipped('.streamlit/config.toml'), "
        "i18n.translator('ru')('language'), sep='\\n')"
    )
    assets, app, config, word = run_installed(installed, "-c", code).splitlines()
    assert Path(assets).is_relative_to(installed)
    for file in (app, config):
        assert Path(file).is_relative_to(installed)
        assert Path(file).is_file()
    assert word == "Язык"


def test_the_installed_app_serves_pages_and_live_view(installed, serve, tmp_path):
    environment = {"PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    command = ["-m", "facevis", "app", "--no-browser", "--port"]
    with serve(*command, cwd=tmp_path, environment=environment) as app:
        for path in ("/", "/facevis/web/live.js", "/facevis/plotly/plotly.min.js"):
            with urllib.request.urlopen(app.url + path, timeout=10) as answer:
                assert answer.status == 200
