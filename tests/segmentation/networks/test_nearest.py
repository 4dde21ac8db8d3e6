"""Tests the pruned nearest-neighbour search: it finds the same distances as a comparison with all points."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from segmentation.networks import nearest
from segmentation.networks.nearest import NearestReference, nearest_squared, tiled_order


def brute_force(query: Tensor, reference: Tensor) -> Tensor:
    return torch.cdist(query.double(), reference.double()).square().amin(1)


@pytest.mark.parametrize(("queries", "references"), [(1, 1), (2049, 513), (100, 5000)])
def test_the_nearest_is_found_across_blocks(queries: int, references: int) -> None:
    generator = torch.Generator().manual_seed(1)
    query = torch.rand(queries, 7, generator=generator)
    reference = torch.rand(references, 7, generator=generator)
    found = nearest_squared(query, reference).double()
    torch.testing.assert_close(found, brute_force(query, reference), rtol=1e-4, atol=1e-5)


def low_dimensional(count: int, dimensions: int, generator: torch.Generator) -> Tensor:
    """Return `count` points in 40 dimensions near a subspace of `dimensions`, similar to embeddings of pixels."""
    basis = torch.randn(dimensions, 40, generator=torch.Generator().manual_seed(9))
    noise = 0.05 * torch.randn(count, 40, generator=generator)
    return torch.rand(count, dimensions, generator=generator) @ basis + noise


@pytest.mark.parametrize("dimensions", [2, 5, 40])
def test_pruning_loses_no_neighbour(dimensions: int) -> None:
    generator = torch.Generator().manual_seed(dimensions)
    reference = low_dimensional(nearest._PRUNE_FROM + 100, dimensions, generator)
    query = low_dimensional(700, dimensions, generator)
    search = NearestReference(reference)
    assert search._pruned
    expected = brute_force(query, reference)
    torch.testing.assert_close(search.squared(query).double(), expected, rtol=1e-4, atol=1e-4)


def test_references_themselves_are_at_distance_zero() -> None:
    reference = low_dimensional(nearest._PRUNE_FROM, 3, torch.Generator().manual_seed(0))
    assert NearestReference(reference).squared(reference).abs().max() < 1e-3


def test_references_that_are_all_the_same() -> None:
    reference = torch.ones(nearest._PRUNE_FROM, 20)
    found = NearestReference(reference).squared(torch.zeros(5, 20))
    torch.testing.assert_close(found, torch.full((5,), 20.0), rtol=1e-5, atol=1e-4)


def test_it_compares_only_a_part_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    reference, query = low_dimensional(8192, 2, generator), low_dimensional(128, 2, generator)
    query = query[query[:, 0].argsort()][:32]  # points that are near each other
    compared = []
    full = torch.mm

    def counting(left: Tensor, right: Tensor, **options: Any) -> Tensor:
        if left.shape[1] == query.shape[1] + 1:  # this product compares points in all dimensions
            compared.append(len(left) * right.shape[1])
        return full(left, right, **options)

    search = NearestReference(reference)
    monkeypatch.setattr(torch, "mm", counting)
    search.squared(query)
    assert 0 < sum(compared) < 0.5 * len(query) * len(reference)


@pytest.mark.parametrize(("height", "width"), [(8, 16), (9, 33), (1, 5), (20, 1)])
def test_the_tiled_order_has_every_cell_once(height: int, width: int) -> None:
    order = tiled_order(height, width)
    assert sorted(order.tolist()) == list(range(height * width))


def test_the_first_tile_comes_first() -> None:
    order = tiled_order(20, 40)[:64]
    assert set(order.tolist()) == {y * 40 + x for y in range(8) for x in range(8)}
