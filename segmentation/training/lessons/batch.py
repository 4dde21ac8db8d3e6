"""Clips of one step as tensors, and their objects as a flat list of (clip, object) pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmentation.training.clips import Clip
from segmentation.training.strokes import Raster


class Batch:
    """B clips of T frames; N pairs. `clip[i]` and `number[i]` say whose object pair i is."""

    def __init__(self, clips: list[Clip], device: torch.device) -> None:
        self.clips = clips
        frames = torch.from_numpy(np.stack([clip.frames for clip in clips])).to(device)
        self.frames = frames.permute(0, 1, 4, 2, 3).float() / 255  # [B, T, 3, H, W]
        self.labels = torch.from_numpy(np.stack([clip.labels for clip in clips])).to(device)  # uint8 [B, T, H, W]
        pairs = [(b, n) for b, clip in enumerate(clips) for n in range(1, clip.num_objects + 1)]
        self.clip = torch.tensor([b for b, _ in pairs], device=device)
        self.number = torch.tensor([n for _, n in pairs], device=device)
        self.length = len(clips[0].frames)

    def own(self, labels: Tensor) -> Tensor:
        """Label maps of the clips [B, H, W] -> the mask of each pair [N, H, W], 0 or 1."""
        return (labels[self.clip] == self.number[:, None, None]).float()

    def others(self, masks: Tensor) -> Tensor:
        """Masks of the pairs [N, H, W] -> for each the sum of its clip's other masks, at most 1."""
        sums = torch.zeros(len(self.clips), *masks.shape[1:], device=masks.device, dtype=masks.dtype)
        sums = sums.index_add(0, self.clip, masks)
        return (sums[self.clip] - masks).clamp(0, 1)

    def scribbles(self, draw: Callable[[int, Clip], Raster]) -> tuple[Tensor, Tensor]:
        """Scribbles of every clip -> positive and negative maps of the pairs, each [N, H, W], two pixels thick."""
        rasters = np.stack([draw(b, clip) for b, clip in enumerate(self.clips)])
        drawn = torch.from_numpy(rasters).to(self.labels.device)[self.clip]
        positive = (drawn == self.number[:, None, None]).float()
        negative = ((drawn >= 0) & (drawn != self.number[:, None, None])).float()
        return thicken(positive), thicken(negative)

    def by_clip(self, values: Tensor) -> list[Tensor]:
        """Values of the pairs -> for each clip those of its objects, in order."""
        return [values[self.clip == b] for b in range(len(self.clips))]


def thicken(maps: Tensor) -> Tensor:
    """Scribbles are a pixel wide; at half the size they must not vanish: 3 x 3 dilation of [N, H, W]."""
    return torch.nn.functional.max_pool2d(maps[:, None], 3, 1, 1)[:, 0]


def hard(logits: list[Tensor]) -> list[NDArray[np.uint8]]:
    """Aggregated logits [n + 1, H, W] of each clip -> label maps."""
    return [part.detach().argmax(dim=0).to(torch.uint8).cpu().numpy() for part in logits]
