"""The size to which frames are resized for an engine's network. Masks are always returned at the size of the video."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from segmentation.types import Image

LEAST = 8  # smallest side, in pixels: two cells of a feature map at a quarter of the resolution


def internal_size(height: int, width: int, fit: tuple[int, int], max_side: int | None = None) -> tuple[int, int]:
    """Return the height and width to which a frame of `height` x `width` pixels is resized, with its aspect ratio.

    A frame that is smaller than `fit` is enlarged. No side gets shorter than `LEAST`, even if the ratio changes.

    Args:
        fit: the largest short side and the largest long side. (480, 854) gives 480 x 854 for a 16:9 video.
        max_side: another limit of the long side, which only matters if it is smaller than that of `fit`.
    """
    short, long = fit
    if max_side is not None and max_side < long:
        short, long = round(short * max_side / long), max_side
    scale = min(short / min(height, width), long / max(height, width))
    # Sizes are rounded up, because 480 rows of a 16:9 video have 853.3 columns. The inner rounding removes errors of
    # floating point division.
    return max(math.ceil(round(height * scale, 3)), LEAST), max(math.ceil(round(width * scale, 3)), LEAST)


def resized_frame(frame: Image, size: tuple[int, int]) -> Tensor:
    """Resize a frame [H, W, 3] to float32 [1, 3, h, w] by cubic interpolation. Values are not clipped to 0..255.

    The official code of MA-Net resizes frames in this way.
    """
    image = frame.astype(np.float32)
    if image.shape[:2] != size:
        image = np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)
    return torch.from_numpy(image).permute(2, 0, 1)[None]
