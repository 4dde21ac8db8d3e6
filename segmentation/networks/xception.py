"""Aligned Xception-65, a backbone of DeepLabv3+ (Chollet, CVPR 2017; modified by Chen et al., ECCV 2018).

Except for the first two, every 3x3 convolution is depthwise separable, with batch norm after both parts. Strided
separable convolutions replace max pooling. There are an entry flow, 16 middle blocks and an exit flow, as in figure 4
of the DeepLabv3+ paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.pointwise import Pointwise

EPS = 1e-3  # Epsilon of the batch norms of the published Xception networks.


@dataclass(frozen=True)
class XceptionConfig:
    """Sizes of an Xception; the defaults are those of Xception-65 with output stride 16."""

    stem: tuple[int, int] = (32, 64)
    entry: tuple[int, ...] = (128, 256, 728)  # output channels of the entry blocks, each of stride 2
    middle_blocks: int = 16
    exit: tuple[int, int, int] = (728, 1024, 1024)  # channels of the last residual block, without a stride
    tail: tuple[int, ...] = (1536, 1536, 2048)  # channels of the last separable convolutions, without a shortcut
    tail_dilation: int = 2

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels of the features that `Xception` returns, at 1/4 and at 1/16."""
        return (self.entry[0], self.tail[-1])


class SeparableConv(nn.Module):
    """A separable convolution: depthwise 3x3, batch norm, pointwise 1x1, batch norm.

    A ReLU comes before it or, with `relu_after`, after each of the two batch norms.
    """

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1, relu_after: bool = False):
        super().__init__()
        self.relu_after = relu_after
        self.depthwise = nn.Conv2d(
            inplanes, inplanes, 3, stride, padding=dilation, dilation=dilation, groups=inplanes, bias=False
        )
        self.bn_depth = nn.BatchNorm2d(inplanes, eps=EPS)
        self.pointwise = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn_point = nn.BatchNorm2d(planes, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        if self.relu_after:
            return F.relu(self.bn_point(self.pointwise(F.relu(self.bn_depth(self.depthwise(x))))))
        return self.bn_point(self.pointwise(self.bn_depth(self.depthwise(F.relu(x)))))


class XceptionBlock(nn.Module):
    """A residual block that adds the result of three separable convolutions to x. The last of them has the stride.

    If there is a stride or the number of channels changes, a 1x1 convolution of x takes the place of x.
    """

    def __init__(self, inplanes: int, planes: tuple[int, int, int], stride: int = 1) -> None:
        super().__init__()
        self.conv1 = SeparableConv(inplanes, planes[0])
        self.conv2 = SeparableConv(planes[0], planes[1])
        self.conv3 = SeparableConv(planes[1], planes[2], stride)
        self.shortcut: nn.Sequential | None = None
        if stride != 1 or inplanes != planes[2]:
            self.shortcut = nn.Sequential(Pointwise(inplanes, planes[2], stride), nn.BatchNorm2d(planes[2], eps=EPS))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to [N, inplanes, h, w], which gives [N, planes[2], ceil(h / stride), ceil(w / stride)]."""
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.conv3(self.conv2(self.conv1(x))) + shortcut


class Xception(nn.Module):
    """An Xception without a classifier.

    It returns features at 1/4 of the size, of the first entry block, and at 1/16, of the last convolutions.
    """

    def __init__(self, config: XceptionConfig = XceptionConfig()) -> None:
        super().__init__()
        self.config = config
        first, second = config.stem
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(first, eps=EPS),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 3, padding=1, bias=False),
            nn.BatchNorm2d(second, eps=EPS),
            nn.ReLU(inplace=True),
        )
        planes = (second, *config.entry)
        self.entry = nn.ModuleList(XceptionBlock(inside, (out, out, out), stride=2) for inside, out in pairwise(planes))
        width = config.entry[-1]
        self.middle = nn.Sequential(*(XceptionBlock(width, (width,) * 3) for _ in range(config.middle_blocks)))
        self.exit = XceptionBlock(width, config.exit)
        tail = (config.exit[-1], *config.tail)
        self.tail = nn.Sequential(
            *(
                SeparableConv(inside, out, dilation=config.tail_dilation, relu_after=True)
                for inside, out in pairwise(tail)
            )
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Compute the features of images [N, 3, H, W] at two sizes.

        They are [N, entry[0], H/4, W/4] and [N, tail[-1], H/16, W/16], with sizes rounded up.
        """
        x = self.stem(x)
        x = low = self.entry[0](x)
        for block in self.entry[1:]:
            x = block(x)
        return [low, self.tail(self.exit(self.middle(x)))]
