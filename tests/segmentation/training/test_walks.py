"""Recorded walks: what is kept of them, and the clips that are cut out of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from segmentation.training.lessons.star import Lesson
from segmentation.training.plan import load_plan
from segmentation.training.sources import IGNORE, Sources
from segmentation.training.walk_clips import WalkClips
from segmentation.training.walks import load, main, record, save


@pytest.fixture
def walks(sources: Sources, tmp_path: Path) -> Path:
    folder = tmp_path / "walks"
    folder.mkdir()
    for number in range(2):
        walk = record(sources.videos[0], np.random.default_rng(number))
        assert walk is not None
        save(walk, folder / f"moving-{number}")
    return folder


def test_a_walk_is_kept_with_all_that_a_clip_needs(sources: Sources, walks: Path) -> None:
    made = record(sources.videos[0], np.random.default_rng(0))
    assert made is not None
    kept = load(walks / "moving-0.json")
    assert (kept.shot, kept.frames, kept.start, kept.numbers) == (made.shot, made.frames, made.start, made.numbers)
    np.testing.assert_array_equal(kept.probability, made.probability)
    assert all((kept.probability[kept.start, n] == 255).any() for n in range(len(kept.numbers)))
    assert kept.probability.max(axis=(2, 3)).min() >= 0
    for stroke, again in zip(made.strokes, kept.strokes, strict=True):
        np.testing.assert_allclose(stroke.path, again.path)


def test_clips_show_the_same_view_of_picture_truth_and_what_was_found(sources: Sources, walks: Path) -> None:
    clips = WalkClips(walks, sources.videos)
    overlaps = []
    for number in range(12):
        drawn = clips.draw(np.random.default_rng(number), 3, (48, 64))
        assert drawn.clip.frames.shape == (3, 48, 64, 3)
        assert drawn.guess is not None
        assert drawn.guess.shape == (3, drawn.clip.num_objects, 48, 64)
        assert set(np.unique(drawn.clip.labels)) <= {*range(drawn.clip.num_objects + 1), IGNORE}
        for object_id in range(1, drawn.clip.num_objects + 1):
            found, truth = drawn.guess[0, object_id - 1] > 127, drawn.clip.labels[0] == object_id
            if truth.any():
                overlaps.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(overlaps) > 0.5  # a view that is off by a few pixels has nothing of a small object left


def test_star_learns_from_walks(sources: Sources, walks: Path) -> None:
    torch.manual_seed(0)
    tiny = {"widths": [4, 6, 8, 10], "blocks": 1, "key": 8, "value": 8, "decoder": [8, 6, 4], "skips": [4, 4, 4]}
    plan = replace(load_plan("star", "compact"), network=tiny)
    lesson = Lesson(plan, torch.device("cpu"), walks=WalkClips(walks, sources.videos))
    clip = lesson.walks.draw(np.random.default_rng(0), 3, (32, 48)).clip if lesson.walks else None
    assert clip is not None
    prepared = [lesson.prepare(clip, np.random.default_rng(number)) for number in range(4)]
    assert any(drawn.guess is not None for drawn in prepared)
    loss, figures = lesson.loss(prepared, np.random.default_rng(0))
    loss.backward()
    assert torch.isfinite(loss)
    assert {"j_first", "j_next", "j_corrected"} <= set(figures)


def test_an_empty_folder_and_foreign_walks_are_refused(sources: Sources, walks: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no walks"):
        WalkClips(tmp_path / "nowhere", sources.videos)
    with pytest.raises(ValueError, match="which are not among the videos"):
        WalkClips(walks, sources.validation)


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "is not a folder" in capsys.readouterr().err
