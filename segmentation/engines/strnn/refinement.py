"""RGMP (Oh et al., CVPR 2018), a network that propagates masks. Lin et al. use it in the last round of ST-RNN.

The same encoder encodes the reference (an annotated frame with its mask) and the frame to segment (with the mask of the
adjacent frame). A global convolution block joins both, and a decoder with skip connections from the frame to segment
computes the logits of background and object.
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
    """A cheap approximation of a k x k convolution, followed by a residual block.

    It is the sum of a k x 1 convolution after a 1 x k convolution, and of a 1 x k after a k x 1 convolution.
    """

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
        """Apply the convolutions and the residual block to [N, inputs, h, w], which gives [N, width, h, w]."""
        out: Tensor = self.residual(self.left(x) + self.right(x))
        return out


class Refinement(nn.Module):
    """The network RGMP, by which ST-RNN refines its masks in late rounds.

    It propagates the mask of each object separately from frame to frame, with an annotated frame as the reference.
    """

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
        """Encode an annotated frame with the masks [n, H, W] of n objects.

        `image` is the frame of all objects, or one for each, [1 or n, 3, H, W] in 0..1. Return [n, C, h, w], the
        argument `references` of `forward`.
        """
        padding = padding_to(self.stride, *image.shape[-2:])
        return self.encode(pad(image, padding), pad(masks[:, None], padding))

    def forward(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        """Return the probability maps [n, H, W] of n objects in a frame, from their masks in the adjacent frame.

        Args:
            image: the frame of all objects, or one for each, [1 or n, 3, H, W] in 0..1.
            masks: the masks in the adjacent frame, [n, H, W] in 0..1.
            references: what `reference` returned for the annotated frame, [n, C, h, w].
        """
        padding = padding_to(self.stride, *image.shape[-2:])
        padded = pad(image, padding)
        logits = self.propagate(padded, pad(masks[:, None], padding), references)
        logits = F.interpolate(logits, size=padded.shape[-2:], mode="bilinear", align_corners=False)
        return unpad(torch.softmax(logits, dim=1)[:, 1], padding)

    def encode(self, image: Tensor, masks: Tensor) -> Tensor:
        """Compute what `reference` returns from padded input: an image [1, 3, H, W] and masks [n, 1, H, W]."""
        deepest: Tensor = self.encoder(image, masks)[-1]
        return deepest

    def propagate(self, image: Tensor, masks: Tensor, references: Tensor) -> Tensor:
        """Compute the logits of background and object, [n, 2, H / 4, W / 4], from padded input as for `encode`."""
        *skips, coarse = self.encoder(image, masks)
        x = self.merge(torch.cat((coarse, references), dim=1))
        for refine, skip in zip(self.refine, reversed(skips), strict=True):
            x = refine(skip, x)
        out: Tensor = self.predict(F.relu(x))
        return out
