"""Tests that the engine of MA-Net computes the same distance maps as the slow functions with which its speed is
compared.

Those functions compute as the official code does.
"""

from __future__ import annotations

import torch

from segmentation.engines.manet.measurement import plain_global, plain_local
from segmentation.engines.manet.memory import labelled_cells
from segmentation.networks.matching import References, local_distances


def test_plain_and_fast_maps_are_the_same() -> None:
    generator = torch.Generator().manual_seed(0)
    query, reference = torch.rand(2, 6, 22, 27, generator=generator).unbind()
    labels = torch.randint(0, 3, (22, 27), generator=generator)
    scribbles = torch.where(torch.rand(22, 27, generator=generator) < 0.2, labels, torch.full_like(labels, -1))
    ids = range(4)
    fast = References(*labelled_cells(reference, scribbles)).distances(query, ids)
    torch.testing.assert_close(plain_global(query, reference, scribbles, ids), fast, rtol=0, atol=1e-5)
    near = local_distances(query, reference, labels, ids, 4)
    torch.testing.assert_close(plain_local(query, reference, labels, ids, 4), near, rtol=0, atol=1e-5)
