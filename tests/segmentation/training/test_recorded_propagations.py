"""Recorded propagations, and the clips that are made from them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.checkpoints import save_checkpoint
from segmentation.cutter.refinement import RefinementNet, RefinementNetConfig
from segmentation.engines.star.network import Star, StarConfig
from segmentation.training.clips import ClipConfig, Clips
from segmentation.training.objectives import star_cut
from segmentation.training.objectives.star import Objective
from segmentation.training.plan import load_plan
from segmentation.training.recorded_clips import RecordedClips
from segmentation.training.recorded_propagations import load, main, record, save
from segmentation.training.sources import Sources
from segmentation.training.star_clips import draw
from segmentation.training.star_recorder import StarRecorder, load_star
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
    assert (kept.shot, kept.frames, kept.drawn, kept.numbers) == (made.shot, made.frames, made.drawn, made.numbers)
    np.testing.assert_array_equal(kept.probability, made.probability)
    for round_, frame in enumerate(kept.drawn):
        assert set(np.unique(kept.probability[round_, frame])) <= {0, 255}  # what was drawn is a mask
    assert (kept.probability[0, kept.drawn[0]] == 255).any()
    for strokes, again in zip(made.strokes, kept.strokes, strict=True):
        for stroke, same in zip(strokes, again, strict=True):
            assert stroke.object_id == same.object_id
            np.testing.assert_allclose(stroke.path, same.path)


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


def test_clips_show_the_same_view_of_picture_truth_and_what_was_found(sources: Sources, recordings: Path) -> None:
    clips = RecordedClips(recordings, sources.videos)
    overlaps, twice = [], 0
    for number in range(24):
        drawn = clips.draw(np.random.default_rng(number), 4, (48, 64))
        assert drawn.clip.frames.shape == (4, 48, 64, 3)
        assert drawn.recorded
        assert drawn.guess.shape == (4, drawn.clip.num_objects, 48, 64)
        assert set(np.unique(drawn.clip.labels)) <= {*range(drawn.clip.num_objects + 1), IGNORE}
        twice += not np.array_equal(drawn.clip.frames[0], drawn.clip.frames[1])
        for object_id in range(1, drawn.clip.num_objects + 1):
            found, truth = drawn.guess[0, object_id - 1] > 127, drawn.clip.labels[0] == object_id
            if truth.any():
                overlaps.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(overlaps) > 0.5  # a view that is off by a few pixels has nothing of a small object left
    assert twice  # clips of later rounds have two frames that were drawn on


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
    objective = star_cut.Objective(plan, torch.device("cpu"), recordings=RecordedClips(recordings, sources.videos))
    made = make_clips(objective, sources, ClipConfig(frames=2, height=64, width=96, max_objects=2), 10)
    loss, figures = objective.loss(made, np.random.default_rng(0))
    assert torch.isfinite(loss)
    assert {"j_first", "j_corrected"} <= set(figures)


def test_made_up_clips_begin_with_masks_of_what_was_drawn(sources: Sources) -> None:
    clips = Clips(sources, ClipConfig(frames=4, height=48, width=64), seed=3)
    for number in range(6):
        drawn = draw(clips[number], np.random.default_rng(number))
        count = drawn.clip.num_objects
        assert drawn.guess.shape == (4, count, 48, 64)
        assert not drawn.recorded
        assert {stroke.object_id for stroke in drawn.strokes[0]} - {0} == set(range(1, count + 1))
        same = np.array_equal(drawn.clip.frames[0], drawn.clip.frames[1])
        assert same == (drawn.strokes[0] is drawn.strokes[1])
        if not same:  # the second one is as if it had been corrected until it was right
            truth = drawn.clip.labels[1] == np.arange(1, count + 1)[:, None, None]
            np.testing.assert_array_equal(drawn.guess[1] == 255, truth)


def test_star_learns_from_recordings(sources: Sources, recordings: Path) -> None:
    torch.manual_seed(0)
    tiny = {"widths": [4, 6, 8, 10], "blocks": 1, "key": 8, "value": 8, "decoder": [8, 6, 4], "skips": [4, 4, 4]}
    plan = replace(load_plan("star", "compact"), network=tiny)
    objective = Objective(plan, torch.device("cpu"), recordings=RecordedClips(recordings, sources.videos))
    clip = Clips(sources, ClipConfig(frames=4, height=32, width=48), seed=3)[0]
    prepared = [objective.prepare(clip, np.random.default_rng(number)) for number in range(8)]
    assert {drawn.recorded for drawn in prepared} == {True, False}
    loss, figures = objective.loss(prepared, np.random.default_rng(0))
    loss.backward()
    assert torch.isfinite(loss)
    assert set(figures) == {"j_before", "j_next", "j_both"}


def test_an_empty_folder_and_foreign_recordings_are_refused(sources: Sources, recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no recordings"):
        RecordedClips(tmp_path / "nowhere", sources.videos)
    with pytest.raises(ValueError, match="which are not among the videos"):
        RecordedClips(recordings, sources.validation)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_recordings_of_star_are_recorded_before_its_network_has_a_say(sources: Sources) -> None:
    torch.manual_seed(0)
    tiny = StarConfig((4, 6, 8, 10), blocks=1, key=8, value=8, decoder=(8, 6, 4), skips=(4, 4, 4))
    plain = record(sources.videos[0], np.random.default_rng(0))
    made = record(sources.videos[0], np.random.default_rng(0), partial(StarRecorder, network=Star(tiny).eval()))
    assert plain is not None
    assert made is not None
    assert made.drawn[0] == plain.drawn[0]
    beside = [made.drawn[0] + step for step in (-1, 1) if 0 <= made.drawn[0] + step < len(made.frames)]
    for frame in beside:  # nothing was refined on the way to these
        np.testing.assert_array_equal(made.probability[0, frame], plain.probability[0, frame])
    assert not np.array_equal(made.probability[0], plain.probability[0])


def test_recordings_of_star_use_the_cutter_that_is_beside_its_network(sources: Sources, tmp_path: Path) -> None:
    torch.manual_seed(0)
    star = Star(StarConfig((4, 6, 8, 10), blocks=1, key=8, value=8, decoder=(8, 6, 4), skips=(4, 4, 4)))
    cutter = RefinementNet(RefinementNetConfig(widths=(4, 8, 12), skip=4))
    torch.nn.init.constant_(cutter.out.get_parameter("bias"), 50.0)  # says object everywhere
    save_checkpoint(tmp_path / "star.safetensors", "star", star)
    save_checkpoint(tmp_path / "star-cut.safetensors", "star-cut", cutter)
    without, made = (
        record(sources.videos[0], np.random.default_rng(0), partial(StarRecorder, network=network, cutter=drawer))
        for network, drawer in ((star.eval(), None), load_star(tmp_path))
    )
    assert without is not None
    assert made is not None
    first = made.drawn[0]
    assert made.probability[0, first].mean() > 1.3 * without.probability[0, first].mean()
