"""``facevis data`` says what is in a set, converts it and draws pairs, or says why not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facevis import cli
from facevis.corpora import FolderCorpus, open_corpus
from facevis.corpora.bins import read_bin
from facevis.datasets.pair_lists import read_pairs

ROOT = Path(__file__).parents[1]
FACES = "faces:identities=6,images=4,size=32"


def run(capsys, *words):
    """What ``facevis data …`` prints, its spaces made one; on the other output there is nothing."""
    cli.main(["data", *map(str, words)])
    out, err = capsys.readouterr()
    assert err == ""
    return re.sub(r"[ \n]+", " ", out)


@pytest.fixture
def people(tmp_path, capsys):
    """Six people with four pictures each, as a folder."""
    run(capsys, "convert", FACES, tmp_path / "people", "--format", "folder")
    return tmp_path / "people"


@pytest.fixture
def pairs(tmp_path, people, capsys):
    out = tmp_path / "pairs.bin"
    run(capsys, "pairs", people, out, "--pairs-per-fold", 8, "--folds", 3)
    return out


# -- inspect ---------------------------------------------------------------------------------------


def test_inspect_counts_in_english(capsys):
    said = run(capsys, "inspect", FACES)
    for words in (
        *("faces", "Pictures 24", "Identities 6", "4 to 4, mean 4, median 4"),
        *("Identities with one picture 0", "32×32: 24", "PNG: 24", "Damaged pictures 0"),
    ):
        assert words in said


def test_inspect_counts_in_russian(people, capsys):
    (people / "face 1" / "00000000.png").write_bytes(b"x")
    (people / "one" / "1.png").parent.mkdir()
    Image.new("L", (20, 30)).save(people / "one" / "1.png")
    said = run(capsys, "inspect", people, "--lang", "ru")
    for words in (
        *("Картинки 25", "Люди 7", "от 1 до 4, среднее 3,6, медиана 4"),
        *("Людей с одной картинкой 1", "32×32: 23 20×30: 1", "Повреждённые картинки 1"),
        *("Повреждены, первые 1:", "face 1/00000000.png cannot be read: it is no picture"),
        *("Сколько людей с каким числом картинок", " 1 1 ███████ 4 6 █"),
    ):
        assert words in said


def test_inspect_counts_pairs_in_both_languages(pairs, capsys):
    english, russian = (run(capsys, "inspect", pairs, "--lang", lang) for lang in ("en", "ru"))
    for words in ("Pictures 48", "Pairs 24", "One person 12", "Two people 12", "Folds 10"):
        assert words in english
    for words in ("Картинки 48", "Пары 24", "Один человек 12", "Разные люди 12", "Блоки 10"):
        assert words in russian


def test_the_json_holds_what_is_known_of_the_set(people, tmp_path, capsys):
    (people / "face 2" / "00000004.png").write_bytes(b"x")
    run(capsys, "inspect", people, "--json", tmp_path / "set.json")
    found = json.loads((tmp_path / "set.json").read_text(encoding="utf-8"))
    sentence = found.pop("damage")[0]
    assert sentence.endswith(
        "face 2/00000004.png cannot be read: it is no picture in a known format."
    )
    files = [path.stat().st_size for path in people.glob("*/*")]
    assert found == {
        "format": "facevis-inspection-1",
        "name": "people",
        "images": 24,
        "people": {
            **{"identities": 6, "fewest": 4, "median": 4.0, "mean": 4.0, "most": 4, "single": 0},
            "histogram": [[4, 4, 6]],
        },
        "pairs": None,
        "looked_at": 24,
        "bytes": sum(files),
        "formats": {"PNG": 23},
        "sizes": [[32, 32, 23]],
        "distinct_sizes": 1,
        "damaged": 1,
        "remarks": [],
    }


def test_the_json_of_pairs_holds_what_is_known_of_them(pairs, tmp_path, capsys):
    run(capsys, "inspect", pairs, "--json", tmp_path / "pairs.json")
    found = json.loads((tmp_path / "pairs.json").read_text(encoding="utf-8"))
    assert found["pairs"] == {"pairs": 24, "same": 12, "different": 12, "folds": 10}
    assert (found["people"], found["images"], found["damaged"]) == (None, 48, 0)


def test_with_a_limit_the_share_is_said(tmp_path, capsys):
    words = "inspect", FACES, "--limit", 3, "--json", tmp_path / "a.json"
    assert "pictures decoded 3, 12.5 % of all, drawn at random" in run(capsys, *words)
    assert "раскодировано картинок 3, это 12,5 % всех" in run(capsys, *words, "--lang", "ru")
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["images"], found["looked_at"], found["formats"]) == (24, 3, {"PNG": 3})


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_the_sheet_is_a_picture_of_the_set(pairs, tmp_path, capsys, lang):
    for source in (FACES, pairs):
        sheet = tmp_path / f"{lang}.png"
        run(capsys, "inspect", source, "--sheet", sheet, "--lang", lang)
        with Image.open(sheet) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert 300 < picture.width < 1200
            assert 300 < picture.height < 1200
            colours = picture.getcolors(1 << 20)
        assert len(colours) > 1000
        assert max(count for count, _ in colours) < 0.8 * picture.width * picture.height


def test_names_are_no_commands_to_the_terminal(tmp_path, capsys):
    folder = tmp_path / "[red]set"
    for name in ("\x1b[2Ja", "[bold]b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(b"x")
    said = run(capsys, "inspect", folder)
    assert "\x1b" not in said
    for words in ("[red]set", "\\x1b[2Ja/1.png", "[bold]b/1.png"):
        assert words in said


# -- convert and pairs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("recordio", []),
        ("folder", ["--size", 16, "--png"]),
        ("list", []),
        ("webdataset", ["--per-shard", 10]),
    ],
)
def test_convert_writes_the_form_asked_for(people, tmp_path, capsys, format, options):
    target = tmp_path / ("out.lst" if format == "list" else "out")
    said = run(capsys, "convert", people, target, "--format", format, *options)
    assert said == f"Pictures written: 24, to {target}. "
    corpus = open_corpus(target)
    assert (len(corpus), corpus.num_classes) == (24, 6)
    same = [corpus.encoded(i) == FolderCorpus(people).encoded(i) for i in range(24)]
    assert all(same) if "--size" not in options else not any(same)
    assert len(list(tmp_path.glob("out/*.tar"))) == (3 if format == "webdataset" else 0)


def test_convert_says_in_russian_what_was_left_out(people, tmp_path, capsys):
    (people / "face 2" / "00000004.png").write_bytes(b"x")
    (people / "empty").mkdir()
    said = run(capsys, "convert", people, tmp_path / "o", "--format", "recordio", "--lang", "ru")
    for words in (
        *("1 subfolders hold no picture (empty).", "не удалось прочитать, пропущено: 1. Первые:"),
        *("00000004.png cannot be read: it is no", f"Записано картинок: 23, сюда: {tmp_path}/o."),
    ):
        assert words in said


def test_a_bin_becomes_a_folder_with_its_pairs(pairs, tmp_path, capsys):
    said = run(capsys, "convert", pairs, tmp_path / "out", "--format", "folder")
    assert said == f"Pictures written: 48, to {tmp_path}/out. "
    assert (read_pairs(tmp_path / "out" / "pairs.txt").same == read_bin(pairs).same).all()


def test_pairs_are_those_of_the_seed(people, tmp_path, capsys):
    words = "--pairs-per-fold", 8, "--folds", 3
    for name, seed in (("a.bin", 5), ("b.bin", 5), ("c.bin", 6)):
        run(capsys, "pairs", people, tmp_path / name, *words, "--seed", seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.bin", "b.bin", "c.bin"))
    assert a == b != c
    assert np.array_equal(read_bin(tmp_path / "a.bin").same, np.tile([True] * 4 + [False] * 4, 3))


def test_pairs_as_a_list_name_the_pictures_of_the_bin(people, pairs, tmp_path, capsys):
    out = tmp_path / "pairs.txt"
    words = "pairs", people, out, "--pairs-per-fold", 8, "--folds", 3, "--lang", "ru"
    assert run(capsys, *words) == f"Записано пар: 24, блоков: 3, сюда: {out}. "
    listed, packed = read_pairs(out), read_bin(pairs)
    for pair in range(24):
        for side, place in ((listed.first, 2 * pair), (listed.second, 2 * pair + 1)):
            assert listed.files[side[pair]].read_bytes() == packed.encoded[place]


def test_pairs_of_a_size_leave_damaged_pictures_out(people, tmp_path, capsys):
    for path in people.glob("*/*[37].png"):
        path.write_bytes(b"x")
    out = tmp_path / "small.bin"
    words = "--pairs-per-fold", 6, "--folds", 3, "--size", 16
    said = run(capsys, "pairs", people, out, *words)
    assert "Pictures that cannot be read, and were left out: " in said
    assert f"Pairs written: 18, in folds: 3, to {out}." in said
    assert read_bin(out, 16).picture(0, 16).shape == (16, 16, 3)


# -- around it -------------------------------------------------------------------------------------


def test_progress_is_shown_on_a_terminal_and_results_go_elsewhere(capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    cli.main(["data", "inspect", FACES])
    out, err = capsys.readouterr()
    assert "Looking at pictures" in err
    assert "24/24" in err
    assert "Looking at pictures" not in out


def test_neither_the_command_nor_its_work_loads_pytorch(tmp_path):
    code = f"""if True:
        import sys
        from pathlib import Path
        import facevis.data_command
        print([name for name in ("torch", "numpy", "PIL", "rich") if name in sys.modules])
        sheet = Path({str(tmp_path / "a.png")!r})
        facevis.data_command.Inspect({FACES!r}, limit=2, sheet=sheet).run()
        print([name for name in ("torch", "matplotlib", "sklearn") if name in sys.modules])
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("[]", "[]")
    assert (tmp_path / "a.png").is_file()
