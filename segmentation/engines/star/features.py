"""Computes what STAR needs of frames and what does not depend on scribbles: features of the trunk, and optical flow.

The trunk is the pretrained image network whose weights are frozen.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from segmentation.trunk import Trunk

LARGEST_SCALE = 2.0  # Largest factor by which a small video is enlarged.
LONGEST = 3 * 288  # Largest longer side of frames for the trunk, in pixels.
LINES = 288  # Shorter side of frames for the trunk, in pixels.
MULTIPLE = 32  # Both sides are multiples of this, the coarsest stride of the trunk.
CELL = 8  # Stride in pixels at which frames are matched.
FLOW_LINES = 144  # Shorter side in pixels of frames for optical flow. The flow is kept at stride 4 of the working size.
MISS = 1.0  # Error in pixels of flow there and back at which the trust falls to 1/e.
LIGHT = 24.0  # Difference of grey levels between a pixel and its place in the other frame where trust falls to 1/e.


class Raw(NamedTuple):
    """The features of the trunk for B frames of H x W pixels.

    At strides 8, 16 and 32 every cell is a unit vector, because matching uses cosine similarity. The numbers of
    channels are those of the variants lite0 and lite1.
    """

    f4: Tensor  # [B, 24, H / 4, W / 4], scaled to values of about 1
    f8: Tensor  # [B, 40, H / 8, W / 8]
    f16: Tensor  # [B, 112, H / 16, W / 16]
    f32: Tensor  # [B, 320, H / 32, W / 32]
    colours: Tensor  # [B, 3, H / 2, W / 2], RGB, 0..1


class Flow(NamedTuple):
    """Optical flow from a frame back to an adjacent frame, at stride 4 of the working size."""

    back: Tensor  # [B, 2, h, w]: displacement x, y of each cell to its place in the adjacent frame, in cells
    trust: Tensor  # [B, 1, h, w], 0..1: how reliable the flow is


def working_size(height: int, width: int, max_side: int | None = None) -> tuple[int, int]:
    """Return the (height, width) at which STAR works on a video: a shorter side of about 288 pixels, multiples of 32.

    The aspect ratio is about that of the video. A small video is enlarged at most to double its size. A very long or
    narrow video gets a shorter side below 288 pixels.
    """
    scale = min(LINES / min(height, width), LARGEST_SCALE, LONGEST / max(height, width))
    if max_side is not None:
        scale = min(scale, max_side / max(height, width))
    sides = (max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (height, width))
    rows, columns = sides
    return rows, columns


def resized(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a frame, RGB uint8 [H, W, 3], to `size` (height, width)."""
    if frame.shape[:2] == size:
        return frame
    how = cv2.INTER_AREA if frame.shape[0] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size[::-1], interpolation=how), np.uint8)


def raw_features(trunk: Trunk, frames: NDArray[np.uint8]) -> Raw:
    """Compute the trunk's features of frames, uint8 RGB [B, H, W, 3] at the working size."""
    images = torch.tensor(frames).permute(0, 3, 1, 2).float() / 255
    _, f4, *coarser = trunk(images)
    f8, f16, f32 = (F.normalize(part, dim=1) for part in coarser)
    return Raw(f4 / 8, f8, f16, f32, F.avg_pool2d(images, 2).to(f4.device))


def flow_between(frame: NDArray[np.uint8], neighbour: NDArray[np.uint8]) -> tuple[Flow, Flow]:
    """Compute the flow from `frame` to `neighbour` and the flow from `neighbour` to `frame`.

    Both frames are grey, uint8 [H, W] at the working size.
    """
    scale = min(1.0, FLOW_LINES / min(frame.shape))
    height, width = (math.ceil(side * scale) for side in frame.shape)
    a, b = (_smaller(part, (width, height)) for part in (frame, neighbour))
    back, forth = _dis(a, b), _dis(b, a)
    size = (frame.shape[0] // 4, frame.shape[1] // 4)
    return _flow(a, b, back, forth, size), _flow(b, a, forth, back, size)


def _smaller(grey: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _dis(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    flow = np.zeros((*a.shape, 2), np.float32)
    if min(a.shape) < 16:  # DIS fails on frames smaller than two of its patches.
        return flow
    return np.asarray(cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, b, flow), np.float32)


def _flow(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    back: NDArray[np.float32],
    forth: NDArray[np.float32],
    size: tuple[int, int],
) -> Flow:
    height, width = a.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = x + back[..., 0], y + back[..., 1]
    returned = cv2.remap(forth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gap = np.hypot(*(back + returned).transpose(2, 0, 1)) / (1 + 0.1 * np.hypot(back[..., 0], back[..., 1]))
    seen = cv2.remap(b, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = cv2.blur(np.abs(a.astype(np.float32) - seen), (5, 5))
    trust = np.exp(-((gap / MISS) ** 2) - (light / LIGHT) ** 2)
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    small = cv2.resize(back * scale, size[::-1], interpolation=cv2.INTER_AREA)
    trusted = cv2.resize(trust.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return Flow(torch.from_numpy(small).permute(2, 0, 1)[None].contiguous(), torch.from_numpy(trusted)[None, None])
