"""Compares MA-Net's fast distance maps with the equations of its paper, for several sizes, windows and labels."""

from __future__ import annotations

import pytest
import torch

from segmentation.networks.matching import References, local_distances, offset_rows
from tests.segmentation.networks.brute_force import all_offsets, global_map, local_map


@pytest.mark.parametrize(("height", "width"), [(6, 8), (9, 7), (2, 2), (5, 71)])
@pytest.mark.parametrize("window", [0, 1, 4])
def test_the_local_map_is_equation_4(height: int, width: int, window: int) -> None:
    generator = torch.Generator().manual_seed(height * 100 + width + window)
    query, previous = torch.rand(2, 5, height, width, generator=generator).unbind()
    labels = torch.randint(0, 3, (height, width), generator=generator)
    got = local_distances(query, previous, labels, [0, 1, 2, 3], window)
    torch.testing.assert_close(got, local_map(query, previous, labels, 4, window), rtol=0, atol=1e-5)
    assert (got[3] == 1).all(), "no pixel has id 3"


def test_offsets_come_row_by_row_in_reading_order() -> None:
    query, previous = torch.rand(2, 3, 8, 10).unbind()
    rows = torch.cat(list(offset_rows(query, previous, 2)))
    torch.testing.assert_close(rows, all_offsets(query, previous, 2), rtol=0, atol=1e-5)


def test_beyond_the_border_is_background() -> None:
    """Cells outside the frame count as background in local distance maps.

    Object 1 fills the whole frame. Only near the border is there background within the window.
    """
    embedding = torch.rand(4, 8, 8)
    got = local_distances(embedding, embedding, torch.ones(8, 8, dtype=torch.int64), [0, 1], 2)
    torch.testing.assert_close(
        got, local_map(embedding, embedding, torch.ones(8, 8, dtype=torch.int64), 2, 2), rtol=0, atol=1e-5
    )
    assert (got[0] < 1).any()


def test_labels_of_minus_one_match_nothing() -> None:
    query = torch.rand(3, 6, 6)
    got = local_distances(query, query, torch.full((6, 6), -1), [1, 2], 2)
    assert (got == 1).all()


@pytest.mark.parametrize("references", [1, 40, 700])
def test_the_global_map_is_equation_2(references: int) -> None:
    generator = torch.Generator().manual_seed(references)
    query, reference = torch.rand(2, 6, 31, 37, generator=generator).unbind()
    labels = torch.full((31 * 37,), -1)
    chosen = torch.randperm(31 * 37, generator=generator)[:references]
    labels[chosen] = torch.randint(0, 3, (references,), generator=generator)
    cells = reference.flatten(1).t()[labels >= 0]
    got = References(cells, labels[labels >= 0]).distances(query, [0, 1, 2, 3])
    torch.testing.assert_close(got, global_map(query, reference, labels.view(31, 37), 4), rtol=0, atol=1e-5)


def test_an_id_without_reference_is_at_distance_one() -> None:
    empty = References(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)).distances(torch.rand(3, 4, 5), [0, 1])
    assert empty.shape == (2, 4, 5)
    assert (empty == 1).all()
