"""Tests the clips whose features of the frozen trunk are stored, and the windows that are cut out of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segmentation.engines.star import training_clips
from segmentation.training.clips import Clip
from segmentation.training.trunk_clips import PreparedClip, prepared, windows_of
from segmentation.types import IGNORE
from tests.segmentation.clips import make_clip


@pytest.fixture(scope="module")
def clip() -> Clip:
    made = make_clip(length=4, height=96, width=128, num_objects=2)
    return Clip(made.frames, made.truth, 2)


@pytest.fixture(scope="module")
def parts(clip: Clip) -> PreparedClip:
    return prepared(clip, np.random.default_rng(3), max_objects=2)


def test_a_clip_is_stored_as_the_same_parts_that_star_stores(
    clip: Clip, parts: PreparedClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_clips, "drawn_mask", lambda clip, random: np.full_like(clip.labels, IGNORE))
    stored = training_clips.prepared(clip, np.random.default_rng(3), max_objects=2)
    assert parts.keys() <= stored.keys()
    for name, part in parts.items():
        assert part.dtype == stored[name].dtype
        torch.testing.assert_close(part, stored[name])


def test_all_parts_of_a_window_show_the_same_place(parts: PreparedClip) -> None:
    y, x = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    place = dict(parts)
    place["labels"] = torch.stack([y, x])
    for name, stride in (("f4", 2), ("f8", 4), ("f16", 8), ("f32", 16)):
        place[name] = torch.stack([y, x])[:, ::stride, ::stride]
    for seed in range(12):
        cut = windows_of(place, (2, 3), np.random.default_rng(seed))
        assert cut["f32"].shape == (2, 2, 3)
        mirrored = bool(cut["labels"][1, 0, 0] > cut["labels"][1, 0, -1])
        for name, stride in (("f4", 2), ("f8", 4), ("f16", 8), ("f32", 16)):
            shown = cut["labels"].flip(-1) if mirrored else cut["labels"]
            found = cut[name].flip(-1) if mirrored else cut[name]
            torch.testing.assert_close(found, shown[:, ::stride, ::stride])


def test_a_window_larger_than_the_frames_is_the_whole_frame(parts: PreparedClip) -> None:
    cut = windows_of(parts, (99, 99), np.random.default_rng(0))
    assert torch.equal(cut["f4"], parts["f4"]) or torch.equal(cut["f4"], parts["f4"].flip(-1))
    assert int(cut["objects"]) == int(parts["objects"])
