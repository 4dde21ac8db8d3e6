"""Tests the ResNet: its parameters (for ResNet-50, those of torchvision's network), strides and dilations."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from segmentation.networks.resnet import RESNET50, RESNET101_STRIDE16, ResNet, ResNetConfig


def test_resnet50_has_the_parameters_of_torchvision() -> None:
    with torch.device("meta"):
        network = ResNet(RESNET50)
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_508_032
    names = [name for name, _ in network.named_parameters()]
    assert names[:4] == ["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight"]
    assert "layer4.0.downsample.1.weight" in names


def test_the_stride_is_on_the_3x3_convolution_unless_told() -> None:
    assert convolution(ResNet(ResNetConfig(width=4)), "layer2.0.conv2").stride == (2, 2)
    assert convolution(ResNet(ResNetConfig(width=4, stride_on_first=True)), "layer2.0.conv1").stride == (2, 2)


def convolution(network: ResNet, name: str) -> torch.nn.Conv2d:
    found = network.get_submodule(name)
    assert isinstance(found, torch.nn.Conv2d)
    return found


def test_dilation_keeps_the_size_and_repeats_over_the_blocks() -> None:
    config = ResNetConfig(blocks=(1, 1, 1, 3), strides=(1, 2, 2, 1), dilations=RESNET101_STRIDE16.dilations, width=4)
    network = ResNet(config).eval()
    assert [convolution(network, f"layer4.{i}.conv2").dilation[0] for i in range(3)] == [2, 4, 8]
    assert [tuple(f.shape[1:]) for f in network(torch.zeros(1, 3, 97, 65))] == [
        (16, 25, 17),
        (32, 13, 9),
        (64, 7, 5),
        (128, 7, 5),
    ]


@pytest.mark.parametrize("wrong", [{"strides": (1, 2)}, {"dilations": ((1,),)}])
def test_it_refuses_a_configuration_that_does_not_fit(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ResNetConfig(**wrong)
