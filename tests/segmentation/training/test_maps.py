"""Tests that the differentiable distance maps for training MA-Net equal those of the engine."""

import pytest
import torch

from segmentation.networks.matching import References, local_distances
from segmentation.training.objectives.maps import global_map, local_map


@pytest.mark.parametrize(("height", "width", "window"), [(9, 14, 3), (8, 37, 5), (6, 6, 0)])
def test_the_local_map_is_the_engines(height: int, width: int, window: int) -> None:
    generator = torch.Generator().manual_seed(height + width)
    query, previous = torch.rand(2, 5, height, width, generator=generator)
    labels = torch.randint(-1, 3, (height, width), generator=generator)
    ids = (0, 1, 2, 3)
    torch.testing.assert_close(
        local_map(query, previous, labels, ids, window),
        local_distances(query, previous, labels, ids, window),
        rtol=0,
        atol=1e-5,
    )


def test_the_global_map_is_the_engines() -> None:
    generator = torch.Generator().manual_seed(3)
    query, reference = torch.rand(2, 5, 9, 14, generator=generator)
    labels = torch.randint(-1, 3, (9 * 14,), generator=generator)
    cells = reference.flatten(1).t()
    torch.testing.assert_close(
        global_map(query, cells, labels, (0, 1, 2, 3)),
        References(cells[labels >= 0], labels[labels >= 0]).distances(query, (0, 1, 2, 3)),
        rtol=0,
        atol=1e-5,
    )


def test_both_maps_pull_what_is_alike_together() -> None:
    query = torch.rand(4, 6, 8, requires_grad=True)
    previous = torch.rand(4, 6, 8, requires_grad=True)
    labels = torch.zeros(6, 8, dtype=torch.int64)
    for found in (
        local_map(query, previous, labels, (0,), 2),
        global_map(query, previous.flatten(1).t(), labels.flatten(), (0,)),
    ):
        gradients = torch.autograd.grad(found.sum(), (query, previous))
        assert all(gradient.abs().sum() > 0 and gradient.isfinite().all() for gradient in gradients)
