"""Tests the interpolation of masks: between two frames, shapes move and change evenly."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.interpolation import between
from segmentation.types import BinaryMask


def disc(x: float, y: float, radius: float, size: int = 80) -> BinaryMask:
    rows, columns = np.mgrid[:size, :size]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def overlap(first: BinaryMask, second: BinaryMask) -> float:
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_a_shape_that_moves_keeps_its_form(share: float) -> None:
    found = between(disc(15, 20, 10), disc(60, 50, 10), share)
    assert overlap(found, disc(15 + 45 * share, 20 + 30 * share, 10)) > 0.93


def test_a_shape_that_grows_grows_evenly() -> None:
    assert overlap(between(disc(40, 40, 8), disc(40, 40, 20), 0.5), disc(40, 40, 14)) > 0.95


def test_the_ends_are_the_masks_themselves() -> None:
    first, last = disc(15, 20, 10), disc(60, 50, 14)
    assert (between(first, last, 0) == first).all()
    assert (between(first, last, 1) == last).all()


def test_an_object_that_goes_is_there_for_half_of_the_way() -> None:
    first, last = disc(15, 20, 10), np.zeros((80, 80), bool)
    assert (between(first, last, 0.4) == first).all()
    assert not between(first, last, 0.6).any()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one size"):
        between(disc(15, 20, 10), disc(15, 20, 10, 40), 0.5)
    with pytest.raises(ValueError, match="share: 2"):
        between(disc(15, 20, 10), disc(15, 20, 10), 2)
