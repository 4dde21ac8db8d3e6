"""Tests `RoundLabels`, the masks of a round at the size of an engine's feature maps.

Masks that the session computed and masks that are read from storage must give the same values.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segmentation.session.round_labels import RoundLabels, to_cells


def test_own_and_stored_masks_give_the_same_cells() -> None:
    masks = {t: np.random.default_rng(t).integers(0, 4, (30, 41), dtype=np.uint8) for t in range(3)}
    stored, own = RoundLabels((8, 11), masks), RoundLabels((8, 11))
    for t, mask in masks.items():
        own[t] = to_cells(mask, (8, 11))
        assert torch.equal(own[t], stored[t])
        assert own[t].dtype == torch.int64
    assert 2 in own
    assert 2 in stored


def test_a_frame_that_was_not_reached_is_not_there() -> None:
    labels = RoundLabels((8, 11))
    assert 5 not in labels
    with pytest.raises(KeyError):
        labels[5]


def test_cells_are_the_nearest_pixels_rounded_down() -> None:
    mask = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert to_cells(mask, (2, 2)).tolist() == [[0, 2], [8, 10]]
