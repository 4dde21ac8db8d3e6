"""Residual blocks of this project's own small networks, with two 3x3 convolutions and batch norms."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.pointwise import Pointwise


def conv_bn(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))


def pointwise_bn(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(Pointwise(inputs, outputs, stride), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """relu(x + conv(relu(conv(x)))) with batch norms; the first convolution may have a stride and more outputs."""

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
    """Resize x [N, C, ., .] to the size of `like` [., ., H, W]."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
