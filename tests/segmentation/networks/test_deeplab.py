"""Tests DeepLabv3+ with the backbones ResNet and Xception: output sizes, number of layers, and the pooled branch."""

from __future__ import annotations

import pytest
import torch

from segmentation.networks.deeplab import DeepLabConfig, DeepLabV3Plus
from segmentation.networks.resnet import ResNetConfig
from segmentation.networks.xception import SeparableConv, Xception, XceptionConfig

BODY = ResNetConfig(blocks=(1, 1, 1, 1), strides=(1, 2, 2, 1), dilations=((1,), (1,), (1,), (2,)), width=4)


@pytest.mark.parametrize("body", [BODY, XceptionConfig((4, 6), (6, 8, 10), 1, (10, 12, 12), (14, 16))])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (53, 71)])
def test_features_have_a_quarter_of_the_size(body: ResNetConfig | XceptionConfig, height: int, width: int) -> None:
    network = DeepLabV3Plus(DeepLabConfig(body, (1, 2, 3), 8, 4)).eval()
    features = network(torch.rand(1, 3, height, width))
    assert features.shape == (1, 8, -(-height // 4), -(-width // 4))


def test_xception_65_has_65_layers_on_its_longest_path() -> None:
    with torch.device("meta"):
        body = Xception()
    separable = sum(isinstance(module, SeparableConv) for module in body.modules())
    plain = sum(isinstance(module, torch.nn.Conv2d) for module in body.stem)
    assert separable + plain == 65


def test_the_pooled_branch_sees_the_whole_picture() -> None:
    torch.manual_seed(0)  # with other random weights all channels of the branch may be zero
    network = DeepLabV3Plus(DeepLabConfig(BODY, (1,), 8, 4)).eval()
    features = torch.rand(1, BODY.channels[-1], 6, 6)
    changed = features.clone()
    changed[..., 0, 0] += 5
    far = (network.aspp(changed) - network.aspp(features))[0, :, 5, 5]
    assert far.abs().max() > 0
