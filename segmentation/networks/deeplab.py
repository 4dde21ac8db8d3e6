"""DeepLabv3+ without its classifier (Chen et al., ECCV 2018): atrous spatial pyramid pooling and decoder.

Parameter names are those of the PyTorch port that MA-Net builds on (`backbone`, `aspp`, `decoder`), so that its
published checkpoint loads. As in that port, all bilinear resizing uses `align_corners=True`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.resnet import RESNET101_STRIDE16, ResNet, ResNetConfig
from segmentation.networks.trunk_backbone import TrunkBackbone, TrunkConfig
from segmentation.networks.xception import Xception, XceptionConfig


@dataclass(frozen=True)
class DeepLabConfig:
    """The backbone and the sizes of a DeepLabv3+. The default backbone is a ResNet-101 with output stride 16."""

    backbone: ResNetConfig | XceptionConfig | TrunkConfig = RESNET101_STRIDE16
    rates: tuple[int, ...] = (1, 6, 12, 18)  # dilations of the branches at output stride 16; 1 means a 1x1 kernel
    width: int = 256  # channels of every branch, of the pyramid and of the decoder
    low_width: int = 48  # channels to which the decoder reduces the finest features


class AtrousBranch(nn.Module):
    """A branch of the pyramid: a convolution with batch norm and ReLU.

    It is 1x1 for rate 1, otherwise 3x3 with the rate as its dilation.
    """

    def __init__(self, inplanes: int, planes: int, rate: int) -> None:
        super().__init__()
        kernel, padding = (1, 0) if rate == 1 else (3, rate)
        self.atrous_conv = nn.Conv2d(inplanes, planes, kernel, padding=padding, dilation=rate, bias=False)
        self.bn = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.atrous_conv(x)))


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: a 1x1 convolution joins the outputs of branches with different dilations.

    A further branch computes features from the mean over the whole image.
    """

    def __init__(self, inplanes: int, config: DeepLabConfig) -> None:
        super().__init__()
        width = config.width
        for index, rate in enumerate(config.rates, start=1):
            self.add_module(f"aspp{index}", AtrousBranch(inplanes, width, rate))
        self.branches = len(config.rates)
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(inplanes, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.conv1 = nn.Conv2d(width * (self.branches + 1), width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.1)  # It has an effect in training only.

    def forward(self, x: Tensor) -> Tensor:
        """Apply the pyramid to [N, inplanes, h, w], which gives [N, width, h, w]."""
        parts = [self.get_submodule(f"aspp{index}")(x) for index in range(1, self.branches + 1)]
        parts.append(self.global_avg_pool(x).expand_as(parts[0]))  # Resizing a single cell to h x w repeats it.
        return self.dropout(self.relu(self.bn1(self.conv1(torch.cat(parts, dim=1)))))


class Decoder(nn.Module):
    """Joins the output of the pyramid with the backbone's features at 1/4 of the size; applies two 3x3 convolutions."""

    def __init__(self, low_inplanes: int, config: DeepLabConfig) -> None:
        super().__init__()
        width, low = config.width, config.low_width
        self.conv1 = nn.Conv2d(low_inplanes, low, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(low)
        self.relu = nn.ReLU(inplace=True)
        self.last_conv = nn.Sequential(  # The identities stand where the original has dropouts that are switched off.
            nn.Conv2d(width + low, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Identity(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Identity(),
        )

    def forward(self, x: Tensor, low: Tensor) -> Tensor:
        """Join the pyramid's output [N, width, h, w] with finer features [N, low_inplanes, h4, w4].

        The result is [N, width, h4, w4].
        """
        low = self.relu(self.bn1(self.conv1(low)))
        x = F.interpolate(x, size=low.shape[-2:], mode="bilinear", align_corners=True)
        return self.last_conv(torch.cat((x, low), dim=1))


def build_backbone(config: ResNetConfig | XceptionConfig | TrunkConfig) -> ResNet | Xception | TrunkBackbone:
    """Build the backbone that a configuration describes.

    Its `forward` returns a list of features, the finest (at 1/4 of the image's size) first.
    """
    if isinstance(config, TrunkConfig):
        return TrunkBackbone(config)
    return ResNet(config) if isinstance(config, ResNetConfig) else Xception(config)


class DeepLabV3Plus(nn.Module):
    """Computes features of an image, with `config.width` channels, at 1/4 of its size."""

    def __init__(self, config: DeepLabConfig = DeepLabConfig()) -> None:
        super().__init__()
        self.config = config
        self.backbone = build_backbone(config.backbone)
        channels = config.backbone.channels
        self.aspp = AtrousPyramid(channels[-1], config)
        self.decoder = Decoder(channels[0], config)

    def forward(self, x: Tensor) -> Tensor:
        """Compute features [N, width, ceil(H / 4), ceil(W / 4)] of images [N, 3, H, W]."""
        features = self.backbone(x)
        return self.from_features(features[0], features[-1])

    def from_features(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Compute the output of `forward`, given the first and the last features of the backbone instead of images."""
        out: Tensor = self.decoder(self.aspp(coarse), fine)
        return out
