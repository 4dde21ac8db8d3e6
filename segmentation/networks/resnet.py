"""ResNet with bottleneck blocks (He et al., CVPR 2016), under torchvision's parameter names.

The topology is torchvision's v1.5: the 3x3 convolution of a block has the stride. Dilated stages, and those in which
the dilation differs between blocks (multi-grid), are those of DeepLab (Chen et al., 2017). A network of this project
either contains a whole `ResNet` (conv1, bn1, layer1..4), or registers the stages from `build_stages` under other names
(res2, res3, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmentation.networks.pointwise import Pointwise

# Kernel size of the first convolution. It has stride 2 and is followed by a 3x3 max pool of stride 2, so that the first
# stage works at 1/4 of the size.
STEM_KERNEL = 7


@dataclass(frozen=True)
class ResNetConfig:
    """Sizes of a ResNet; the defaults are those of ResNet-50. Stage s has `width * 2**s * expansion` output channels.

    `dilations[s]` are the dilations of the blocks of stage s, in a cycle: (2, 4, 8) is a multi-grid, (1,) a stage
    without dilation. An empty `dilations` means no dilation anywhere. With `stride_on_first` the first 1x1 convolution
    of a block has the stride (the original Caffe topology), and not the 3x3 convolution. `ceil_pool` rounds the size
    after the max pool up (DeepLab-v2).

    Raises ValueError if `strides` or `dilations` do not have one entry for each stage.
    """

    blocks: tuple[int, ...] = (3, 4, 6, 3)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    dilations: tuple[tuple[int, ...], ...] = ()
    width: int = 64  # channels of the stem, and of the 3x3 convolutions of the first stage
    expansion: int = 4
    stride_on_first: bool = False
    ceil_pool: bool = False

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.blocks):
            raise ValueError(f"strides: need one per stage ({len(self.blocks)}), got {self.strides}")
        if self.dilations and len(self.dilations) != len(self.blocks):
            raise ValueError(f"dilations: need one tuple per stage ({len(self.blocks)}), got {self.dilations}")

    @property
    def channels(self) -> tuple[int, ...]:
        """The output channels of each stage, (256, 512, 1024, 2048) by default."""
        return tuple(self.width * 2**stage * self.expansion for stage in range(len(self.blocks)))


RESNET50 = ResNetConfig()
RESNET101 = ResNetConfig(blocks=(3, 4, 23, 3))
RESNET101_STRIDE16 = ResNetConfig(  # DeepLabv3+ with output stride 16 and multi-grid (1, 2, 4) on a dilation of 2
    blocks=(3, 4, 23, 3), strides=(1, 2, 2, 1), dilations=((1,), (1,), (1,), (2, 4, 8))
)


class Bottleneck(nn.Module):
    """A residual block that adds the result of a 1x1, a 3x3 and a 1x1 convolution with batch norms to x.

    If it has a stride or changes the number of channels, a 1x1 convolution of x takes the place of x.
    """

    def __init__(
        self, inplanes: int, planes: int, outplanes: int, stride: int, dilation: int, stride_on_first: bool = False
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_on_first else (1, stride)
        self.conv1 = Pointwise(inplanes, planes, first)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, second, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outplanes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outplanes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inplanes != outplanes:
            self.downsample = nn.Sequential(Pointwise(inplanes, outplanes, stride), nn.BatchNorm2d(outplanes))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to [N, inplanes, h, w], which gives [N, outplanes, ceil(h / stride), ceil(w / stride)]."""
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out.add_(shortcut) if not torch.is_grad_enabled() else out + shortcut)


def build_stages(config: ResNetConfig) -> list[nn.Sequential]:
    """Build the stages of a ResNet, in order. The input of the first stage has `config.width` channels."""
    stages = []
    inplanes = config.width
    for index, (blocks, stride, outplanes) in enumerate(
        zip(config.blocks, config.strides, config.channels, strict=True)
    ):
        dilations = config.dilations[index] if config.dilations else (1,)
        planes = config.width * 2**index
        layers = []
        for block in range(blocks):
            dilation = dilations[block % len(dilations)]
            block_stride = stride if block == 0 else 1
            layers.append(Bottleneck(inplanes, planes, outplanes, block_stride, dilation, config.stride_on_first))
            inplanes = outplanes
        stages.append(nn.Sequential(*layers))
    return stages


class ResNet(nn.Module):
    """A ResNet without the final pooling and the classifier.

    Parameters have torchvision's names: conv1, bn1, layer1, layer2, ...
    """

    def __init__(self, config: ResNetConfig = RESNET50) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv2d(3, config.width, STEM_KERNEL, stride=2, padding=STEM_KERNEL // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(config.width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=config.ceil_pool)
        for index, stage in enumerate(build_stages(config), start=1):
            self.add_module(f"layer{index}", stage)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the output of each stage for images [N, 3, H, W]. That of the first stage has 1/4 of the size."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        features = []
        for index in range(1, len(self.config.blocks) + 1):
            x = self.get_submodule(f"layer{index}")(x)
            features.append(x)
        return features
