"""The size at which an engine's network sees a frame. Masks are always returned at the size of the video."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from segmentation.types import Image

LEAST = 8  # pixels of the shorter side: two cells of features at 1/4


def internal_size(height: int, width: int, fit: tuple[int, int], max_side: int | None = None) -> tuple[int, int]:
    """Height and width that a frame is resized to; its aspect ratio is kept.

    Args:
        fit: largest short and long side. (480, 854) gives 480 x 854 for a 16:9 video.
        max_side: largest long side, where it is smaller than that of `fit`; the short side shrinks in proportion.
    """
    short, long = fit
    if max_side is not None and max_side < long:
        short, long = round(short * max_side / long), max_side
    scale = min(short / min(height, width), long / max(height, width))
    # Sizes are rounded up: 480 lines of 16:9 are 853.3 columns. The inner rounding removes float errors of the
    # division.
    return max(math.ceil(round(height * scale, 3)), LEAST), max(math.ceil(round(width * scale, 3)), LEAST)


def resized_frame(frame: Image, size: tuple[int, int]) -> Tensor:
    """Resize a frame [H, W, 3] to float32 [1, 3, h, w] in 0..255, by cubic interpolation without clipping.

    MA-Net's official program reads frames in this way.
    """
    image = frame.astype(np.float32)
    if image.shape[:2] != size:
        image = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return torch.from_numpy(image).permute(2, 0, 1)[None]
