"""Tests the pretrained trunk as the backbone of the published networks."""

from __future__ import annotations

import pytest
import torch

from segmentation.networks.deeplab import DeepLabConfig, build_backbone
from segmentation.networks.trunk_backbone import TrunkBackbone, TrunkConfig, joined, trunk_maps
from segmentation.trunk import load_trunk


@pytest.mark.parametrize("size", [(64, 96), (97, 161), (33, 31)])
def test_features_have_a_quarter_and_a_sixteenth_of_any_size_and_values_of_about_one(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))
    backbone = build_backbone(DeepLabConfig(backbone=TrunkConfig()).backbone)
    features = backbone(images)
    for found, channels, stride in zip(features, TrunkConfig().channels, (4, 16), strict=True):
        assert found.shape == (2, channels, -(-size[0] // stride), -(-size[1] // stride))
        assert 0.2 < float(found.std()) < 3
    again = joined(trunk_maps("lite0", images))
    assert all(torch.equal(a, b) for a, b in zip(features, again, strict=True))
    assert backbone(images.bfloat16())[0].dtype == torch.bfloat16


def test_the_trunk_is_loaded_and_computed_in_float32_while_half_precision_is_on() -> None:
    images = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(3))
    right = trunk_maps("lite0", images)
    load_trunk.cache_clear()
    with torch.autocast("cpu", torch.bfloat16):
        found = trunk_maps("lite0", images)
    assert all(torch.equal(a, b) for a, b in zip(found, right, strict=True))


def test_the_trunk_adds_no_parameters_and_an_unknown_one_is_refused() -> None:
    assert not TrunkBackbone().state_dict()
    assert TrunkConfig("lite2").channels == (24 + 48, 120 + 352)
    with pytest.raises(ValueError, match=r"trunk: 'lite7' is unknown, known are lite0, lite1, lite2"):
        TrunkConfig("lite7")
