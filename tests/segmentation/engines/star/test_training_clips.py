from __future__ import annotations

import numpy as np
import pytest

from segmentation.engines.star.training_clips import drawn_mask, prepared
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
