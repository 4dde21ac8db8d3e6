"""Cuts an object out of the frame it was drawn on: a small U-net that puts right what GrabCut makes of the strokes.

It looks at one frame alone, so stills teach it: thousands of objects in place of the few that videos show.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.classical.drawing import Sketch
from segmentation.engines.star.network import MEAN, STD, Residual, conv_bn, upsample

CLUES = 4  # GrabCut's mask, how likely each pixel was before it, own strokes, other strokes: each 0..1
LEAN = 1.1  # logit that GrabCut has in advance: it is overruled where the network is sure, with a probability of 0.75
CUT_STRIDE = 32  # frames are padded or stretched to a multiple of it


@dataclass(frozen=True)
class CutterConfig:
    """Sizes: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the frame."""

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    skip: int = 16  # channels of a finer stage that its decoder is told of


class Cutter(nn.Module):
    """Frames and clues of N objects -> one logit a pixel."""

    def __init__(self, config: CutterConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CutterConfig()
        widths, skip = config.widths, config.skip
        self.stem = nn.Sequential(conv_bn(3 + CLUES, widths[0], 2), nn.ReLU(), conv_bn(widths[0], widths[0]), nn.ReLU())
        self.down = nn.ModuleList(
            nn.Sequential(Residual(inputs, outputs, 2), Residual(outputs, outputs))
            for inputs, outputs in pairwise(widths)
        )
        self.scene = nn.Conv2d(widths[-1], widths[-1], 1)
        finer = list(pairwise(widths))[::-1]  # (this stage, the coarser one)
        self.skips = nn.ModuleList(nn.Conv2d(own, skip, 1) for own, _ in finer)
        self.up = nn.ModuleList(Residual(coarse + skip + CLUES, own) for own, coarse in finer)
        self.out = nn.Conv2d(widths[0], 1, 3, padding=1)
        self.prior = nn.Parameter(torch.tensor(1.0))  # logit of what GrabCut is sure of
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))

    def forward(self, frames: Tensor, clues: Tensor) -> Tensor:
        """Frames [N, 3, H, W] in 0..1, clues [N, CLUES, H, W]; H, W multiples of CUT_STRIDE -> logits [N, H/2, W/2]."""
        images = (frames - self.get_buffer("mean")) / self.get_buffer("std")
        x = self.stem(torch.cat([images, clues], dim=1))
        stages = [x]
        for stage in self.down:
            stages.append(stage(stages[-1]))
        x = stages.pop()
        x = x + self.scene(x.mean((2, 3), keepdim=True))
        for skip, up in zip(self.skips, self.up, strict=True):
            fine = stages.pop()
            known = F.interpolate(clues, size=fine.shape[-2:], mode="area")
            x = up(torch.cat([upsample(x, fine), skip(fine), known.to(x.dtype)], dim=1))
        given = F.avg_pool2d(clues[:, :1], 2)[:, 0]
        logits: Tensor = self.out(x)[:, 0].float() + self.prior * (2 * given - 1)
        return logits


def clues_of(sketch: Sketch, size: tuple[int, int]) -> NDArray[np.float32]:
    """A sketch as the network sees it: [CLUES, H, W]."""
    parts = (sketch.cut, sketch.likely, sketch.own, sketch.others)
    return np.stack([cv2.resize(part.astype(np.float32), size[::-1]).view(np.ndarray) for part in parts])


def finish(network: Cutter, grid: NDArray[np.uint8], sketch: Sketch) -> Tensor:
    """The probability of a sketched object in a frame [h, w, 3] of any size: [H/2, W/2] of the frame stretched to whole
    strides."""
    height, width = grid.shape[:2]
    size = (-(-height // CUT_STRIDE) * CUT_STRIDE, -(-width // CUT_STRIDE) * CUT_STRIDE)
    device = network.prior.device
    image = torch.tensor(cv2.resize(grid, size[::-1]), device=device).permute(2, 0, 1)[None].float() / 255
    clues = torch.tensor(clues_of(sketch, size), device=device)[None]
    logits: Tensor = network(image.contiguous(memory_format=torch.channels_last), clues)
    given = F.avg_pool2d(clues[:, :1], 2)[:, 0]
    return torch.sigmoid(logits + LEAN * (2 * given - 1))[0]
