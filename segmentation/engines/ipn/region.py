"""The region of a frame that the networks of IPN see: a box around masks and scribbles, resampled to a square.

The results are warped back to the frame. Resampling uses `align_corners=True`, the convention of PyTorch 0.3.1, with
which the weights were trained. The map back to the frame uses the scale w / box width, while the map to the square uses
box width / (w - 1), so that they are not exact inverses. The weights were trained with these maps, so they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

PRESENT = 0.49  # The box contains all pixels whose mask value is at least this.


@dataclass(frozen=True)
class RegionConfig:
    """How the box around an object is chosen and resampled. The defaults are those of the official code."""

    size: int = 256  # side in pixels of the square to which the box is resampled, which the networks see
    smallest: int = 128  # smallest side of the box in pixels of the frame, before it is enlarged by `scale`
    scale: float = 1.5  # factor by which the box is larger than the object
    margin: int = 5  # how far the box may extend beyond the frame, in pixels of the frame


class Box(NamedTuple):
    """A box by its centre (y, x) and its height and width, in pixels."""

    y: float
    x: float
    height: float
    width: float


def box_around(masks: list[NDArray[np.floating]], config: RegionConfig) -> Box:
    """Return a box that contains all pixels of `masks` (float [H, W] each); the whole frame if all masks are empty."""
    height, width = masks[0].shape
    present = np.zeros((height, width), bool)
    for mask in masks:
        present |= mask >= PRESENT
    rows, columns = np.flatnonzero(present.any(axis=1)), np.flatnonzero(present.any(axis=0))
    if rows.size:
        sides = (rows[0], rows[-1], height), (columns[0], columns[-1], width)
    else:
        sides = (0, height, height), (0, width, width)
    (top, bottom), (left, right) = (_enlarge(low, high, size, config) for low, high, size in sides)
    return Box((top + bottom) / 2, (left + right) / 2, bottom - top + 1, right - left + 1)


def _enlarge(low: int, high: int, size: int, config: RegionConfig) -> tuple[float, float]:
    """Enlarge the interval low..high, the height or the width of a box, and return its new ends.

    It is lengthened to at least `config.smallest`, scaled about its middle by `config.scale`, and clipped to
    -margin .. size + margin, where `size` is the height or the width of the frame and the margin `config.margin`.
    """
    if high - low < config.smallest:
        missing = config.smallest - (high - low)
        low, high = low - int(missing / 2), high + int(missing / 2)
    reach = (config.scale - 1) / 2 * (high - low + 1)
    return max(-config.margin, low - reach), min(size + config.margin, high + reach)


class Region:
    """Crops N boxes of a frame of `height` x `width` to squares of side `size`, and warps squares back to frames."""

    def __init__(self, boxes: list[Box], height: int, width: int, size: int, device: torch.device | str) -> None:
        self.boxes = torch.tensor(boxes, dtype=torch.float32, device=device)  # [N, 4]
        self.theta, self.inverse = _affine(self.boxes, height, width)
        count = len(boxes)
        self.forward_grid = F.affine_grid(self.theta, [count, 1, size, size], align_corners=True)  # [N, size, size, 2]
        self.backward_grid = F.affine_grid(self.inverse, [count, 1, height, width], align_corners=True)  # [N, H, W, 2]

    def sample(self, x: Tensor) -> Tensor:
        """Crop maps [1 or N, C, H, W] to the N boxes. Return [N, C, size, size], with zeros outside the frame."""
        if x.shape[0] != len(self.boxes):
            x = x.expand(len(self.boxes), -1, -1, -1)
        return _grid_sample(x, self.forward_grid)

    def warp_back(self, x: Tensor) -> Tensor:
        """Warp squares [N, C, size, size] back to frames. Return [N, C, H, W], with zeros outside the boxes."""
        return _grid_sample(x, self.backward_grid)


def _grid_sample(x: Tensor, grid: Tensor) -> Tensor:
    """Sample `x` at the points `grid` in float32, because half precision is too coarse for wide frames."""
    return F.grid_sample(x.float(), grid, padding_mode="zeros", align_corners=True).to(x.dtype)


def _affine(boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the affine maps [N, 2, 3] from squares to boxes [N, 4] of a frame, and the maps from the boxes back to the
    squares.
    """
    y, x, box_h, box_w = boxes.unbind(1)
    span_y, span_x = (y + box_h / 2) - (y - box_h / 2), (x + box_w / 2) - (x - box_w / 2)
    theta = boxes.new_zeros(len(boxes), 2, 3)
    theta[:, 0, 0] = span_x / (width - 1)
    theta[:, 0, 2] = (2 * x - (width - 1)) / (width - 1)
    theta[:, 1, 1] = span_y / (height - 1)
    theta[:, 1, 2] = (2 * y - (height - 1)) / (height - 1)
    inverse = torch.zeros_like(theta)
    inverse[:, 0, 0] = width / span_x
    inverse[:, 0, 2] = -theta[:, 0, 2] / theta[:, 0, 0]
    inverse[:, 1, 1] = height / span_y
    inverse[:, 1, 2] = -theta[:, 1, 2] / theta[:, 1, 1]
    return theta, inverse
