from __future__ import annotations

import torch
from torch import Tensor

from segmentation.engines.star.confidence import (
    DRAWN_EVIDENCE,
    EVIDENCE,
    Confidence,
    drawn_evidence,
    propagated_evidence,
)
from segmentation.engines.star.matching import CUES, Cues
from segmentation.engines.star.network import FINE


def disk(height: int = 24, width: int = 32, radius: float = 6.0) -> Tensor:
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (((y - height / 2) ** 2 + (x - width / 2) ** 2) < radius**2).float()[None]


def cues_of(masks: Tensor, read: Tensor) -> Cues:
    """Return the values from which STAR estimates its confidence in the mask of an object.

    Args:
        masks: its propagated mask at stride 8.
        read: its mask as read from the memory.
    """
    coarse = torch.zeros(1, CUES, *masks.shape[1:])
    coarse[:, 0], coarse[:, 4], coarse[:, 7], coarse[:, 8] = read, masks, masks, 1.0
    return Cues(coarse, torch.zeros(1, FINE, 2 * masks.shape[1], 2 * masks.shape[2]))


def test_evidence_tells_a_mask_that_the_memory_confirms_from_one_that_it_contradicts() -> None:
    small = disk()
    large = torch.nn.functional.interpolate(small[None], scale_factor=2)[0]
    zero = torch.zeros(1)
    confirmed = propagated_evidence(cues_of(small, small), large, zero)
    contradicted = propagated_evidence(cues_of(small, torch.zeros_like(small)), large, zero)
    assert confirmed.shape == (1, EVIDENCE)
    assert float(confirmed[0, 1]) > 0.95
    assert float(contradicted[0, 1]) < 0.1


def test_evidence_of_an_empty_mask_is_finite() -> None:
    nothing = torch.zeros(2, 24, 32)
    coarse = torch.zeros(2, CUES, 24, 32)
    cues = Cues(coarse, torch.zeros(2, FINE, 48, 64))
    found = propagated_evidence(cues, torch.zeros(2, 48, 64), torch.zeros(2))
    assert torch.isfinite(found).all()
    drawn = drawn_evidence(torch.nn.functional.normalize(torch.rand(8, 24, 32), dim=0), nothing, torch.zeros(2))
    assert torch.isfinite(drawn).all()


def test_evidence_of_a_drawn_mask_tells_one_look_from_two() -> None:
    torch.manual_seed(0)
    own, half = disk(), disk(radius=9.0)
    looks = torch.nn.functional.normalize(torch.randn(3, 16), dim=1)
    cells = torch.where(own > 0, looks[0][:, None, None], looks[1][:, None, None])
    cells = torch.nn.functional.normalize(cells + 0.05 * torch.randn_like(cells), dim=0)
    once = torch.ones(1)
    right, over = drawn_evidence(cells, own, once), drawn_evidence(cells, half, once)
    assert right.shape == (1, DRAWN_EVIDENCE)
    assert float(right[0, 2]) > float(over[0, 2]) + 0.1  # how well the target model fits the mask
    assert float(over[0, 6]) > float(right[0, 6])  # fraction of the mask that is background for the target model


def test_confidence_lies_between_0_and_1_for_evidence_of_any_size() -> None:
    confidence = Confidence(4)(torch.tensor([[1e6, -1e6, 0.0, 3.0], [0.0, 0.0, 0.0, 0.0]]))
    assert confidence.shape == (2,)
    assert bool(((confidence > 0) & (confidence < 1)).all())
