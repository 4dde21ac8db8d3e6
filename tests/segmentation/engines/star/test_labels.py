"""Tests how STAR's probability maps are upsampled to masks at the size of the video."""

from __future__ import annotations

import numpy as np
import torch

from segmentation.engines.star.labels import upsample_labels


def test_a_region_keeps_its_place_and_its_id() -> None:
    probabilities = torch.zeros(3, 12, 16)
    probabilities[0] = 1
    probabilities[:, 3:6, 4:9] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    probabilities[:, 8:10, 12:16] = torch.tensor([0.0, 0.0, 1.0])[:, None, None]
    labels = upsample_labels(probabilities, [2, 7], (48, 64))
    wanted = np.zeros((48, 64), np.uint8)
    wanted[12:24, 16:36], wanted[32:40, 48:64] = 2, 7
    assert (labels != wanted).mean() < 0.01


def test_nothing_found_is_an_empty_mask() -> None:
    probabilities = torch.zeros(2, 5, 7)
    probabilities[0] = 1
    assert not upsample_labels(probabilities, [1], (33, 50)).any()


def test_a_part_is_enlarged_as_the_whole_would_be() -> None:
    random = torch.Generator().manual_seed(0)
    probabilities = torch.zeros(2, 20, 30)
    probabilities[1, 5:12, 8:20] = torch.rand(7, 12, generator=random)
    probabilities[0] = 1 - probabilities[1]
    labels = upsample_labels(probabilities, [1], (77, 91))
    large = torch.nn.functional.interpolate(probabilities[None], (77, 91), mode="bilinear", align_corners=False)[0]
    assert (labels != large.argmax(0).numpy()).mean() < 0.002
