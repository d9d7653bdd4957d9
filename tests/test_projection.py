"""Many dimensions in three: what is said to be exact is exact, and pictures do not flip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facevis.live.frames import encode_snapshot
from facevis.live.projection import (
    Projection,
    Projector,
    angle_bars,
    default_projection,
    parse_projection,
)
from facevis.live.recording import STATISTICS, Snapshot, is_kept


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def moment(seed=0, members=2, points=40, classes=6, dim=16):
    rng = np.random.default_rng(seed)
    shape = (members, points, dim), (members, classes, dim)
    return [rng.standard_normal(each) for each in shape]


@given(
    st.integers(0, 1000), st.sampled_from([4, 16, 512]), st.permutations(range(6)), st.booleans()
)
@settings(max_examples=40, deadline=None)
def test_the_three_prototypes_and_every_cosine_to_them_are_exact(seed, dim, order, near):
    points, centres = moment(seed, dim=dim)
    if near:  # prototypes that hardly differ
        centres = centres[:, :1] + 0.01 * centres
    chosen = order[:3]
    found = Projector(Projection("span", tuple(chosen))).project(points, centres)
    x, w = unit(points), unit(centres)
    for m in range(2):
        ends = found.prototypes[m][chosen].astype(np.float64)
        assert np.linalg.norm(ends, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
        assert np.allclose(ends @ ends.T, w[m][chosen] @ w[m][chosen].T, atol=1e-5)
        cosines = found.embeddings[m].astype(np.float64) @ ends.T
        assert np.allclose(cosines, x[m] @ w[m][chosen].T, atol=1e-5)
        assert (np.linalg.norm(found.embeddings[m], axis=1) <= 1 + 1e-5).all()
        assert ends[0] == pytest.approx([1, 0, 0], abs=1e-5)
        assert abs(ends[1][2]) < 1e-5


def test_the_share_that_is_drawn_is_that_of_the_squared_length():
    points, centres = moment()
    found = Projector(Projection()).project(points, centres)
    shares = np.square(found.embeddings.astype(np.float64)).sum((1, 2)) / points.shape[1]
    assert found.held == pytest.approx(shares, rel=1e-5)
    leading = Projector(Projection("pca", ())).project(points, centres)
    assert (leading.held >= found.held).all()
    values = np.linalg.svd(unit(points)[0], compute_uv=False) ** 2
    assert leading.held[0] == pytest.approx(values[:3].sum() / values.sum(), rel=1e-6)


def test_pca_lies_on_the_sphere_and_does_not_flip_between_frames():
    points, centres = moment(dim=8)
    points[..., :3] *= 6.0  # three directions that lead clearly
    projector = Projector(Projection("pca", ()))
    first = projector.project(points, centres)
    assert np.linalg.norm(first.embeddings, axis=-1) == pytest.approx(1.0, abs=1e-5)
    rng = np.random.default_rng(1)
    for _ in range(20):
        points = points + 0.02 * rng.standard_normal(points.shape)
        last, first = first, projector.project(points, centres)
        assert np.abs(first.embeddings - last.embeddings).max() < 0.5


@pytest.mark.parametrize("projection", [Projection(), Projection("pca", ())])
@pytest.mark.parametrize("fault", ["nan", "zero", "one direction", "inf"])
def test_a_member_without_directions_harms_no_other(projection, fault):
    points, centres = moment()
    expected = Projector(projection).project(points, centres)
    for array in (points, centres):
        array[0] = {"nan": np.nan, "zero": 0.0, "inf": np.inf}.get(fault, array[0, :1])
    found = Projector(projection).project(points, centres)
    assert np.isfinite(found.embeddings).all()
    assert np.isfinite(found.prototypes).all()
    assert np.allclose(found.embeddings[1], expected.embeddings[1], atol=1e-5)


def test_a_member_without_directions_holds_no_share():
    points, centres = moment()
    points[0] = np.nan
    held = Projector(Projection("pca", ())).project(points, centres).held
    assert np.isnan(held[0])
    assert 0 < held[1] <= 1


@pytest.mark.parametrize(("members", "dim"), [(3, 512), (6, 512), (12, 512), (30, 128), (30, 512)])
def test_a_recording_in_many_dimensions_stays_in_memory(members, dim):
    rows = 2000
    kept = [s for s in range(1501) if is_kept(s, members, dim, rows) or s == 1500]
    assert kept[0] == 0
    assert len(kept) * 4 * members * dim * rows <= 256 * 2**20


def test_two_and_three_dimensions_keep_what_they_kept_whatever_their_size():
    for members, dim in ((6, 2), (21, 3), (256, 3)):
        for step in range(2000):
            assert is_kept(step, members, dim, 10**5) == is_kept(step, members, dim)


def test_bars_count_every_angle_once_in_all_dimensions():
    points, centres = moment()
    labels = np.arange(40) % 9  # classes 6, 7, 8 have no prototype
    known = (labels < 6).sum()
    for m, bars in enumerate(angle_bars(points, centres, labels)):
        assert (sum(bars["own"]), sum(bars["others"])) == (known, 5 * known)
        cosines = [unit(points[m, i]) @ unit(centres[m, labels[i]]) for i in range(6)]
        for degrees in np.degrees(np.arccos(cosines)):
            assert bars["own"][int(degrees // 3)] > 0


def test_a_projected_frame_carries_three_dimensions_and_the_bars():
    points, centres = moment()
    snapshot = Snapshot(
        7,
        *(points.astype(np.float32), centres.astype(np.float32), np.zeros(2, np.float32)),
        np.zeros((2, len(STATISTICS)), np.float32),
        *(np.zeros((2, 3), np.float32), np.ones(2, np.float32)),
    )
    frame = encode_snapshot(
        snapshot,
        *(),
        kept=True,
        time_ms=0.0,
        applied=None,
        projector=Projector(Projection()),
        labels=np.arange(40) % 6,
    )
    assert b'"angles":[{"own":' in frame
    assert b'"held":[' in frame
    assert len(frame) % 2 == 0
    assert len(frame) > 2 * 6 * 3 * 4 + 2 * 40 * 3 * 2
    assert len(frame) < 2 * 6 * 16 * 4 + 2 * 40 * 16 * 2 + 4000


def test_a_projection_is_read_from_a_link():
    assert parse_projection("pca", 10) == Projection("pca", ())
    assert parse_projection("span:9,0,4", 10).classes == (9, 0, 4)
    assert parse_projection("span:1,0", 2).classes == (1, 0)
    assert default_projection(2).classes == (0, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "choose one of span, pca"),
        ("umap", "choose one of span, pca"),
        ("span:", "give three numbers"),
        ("span:0,1", "give 3 different ones"),
        ("span:0,1,1", "give 3 different ones"),
        ("span:0,1,10", "a class is 10; give a whole number from 0 to 9"),
        ("span:0,1,-2", "give three numbers"),
        ("span:0,1,2,3", "give 3 different ones"),
        ("span:0,1,٢", "give three numbers"),
        ("span:" + "9" * 5000, "give three numbers"),
    ],
)
def test_what_names_no_projection_is_said(text, words):
    with pytest.raises(ValueError, match=words) as raised:
        parse_projection(text, 10)
    assert len(str(raised.value)) < 200
