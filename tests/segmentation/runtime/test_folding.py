"""Tests merging batch norms into convolutions: the results stay the same, and each norm finds its convolution."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segmentation.networks.deeplab import DeepLabConfig, DeepLabV3Plus
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import ResNet, ResNetConfig
from segmentation.networks.xception import XceptionConfig
from segmentation.runtime.folding import fold_batch_norms

BODY = ResNetConfig(blocks=(1, 2, 1, 1), strides=(1, 2, 2, 1), dilations=((1,), (1,), (1,), (2,)), width=4)
XCEPTION = XceptionConfig((4, 6), (6, 8, 10), 2, (10, 12, 12), (14, 16))


def settled(network: nn.Module) -> nn.Module:
    """Set the batch norms of a network to random statistics, put it into eval mode, and return it."""
    torch.manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in ((module.running_mean, -0.5, 0.5), (module.running_var, 0.5, 2.0)):
                assert tensor is not None
                tensor.uniform_(low, high)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.eval().requires_grad_(False)


def last(features: object) -> torch.Tensor:
    result = features[-1] if isinstance(features, list) else features
    assert isinstance(result, torch.Tensor)
    return result


@pytest.mark.parametrize(
    "network",
    [
        ResNet(BODY),
        DeepLabV3Plus(DeepLabConfig(BODY, (1, 2), 8, 4)),
        DeepLabV3Plus(DeepLabConfig(XCEPTION, (1, 2), 8, 4)),
    ],
    ids=["resnet", "deeplab", "xception"],
)
def test_a_folded_network_gives_the_same_numbers(network: nn.Module) -> None:
    settled(network)
    folded = fold_batch_norms(network)
    images = torch.rand(2, 3, 33, 47)
    torch.testing.assert_close(last(folded(images)), last(network(images)), rtol=1e-4, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules()), "the original is as it was"


def test_a_norm_behind_a_sum_of_convolutions_stays() -> None:
    encoder = settled(CueEncoder(BODY, cues=("m",), biased=("m",)))
    folded = fold_batch_norms(encoder)
    assert isinstance(folded.get_submodule("bn1"), nn.BatchNorm2d)
    image, cue = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(last(folded(image, cue)), last(encoder(image, cue)), rtol=1e-4, atol=1e-5)
