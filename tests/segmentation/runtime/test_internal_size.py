"""Tests the size to which frames are resized for a network: it keeps their aspect ratio and respects the limits."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.runtime.internal_size import internal_size, resized_frame


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (480, 854, (480, 854)),
        (1080, 1920, (480, 854)),
        (2160, 3840, (480, 854)),
        (854, 480, (854, 480)),
        (480, 640, (480, 640)),
        (480, 480, (480, 480)),
        (240, 427, (480, 854)),
        (480, 910, (451, 854)),
    ],
)
def test_the_papers_size_fits_every_shape(height: int, width: int, expected: tuple[int, int]) -> None:
    assert internal_size(height, width, (480, 854)) == expected


def test_a_smaller_long_side_shrinks_both() -> None:
    assert internal_size(480, 854, (480, 854), max_side=427) == (240, 427)
    assert internal_size(480, 854, (480, 854), max_side=2000) == (480, 854)


def test_a_very_long_picture_keeps_a_few_rows() -> None:
    assert internal_size(4, 4000, (480, 854)) == (8, 854)


def test_a_frame_of_the_right_size_is_not_touched() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    tensor = resized_frame(frame, (12, 20))
    assert tensor.shape == (1, 3, 12, 20)
    np.testing.assert_array_equal(tensor[0].permute(1, 2, 0).numpy(), frame)


def test_a_frame_is_resized() -> None:
    frame = np.full((12, 20, 3), 90, np.uint8)
    tensor = resized_frame(frame, (24, 40))
    assert tensor.shape == (1, 3, 24, 40)
    assert tensor.min() == pytest.approx(90, abs=1e-3)
