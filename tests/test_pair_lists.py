"""A list of pairs is read as it is meant, or refused in one sentence."""

import numpy as np
import pytest
from PIL import Image

from facevis.datasets.pair_lists import check_names, read_pairs, read_pictures


def picture(path, value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 12), value, np.uint8)).save(path)


@pytest.fixture
def people(tmp_path):
    """Two people with two pictures each, one of them with a space in its name."""
    for name in ("anna/anna_0001.jpg", "anna/anna_0002.png", "my bob/1.png", "my bob/2.png"):
        picture(tmp_path / name)
    return tmp_path


def listed(folder, *lines, root=None, encoding="utf-8"):
    path = folder / "pairs.txt"
    path.write_text("\n".join(lines), encoding=encoding)
    return read_pairs(path, root)


def refused(folder, *lines, root=None):
    with pytest.raises(ValueError) as error:
        listed(folder, *lines, root=root)
    said = str(error.value)
    assert said.endswith(".")
    assert "\n" not in said
    return said


GENUINE = "anna/anna_0001.jpg anna/anna_0002.png 1"


@pytest.mark.parametrize(
    "line",
    [
        'anna/anna_0001.jpg "my bob/1.png" 0',
        "anna/anna_0001.jpg 'my bob/1.png' 0",
        "anna/anna_0001.jpg\tmy bob/1.png\t0",
        '"anna/anna_0001.jpg"\t"my bob/1.png"\t0',
        "anna/../anna/anna_0001.jpg\t./my bob/1.png\t0\r",
    ],
)
def test_spaces_tabs_and_quotes(people, line):
    found = listed(people, "# mine", GENUINE, "", line)
    assert [file.name for file in found.files] == ["anna_0001.jpg", "anna_0002.png", "1.png"]
    assert found.first.tolist() == [0, 0]
    assert found.second.tolist() == [1, 2]
    assert found.same.tolist() == [True, False]
    assert found.folds == 10


def test_paths_begin_at_the_root_or_are_absolute(people, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("lists")
    absolute = f'{people}/anna/anna_0001.jpg "{people}/my bob/1.png" 0'
    assert len(listed(elsewhere, GENUINE, absolute, root=people).files) == 3


def test_the_list_of_lfw(tmp_path):
    for name in ("A_B/A_B_0001.jpg", "A_B/A_B_0004.png", "C/C_0010.jpg"):
        picture(tmp_path / name)
    found = listed(tmp_path, "5\t300", "A_B\t1\t4", "A_B\t1\tC\t10")
    assert [file.name for file in found.files] == ["A_B_0001.jpg", "A_B_0004.png", "C_0010.jpg"]
    assert found.same.tolist() == [True, False]
    assert found.folds == 5
    assert listed(tmp_path, "2", "A_B 1 4", "A_B 1 C 10").folds == 10
    for counts in ("0 5", "1 5"):
        with pytest.raises(ValueError, match=f"{counts[0]} is no number of folds"):
            listed(tmp_path, counts, "A_B 1 4", "A_B 1 C 10")
    with pytest.raises(ValueError, match="line 1"):
        listed(tmp_path, f"{'9' * 5000} 5", "A_B 1 4", "A_B 1 C 10")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "has no pairs"),
        (["10 300"], "has no pairs"),
        ([GENUINE, "anna/anna_0001.jpg 1"], "line 2 of pairs.txt is"),
        ([GENUINE, "a b 2"], "line 2 of pairs.txt is 'a b 2'; write two paths and 1"),
        (['anna/anna_0001.jpg "my bob/1.png 0'], "opens a quote"),
        (["anna/anna_0001.jpg anna/../anna/anna_0001.jpg 1"], "with itself"),
        ([GENUINE, "anna/anna_0002.png anna/anna_0001.jpg 0"], "lines 1 and 2"),
        ([GENUINE, "anna/x.png anna/y.png 0"], "2 of the 4 pictures in pairs.txt are missing"),
        (["10 300", "anna 1"], "line 2 of pairs.txt"),
        (["10 300", "anna 1 x"], "line 2 of pairs.txt"),
        (["10 300", "anna 1 anna 2"], "lists anna as two people"),
        (["10 300", "../anna 1 2"], "line 2 of pairs.txt"),
        (["10 300", "anna 1 7"], "1 of the 2 pictures in pairs.txt are missing"),
    ],
)
def test_a_list_that_means_nothing_is_refused(people, lines, sentence):
    assert sentence in refused(people, *lines)


def test_missing_pictures_are_counted_and_the_first_is_named(people):
    said = refused(people, GENUINE, "anna/x.png anna/y.png 0")
    assert str(people / "anna" / "x.png") in said
    assert "--root" in said


def test_two_files_of_one_name_are_refused(people):
    picture(people / "anna" / "anna_0001.png")
    both = "anna/anna_0001.jpg anna/anna_0001.png 1"
    for said in (refused(people, both), refused(people, "10 300", "anna 1 2")):
        assert "two files of one name" in said
        assert "anna_0001.jpg and" in said
    with pytest.raises(ValueError, match="two files of one name, anna/anna_0001"):
        check_names(people)
    # A list that names one of them is clear.
    assert len(listed(people, GENUINE).files) == 2


def test_names_are_compared_within_a_folder_only(people):
    picture(people / "carl" / "1.png")
    check_names(people)


def test_what_is_no_list_is_named(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_pairs(tmp_path / "none.txt")
    (tmp_path / "pairs.txt").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ValueError, match="not a text file in UTF-8"):
        read_pairs(tmp_path / "pairs.txt")
    assert "there is no folder" in refused(tmp_path, GENUINE, root=tmp_path / "none")


def test_a_damaged_picture_is_left_out_with_its_pairs(people):
    (people / "my bob" / "1.png").write_bytes(b"broken")
    pairs = listed(people, GENUINE, "anna/anna_0001.jpg\tmy bob/1.png\t0")
    heard = []
    read = read_pictures(pairs, 8, lambda done, total: heard.append((done, total)))
    assert read.images.shape == (2, 8, 8, 3)
    assert (read.first.tolist(), read.second.tolist()) == ([0], [1])
    assert (read.unreadable, read.lost_pairs) == (1, 1)
    assert "1.png was left out: it is no picture in a known format." in read.skipped[0]
    assert heard[-1] == (3, 3)


def test_a_list_without_a_readable_pair_is_refused(people):
    for name in ("anna_0001.jpg", "anna_0002.png"):
        (people / "anna" / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"no pair of pairs\.txt has two readable pictures"):
        read_pictures(listed(people, GENUINE), 8)
