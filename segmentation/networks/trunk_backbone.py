"""The pretrained trunk as the backbone of a network that was published with a ResNet.

The trunk is frozen, and its weights come from their own package. A network with this backbone therefore has no
parameters of the trunk, and its checkpoint only names the variant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.trunk import TRUNKS, load_trunk, trunk_channels

FINE_SCALE = 8.0  # Features at stride 4 are divided by this, which gives values of about 1.


@dataclass(frozen=True)
class TrunkConfig:
    """The variant of the trunk on whose features a network was trained: "lite0", "lite1" or "lite2".

    Raises ValueError for another name.
    """

    name: str = "lite0"

    def __post_init__(self) -> None:
        if self.name not in TRUNKS:
            raise ValueError(f"trunk: {self.name!r} is unknown, known are {', '.join(TRUNKS)}")

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels of the features that `TrunkBackbone` returns, at 1/4 and at 1/16 of the image's size."""
        _, fine, eighth, sixteenth, coarse = trunk_channels(self.name)
        return (fine + eighth, sixteenth + coarse)


class TrunkMaps(NamedTuple):
    """The trunk's features of B images of H x W pixels. The heights and widths below are rounded up.

    At strides 8, 16 and 32 each cell is a unit vector.
    """

    f4: Tensor  # [B, C, H / 4, W / 4], scaled to values of about 1
    f8: Tensor  # [B, C, H / 8, W / 8]
    f16: Tensor  # [B, C, H / 16, W / 16]
    f32: Tensor  # [B, C, H / 32, W / 32]


def trunk_maps(name: str, images: Tensor) -> TrunkMaps:
    """Compute the features of images, RGB [B, 3, H, W] in 0..1, by the trunk `name`, on the device of the images.

    They are computed in float32, also where training uses half precision.

    Raises:
        TrunkError: the trunk's package is missing or damaged.
    """
    with torch.autocast(images.device.type, enabled=False):
        _, f4, *coarser = load_trunk(name, str(images.device))(images)
    f8, f16, f32 = (F.normalize(part, dim=1) for part in coarser)
    return TrunkMaps(f4 / FINE_SCALE, f8, f16, f32)


class TrunkBackbone(nn.Module):
    """Computes features of an image by the frozen trunk, at 1/4 and at 1/16 of its size.

    Features at strides 4 and 8 are joined at 1/4, and those at strides 16 and 32 at 1/16.
    """

    def __init__(self, config: TrunkConfig = TrunkConfig()) -> None:
        super().__init__()
        self.config = config

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute the features [B, channels[0], H/4, W/4] and [B, channels[1], H/16, W/16] of RGB images in 0..1."""
        return [part.to(images.dtype) for part in joined(trunk_maps(self.config.name, images.float()))]


def joined(maps: TrunkMaps) -> list[Tensor]:
    """Concatenate the trunk's feature maps to the two maps that `TrunkBackbone` returns, at the strides 4 and 16.

    Each channel is scaled so that its values have a magnitude of about 1.
    """
    f8, f16, f32 = (part * math.sqrt(part.shape[1]) for part in maps[1:])
    return [_beside(maps.f4, f8), _beside(f16, f32)]


def _beside(fine: Tensor, coarse: Tensor) -> Tensor:
    resized = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
    return torch.cat((fine, resized), dim=1)
