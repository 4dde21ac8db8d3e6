"""Tests that outlines describe a mask exactly, and that regions and holes are told apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from segmentation.formats.contours import Region, trace


def filled(regions: list[Region], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    for region in regions:
        for ring in (region.outline, *region.holes):
            for (x, y), (_, end) in zip(ring, [*ring[1:], ring[0]], strict=True):
                mask[min(y, end) : max(y, end), x:] ^= True
    return mask


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_hold_the_mask_exactly(mask: NDArray[np.bool_]) -> None:
    regions = trace(mask)
    np.testing.assert_array_equal(filled(regions, mask.shape), mask)
    for region in regions:
        assert (filled([region], mask.shape) <= mask).all(), "a region covers pixels outside the mask"
        corners = [region.outline, *region.holes]
        assert all(len(ring) % 2 == 0 and len(ring) >= 4 for ring in corners), "sides turn by 90 degrees"


def test_a_ring_in_a_ring_gives_two_regions_and_two_holes() -> None:
    mask = np.zeros((9, 9), bool)
    for inset in range(4):
        mask[inset : 9 - inset, inset : 9 - inset] = inset % 2 == 0
    outer, inner = trace(mask)
    assert (outer.outline[0], len(outer.holes), len(inner.holes)) == ((0, 0), 1, 1)


def test_pixels_that_touch_at_a_corner_are_two_regions() -> None:
    assert [len(region.outline) for region in trace(np.eye(2, dtype=bool))] == [4, 4]
