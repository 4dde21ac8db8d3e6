"""Tests computing a mask from the scores of all ids, and the confidence of objects.

To save memory, the mask is computed from one id at a time. It must equal the argmax over the upsampled scores of all
ids.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segmentation.networks.labelling import confidences, upsampled_argmax


@pytest.mark.parametrize("align_corners", [True, False])
def test_it_is_the_argmax_of_all_upsampled_scores(align_corners: bool) -> None:
    scores = torch.randn(4, 9, 13)
    full = F.interpolate(scores[None], size=(37, 50), mode="bilinear", align_corners=align_corners)[0]
    ids = np.array([0, 2, 5, 9])
    got = upsampled_argmax(scores, ids.tolist(), (37, 50), align_corners)
    np.testing.assert_array_equal(got, ids[full.argmax(0).numpy()])
    assert got.dtype == np.uint8


def test_of_equal_scores_the_first_id_stays() -> None:
    assert (upsampled_argmax(torch.zeros(3, 2, 2), [0, 1, 2], (4, 4)) == 0).all()


def test_a_single_id_gets_every_pixel() -> None:
    assert (upsampled_argmax(torch.randn(1, 2, 2), [0], (4, 4)) == 0).all()


def test_confidence_is_the_mean_over_the_cells_won() -> None:
    probability = torch.tensor([[[0.9, 0.3]], [[0.1, 0.7]], [[0.0, 0.0]]])
    assert confidences(probability) == pytest.approx([0.9, 0.7, 1.0])


def test_an_object_that_nearly_won_is_not_surely_absent() -> None:
    probability = torch.tensor([[[0.6]], [[0.4]]])
    assert confidences(probability)[1] == pytest.approx(0.6)
