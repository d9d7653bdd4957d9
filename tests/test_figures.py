"""What is taken away is what was recorded: the right pixels, numbers and words."""

import csv
import io
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from drawn import AXES_2, AXES_3, EN, RU, THREE, recorded, single
from matplotlib.colors import to_rgb
from PIL import Image

from facevis.figures import projection, take_away
from facevis.figures.look import THEMES, class_color
from facevis.figures.moments import moment, replay
from facevis.figures.panel import RANGE
from facevis.figures.sheet import Sheet
from facevis.figures.tables import COLUMNS, history_csv, statistics_csv, study_csv
from facevis.figures.words import number, percent, title
from facevis.geometry import admissible_radius, packing_angle
from facevis.live import Ensemble, Member, Recording, RunConfig
from facevis.live.recording import STATISTICS
from facevis.live.study import study_config, summarise
from facevis.live.sweep import sweep_config
from facevis.margins import Margin


@pytest.fixture(scope="module")
def three():
    return recorded(THREE)


@pytest.fixture(scope="module")
def sweep():
    return recorded(sweep_config(THREE, "m2", 0.0, 1.0, 21), steps=2)


def pixel(recording, material, place, theme="light"):
    """The colour of a still picture at a place (x, y) of its only panel."""
    sheet = Sheet(replay(recording, [0], 1.0), recording.config, material, EN, theme)
    image = sheet.pixels(1000)
    box = sheet.figure.axes[0].get_position()
    height, width = image.shape[:2]
    x = (box.x0 + (place[0] + RANGE) / (2 * RANGE) * box.width) * width
    y = (1.0 - box.y0 - (place[1] + RANGE) / (2 * RANGE) * box.height) * height
    return image[int(y), int(x)] / 255.0


@pytest.mark.parametrize("theme", THEMES)
def test_a_sample_has_its_classs_colour_at_its_place(theme):
    recording, material = single([[0.6, 0.8]], AXES_2)
    assert pixel(recording, material, (0.6, 0.8), theme) == pytest.approx(
        to_rgb(class_color(0)), abs=0.02
    )
    background = to_rgb(THEMES[theme].background)
    assert pixel(recording, material, (1.2, -1.2), theme) == pytest.approx(background, abs=0.02)


def test_a_sample_on_the_near_side_of_the_sphere_is_seen_and_on_the_far_side_not():
    towards = np.array(projection.EYE) / np.linalg.norm(projection.EYE)
    near, far = (single([list(sign * towards)], AXES_3) for sign in (1.0, -1.0))
    assert pixel(*near, (0.0, 0.0)) == pytest.approx(to_rgb(class_color(0)), abs=0.02)
    assert pixel(*far, (0.0, 0.0)).min() > 0.8


def test_the_plain_softmax_fills_the_picture_whatever_its_lengths():
    for length in (0.01, 1.0, 300.0):
        recording, material = single([[0.0, length]], AXES_2, Member(objective="softmax"))
        assert pixel(recording, material, (0.0, 1.0)) == pytest.approx(
            to_rgb(class_color(0)), abs=0.02
        )


def test_a_cap_is_as_wide_as_the_geometry_says():
    member = Member(margin=Margin.arcface(0.5))
    recording, material = single([[0.0, 1.0]], AXES_2, member)
    radius = admissible_radius(member.margin, packing_angle(2, 2))
    inside, outside = (
        pixel(recording, material, (1.06 * math.cos(a), 1.06 * math.sin(a)))
        for a in (radius - 0.03, radius + 0.03)
    )
    assert inside == pytest.approx(to_rgb(class_color(0)), abs=0.02)
    assert outside == pytest.approx((1.0, 1.0, 1.0), abs=0.02)


def test_the_projection_is_an_orthogonal_view_from_the_eye():
    assert np.allclose(projection.AXES @ projection.AXES.T, np.eye(3))
    assert np.allclose(np.cross(projection.AXES[0], projection.AXES[1]), projection.AXES[2])


def test_visible_runs_hold_no_hidden_point():
    circle = projection.great_circles()[0]
    runs = projection.visible_runs(circle)
    page, _ = projection.project(circle[~projection.hidden(circle)])
    assert np.isin(np.concatenate(runs).round(9), page.round(9)).all()
    assert 0.4 < sum(map(len, runs)) / len(circle) < 0.6


def test_a_cap_on_the_sphere_keeps_its_angle():
    centre = np.array([0.0, 0.6, 0.8])
    circle = projection.cap_circle(centre, 0.4)
    angles = np.arccos(circle @ centre / np.linalg.norm(circle, axis=1))
    assert np.allclose(angles, 0.4)


def test_the_png_is_as_large_as_its_members_need(three):
    recording, material = three
    image = Image.open(io.BytesIO(take_away(recording, material, "png", words=EN)))
    assert image.format == "PNG"
    assert image.width > 2 * image.height
    assert image.width >= 2000


@pytest.mark.parametrize(("words", "spoken"), [(EN, "Normalised softmax"), (RU, "Нормированный")])
def test_the_svg_is_xml_with_its_words_as_text_and_the_same_every_time(words, spoken):
    members = (Member(objective="normalized_softmax"), Member(objective="arcface"))
    recording, material = recorded(RunConfig(members=members, identities=3, unseen=2), steps=1)
    svg = take_away(recording, material, "svg", words=words, theme="dark")
    text = " ".join(ET.fromstring(svg.decode()).itertext())
    for word in (spoken, "ArcFace", "m₂ = 0", "s = 16", "W-Inter", words("figure_step", step=1)):
        assert word in text
    assert take_away(recording, material, "svg", words=words, theme="dark") == svg


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table.decode("utf-8"))))


def numbers(row, names=STATISTICS):
    return np.array([float(row[name] or "nan") for name in names], np.float32)


def test_the_csv_reads_back_as_the_statistics(three):
    recording, material = three
    rows = rows_of(take_away(recording, material, "csv", words=RU))
    last = recording.snapshots[-1]
    assert tuple(rows[0]) == COLUMNS
    assert [row["objective"] for row in rows] == ["softmax", "cosface", "arcface"]
    assert np.array_equal([numbers(row) for row in rows], last.statistics, equal_nan=True)
    assert [row["m3"] for row in rows] == ["", "0.35", "0.0"]
    assert statistics_csv(recording) == take_away(recording, material, "csv", words=EN)


def test_the_history_holds_every_kept_step_of_every_member(three):
    recording, _ = three
    rows = rows_of(history_csv(recording))
    stacked = np.concatenate([snapshot.statistics for snapshot in recording.snapshots])
    assert np.array_equal([numbers(row) for row in rows], stacked, equal_nan=True)
    steps = [snapshot.step for snapshot in recording.snapshots]
    assert [int(row["step"]) for row in rows] == [step for step in steps for _ in range(3)]
    losses = np.concatenate([snapshot.losses for snapshot in recording.snapshots])
    assert np.array_equal([numbers(row, ["loss"])[0] for row in rows], losses, equal_nan=True)


def test_the_table_of_a_study_holds_means_and_widths():
    ensemble = Ensemble(study_config(THREE, 3), device="cpu")
    summary = summarise(ensemble.snapshot(), 3)
    rows = rows_of(study_csv(THREE, summary))
    assert len(rows) == 3 * len(STATISTICS)
    assert {row["n"] for row in rows} == {"3"}
    for name, table in (("mean", summary.mean), ("half_width", summary.half)):
        read = [float(row[name] or "nan") for row in rows]
        assert np.array_equal(read, table.ravel(), equal_nan=True)


def test_a_sheet_of_a_sweep_says_which_margins_it_shows(sweep):
    text = " ".join(ET.fromstring(take_away(*sweep, "svg", words=EN).decode()).itertext())
    for margin in ("0", "0.25", "0.5", "0.75", "1"):
        assert f"m₂ = {margin} " in text + " "
    assert EN("figure_infeasible") not in text  # four classes have 90 degrees each


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (RunConfig(embedding_dim=8), "needs 2 or 3 dimensions, not 8"),
        (RunConfig(members=(Member(), Member(objective="cosface")) * 4), "room for 6 members"),
    ],
)
def test_what_has_no_picture_is_refused_and_still_has_a_table(config, message):
    recording, material = recorded(config, steps=0)
    with pytest.raises(ValueError, match=message):
        take_away(recording, material, "png", words=EN)
    assert len(rows_of(take_away(recording, material, "csv", words=EN))) == len(config.members)


@pytest.mark.parametrize(
    ("format", "theme", "message"),
    [("bmp", "light", "format is 'bmp'"), ("png", "neon", "theme is 'neon'")],
)
def test_an_unknown_format_or_theme_is_named(three, format, theme, message):
    with pytest.raises(ValueError, match=message):
        take_away(*three, format, words=EN, theme=theme)


def test_an_empty_recording_has_nothing_to_take_away(three):
    with pytest.raises(ValueError, match="no snapshot yet"):
        take_away(Recording(THREE), three[1], "png", words=EN)


@pytest.mark.parametrize(
    ("member", "line"),
    [
        (Member(objective="softmax"), EN("figure_free")),
        (Member(objective="triplet"), "margin 0.2"),
        (Member(objective="normalized_softmax"), "s = 16"),
        (Member(objective="sphereface"), "m₁ = 1.35 · s = 16"),
        (Member(objective="combined"), "m₁ = 1 · m₂ = 0.3 · m₃ = 0.2 · s = 16"),
    ],
)
def test_a_title_says_what_matters_in_that_loss(member, line):
    recording, _ = single([[1.0, 0.0]], AXES_2, member)
    assert title(moment(recording, recording.snapshots[0], 0), EN)[1] == line


def test_numbers_are_written_as_the_language_writes_them():
    assert (percent(0.9876, EN), percent(0.9876, RU), percent(math.nan, EN)) == (
        "98.8%",
        "98,8 %",
        "–",
    )
    assert (number(0.35, RU), number(24.0, EN)) == ("0,35", "24")
