"""Interaction-and-propagation networks (Oh et al., DAVIS challenge 2018 and CVPR 2019), with the official names.

`Inet` turns the scribbles in a frame into the mask of an object and a reference feature, which describes how the object
looks. `Pnet` propagates the mask to the adjacent frame, using also the reference feature, which `Aggregation` (called
SEFA in the paper) mixes with that of earlier rounds. Both networks only see a region around the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmentation.engines.ipn.region import Box, Region, RegionConfig, box_around
from segmentation.networks.blocks import Refine, ResBlock, conv3x3
from segmentation.networks.encoder import CueEncoder
from segmentation.networks.resnet import RESNET50, ResNetConfig

RegionOutputs = tuple[tuple[Tensor, ...], Tensor]  # `Estimate.logits`, and the deepest features of the encoder


@dataclass(frozen=True)
class IPNConfig:
    """Sizes of both networks of IPN; the defaults are those of the official code."""

    body: ResNetConfig = RESNET50
    width: int = 256  # channels of the decoder
    fusion: int = 1024  # channels of the first block of Pnet's decoder, which merges the reference with the frame
    reduction: int = 2  # factor by which the hidden layer of `Aggregation` is narrower than its input
    region: RegionConfig = field(default_factory=RegionConfig)
    frame_size: tuple[int, int] = (480, 910)  # largest short and long side; larger frames are scaled down (DAVIS: 480p)

    def __post_init__(self) -> None:
        if len(self.body.blocks) != 4:
            raise ValueError(f"body: needs four stages (1/4 .. 1/32), got {len(self.body.blocks)}")


@dataclass(frozen=True, eq=False)
class Estimate:
    """What one of the two networks computes for N objects in a frame.

    In the shapes below, `s` is the side in pixels of the square cut-out of the frame that the network gets.
    """

    probability: Tensor  # [N, H, W]: probability map of each object, zero outside its region
    reference: Tensor  # [N, C, s/32, s/32]: the deepest features of the encoder
    logits: tuple[Tensor, ...]  # background and object, [N, 2, size, size] for sizes s, s/4, s/8, s/16, s/32
    region: Region


class Pyramid(nn.Module):
    """The decoder of both networks: the blocks `fusion` for the deepest features, then three refinement steps.

    The names of the blocks are those of the official checkpoints.
    """

    def __init__(self, config: IPNConfig, fusion: Mapping[str, nn.Module]) -> None:
        super().__init__()
        quarter, eighth, sixteenth, _ = config.body.channels
        for name, block in fusion.items():
            self.add_module(name, block)
        self.RF4 = Refine(sixteenth, config.width, project=False, align_corners=True)
        self.RF3 = Refine(eighth, config.width, project=False, align_corners=True)
        self.RF2 = Refine(quarter, config.width, project=False, align_corners=True)
        self.pred5 = conv3x3(config.width, 2)
        self.pred4 = conv3x3(config.width, 2)
        self.pred3 = conv3x3(config.width, 2)
        self.pred2 = conv3x3(config.width, 2)
        self.fusion = tuple(fusion)

    def forward(self, deepest: Tensor, features: list[Tensor]) -> tuple[Tensor, ...]:
        """Return logits of background and object, [N, 2, size, size] for the sizes s, s/4, s/8, s/16 and s/32.

        `deepest` is the input of the fusion blocks, [N, channels, s/32, s/32]; `features` are the outputs of the four
        stages of the encoder, the finest first.
        """
        r2, r3, r4, _ = features
        m5 = deepest
        for name in self.fusion:
            m5 = self.get_submodule(name)(m5)  # [N, width, s/32, s/32]
        m4 = self.RF4(r4, m5)
        m3 = self.RF3(r3, m4)
        m2 = self.RF2(r2, m3)  # [N, width, s/4, s/4]
        p2 = self.pred2(F.relu(m2))
        full = F.interpolate(p2, scale_factor=4, mode="bilinear", align_corners=True)
        return full, p2, self.pred3(F.relu(m3)), self.pred4(F.relu(m4)), self.pred5(F.relu(m5))


class Aggregation(nn.Module):
    """Mixes the reference feature of earlier rounds with that of this round, with weights per channel that sum to 1.

    The paper calls it SEFA.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(2 * channels, 2 * channels // reduction)
        self.fc2 = nn.Linear(2 * channels // reduction, 2 * channels)

    def forward(self, earlier: Tensor, current: Tensor) -> Tensor:
        """Return the mix [N, C, h, w] of two reference features, each [N, C, h, w]."""
        pooled = torch.cat([current, earlier], dim=1).mean(dim=(2, 3))  # [N, 2C]
        weights = self.fc2(F.relu(self.fc1(pooled)))  # [N, 2C]
        weights = torch.softmax(weights.view(*earlier.shape[:2], 2), dim=2)  # [N, C, (current, earlier)]
        return weights[..., 0, None, None] * current + weights[..., 1, None, None] * earlier


class Inet(nn.Module):
    """The interaction network: computes the mask of an object and its reference feature in the frame that was drawn on.

    Its inputs are the frame, the object's mask so far, and the scribbles.
    """

    def __init__(self, config: IPNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or IPNConfig()
        self.Encoder = CueEncoder(config.body, cues=("m", "p", "n"), biased=("m",))
        self.Decoder = Pyramid(config, {"ResFM": ResBlock(config.body.channels[-1], config.width)})

    def forward(self, frame: Tensor, mask: Tensor, positive: Tensor, negative: Tensor) -> Estimate:
        """Segment N objects in a frame.

        Args:
            frame: the frame of all objects, or one for each, [1 or N, 3, H, W] in 0..1.
            mask: the probability map of each object so far, [N, H, W].
            positive: 1 under the object's scribbles, else 0, [N, H, W].
            negative: 1 under all other scribbles, else 0, [N, H, W].
        """
        cues = torch.stack([mask, positive, negative], dim=1)  # [N, 3, H, W]
        region = region_of(cues, self.config.region)
        return _estimate(*self.on_regions(region.sample(frame), region.sample(cues)), region)

    def on_regions(self, images: Tensor, cues: Tensor) -> RegionOutputs:
        """Run the network on square regions of the frame, [N, 3, s, s].

        `cues` [N, 3, s, s] are the mask so far and the positive and negative scribbles in these regions.
        """
        features = self.Encoder(images, cues)
        return self.Decoder(features[-1], features), features[-1]


class Pnet(nn.Module):
    """The propagation network: computes the mask of an object in a frame next to a frame with a known mask.

    Its inputs are the frame, its mask of the previous round, the mask of the adjacent frame, and the object's reference
    feature.
    """

    def __init__(self, config: IPNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or IPNConfig()
        deepest = config.body.channels[-1]
        self.Encoder = CueEncoder(config.body, cues=("m", "x"), biased=("m",))
        self.SEFA = Aggregation(deepest, config.reduction)
        fusion = {"ResFM1": ResBlock(2 * deepest, config.fusion), "ResFM2": ResBlock(config.fusion, config.width)}
        self.Decoder = Pyramid(config, fusion)

    def aggregate(self, earlier: Tensor | None, current: Tensor) -> Tensor:
        """Mix the reference feature of this round with that of earlier rounds (None: there is none)."""
        return current if earlier is None else self.SEFA(earlier, current)

    def forward(self, frame: Tensor, reference: Tensor, before: Tensor, neighbour: Tensor) -> Estimate:
        """Segment N objects in a frame.

        Args:
            frame: the frame of all objects, or one for each, [1 or N, 3, H, W] in 0..1.
            reference: the aggregated reference feature of each object, [N, C, h, w].
            before: the probability map of each object in this frame from the previous round, [N, H, W].
            neighbour: the mask of each object in the adjacent frame, rounded to 0 or 1, [N, H, W].
        """
        cues = torch.stack([before, neighbour], dim=1)  # [N, 2, H, W]
        region = region_of(cues, self.config.region)
        return _estimate(*self.on_regions(region.sample(frame), region.sample(cues), reference), region)

    def on_regions(self, images: Tensor, cues: Tensor, reference: Tensor) -> RegionOutputs:
        """Run the network on square regions of the frame, [N, 3, s, s], with reference features [N, C, s/32, s/32].

        `cues` [N, 2, s, s] are the mask of the previous round and the mask of the adjacent frame in these regions.
        """
        features = self.Encoder(images, cues)
        return self.Decoder(torch.cat([reference, features[-1]], dim=1), features), features[-1]


def region_of(cues: Tensor, config: RegionConfig) -> Region:
    """Return the regions that contain the masks and scribbles (`cues`, [N, C, H, W]) of each of N objects."""
    height, width = cues.shape[-2:]
    boxes: list[Box] = [box_around(list(item), config) for item in cues.float().cpu().numpy()]
    return Region(boxes, height, width, config.size, cues.device)


def _estimate(logits: tuple[Tensor, ...], deepest: Tensor, region: Region) -> Estimate:
    probability = region.warp_back(torch.softmax(logits[0].float(), dim=1))[:, 1]
    return Estimate(probability, deepest, logits, region)
