"""RGMP (Oh et al., CVPR 2018), which Lin et al. use in their last round: propagation guided by a reference mask.

The same encoder encodes the reference (an interacted frame with its mask) and the target frame (with the mask of its
neighbour). A global convolution block joins both, and a decoder with skip connections from the target computes
foreground and background.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.networks.blocks import Refine, ResBlock
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.padding import pad, padding_to, unpad
from segmentation.networks.resnet import RESNET50, ResNetConfig


@dataclass(frozen=True)
class RefinementConfig:
    """Sizes of RGMP; the defaults are those of its paper."""

    body: ResNetConfig = RESNET50
    width: int = 256  # channels of the decoder
    kernel: int = 7  # kernel size of the global convolutions
    frame_size: tuple[int, int] = (480, 854)  # short and long side that a frame is resized to


class GlobalConvolution(nn.Module):
    """A cheap k x k convolution: the sum of k x 1 after 1 x k and of 1 x k after k x 1, and a residual block."""

    def __init__(self, inputs: int, width: int, kernel: int) -> None:
        super().__init__()
        tall, wide = (kernel, 1), (1, kernel)
        tall_pad, wide_pad = (kernel // 2, 0), (0, kernel // 2)
        self.left = nn.Sequential(
            nn.Conv2d(inputs, width, tall, padding=tall_pad), nn.Conv2d(width, width, wide, padding=wide_pad)
        )
        self.right = nn.Sequential(
            nn.Conv2d(inputs, width, wide, padding=wide_pad), nn.Conv2d(width, width, tall, padding=tall_pad)
        )
        self.residual = ResBlock(width)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to [N, inputs, h, w], which gives [N, width, h, w]."""
        out: Tensor = self.residual(self.left(x) + self.right(x))
        return out


class Refinement(nn.Module):
    """Propagates the mask of each object separately from a reference frame."""

    def __init__(self, config: RefinementConfig = RefinementConfig()) -> None:
        super().__init__()
        self.config = config
        channels, width = config.body.channels, config.width
        self.stride = 2 ** (1 + len(channels))
        self.encoder = CueEncoder(config.body, cues=("m",), biased=("m",))
        self.merge = GlobalConvolution(2 * channels[-1], width, config.kernel)
        self.refine = nn.ModuleList(
            Refine(inputs, width, project=True, align_corners=False) for inputs in reversed(channels[:-1])
        )
        self.predict = nn.Conv2d(width, 2, 3, padding=1)

    def reference(self, image: Tensor, masks: Tensor) -> Tensor:
        """Encode a reference frame [1, 3, H, W] in 0..1 with the masks [n, H, W] of its n objects: [n, C, h, w]."""
        padding = padding_to(self.stride, *image.shape[-2:])
        return self.encode(pad(image, padding), pad(masks[:, None], padding))

    def forward(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        """Return the foreground probabilities [n, H, W] of n objects in an image, from the masks of its neighbour.

        `masks` are [n, H, W] in 0..1, and `references` are what `reference` returned for the annotated frame.
        """
        padding = padding_to(self.stride, *image.shape[-2:])
        padded = pad(image, padding)
        logits = self.propagate(padded, pad(masks[:, None], padding), references)
        logits = F.interpolate(logits, size=padded.shape[-2:], mode="bilinear", align_corners=False)
        return unpad(torch.softmax(logits, dim=1)[:, 1], padding)

    def encode(self, image: Tensor, masks: Tensor) -> Tensor:
        """Compute `reference` for padded input: image [1, 3, H, W], masks [n, 1, H, W]."""
        deepest: Tensor = self.encoder(image, masks)[-1]
        return deepest

    def propagate(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        """Compute logits [n, 2, H / 4, W / 4], background first, for input that is padded as for `encode`."""
        *skips, coarse = self.encoder(image, masks)
        x = self.merge(torch.cat((coarse, references), dim=1))
        for refine, skip in zip(self.refine, reversed(skips), strict=True):
            x = refine(skip, x)
        out: Tensor = self.predict(F.relu(x))
        return out
