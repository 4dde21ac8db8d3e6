"""Tests which pixels become samples of ST-RNN's regression, by section 2.3 of its paper (Lin et al. 2019)."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.engines.strnn.sampling import enlarged, inside_boxes, sample, thinned


def raster_of(height: int = 20, width: int = 30) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    raster = np.full((height, width), -1, np.int16)
    raster[5, 6:16] = 1
    raster[12:17, 20] = 2
    return raster


def test_scribbled_cells_are_positive_samples_of_their_object() -> None:
    cells, ids = sample(raster_of(), None, np.random.default_rng(0))
    assert set(cells[ids == 1]) == set(5 * 30 + np.arange(6, 16))
    assert set(cells[ids == 2]) == set(np.arange(12, 17) * 30 + 20)


def test_there_are_as_many_negatives_as_positives() -> None:
    _, ids = sample(raster_of(), None, np.random.default_rng(0))
    assert (ids == 0).sum() == (ids > 0).sum() == 15


def test_strokes_of_the_background_count_among_the_negatives() -> None:
    raster = raster_of()
    raster[0, :4] = 0
    cells, ids = sample(raster, None, np.random.default_rng(0))
    assert set(range(4)) <= set(cells[ids == 0])
    assert (ids == 0).sum() == 15


def test_no_random_cell_when_the_background_was_drawn_enough() -> None:
    raster = raster_of()
    raster[0, :] = 0
    cells, ids = sample(raster, None, np.random.default_rng(0))
    assert set(cells[ids == 0]) == set(range(30))


def test_random_negatives_lie_outside_the_enlarged_boxes() -> None:
    raster = raster_of()
    raster[5:15, 3:28] = 1  # few cells are left outside
    cells, ids = sample(raster, None, np.random.default_rng(0))
    inside = inside_boxes(raster)
    assert not inside.ravel()[cells[ids == 0]].any()
    assert len(np.unique(cells)) == len(cells)


def test_later_negatives_were_predicted_background() -> None:
    predicted = np.ones((20, 30), np.uint8)
    predicted[:, :3] = 0
    cells, ids = sample(raster_of(), predicted, np.random.default_rng(0))
    assert (cells[ids == 0] % 30 < 3).all()
    assert (ids == 0).sum() == 15


def test_where_nothing_qualifies_there_are_no_negatives() -> None:
    cells, ids = sample(raster_of(), np.ones((20, 30), np.uint8), np.random.default_rng(0))
    assert (ids > 0).all()
    assert len(cells) == 15


def test_the_same_seed_draws_the_same_cells() -> None:
    first = sample(raster_of(), None, np.random.default_rng([4, 1]))
    again = sample(raster_of(), None, np.random.default_rng([4, 1]))
    other = sample(raster_of(), None, np.random.default_rng([4, 2]))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    ("positions", "length", "expected"),
    [([10, 19], 40, slice(9, 21)), ([0, 9], 40, slice(0, 11)), ([30, 39], 40, slice(29, 40)), ([7], 40, slice(6, 9))],
)
def test_boxes_are_enlarged_by_a_fifth(positions: list[int], length: int, expected: slice) -> None:
    assert enlarged(np.array(positions), length) == expected


def test_accepted_masks_are_thinned_evenly() -> None:
    labels = np.zeros((10, 10), np.uint8)
    labels[0, :3] = 4
    cells, ids = thinned(labels, 20)
    assert sorted(cells[ids == 4]) == [0, 1, 2]
    assert 10 <= (ids == 0).sum() <= 20
