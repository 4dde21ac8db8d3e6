"""Tests of how the given masks of a frame replace computed ones."""

from __future__ import annotations

import numpy as np
import torch

from segmentation.engines.star.given import Given, with_given


def test_look_alikes_give_way_to_an_object_whose_mask_is_given() -> None:
    masks = torch.full((2, 1, 4), 0.4)  # An object, and its look-alikes.
    drawn = Given(np.zeros((8, 32), np.uint8), torch.tensor([[[1.0, 0.5, 0.0, 0.0]]]), torch.ones(1)).with_rows(2)
    found = with_given(masks, drawn, 1)
    assert torch.allclose(found, torch.tensor([[[1.0, 0.5, 0.0, 0.0]], [[0.0, 0.2, 0.4, 0.4]]]))


def test_objects_that_the_given_mask_does_not_know_keep_their_masks() -> None:
    masks = torch.full((2, 1, 2), 0.4)
    drawn = Given(np.zeros((8, 16), np.uint8), torch.ones(2, 1, 2), torch.tensor([0.0, 1.0]))
    assert torch.equal(with_given(masks, drawn, 2), torch.tensor([[[0.4, 0.4]], [[1.0, 1.0]]]))
