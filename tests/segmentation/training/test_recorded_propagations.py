"""Tests recordings of propagations, and the training clips that are made from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.engines.star import cutter_objective
from segmentation.training.clips import ClipConfig
from segmentation.training.plan import load_plan
from segmentation.training.recorded_clips import RecordedClips
from segmentation.training.recorded_propagations import load, main, record, save
from segmentation.training.sources import Sources
from segmentation.types import IGNORE
from tests.segmentation.training.training_steps import make_clips


@pytest.fixture
def recordings(sources: Sources, tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(2):
        recording = record(sources.videos[0], np.random.default_rng(number))
        assert recording is not None
        save(recording, folder / f"moving-{number}")
    return folder


def test_a_recording_is_kept_with_all_that_a_clip_needs(sources: Sources, recordings: Path) -> None:
    made = record(sources.videos[0], np.random.default_rng(0))
    assert made is not None
    kept = load(recordings / "moving-0.json")
    assert (kept.video, kept.frames, kept.drawn, kept.numbers) == (made.video, made.frames, made.drawn, made.numbers)
    np.testing.assert_array_equal(kept.probability, made.probability)
    for round_, frame in enumerate(kept.drawn):
        assert set(np.unique(kept.probability[round_, frame])) <= {0, 255}  # annotated frames have a mask
    assert (kept.probability[0, kept.drawn[0]] == 255).any()
    for strokes, again in zip(made.strokes, kept.strokes, strict=True):
        for stroke, same in zip(strokes, again, strict=True):
            assert stroke.object_id == same.object_id
            np.testing.assert_allclose(stroke.path, same.path)


def test_recordings_of_a_video_with_a_point_in_its_name_are_kept_apart(sources: Sources, tmp_path: Path) -> None:
    made = record(replace(sources.videos[0], name="moving.v2"), np.random.default_rng(0))
    assert made is not None
    for number in range(2):
        save(made, tmp_path / f"moving.v2-{number}")
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["moving.v2-0.json", "moving.v2-1.json"]
    np.testing.assert_array_equal(load(tmp_path / "moving.v2-1.json").probability, made.probability)


def test_corrections_make_a_recording_better(sources: Sources) -> None:
    recording = record(sources.videos[0], np.random.default_rng(1))
    assert recording is not None
    assert len(recording.drawn) > 1
    truth = np.stack([sources.videos[0].load(i, 240)[1] for i in recording.frames])
    wrong = []
    for found in recording.probability:
        masks = np.where(found.max(axis=1) > 127, found.argmax(axis=1) + 1, 0)
        shown = np.isin(truth, recording.numbers)
        wrong.append((shown != (masks > 0)).mean())
    assert wrong[-1] <= wrong[0]


def test_pairs_are_neighbours_with_what_was_found_in_the_first(sources: Sources, recordings: Path) -> None:
    clips = RecordedClips(recordings, sources.videos)
    overlaps = []
    for number in range(12):
        clip, found = clips.draw_pair(np.random.default_rng(number), (48, 64))
        assert clip.frames.shape == (2, 48, 64, 3)
        assert found.shape == (clip.num_objects, 48, 64)
        assert not np.array_equal(clip.frames[0], clip.frames[1])
        shown, truth = found.max(axis=0) > 127, (clip.labels[0] > 0) & (clip.labels[0] != IGNORE)
        overlaps.append((shown & truth).sum() / max(1, (shown | truth).sum()))
    assert 0.3 < np.mean(overlaps) < 0.98


def test_the_cutter_learns_to_correct_what_was_found_on_recordings(sources: Sources, recordings: Path) -> None:
    plan = replace(load_plan("star-cut", "compact"), network={"widths": [4, 8, 12, 16], "skip": 4})
    objective = cutter_objective.Objective(
        plan, torch.device("cpu"), recordings=RecordedClips(recordings, sources.videos)
    )
    made = make_clips(objective, sources, ClipConfig(frames=2, height=64, width=96, max_objects=2), 10)
    loss, figures = objective.loss(made, np.random.default_rng(0))
    assert torch.isfinite(loss)
    assert {"j_first", "j_corrected"} <= set(figures)


def test_an_empty_folder_and_foreign_recordings_are_refused(sources: Sources, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no recordings"):
        RecordedClips(tmp_path / "nowhere", sources.videos)
    with pytest.raises(ValueError, match="which are not among the videos"):
        RecordedClips(recordings, sources.validation)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
