"""A recording comes back as it was saved; a broken one is said in words."""

import io
import json
import zipfile

import numpy as np
import pytest

from facevis.live import Ensemble, Member, Recording, RunConfig
from facevis.live.recording import STATISTICS, is_kept

CONFIG = RunConfig(members=(Member(), Member(objective="triplet")), steps=12)


@pytest.fixture(scope="module")
def recording():
    return Ensemble(CONFIG).record()


def test_steps_are_kept_densely_at_first_and_then_by_tenths():
    kept = [step for step in range(2000) if is_kept(step)]
    assert kept[:4] == [0, 1, 2, 3]
    assert 40 < len(kept) < 80
    ratios = np.array(kept[30:]) / np.array(kept[29:-1])
    assert ratios.max() < 1.12


def test_a_recording_comes_back_to_the_bit(recording, tmp_path):
    path = tmp_path / "run.npz"
    recording.save(path)
    loaded = Recording.load(path)
    assert loaded.config == recording.config
    for ours, theirs in zip(recording.snapshots, loaded.snapshots, strict=True):
        assert ours.step == theirs.step
        for name in ("embeddings", "prototypes", "losses", "statistics", "margins", "scales"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_training_goes_on_from_a_loaded_recording(recording, tmp_path):
    recording.save(tmp_path / "run.npz")
    resumed = Ensemble(CONFIG)
    resumed.restore(Recording.load(tmp_path / "run.npz").state)
    straight = Ensemble(CONFIG)
    straight.train(12)
    np.testing.assert_array_equal(resumed.train(5).numpy(), straight.train(5).numpy())


def test_a_snapshot_cannot_be_written_into(recording):
    with pytest.raises(ValueError, match="read-only"):
        recording.snapshots[0].embeddings[0] = 0.0


def test_statistics_have_names(recording):
    last = recording.snapshots[-1]
    assert last.statistics.shape == (2, len(STATISTICS))
    assert np.isnan(last.statistic("teaching_share")[0])
    assert 0 <= last.statistic("teaching_share")[1] <= 1


def test_a_failed_save_leaves_the_old_file(recording, tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    recording.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(
        "pathlib.Path.write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        recording.save(path)
    assert path.read_bytes() == before


def test_every_cut_of_a_recording_is_refused_in_words(recording):
    data = recording.to_bytes()
    for length in [*range(0, 200, 7), *range(200, len(data), len(data) // 60)]:
        with pytest.raises(ValueError, match="not a whole facevis recording"):
            Recording.from_bytes(data[:length], "cut.npz")


def _with(recording, **changes):
    with np.load(io.BytesIO(recording.to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays.update({name: np.asarray(value) for name, value in changes.items()})
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _header(**fields):
    return np.frombuffer(json.dumps(fields).encode(), np.uint8)


@pytest.mark.parametrize(
    "changes",
    [
        {"header": _header(format="other")},
        {"header": np.frombuffer(b"[1, 2", np.uint8)},
        {"header": _header(format="facevis-recording-1", config={"members": []})},
        {"header": _header(format="facevis-recording-1", config={"members": [{"x": 1}]})},
        {"header": _header(format="facevis-recording-1", config=None)},
        {"steps": [3, 2, 1]},
        {"losses": np.zeros((1, 1))},
        {"embeddings": np.array(["a"])},
        {"embeddings": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_a_tampered_recording_is_refused_in_words(recording, changes):
    with pytest.raises(ValueError, match="not a whole facevis recording"):
        Recording.from_bytes(_with(recording, **changes), "odd.npz")


def test_a_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embeddings.npy", bytes(600 * 2**20))
    with pytest.raises(ValueError, match="unpacks to 600 MiB"):
        Recording.from_bytes(buffer.getvalue(), "bomb.npz")


def test_no_pickle_is_executed(recording, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="not a whole"):
        Recording.from_bytes(buffer.getvalue())
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        Recording.load(tmp_path / "nothing.npz")


def test_a_recording_with_any_byte_damaged_is_read_or_refused_in_words(recording):
    whole = recording.to_bytes()
    places = [*range(0, 400, 5), *range(len(whole) - 1500, len(whole), 7)]
    for place in places:
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        try:
            assert Recording.from_bytes(damaged).config == recording.config
        except ValueError as error:
            assert "not a whole facevis recording" in str(error)


@pytest.mark.parametrize(
    "steps",
    [np.array(3), np.array(["a", "b"]), np.array([0.0, np.inf]), np.array([-3, 2]), np.array([])],
)
def test_steps_that_are_no_rising_whole_numbers_are_refused_in_words(recording, steps):
    with np.load(io.BytesIO(recording.to_bytes())) as archive:
        arrays = {**archive, "steps": steps}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(ValueError, match="not a whole facevis recording"):
        Recording.from_bytes(buffer.getvalue())


def test_a_training_state_of_another_step_is_refused(recording):
    with np.load(io.BytesIO(recording.to_bytes())) as archive:
        arrays = {**archive, "state/taken": np.array(2**62)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(ValueError, match="another step"):
        Recording.from_bytes(buffer.getvalue())


def _of_the_first_format(recording, **config):
    """The bytes that 0.1's first recordings had: eight statistics, no word of unseen identities."""
    with np.load(io.BytesIO(recording.to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(bytes(arrays["header"]).decode())
    for field in ("unseen", "swept"):
        del header["config"][field]
    header = {"format": "facevis-recording-1", "config": {**header["config"], **config}}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    arrays["statistics"] = arrays["statistics"][..., :8]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_a_recording_of_the_first_format_opens_and_knows_nothing_of_the_unseen(recording):
    loaded = Recording.from_bytes(_of_the_first_format(recording))
    assert loaded.config == recording.config
    last, ours = loaded.snapshots[-1], recording.snapshots[-1]
    np.testing.assert_array_equal(last.embeddings, ours.embeddings)
    np.testing.assert_array_equal(last.statistics[:, :8], ours.statistics[:, :8])
    assert np.isnan(last.statistic("unseen_intra")).all()


def test_a_recording_whose_pictures_were_dealt_otherwise_is_refused(recording):
    with pytest.raises(ValueError, match="dealt its pictures otherwise"):
        Recording.from_bytes(_of_the_first_format(recording, images_per_class=20))
