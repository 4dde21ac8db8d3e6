"""Tests the crop around an object that IPN computes on: its size and place, and warping back to the frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segmentation.engines.ipn.region import Box, Region, RegionConfig, box_around

CONFIG = RegionConfig()


def mask_with(top: int, bottom: int, left: int, right: int, size: tuple[int, int] = (480, 854)) -> np.ndarray:
    mask = np.zeros(size, np.float32)
    mask[top : bottom + 1, left : right + 1] = 0.49
    return mask


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        # a mask of 201 x 301 pixels gives a box 1.5 times as large
        ((100, 300, 200, 500), Box(200, 350, 301.5, 451.5)),
        # a mask of 11 pixels is first enlarged to 129 pixels, so that its ends are 128 apart
        ((240, 250, 400, 410), Box(245, 405, 193.5, 193.5)),
        # at the border, the box reaches at most 5 pixels out of the frame
        ((0, 300, 0, 500), Box(185.125, 310.125, 381.25, 631.25)),
    ],
)
def test_a_box_is_enlarged_scaled_and_clamped(sides: tuple[int, int, int, int], expected: Box) -> None:
    assert box_around([mask_with(*sides)], CONFIG) == pytest.approx(expected)


def test_masks_and_scribbles_make_one_box() -> None:
    both = box_around([mask_with(100, 150, 200, 250), mask_with(250, 300, 450, 500)], CONFIG)
    assert both == box_around([mask_with(100, 300, 200, 500)], CONFIG)


def test_weak_masks_do_not_count_and_nothing_is_the_whole_frame() -> None:
    assert box_around([0.99 * mask_with(100, 300, 200, 500)], CONFIG) == Box(240, 427, 491, 865)


def test_what_is_sampled_and_warped_back_is_where_it_was() -> None:
    y, x = torch.meshgrid(torch.linspace(-3, 3, 120), torch.linspace(-4, 4, 160), indexing="ij")
    picture = torch.exp(-(x**2 + y**2))[None, None]
    region = Region([Box(60, 80, 100, 120)], 120, 160, 256, "cpu")
    back = region.warp_back(region.sample(picture))
    inside = (..., slice(20, 100), slice(30, 130))
    assert (back[inside] - picture[inside]).abs().max() < 0.06  # warping there and back shifts by less than a pixel
    assert back[..., :5, :].abs().max() == 0
