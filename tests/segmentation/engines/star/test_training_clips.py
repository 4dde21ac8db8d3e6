from __future__ import annotations

import numpy as np
import pytest
import torch

from segmentation.engines.star.training_clips import drawn_mask, prepared, usable_drawn_masks
from segmentation.training.clips import Clip
from segmentation.types import IGNORE
from tests.segmentation.clips import make_clip


@pytest.fixture
def clip() -> Clip:
    made = make_clip(length=4, height=96, width=128, num_objects=2)
    return Clip(made.frames, made.truth, 2)


def test_one_frame_of_a_clip_gets_the_mask_that_star_draws_from_scribbles(clip: Clip) -> None:
    drawn = drawn_mask(clip, np.random.default_rng(0))
    frames = [t for t in range(4) if (drawn[t] != IGNORE).any()]
    assert len(frames) == 1
    shown, truth = drawn[frames[0]], clip.labels[frames[0]]
    assert set(np.unique(shown)) <= {0, 1, 2}
    overlap = ((shown > 0) & (truth > 0)).sum() / ((shown > 0) | (truth > 0)).sum()
    assert 0.4 < overlap < 1


def test_a_clip_without_objects_gets_no_drawn_mask(clip: Clip) -> None:
    empty = Clip(clip.frames, np.zeros_like(clip.labels), 1)
    assert (drawn_mask(empty, np.random.default_rng(0)) == IGNORE).all()


def test_drawn_masks_have_the_size_of_the_labels_of_a_prepared_clip(clip: Clip) -> None:
    parts = prepared(clip, np.random.default_rng(0), max_objects=3)
    assert parts["drawn"].shape == parts["labels"].shape == (4, 48, 64)


def test_a_drawn_mask_that_is_mostly_wrong_is_not_used() -> None:
    truth = torch.zeros(3, 20, 20, dtype=torch.uint8)
    truth[:, 5:15, 5:15] = 1
    clip = {"labels": truth, "drawn": torch.full_like(truth, IGNORE), "objects": torch.tensor(1)}
    assert (usable_drawn_masks(clip) == IGNORE).all()
    clip["drawn"][1] = 0
    clip["drawn"][1, 5:15, 5:13] = 1  # J 0.8
    np.testing.assert_array_equal(usable_drawn_masks(clip), clip["drawn"])
    clip["drawn"][1, :, :] = 1  # J 0.25
    assert (usable_drawn_masks(clip) == IGNORE).all()
    assert (usable_drawn_masks({"labels": truth, "objects": torch.tensor(1)}) == IGNORE).all()
