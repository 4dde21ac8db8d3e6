"""Tests storing prepared clips on disk, and adding copies of objects and frames without objects to clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.training.clip_staging import interrupted, with_twin
from segmentation.training.clips import Clip
from segmentation.training.stored_clips import ClipStore


def test_a_clip_is_made_once_and_numbers_begin_again(tmp_path: Path) -> None:
    made: list[int] = []

    def make(number: int) -> dict[str, Tensor]:
        made.append(number)
        return {"value": torch.full((2, 3), float(number)).T}

    store = ClipStore(tmp_path / "clips", count=3)
    values = [float(store.get(7, number, make)["value"][0, 0]) for number in (0, 1, 4, 3, 1)]
    assert values == [0, 1, 1, 0, 1]
    assert made == [0, 1]
    again = ClipStore(tmp_path / "clips", count=3)
    assert float(again.get(7, 1, make)["value"][0, 0]) == 1
    assert float(again.get(8, 1, make)["value"][0, 0]) == 1
    assert made == [0, 1, 1]  # another seed has other clips, so that clip 1 is made again
    assert not list((tmp_path / "clips").glob("*.part"))


def test_no_clips_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        ClipStore(tmp_path, 0)


def clip() -> Clip:
    frames = np.random.default_rng(0).integers(0, 255, (5, 60, 90, 3), np.uint8)
    labels = np.zeros((5, 60, 90), np.uint8)
    labels[:, 20:35, 30:45] = 1
    return Clip(frames, labels, 1)


def test_an_interrupted_clip_shows_nothing_in_one_frame_of_its_middle() -> None:
    for seed in range(12):
        shown = interrupted(clip(), np.random.default_rng(seed))
        changed = [t for t in range(5) if not np.array_equal(shown.frames[t], clip().frames[t])]
        assert len(changed) == 1
        assert changed[0] in (2, 3)
        assert not shown.labels[changed[0]].any()


def test_a_twin_never_covers_the_object_and_is_named_only_when_asked_for() -> None:
    named = 0
    for seed in range(12):
        for name in (False, True):
            twin = with_twin(clip(), np.random.default_rng(seed), named=name)
            np.testing.assert_array_equal(twin.labels == 1, clip().labels == 1)
            inside = clip().labels == 1
            np.testing.assert_array_equal(twin.frames[inside], clip().frames[inside])
            if not name:
                assert twin.num_objects == 1
                assert set(np.unique(twin.labels)) == {0, 1}
            named += twin.num_objects == 2
    assert named > 4
