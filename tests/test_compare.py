"""``facevis compare`` trains, tells and writes, or says in one sentence why not."""

import csv
import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facevis import cli
from facevis import compare as command
from facevis.compare import configured, parse_loss
from facevis.live import Ensemble
from facevis.live.presets import COMPARISONS
from facevis.live.recording import STATISTICS
from facevis.writing import write_in_words

SMALL = ["--identities", "3", "--unseen", "2", "--steps", "3", "--seeds", "2"]
TWO = ["--losses", "normalized_softmax", "arcface:0.3"]


def run(*arguments, out):
    cli.main(["compare", "--out", str(out), *SMALL, *arguments])


def refused(*arguments, out):
    """What the command says when it ends without doing anything, one sentence of one line."""
    with pytest.raises(SystemExit) as end:
        run(*arguments, out=out)
    said = str(end.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


def size_of(path):
    with Image.open(path) as image:
        return image.size


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with all that the command writes, twice."""
    folders = [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]
    for folder in folders:
        (folder / "mine.txt").write_text("mine")
        run(*TWO, "--formats", "png", "svg", "csv", out=folder)
    return folders


def test_it_writes_its_files_and_leaves_others_alone(written):
    first, _ = written
    assert {path.name for path in first.iterdir()} == {
        "mine.txt",
        *("comparison.png", "comparison.svg", "comparison.csv", "seeds.csv", "history.csv"),
    }
    assert (first / "mine.txt").read_text() == "mine"
    assert size_of(first / "comparison.png")[0] > 1000


def test_the_same_command_gives_the_same_files(written):
    for path in written[0].iterdir():
        assert path.read_bytes() == (written[1] / path.name).read_bytes(), path.name


def test_the_means_are_those_of_the_seeds(written):
    def rows(name):
        with (written[0] / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    seeds = [row for row in rows("seeds.csv") if row["objective"] == "arcface"]
    assert [row["seed"] for row in seeds] == ["0", "1"]
    mean = np.mean([float(row["intra"]) for row in seeds])
    for row in rows("comparison.csv"):
        if (row["objective"], row["statistic"]) == ("arcface", "intra"):
            assert float(row["mean"]) == pytest.approx(mean)
            assert (row["m2"], row["n"]) == ("0.3", "2")
    assert len(rows("comparison.csv")) == 2 * len(STATISTICS)


def test_it_prints_a_table_the_claim_and_the_folder(tmp_path, capsys):
    run(*TWO, "--formats", "csv", out=tmp_path / "new" / "folder")
    said = " ".join(capsys.readouterr().out.split())
    for words in ("ArcFace", "m₂ = 0.3", "±", "no difference", "W-Inter not lower in"):
        assert words in said
    assert said.replace(" ", "").endswith("folder.")  # a long path is cut by the end of the line


def test_films_show_a_sweep_as_a_walk(tmp_path, monkeypatch):
    monkeypatch.setattr("facevis.figures.film.FRAMES", 4)
    sweep = ["--sweep", "m2", "--from", "0.1", "--to", "0.5", "--count", "3"]
    run(*sweep, "--formats", "gif", "mp4", "--lang", "ru", "--theme", "dark", out=tmp_path)
    assert size_of(tmp_path / "comparison.gif")[0] < 900
    assert (tmp_path / "comparison.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--losses", "arcface", "arcfce"], "a loss is 'arcfce'; choose one of softmax"),
        (["--losses", "arcface"], "2 to 6 losses, not 1"),
        (["--losses", *["arcface"] * 7], "2 to 6 losses, not 7"),
        (["--losses", "softmax:1", "arcface"], "softmax takes no margin"),
        (["--losses", "arcface:1,2", "arcface"], "arcface takes one margin"),
        (["--losses", "arcface:x", "arcface"], "is no number"),
        (["--losses", "combined:1", "arcface"], "three margins"),
        (["--losses", "cosface:9", "arcface"], "margin m3 is 9.0"),
        (["--dim", "2", "3"], "dim is 2 3; a comparison has one dimension"),
        (["--dim", "8"], "a picture needs 2 or 3 dimensions, not 8"),
        (["--scale", "0"], "scale is 0.0; give a number from 0.001"),
        (["--seeds", "0"], "seeds is 0"),
        (["--seeds", "90"], "ask for at most 51 seeds"),
        (["--steps", "0"], "steps is 0"),
        (["--identities", "12"], "digits has 10 classes, not 12"),
        (["--dataset", "nothing"], "nothing"),
        (["--formats", "bmp"], "a format is 'bmp'"),
        (["--lang", "fr"], "lang is 'fr'"),
        (["--theme", "neon"], "theme is 'neon'"),
        (["--sweep", "m2", "--losses", "arcface", "softmax"], "leave out --losses or --sweep"),
        (["--sweep", "m9"], "the swept value is 'm9'"),
    ],
)
def test_a_wrong_option_ends_in_one_sentence_and_writes_nothing(tmp_path, arguments, sentence):
    assert sentence in refused(*arguments, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_named_and_unharmed(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    assert "notes.txt is a file" in refused(*TWO, out=file)
    assert "takes no files" in refused(*TWO, out=file / "below")
    assert file.read_text() == "mine"


def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(tmp_path, monkeypatch):
    path = tmp_path / "comparison.csv"
    path.write_text("old")
    write = Path.write_bytes

    def full(self, data):
        write(self, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\)"):
        write_in_words(path, b"new and longer")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_control_c_ends_in_one_sentence_and_leaves_no_part(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "take_away", stop)
    assert refused(*TWO, "--formats", "png", out=tmp_path).startswith("Stopped")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_diverges_is_named_and_the_others_are_written(capsys, tmp_path, monkeypatch):
    class Broken(Ensemble):
        def train(self, steps=1):
            losses = super().train(steps)
            # The second loss's second seed loses its numbers.
            for parameter in self.network.parameters():
                parameter.data[3] = float("nan")
            return losses

    monkeypatch.setattr(command, "Ensemble", Broken)
    run(*TWO, "--formats", "png", "csv", out=tmp_path)
    said = " ".join(capsys.readouterr().out.split())
    assert "ArcFace m₂ = 0.3 · s = 24 diverged in 1 of 2 seeds" in said
    rows = list(csv.DictReader((tmp_path / "seeds.csv").read_text().splitlines()))
    assert [row["intra"] != "" for row in rows] == [True, True, True, False]
    assert (tmp_path / "comparison.png").exists()


def test_the_default_comparison_is_the_presets():
    shared = {"identities": 7, "unseen": 3, "steps": 1000}
    assert configured((), (2,), 24.0, **shared) == COMPARISONS["five"]


@pytest.mark.parametrize(
    ("typed", "margin", "distance"),
    [
        ("arcface:0.3", (1.0, 0.3, 0.0), 0.2),
        ("sphereface:1.5", (1.5, 0.0, 0.0), 0.2),
        ("cosface", (1.0, 0.0, 0.35), 0.2),
        ("combined:1.1,0.2,0.3", (1.1, 0.2, 0.3), 0.2),
        ("triplet:0.5", (1.0, 0.0, 0.0), 0.5),
    ],
)
def test_a_loss_may_be_typed_with_its_margin(typed, margin, distance):
    member = parse_loss(typed, 24.0)
    assert (member.margin.as_tuple(), member.distance_margin) == (margin, distance)
    assert member.scale == 24.0


def test_the_version_needs_no_torch():
    code = "import sys; from facevis import cli; cli.main(['--version']); "
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
