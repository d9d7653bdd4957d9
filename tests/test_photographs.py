"""Photographs: read upright, faces found, turned onto five points, embedded by SFace."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from faces_drawn import drawn, write_people
from PIL import Image

from facevis.atlas import model_of_file
from facevis.embedders import OnnxOptions, open_model, packaged_model
from facevis.photographs import (
    Detector,
    Photograph,
    aligned,
    of_folder,
    packaged,
    similarity,
    upright,
)
from facevis.photographs.aligning import PLACES
from facevis.photographs.gallery import in_size, place, portrait
from facevis.photographs.reading import MOST


@pytest.fixture(scope="module")
def detector():
    return Detector()


@pytest.fixture(scope="module")
def face():
    return next(drawn())[1]


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(
        file, kind, **options
    )
    return file.getvalue()


# -- reading --------------------------------------------------------------------------------------


def test_a_phone_picture_is_turned_upright(face):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(face).transpose(Image.Transpose.ROTATE_90)
    found = upright(encoded(lying, "JPEG", exif=exif, quality=95))
    assert found.shape == face.shape
    assert np.abs(found.astype(int) - face).mean() < 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1", "I;16"])
def test_every_kind_of_colours_becomes_rgb(mode, face):
    if mode == "I;16":
        grey = np.asarray(Image.fromarray(face).convert("L")).astype(np.uint16) * 257
        picture = Image.fromarray(grey)
    else:
        picture = Image.fromarray(face).convert(mode)
    found = upright(encoded(picture, "TIFF" if mode == "CMYK" else "PNG"))
    assert found.shape == face.shape
    assert found.dtype == np.uint8
    assert abs(float(found.mean()) - float(face.mean())) < 30


def test_an_animation_is_its_first_frame(face):
    frames = [Image.fromarray(face), Image.new("RGB", (280, 280))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert upright(data).mean() > 30


def test_a_large_picture_is_made_smaller():
    assert max(upright(encoded(np.zeros((1000, 4000, 3), np.uint8))).shape) == 1600


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"no picture", "no picture"),
        ("truncated", "damaged"),
        ("huge", "too large"),
    ],
)
def test_what_is_no_picture_is_said(data, said, face):
    if data == "truncated":
        data = encoded(face)[:900]
    if data == "huge":
        data = encoded(Image.new("1", (20_001, 10)))
    with pytest.raises(ValueError, match=said):
        upright(data)


def test_a_folder_names_people_by_subfolders_or_by_names(tmp_path):
    write_people(tmp_path, people=2, each=1)
    (tmp_path / "anna_1.jpg").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    found = [(one.name, one.person) for one in of_folder(tmp_path)]
    assert found == [("anna_1.jpg", "anna"), ("p0/0.png", "p0"), ("p1/0.png", "p1")]


def test_folders_that_cannot_be_used_are_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        list(of_folder(tmp_path / "no"))
    with pytest.raises(ValueError, match="has no picture"):
        list(of_folder(tmp_path))
    for number in range(MOST + 1):
        (tmp_path / f"{number}.jpg").touch()
    with pytest.raises(ValueError, match=f"more than {MOST}"):
        list(of_folder(tmp_path))


# -- finding and aligning -------------------------------------------------------------------------


def test_the_detector_finds_one_face_where_one_is(detector, face):
    (found,) = detector.faces(face)
    left, top, *_ = found.box
    assert 20 < left < 140
    assert 20 < top < 160
    assert found.points[0, 0] < found.points[1, 0]  # eyes from left to right
    assert found.points[:2, 1].max() < found.points[3:, 1].min()  # above the mouth
    assert not found.small


def test_no_face_and_five_faces(detector, face):
    assert detector.faces(np.full((200, 300, 3), 128, np.uint8)) == []
    assert len(detector.faces(np.hstack([face] * 5))) == 5


def test_a_face_in_a_large_picture_lies_where_it_is(detector, face):
    large = np.full((1400, 1600, 3), 128, np.uint8)
    large[700:980, 1000:1280] = face
    (alone,), (found,) = detector.faces(face), detector.faces(large)
    assert np.abs(found.points - alone.points - (1000, 700)).max() < 16


def test_the_closed_form_undoes_a_known_similarity():
    rng = np.random.default_rng(0)
    for _ in range(20):
        turn, size, shift = rng.uniform(-1, 1), rng.uniform(0.2, 5), rng.uniform(-300, 300, 2)
        matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        points = PLACES @ matrix.T + shift
        found = similarity(points)
        assert np.abs(points @ found[:, :2].T + found[:, 2] - PLACES).max() < 1e-9


def test_it_is_the_least_squares_solution():
    rng = np.random.default_rng(1)
    points = PLACES * 3 + rng.normal(0, 8, PLACES.shape)
    system = np.vstack([[[x, -y, 1, 0], [y, x, 0, 1]] for x, y in points])
    a, b, x, y = np.linalg.lstsq(system, PLACES.ravel(), rcond=None)[0]
    assert np.allclose(similarity(points), [[a, -b, x], [b, a, y]])


@pytest.mark.parametrize("size", [0.4, 1.0, 4.0, 9.0])
def test_marks_land_within_a_pixel_of_their_places(size):
    turn = 0.4
    matrix = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = PLACES @ matrix.T + 400
    picture = np.zeros((1700, 1700, 3), np.uint8)
    for x, y in points:
        place = round(16 * x), round(16 * y)
        cv2.circle(picture, place, round(16 * 3 * size), (255,) * 3, -1, cv2.LINE_AA, 4)
    crop = aligned(picture, points)[..., 0].astype(float)
    for x, y in PLACES:
        rows, columns = np.mgrid[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7]
        weights = crop[rows, columns]
        centre = (columns * weights).sum() / weights.sum(), (rows * weights).sum() / weights.sum()
        assert np.abs(np.subtract(centre, (x, y))).max() < 1


def test_a_portrait_shows_which_face_was_taken(detector, face):
    two = np.concatenate([face, face], axis=1)
    found = portrait(Photograph("two.png", "Ada", encoded(two)), detector)
    shown = np.array(found.drawn()).astype(int)
    assert len(found.faces) == len(found.crops) == 2
    assert found.crop is found.crops[found.chosen]
    assert shown.shape[:2] == found.pixels.size[::-1]
    for number, drawn_face in enumerate(found.faces):
        left, _, _, height = (round(value) for value in drawn_face.box)
        middle = round(drawn_face.box[1] + height / 2)
        green = np.array([46, 194, 126])
        away = np.abs(shown[middle, left : left + 3] - green).sum(axis=-1).min()
        assert (away < 30) == (number == found.chosen)
    with pytest.raises(ValueError, match=r"^notes\.txt was left out: "):
        portrait(Photograph("notes.txt", "Ada", b"no picture"), detector)


@pytest.mark.parametrize("size", [112, 32, 224])
def test_crops_come_in_the_size_of_the_network(size):
    crops = np.full((2, 112, 112, 3), 90, np.uint8)
    crops[:, :56] = 200
    found = in_size(crops, size)
    assert found.shape == (2, size, size, 3)
    assert found.dtype == np.uint8
    assert (found[:, 0] == 200).all()
    assert (found[:, -1] == 90).all()


def test_a_blurred_and_a_tiny_face_are_told(detector, face):
    blurred = cv2.GaussianBlur(face, (0, 0), 7)
    assert "blurred" in portrait(Photograph("a", "", encoded(blurred)), detector).remarks[0]
    tiny = cv2.resize(face, (56, 56), interpolation=cv2.INTER_AREA)
    canvas = np.full((200, 200, 3), 128, np.uint8)
    canvas[70:126, 70:126] = tiny
    found = portrait(Photograph("a", "", encoded(canvas)), detector)
    assert "small" in found.remarks[0]


# -- embedding ------------------------------------------------------------------------------------


def test_embeddings_are_those_of_opencv(tmp_path, face):
    file = tmp_path / "sface.onnx"
    file.write_bytes(packaged.sface())
    crops = np.stack([np.asarray(Image.fromarray(p).resize((112, 112))) for _, p in drawn(3)])
    theirs = cv2.FaceRecognizerSF.create(str(file), "")
    found = packaged_model().embed(crops)[0]
    for crop, point in zip(crops, found, strict=True):
        other = theirs.feature(np.ascontiguousarray(crop[..., ::-1])).ravel()
        assert point @ other / np.linalg.norm(point) / np.linalg.norm(other) > 0.999


def test_sface_is_a_model_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = open_model(Path("sface"), OnnxOptions())
    assert model.size == 112
    assert model.about()["kind"] == "packaged"
    assert model_of_file(Path("sface")).moments[0].open().size == 112
    with pytest.raises(ValueError, match="leave"):
        open_model(Path("sface"), OnnxOptions(size=64))


def test_another_file_in_its_place_is_refused(monkeypatch):
    monkeypatch.setitem(packaged.DIGESTS, packaged.YUNET, "0" * 64)
    with pytest.raises(ValueError, match="SHA-256 is another"):
        packaged.packaged_file(packaged.YUNET)


def test_the_nearest_are_by_the_closest_pair():
    def at(*degrees):
        angles = np.radians(degrees)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    people = np.array(["you", "you", "ann", "ann", "ben"])
    found = place(at(0, 10, 40, 90, 60), people, "you")
    assert [near.person for near in found.nearest] == ["ann", "ben"]
    assert [round(near.angle) for near in found.nearest] == [30, 50]
    assert (found.nearest[0].mine, found.nearest[0].theirs) == (1, 2)
    assert np.allclose(found.own, [10])
    assert np.allclose(sorted(found.impostor), [20, 30])
    assert np.allclose(sorted(found.genuine), [10, 50])


def test_a_direction_that_is_none_is_said():
    with pytest.raises(ValueError, match="no direction"):
        place(np.zeros((2, 4)), np.array(["you", "ann"]), "you")
