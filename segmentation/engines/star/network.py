"""STAR's network: an embedding of the trunk's features for matching, and a decoder that turns cues into masks.

The cues of an object are maps that tell where it may be (`matching.Cues`), computed in closed form from the embedding.
A small decoder with the same weights for every object turns them into a mask at half the working size. Where the masks
of several objects overlap, the most probable object gets the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engines.star.confidence import DRAWN_EVIDENCE, EVIDENCE, Confidence
from segmentation.engines.star.features import Raw
from segmentation.engines.star.matching import CUES
from segmentation.trunk import trunk_channels

FINE = 3  # Number of cues at stride 4: the warped mask, the trust of the flow, the mask of an earlier round.


@dataclass(frozen=True)
class StarConfig:
    """Sizes of the network. `trunk` names the pretrained image network on whose features it was trained."""

    embedding: int = 64  # channels of the embedding
    context: int = 32  # channels of the features that the decoder gets beside the cues
    widths: tuple[int, ...] = (48, 24, 12)  # channels of the decoder at strides 8, 4, 2
    blocks: int = 3  # residual blocks of the decoder at stride 8
    trunk: str = "lite0"

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels of the trunk's features at strides 4, 8, 16 and 32."""
        return trunk_channels(self.trunk)[1:]


class Encoded(NamedTuple):
    """The features of B frames that STAR needs for matching and decoding, with h x w cells of stride 8."""

    embedding: Tensor  # [B, E, h, w]: for matching, unit vectors
    context: Tensor  # [B, C, h, w]: for the decoder
    f4: Tensor  # [B, 24, 2h, 2w]: the trunk's features at stride 4
    colours: Tensor  # [B, 3, 4h, 4w]: RGB, 0..1

    def take(self, index: Tensor) -> Encoded:
        return Encoded(*(part[index] for part in self))


class Projection(nn.Module):
    """A linear map of the trunk's features at strides 8, 16 and 32 to `outputs` channels at stride 8.

    The features of each stride are mapped by a 1x1 convolution; the results are resized to stride 8 and added.
    """

    def __init__(self, channels: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.channels = channels  # at strides 8, 16 and 32
        self.parts = nn.ModuleList(nn.Conv2d(inputs, outputs, 1, bias=i == 0) for i, inputs in enumerate(channels))

    def forward(self, f8: Tensor, f16: Tensor, f32: Tensor) -> Tensor:
        at8, at16, at32 = (part(f) for part, f in zip(self.parts, (f8, f16, f32), strict=True))
        size = at8.shape[-2:]
        coarse = at16 + F.interpolate(at32, size=at16.shape[-2:], mode="bilinear", align_corners=False)
        summed: Tensor = at8 + F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        return summed


class Residual(nn.Module):
    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class Decoder(nn.Module):
    """Turns features and cues of N objects into the logits of their masks at stride 2, and the logit of their J."""

    def __init__(self, config: StarConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.widths
        self.enter = nn.Conv2d(config.context + CUES, coarse, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(coarse, dilation=2 if i == 1 else 1) for i in range(config.blocks))
        self.scene = nn.Linear(coarse, coarse)
        self.seen4 = nn.Conv2d(config.channels[0], 16, 1)
        self.up4 = nn.Conv2d(coarse + 16 + FINE, middle, 3, padding=1)
        self.block4 = Residual(middle)
        self.seen2 = nn.Conv2d(3, 8, 3, padding=1)
        self.up2 = nn.Conv2d(middle + 8, fine, 3, padding=1)
        self.out2 = nn.Conv2d(fine, 1, 3, padding=1)
        self.out8 = nn.Conv2d(coarse, 1, 1)
        self.sure = nn.Sequential(nn.Linear(2 * coarse + 3, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, seen: tuple[Tensor, Tensor, Tensor], cues: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Decode N objects in the whole frame. Training uses this; `decode_masks` computes outlines in windows only.

        Args:
            seen: the features `context`, `f4` and `colours` of `Encoded`, repeated for each object.
            cues: the cues at stride 8, [N, CUES, h, w].
            fine: the cues at stride 4, [N, FINE, 2h, 2w].

        Returns:
            The logits of the masks, [N, 4h, 4w], and the logits of the J that the decoder estimates for them, [N].
        """
        context, f4, colours = seen
        x, coarse = self.coarse(context, cues)
        logits = self.outlined(x, coarse, f4, colours, fine)
        return logits, self.expected(x, coarse, logits)

    def coarse(self, context: Tensor, cues: Tensor) -> tuple[Tensor, Tensor]:
        """Return the decoder's features of N objects at stride 8, [N, C, h, w], and coarse logits, [N, 1, h, w]."""
        x = F.relu(self.enter(torch.cat([context, cues], 1)))
        x = x + self.scene(x.mean((2, 3)))[:, :, None, None]
        for block in self.blocks:
            x = block(x)
        return x, self.out8(x)

    def outlined(self, x: Tensor, coarse: Tensor, f4: Tensor, colours: Tensor, fine: Tensor) -> Tensor:
        """Return the logits of N masks at stride 2, [N, 4h, 4w], from the results of `coarse` and finer features.

        All arguments may be the same window of their maps.
        """
        y = F.relu(self.up4(torch.cat([_doubled(x), F.relu(self.seen4(f4)), fine], 1)))
        y = self.block4(y)
        z = F.relu(self.up2(torch.cat([_doubled(y), F.relu(self.seen2(colours - 0.5))], 1)))
        logits: Tensor = self.out2(z)[:, 0] + _doubled(_doubled(coarse))[:, 0]
        return logits

    def expected(self, x: Tensor, coarse: Tensor, logits: Tensor) -> Tensor:
        """Return the logit of the J that the decoder estimates for each mask, [N].

        `x` and `coarse` are the decoder's features and logits at stride 8, `logits` those at stride 2.
        """
        x = x.detach()
        p = torch.sigmoid(coarse.detach())
        inside = (x * p).sum((2, 3)) / (p.sum((2, 3)) + 1e-3)
        fine = torch.sigmoid(logits.detach())
        area = fine.mean((1, 2))
        doubt = (fine * (1 - fine)).sum((1, 2)) / (fine.sum((1, 2)) + 1)
        about = torch.stack([area.sqrt(), doubt, fine.flatten(1).amax(1)], 1)
        logit: Tensor = self.sure(torch.cat([inside, x.mean((2, 3)), about], 1))[:, 0]
        return logit


class Star(nn.Module):
    """All trained parts of STAR: the embedding, the sharpness of matching, the decoder, and the confidence of masks."""

    def __init__(self, config: StarConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StarConfig()
        self.embed = Projection(config.channels[1:], config.embedding)
        self.context = Projection(config.channels[1:], config.context)
        # Logarithms of the factors of similarities in the softmax: to cells of the memory, and of the adjacent frame.
        self.sharpness = nn.Parameter(torch.tensor(3.0))
        self.near_sharpness = nn.Parameter(torch.tensor(3.0))
        self.decoder = Decoder(config)
        self.confidence = Confidence(EVIDENCE)  # For propagated masks.
        self.drawn_confidence = Confidence(DRAWN_EVIDENCE)  # For masks of frames that were drawn on.

    def encode(self, raw: Raw) -> Encoded:
        parts = raw.f8, raw.f16, raw.f32
        embedding = F.normalize(self.embed(*parts), dim=1)
        return Encoded(embedding, F.relu(self.context(*parts)), raw.f4, raw.colours)


def compete(logits: Tensor) -> Tensor:
    """Turn the logits of n objects [n, H, W] into probabilities of background and objects, [n + 1, H, W], sum 1.

    This is the soft aggregation of STM (Oh et al. 2019), computed from logits.
    """
    absent = F.logsigmoid(-logits).sum(0, keepdim=True)  # logarithm of the probability that there is no object
    background = absent - torch.log1p(-absent.exp().clamp(max=1 - 1e-6))
    return torch.softmax(torch.cat([background, logits], 0), 0)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
