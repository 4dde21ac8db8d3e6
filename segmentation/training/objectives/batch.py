"""Holds the clips of one training step as tensors, and their objects as a flat list of (clip, object) pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from segmentation.scribbles import Raster, dilate
from segmentation.training.clips import Clip


class LabelBatch:
    """The true masks of B clips of T frames, with N (clip, object) pairs in all.

    Pair i is object `number[i]` of clip `clip[i]`.

    Args:
        labels: the ids of all pixels, uint8 [B, T, H, W]; 255 is "ignore".
        objects: the number of objects of each clip.
    """

    def __init__(self, labels: Tensor, objects: Sequence[int]) -> None:
        self.labels, self.objects = labels, objects
        pairs = [(b, n) for b, count in enumerate(objects) for n in range(1, count + 1)]
        self.clip = torch.tensor([b for b, _ in pairs], device=labels.device)
        self.number = torch.tensor([n for _, n in pairs], device=labels.device)
        self.length = labels.shape[1]
        self.size: tuple[int, int] = (labels.shape[2], labels.shape[3])

    def own(self, labels: Tensor) -> Tensor:
        """Turn masks of the clips, ids [B, H, W], into a mask of each (clip, object) pair, [N, H, W], 0 or 1."""
        return (labels[self.clip] == self.number[:, None, None]).float()

    def others(self, masks: Tensor) -> Tensor:
        """Return for each (clip, object) pair the sum of the clip's other masks, at most 1, [N, H, W]."""
        sums = torch.zeros(len(self.labels), *masks.shape[1:], device=masks.device, dtype=masks.dtype)
        sums = sums.index_add(0, self.clip, masks)
        return (sums[self.clip] - masks).clamp(0, 1)

    def by_clip(self, values: Tensor) -> list[Tensor]:
        """Group the values of the (clip, object) pairs by clip, in the order of the objects."""
        return [values[self.clip == b] for b in range(len(self.labels))]


class Batch(LabelBatch):
    """B clips of T frames with their true masks."""

    def __init__(self, clips: list[Clip], device: torch.device) -> None:
        labels = torch.from_numpy(np.stack([clip.labels for clip in clips])).to(device)
        super().__init__(labels, [clip.num_objects for clip in clips])
        self.clips = clips
        frames = torch.from_numpy(np.stack([clip.frames for clip in clips])).to(device)
        self.frames = frames.permute(0, 1, 4, 2, 3).float() / 255  # [B, T, 3, H, W]

    def scribbles(self, rasters: list[Raster]) -> tuple[Tensor, Tensor]:
        """Turn the scribbles of every clip, drawn into a map [H, W], into two maps for each (clip, object) pair.

        The positive maps show the object's scribbles, the negative maps all other scribbles; both are [N, H, W]. They
        are thickened to three pixels, because the first layers of the networks halve the size.
        """
        thick = np.stack([dilate(raster, 1) for raster in rasters])
        drawn = torch.from_numpy(thick).to(self.labels.device)[self.clip]
        own = drawn == self.number[:, None, None]
        return own.float(), ((drawn >= 0) & ~own).float()


def damage(masks: Tensor, noise: torch.Generator) -> Tensor:
    """Damage masks [N, H, W] as a long propagation does: bend outlines, remove and add parts, and blur them."""
    count, height, width = masks.shape
    cells = (max(2, height // 24), max(2, width // 24))
    field = torch.randn(count, 1, *cells, generator=noise).to(masks.device)
    strength = torch.rand(count, 1, 1, generator=noise).to(masks.device)
    bend = F.interpolate(field, size=(height, width), mode="bilinear", align_corners=False)[:, 0]
    soft = F.interpolate(F.avg_pool2d(masks[:, None], 4), size=(height, width), mode="bilinear", align_corners=False)[
        :, 0
    ]
    return torch.sigmoid((soft - 0.5 + 0.35 * strength * bend) * 12)


def hard(maps: list[Tensor]) -> list[NDArray[np.uint8]]:
    """Turn the probability maps [n + 1, H, W] of each clip, background first, into masks, uint8 [H, W]."""
    return [part.argmax(dim=0).to(torch.uint8).cpu().numpy() for part in maps]


def on_grid(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize label maps [N, T, H, W] to the size (h, w) of feature maps, int64 [N, T, h, w], as engines do."""
    return F.interpolate(labels.float(), size=size, mode="nearest").long()
