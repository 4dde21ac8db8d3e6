"""Residual blocks of two 3x3 convolutions with batch norms, for this project's own small networks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.pointwise import Pointwise


def conv_bn(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))


def pointwise_bn(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(Pointwise(inputs, outputs, stride), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """A residual block: computes relu(x + conv(relu(conv(x)))) with batch norms.

    If it has a stride or changes the number of channels, a 1x1 convolution of x takes the place of x.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv_bn(inputs, outputs, stride)
        self.second = conv_bn(outputs, outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else pointwise_bn(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.relu(self.shortcut(x) + self.second(F.relu(self.first(x))))
        return out


def upsample(x: Tensor, like: Tensor) -> Tensor:
    """Resize `x` [N, C, h, w] to the height and width of `like`, bilinearly."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
