"""The masks of one round at the size of an engine's feature maps [h, w]: one value for each cell."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.types import LabelMap


def resize_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a tensor of ids [H, W] to [h, w] by nearest neighbour.

    Row i of the result is row floor(i * H / h) of the input, and columns likewise.
    """
    return F.interpolate(labels[None, None].float(), size=size, mode="nearest")[0, 0].to(labels.dtype)


def to_cells(labels: LabelMap, size: tuple[int, int]) -> Tensor:
    """Resize a mask, uint8 [H, W], to the size [h, w] of a feature map, int64."""
    return resize_labels(torch.from_numpy(labels.astype(np.int64)), size)


class RoundLabels:
    """The masks of one round by frame, int64 [h, w], at the size `size` of an engine's feature maps.

    Masks that are set here are kept compressed. Masks in `stored` have the size of the video, and are read and resized
    each time they are needed.
    """

    def __init__(self, size: tuple[int, int], stored: Mapping[int, LabelMap] | None = None) -> None:
        self._size = size
        self._stored = {} if stored is None else stored
        self._own: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._own) + len(self._stored)

    def __contains__(self, frame: int) -> bool:
        return frame in self._own or frame in self._stored

    def __getitem__(self, frame: int) -> Tensor:
        """Return the mask of `frame`, int64 [h, w]. Raises KeyError if the round has no mask of it."""
        if frame in self._own:
            flat = np.frombuffer(zlib.decompress(self._own[frame]), np.uint8)
            return torch.from_numpy(flat.astype(np.int64).reshape(self._size))
        return to_cells(self._stored[frame], self._size)

    def __setitem__(self, frame: int, labels: Tensor) -> None:
        self._own[frame] = zlib.compress(labels.cpu().numpy().astype(np.uint8).tobytes(), 1)
