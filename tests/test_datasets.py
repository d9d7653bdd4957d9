"""Every source gives the one protocol; whatever is wrong with pictures is said in a sentence."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from facevis.datasets import DATASETS, Dataset, download, load
from facevis.datasets import own as own_module
from facevis.datasets.faces import procedural_faces


@pytest.mark.parametrize("name", ["digits", "mnist", "faces"])
def test_bundled_pictures_need_no_network_and_keep_the_protocol(name):
    data = load(name)
    assert data.images.dtype == np.uint8
    assert data.inputs().shape == (len(data.labels), np.prod(data.image_shape))
    assert data.inputs().dtype == np.float32
    assert np.abs(data.inputs()).max() <= 1
    assert data.thumbnails(32).shape == (len(data.labels), 32, 32, 3)
    assert set(data.labels) == set(range(data.num_classes))
    assert data.source


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    np.testing.assert_allclose(load("digits").images[..., 0] / 255 * 16, bunch.images, atol=0.04)
    np.testing.assert_array_equal(load("digits").labels, bunch.target)


def test_a_split_by_identity_shares_no_class():
    data = load("digits")
    train, unseen = data.split_by_identity(3, seed=1)
    assert (train.num_classes, unseen.num_classes) == (7, 3)
    assert not set(train.class_names) & set(unseen.class_names)
    assert len(train.labels) + len(unseen.labels) == len(data.labels)
    with pytest.raises(ValueError, match="at least 2"):
        data.split_by_identity(9)


def test_selected_classes_are_numbered_anew():
    data = load("digits").select([7, 2])
    assert data.class_names == ("7", "2")
    assert (data.labels == 0).sum() == (load("digits").labels == 7).sum()


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="digits, mnist, faces"):
        load("no such data")


def test_a_dataset_that_is_none_is_refused():
    images = np.zeros((2, 8, 8, 1), np.uint8)
    with pytest.raises(ValueError, match="at least two classes"):
        Dataset("one", images, np.zeros(2, np.int64), ("a",), "")


# -- procedural faces ---------------------------------------------------------------------------


def test_a_face_is_the_same_in_a_set_of_any_size():
    few = procedural_faces(identities=3, images_per_identity=4, seed=5)
    many = procedural_faces(identities=40, images_per_identity=7, seed=5)
    for k in range(3):
        ours, theirs = few.images[few.labels == k], many.images[many.labels == k][:4]
        np.testing.assert_array_equal(ours, theirs)


def test_another_seed_is_another_crowd():
    first, other = (procedural_faces(3, 4, seed=s).images for s in (0, 1))
    assert not np.array_equal(first, other)


def test_faces_can_be_told_apart_but_not_by_pixels_alone():
    data = procedural_faces(identities=24, images_per_identity=30)
    pixels = data.inputs().reshape(24, 30, -1)
    means = pixels[:, :15].mean(1)
    probes = pixels[:, 15:].reshape(-1, pixels.shape[-1])
    nearest = ((probes[:, None] - means) ** 2).sum(-1).argmin(-1)
    share = (nearest == np.repeat(np.arange(24), 15)).mean()
    assert 0.15 < share < 0.9  # chance is 0.04


@pytest.mark.parametrize(
    "options",
    [
        {"identities": 10**9},
        {"identities": 1},
        {"identities": -3},
        {"identities": float("nan")},
        {"images_per_identity": 0},
        {"size": 8},
        {"identities": 1000, "images_per_identity": 1000, "size": 256},
    ],
)
def test_impossible_crowds_are_refused_at_once(options):
    with pytest.raises(ValueError, match=r"give a whole number|ask for at most"):
        procedural_faces(**options)


# -- downloads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["olivetti", "lfw", "mnist-full"])
def test_without_network_a_download_says_what_to_do(name, monkeypatch):
    import sklearn.datasets

    def refuse(**_):
        raise OSError("Name or service not known")

    for fetcher in ("fetch_olivetti_faces", "fetch_lfw_people", "fetch_openml"):
        monkeypatch.setattr(sklearn.datasets, fetcher, refuse)
    with pytest.raises(ValueError, match=r"could not be downloaded .* connect to the network"):
        DATASETS[name]()


def test_a_downloaded_set_keeps_the_protocol(monkeypatch):
    import sklearn.datasets
    from sklearn.utils import Bunch

    bunch = Bunch(images=np.random.default_rng(0).random((20, 64, 64)), target=np.arange(20) // 2)
    monkeypatch.setattr(sklearn.datasets, "fetch_olivetti_faces", lambda **_: bunch)
    data = download.olivetti()
    assert data.images.shape == (20, 64, 64, 1)
    assert data.num_classes == 10


@pytest.mark.parametrize("brightest", [1, 255])
def test_labeled_faces_are_bytes_whatever_scikit_learn_makes_of_them(brightest, monkeypatch):
    import sklearn.datasets
    from sklearn.utils import Bunch

    shades = np.random.default_rng(0).integers(0, 256, (4, 62, 47, 3))
    shades[0, 0, 0, 0] = 255
    bunch = Bunch(images=shades / 255 * brightest, target=np.array([0, 1, 0, 1]))
    bunch.target_names = np.array(["Ada", "Bo"])
    monkeypatch.setattr(sklearn.datasets, "fetch_lfw_people", lambda **_: bunch)
    data = download.lfw()
    assert data.images.dtype == np.uint8
    assert np.array_equal(data.images, shades)
    assert data.class_names == ("Ada", "Bo")


def test_all_digits_are_pictures_of_one_channel(monkeypatch):
    import sklearn.datasets
    from sklearn.utils import Bunch

    rows = np.random.default_rng(0).integers(0, 256, (20, 784))
    bunch = Bunch(data=rows, target=np.array([str(k % 10) for k in range(20)], dtype=object))
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: bunch)
    data = download.mnist_full()
    assert np.array_equal(data.images, rows.reshape(20, 28, 28, 1))
    assert data.labels.tolist() == [*range(10)] * 2


# -- your own -----------------------------------------------------------------------------------


def picture(shade=100, size=(20, 30), form="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, shade // 2, 30)).save(buffer, form)
    return buffer.getvalue()


def folder(root, **classes):
    for name, files in classes.items():
        (root / name).mkdir(parents=True)
        for place, data in enumerate(files):
            (root / name / f"{place}.png").write_bytes(data)
    return root


def archive(path, files, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


GOOD = {f"{c}/{k}.png": picture(90 + 30 * k) for c in "ab" for k in range(3)}


def test_a_folder_becomes_a_dataset(tmp_path):
    data = load(folder(tmp_path / "mine", cats=[picture(9), picture(8)], dogs=[picture(7)]))
    assert data.class_names == ("cats", "dogs")
    assert data.images.shape == (3, 32, 32, 3)
    assert data.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("top", ["", "faces/"])
def test_a_zip_reads_like_its_folder(tmp_path, top):
    data = load(archive(tmp_path / "a.zip", {top + name: data for name, data in GOOD.items()}))
    assert data.class_names == ("a", "b")
    assert len(data.labels) == 6


def test_names_are_only_text(tmp_path):
    names = ["<script>alert(1)</script>", "имя", "{0}"]
    files = {f"x/{name}/{k}.png".replace("</", "<|"): picture() for name in names for k in "12"}
    assert len(load(archive(tmp_path / "a.zip", files)).class_names) == 3


@pytest.mark.parametrize(
    "broken",
    [b"this is text", picture()[:60], b"", picture(form="PNG")[:-20], b"\x89PNG\r\n\x1a\n"],
)
def test_a_broken_picture_is_left_out_with_a_sentence(tmp_path, broken):
    data = load(archive(tmp_path / "a.zip", {**GOOD, "a/z.png": broken}))
    assert len(data.labels) == 6
    assert len(data.skipped) == 1
    assert data.skipped[0].startswith("a/z.png was left out: it is")


def test_an_enormous_picture_is_not_decoded(tmp_path):
    huge = io.BytesIO()
    Image.new("1", (40_000, 10)).save(huge, "PNG")
    data = load(archive(tmp_path / "a.zip", {**GOOD, "a/huge.png": huge.getvalue()}))
    assert "40000×10 pixels" in data.skipped[0]


REFUSED = {
    "empty": ({}, "no readable picture"),
    "flat": ({"a.png": picture(), "b.png": picture()}, "one subfolder per class"),
    "one class": ({"a/1.png": picture(), "a/2.png": picture()}, "one class only"),
    "one picture each": ({"a/1.png": picture(), "b/1.png": picture()}, "one picture per class"),
    "climbs": ({**GOOD, "../evil.png": picture()}, "leaves the archive"),
    "absolute": ({**GOOD, "/etc/evil.png": picture()}, "leaves the archive"),
    "windows": ({**GOOD, "C:\\evil\\e.png": picture()}, "leaves the archive"),
    "bomb": ({**GOOD, "a/zeros.png": bytes(50 * 2**20)}, "far more than its size"),
    "only text": ({"a/1.png": b"x", "b/1.png": b"y"}, "no readable picture"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_zip_that_cannot_be_learned_from_is_refused(tmp_path, case):
    files, sentence = REFUSED[case]
    with pytest.raises(ValueError, match=sentence):
        load(archive(tmp_path / "a.zip", files))


def test_a_zip_that_unpacks_to_more_than_a_machine_should_hold_is_refused(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", GOOD)
    monkeypatch.setattr(own_module, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(ValueError, match="unpacks to far more than its size; repack it"):
        load(path)


def test_pictures_that_would_take_hours_to_decode_are_refused(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.zip", GOOD)
    monkeypatch.setattr(own_module, "MAX_TOTAL_PIXELS", 500)
    with pytest.raises(ValueError, match="megapixels; make its pictures smaller"):
        load(path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", GOOD)
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="holds a link"):
        load(path)


@pytest.mark.parametrize(
    ("twin", "words"),
    [("other/a", "two folders of one name, a and other/a"), ("A", "names collide, 'A' and 'a'")],
)
def test_names_that_collide_are_said(tmp_path, twin, words):
    path = archive(tmp_path / "own.zip", {**GOOD, f"{twin}/9.png": picture(200)})
    with pytest.raises(ValueError, match=words):
        load(path)


def test_a_cut_zip_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", GOOD)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a whole zip archive"):
            load(path)


def test_an_empty_folder_and_a_missing_one_are_said(tmp_path):
    with pytest.raises(ValueError, match="no readable picture"):
        load(tmp_path)
    with pytest.raises(ValueError, match="no dataset or path"):
        load(str(tmp_path / "gone"))


def test_too_many_pictures_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(own_module, "MAX_IMAGES", 4)
    with pytest.raises(ValueError, match="more than 4 pictures"):
        load(archive(tmp_path / "a.zip", GOOD))


def test_a_zip_with_any_byte_damaged_is_read_or_refused_in_words(tmp_path):
    path = archive(tmp_path / "a.zip", GOOD)
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert load(path).num_classes >= 2
        except ValueError as error:
            assert str(error).startswith("a.zip")
