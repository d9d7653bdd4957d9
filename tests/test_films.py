"""A film is the recording: the right frames, in the formats that every player has."""

import dataclasses
import io
import xml.etree.ElementTree as ET

import av
import numpy as np
import pytest
from drawn import AXES_2, EN, THREE, recorded, single
from PIL import Image, ImageSequence

from facevis.figures import FORMATS, Cancelled, film, take_away
from facevis.figures.moments import aligned, along, between, moment, replay
from facevis.figures.sheet import Sheet
from facevis.live import Member, Recording
from facevis.live.sweep import sweep_config
from facevis.margins import Margin


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


def test_a_diverged_member_of_a_sweep_is_passed_by(sweep):
    recording, _ = sweep
    last = recording.snapshots[-1]
    moments = [moment(recording, last, i) for i in range(3)]
    bad = dataclasses.replace(moments[1], embeddings=moments[1].embeddings * np.nan)
    turned = aligned([moments[0], bad, moments[2]])
    assert np.array_equal(turned[1].prototypes, bad.prototypes)
    assert np.isfinite(turned[2].embeddings).all()


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
