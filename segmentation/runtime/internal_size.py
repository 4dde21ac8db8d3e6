"""The size at which an engine's network sees a frame. Masks come out at the video's own size all the same."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from segmentation.types import Image

LEAST = 8  # pixels of a side: two cells of a grid at 1/4


def internal_size(height: int, width: int, fit: tuple[int, int], max_side: int | None = None) -> tuple[int, int]:
    """Height and width that a frame is resized to, its shape kept.

    Args:
        fit: short and long side, neither of which is exceeded: (480, 854) gives 480 x 854 for 16:9.
        max_side: a smaller long side, if wanted; the short one shrinks with it.
    """
    short, long = fit
    if max_side is not None and max_side < long:
        short, long = round(short * max_side / long), max_side
    scale = min(short / min(height, width), long / max(height, width))
    # Rounded up, as 480 lines of 16:9 are 853.3 columns; the inner rounding takes off what float division added.
    return max(math.ceil(round(height * scale, 3)), LEAST), max(math.ceil(round(width * scale, 3)), LEAST)


def resized_frame(frame: Image, size: tuple[int, int]) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, 3, h, w] in 0..255; cubic and not clipped, as MA-Net's official loader does."""
    image = frame.astype(np.float32)
    if image.shape[:2] != size:
        image = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return torch.from_numpy(image).permute(2, 0, 1)[None]
