"""Tests soft mattes, for example of a drawn circle whose true alpha is known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from segmentation.formats import matte
from segmentation.formats.matte import soft_matte
from segmentation.types import FloatMap, Image


def _circle() -> tuple[Image, FloatMap]:
    """Return a frame with a blurred disk, and the true share of each pixel that the disk covers."""
    y, x = np.mgrid[:120, :160]
    alpha = np.clip((40 - np.hypot(x - 80, y - 60)) / 4 + 0.5, 0, 1).astype(np.float32)
    colours = alpha[..., None] * (210, 60, 40) + (1 - alpha[..., None]) * (40, 90, 160)
    return np.round(colours).astype(np.uint8), alpha


def test_the_alpha_of_a_blurred_edge_is_found() -> None:
    picture, alpha = _circle()
    matte = soft_matte(picture, alpha > 0.5)
    assert matte.dtype == np.float32
    soft = (alpha > 0.05) & (alpha < 0.95)
    hard = np.abs((alpha > 0.5) - alpha)[soft].mean()
    assert np.abs(matte - alpha)[soft].mean() < 0.4 * hard


def test_far_from_the_edge_the_matte_is_the_mask() -> None:
    picture, alpha = _circle()
    matte = soft_matte(picture, alpha > 0.5)
    y, x = np.mgrid[:120, :160]
    away = np.abs(np.hypot(x - 80, y - 60) - 40) > 8
    np.testing.assert_array_equal(matte[away], (alpha > 0.5)[away].astype(np.float32))


def test_the_soft_edge_has_the_wanted_width() -> None:
    mask = np.zeros((60, 80), np.bool_)
    mask[:, 40:] = True
    flat = np.full((60, 80, 3), 128, np.uint8)
    np.testing.assert_array_equal(soft_matte(flat, mask, 0), mask.astype(np.float32))
    for reach in (1, 3, 6):
        row = soft_matte(flat, mask, reach)[30]
        soft = np.flatnonzero((row > 0) & (row < 1))
        assert (soft[0], soft[-1]) == (40 - reach, 39 + reach)


@pytest.mark.parametrize("whole", [False, True])
def test_a_mask_without_an_edge_stays(whole: bool) -> None:
    picture, _ = _circle()
    np.testing.assert_array_equal(soft_matte(picture, np.full((120, 160), whole)), np.float32(whole))


def test_a_mask_of_one_pixel_is_possible() -> None:
    mask = np.zeros((3, 4), np.bool_)
    mask[1, 2] = True
    matte = soft_matte(np.zeros((3, 4, 3), np.uint8), mask)
    assert 0 < matte[1, 2] <= 1
    assert matte.max() <= 1


def test_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueError, match=r"mask: \(2, 2\).*\(3, 4\)"):
        soft_matte(np.zeros((3, 4, 3), np.uint8), np.ones((2, 2), np.bool_))


def _noisy_frame(height: int, width: int) -> tuple[Image, np.ndarray]:
    """Return a frame of noise, and the mask of a large disk in it."""
    y, x = np.mgrid[:height, :width]
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return picture, np.hypot(x - width / 2, y - height / 2) < 0.45 * height


def test_the_bands_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, mask = _noisy_frame(300, 200)
    monkeypatch.setattr(matte, "BAND_ROWS", 1000)
    whole = soft_matte(picture, mask)
    monkeypatch.setattr(matte, "BAND_ROWS", 16)
    np.testing.assert_allclose(soft_matte(picture, mask), whole, atol=1e-5)


def test_a_large_frame_takes_little_memory() -> None:
    picture, mask = _noisy_frame(1600, 1600)
    tracemalloc.start()
    try:
        soft_matte(picture, mask)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60 * mask.size
