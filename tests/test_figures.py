"""What is taken away is what was recorded: the right pixels, numbers, words and frames."""

import csv
import dataclasses
import io
import math
import xml.etree.ElementTree as ET

import av
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image, ImageSequence

from facevis.figures import FORMATS, Cancelled, film, projection, take_away
from facevis.figures.look import THEMES, class_color
from facevis.figures.moments import aligned, along, between, moment, replay
from facevis.figures.panel import RANGE
from facevis.figures.sheet import Sheet
from facevis.figures.tables import COLUMNS, history_csv, statistics_csv, study_csv
from facevis.figures.words import number, percent, title
from facevis.geometry import admissible_radius, packing_angle
from facevis.i18n import translator
from facevis.live import Ensemble, Member, Recording, RunConfig, Snapshot
from facevis.live.material import Material, material_for
from facevis.live.recording import STATISTICS
from facevis.live.study import study_config, summarise
from facevis.live.sweep import sweep_config
from facevis.margins import Margin

EN, RU = translator("en"), translator("ru")
THREE = RunConfig(
    members=(Member(objective="softmax"), Member(objective="cosface"), Member()),
    identities=4,
    unseen=2,
    images_per_class=40,
)


def recorded(config, steps=3):
    ensemble = Ensemble(config, device="cpu")
    return ensemble.record(steps=steps), ensemble.material


@pytest.fixture(scope="module")
def three():
    return recorded(THREE)


@pytest.fixture(scope="module")
def sweep():
    return recorded(sweep_config(THREE, "m2", 0.0, 1.0, 21), steps=2)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(film, "FRAMES", 5)
    monkeypatch.setattr(film, "HOLD", 3)


def single(points, prototypes, member=None, statistics=None):
    """A recording of one snapshot with given points, all of class 0, and its material."""
    dim, count = len(points[0]), len(prototypes)
    config = RunConfig(members=(member or Member(),), embedding_dim=dim, identities=count)
    statistics = np.full((1, len(STATISTICS)), 0.5) if statistics is None else statistics
    arrays = [points], [prototypes], [0.5], statistics, [member_margin(config)], [16.0]
    snapshot = Snapshot(7, *(np.array(array, np.float32) for array in arrays))
    dataset = material_for(config).dataset
    shown = np.flatnonzero(dataset.labels == 0)[: len(points)]
    no = np.zeros(len(points), bool)
    return Recording(config, [snapshot]), Material(dataset, count, shown, shown, no, no)


def member_margin(config):
    return config.members[0].margin.as_tuple()


def pixel(recording, material, place, theme="light"):
    """The colour of a still picture at a place (x, y) of its only panel."""
    sheet = Sheet(replay(recording, [0], 1.0), recording.config, material, EN, theme)
    image = sheet.pixels(1000)
    box = sheet.figure.axes[0].get_position()
    height, width = image.shape[:2]
    x = (box.x0 + (place[0] + RANGE) / (2 * RANGE) * box.width) * width
    y = (1.0 - box.y0 - (place[1] + RANGE) / (2 * RANGE) * box.height) * height
    return image[int(y), int(x)] / 255.0


AXES_2 = [[1.0, 0.0], [-1.0, 0.0]]
AXES_3 = [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]


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


def test_the_gif_replays_the_recording_and_rests_at_its_end(three, short):
    recording, material = three
    image = Image.open(io.BytesIO(take_away(recording, material, "gif", words=EN)))
    durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert durations == [80, 80, 80, 80, 320]
    assert image.info["loop"] == 0
    assert image.width <= 960


def test_the_mp4_is_h264_in_the_pixel_format_that_every_player_has(three, short):
    recording, material = three
    with av.open(io.BytesIO(take_away(recording, material, "mp4", words=EN))) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == 5 + 3
    height, width = frames[0].shape[:2]
    assert height % 2 == width % 2 == 0
    assert np.abs(frames[0].astype(int) - frames[4]).max() > 50
    assert np.abs(frames[4].astype(int) - frames[-1]).max() < 50


def test_a_film_of_a_sweep_walks_along_its_members_and_back(sweep):
    recording, _ = sweep
    last = recording.snapshots[-1]
    moments = [moment(recording, last, i) for i in range(21)]
    there = [along(moments, share / 40).margin.m2 for share in range(21)]
    back = [along(moments, 1.0 - share / 40).margin.m2 for share in range(21)]
    assert there == sorted(there) == back
    assert (there[0], there[-1]) == (0.0, 1.0)


def test_a_film_of_a_sweep_has_one_panel_and_a_replay_of_it_five(sweep, short):
    sizes = []
    for walk in (None, False):
        gif = take_away(*sweep, "gif", words=EN, walk=walk)
        sizes.append(Image.open(io.BytesIO(gif)).size)
    assert sizes[0][0] < 720 < sizes[1][0]


def test_the_legend_of_a_walk_knows_what_is_to_come():
    fits, too_large = (
        single([[1.0, 0.0]], AXES_2, Member(margin=Margin(m2=3.0, m3=m3))) for m3 in (0.0, 0.5)
    )
    now, later = (moment(r, r.snapshots[0], 0) for r, _ in (fits, too_large))
    for coming, entries in (((), 0), ((later,), 1)):
        sheet = Sheet([now], fits[0].config, fits[1], EN, "light", None, coming)
        assert sheet.svg().decode().count(EN("figure_infeasible")) == entries


def test_a_sheet_of_a_sweep_says_which_margins_it_shows(sweep):
    text = " ".join(ET.fromstring(take_away(*sweep, "svg", words=EN).decode()).itertext())
    for margin in ("0", "0.25", "0.5", "0.75", "1"):
        assert f"m₂ = {margin} " in text + " "
    assert EN("figure_infeasible") not in text  # four classes have 90 degrees each


def test_moments_between_snapshots_stay_on_the_sphere(three):
    recording, _ = three
    first, last = (
        moment(recording, s, 1) for s in recording.snapshots[:: len(recording.snapshots) - 1]
    )
    middle = between(first, last, 0.5)
    assert np.allclose(np.linalg.norm(middle.embeddings, axis=1), 1.0, atol=1e-5)
    straight = first.embeddings + last.embeddings
    cosine = (straight * middle.embeddings).sum(1) / np.linalg.norm(straight, axis=1)
    assert np.median(cosine) == pytest.approx(1.0, abs=1e-5)


def test_a_replay_starts_with_the_first_snapshot_and_ends_with_the_last(three):
    recording, _ = three
    for share, snapshot in ((0.0, recording.snapshots[0]), (1.0, recording.snapshots[-1])):
        for i, shown in enumerate(replay(recording, [0, 1, 2], share)):
            assert np.array_equal(shown.embeddings, snapshot.embeddings[i])
            assert shown.step == snapshot.step


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_can_be_stopped(three, short, format):
    calls = []

    def stop(done, total):
        calls.append((done, total))
        if done == total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        take_away(*three, format, words=EN, progress=stop)
    assert calls[-1][0] == calls[-1][1] // 2


def test_progress_rises_to_the_end(three, short):
    calls = []
    take_away(*three, "gif", words=EN, progress=lambda *call: calls.append(call))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert {total for _, total in calls} == {6}


def test_a_member_that_diverged_is_named_and_the_others_are_drawn(three, short):
    recording, material = three
    broken = []
    for snapshot in recording.snapshots:
        embeddings = snapshot.embeddings.copy()
        embeddings[1] = np.nan
        broken.append(dataclasses.replace(snapshot, embeddings=embeddings))
    diverged = Recording(recording.config, broken)
    svg = take_away(diverged, material, "svg", words=EN).decode()
    assert " ".join(ET.fromstring(svg).itertext()).count(EN("figure_diverged")) == 1
    assert take_away(diverged, material, "gif", words=EN)


def test_a_diverged_member_of_a_sweep_is_passed_by(sweep):
    recording, _ = sweep
    last = recording.snapshots[-1]
    moments = [moment(recording, last, i) for i in range(3)]
    bad = dataclasses.replace(moments[1], embeddings=moments[1].embeddings * np.nan)
    turned = aligned([moments[0], bad, moments[2]])
    assert np.array_equal(turned[1].prototypes, bad.prototypes)
    assert np.isfinite(turned[2].embeddings).all()


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
