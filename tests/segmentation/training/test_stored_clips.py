"""Tests storing prepared clips on disk, and adding copies of objects and frames without objects to clips."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from segmentation.training.clip_staging import interrupted, with_twin
from segmentation.training.clips import Clip, ClipConfig, Clips
from segmentation.training.sources import Sources
from segmentation.training.stored_clips import ClipStore


def test_a_clip_is_made_once_and_numbers_begin_again(tmp_path: Path) -> None:
    made: list[int] = []

    def make(number: int) -> dict[str, Tensor]:
        made.append(number)
        return {"value": torch.full((2, 3), float(number)).T}

    store = ClipStore(tmp_path / "clips", 3, frozenset({"value"}))
    values = [float(store.get("7-a", number, make)["value"][0, 0]) for number in (0, 1, 4, 3, 1)]
    assert values == [0, 1, 1, 0, 1]
    assert made == [0, 1]
    again = ClipStore(tmp_path / "clips", 3, frozenset({"value"}))
    assert float(again.get("7-a", 1, make)["value"][0, 0]) == 1
    assert float(again.get("8-a", 1, make)["value"][0, 0]) == 1
    assert made == [0, 1, 1]  # clips with another key are other clips, so that clip 1 is made again
    assert not list((tmp_path / "clips").glob("*.part"))


def test_runs_that_store_different_parts_of_the_same_clips_share_a_folder(tmp_path: Path) -> None:
    made: list[str] = []

    def make(names: str, number: int) -> dict[str, Tensor]:
        made.append(names)
        return {name: torch.zeros(2) for name in names}

    few, many = (ClipStore(tmp_path, 3, frozenset(names)) for names in ("ab", "abc"))
    for store, names in ((few, "ab"), (many, "abc"), (few, "ab"), (many, "abc")):
        assert store.get("1-a", 0, partial(make, names)).keys() == set(names)
    assert made == ["ab", "abc"]  # the clip with few parts is made again once, and the one with all parts serves both


def test_clips_of_other_settings_seeds_or_sources_have_another_key(sources: Sources) -> None:
    config = ClipConfig()
    ways = [(sources, config, 1), (sources, config, 2), (sources, replace(config, frames=4), 1)]
    ways.append((replace(sources, stills=()), config, 1))
    assert len({Clips(*way).key for way in ways}) == 4
    assert Clips(sources, ClipConfig(), 1).key == Clips(*ways[0]).key


def test_no_clips_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        ClipStore(tmp_path, 0, frozenset())


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
