"""The masks of one round at the resolution of an engine's features."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.types import LabelMap


def resize_labels(labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize labels [H, W] to [h, w]. Row i is row floor(i * H / h) of the input, and columns likewise."""
    return F.interpolate(labels[None, None].float(), size=size, mode="nearest")[0, 0].to(labels.dtype)


def to_cells(labels: LabelMap, size: tuple[int, int]) -> Tensor:
    """Resize a mask to the feature grid: int64 [h, w]."""
    return resize_labels(torch.from_numpy(labels.astype(np.int64)), size)


class RoundLabels:
    """The masks of one round as label maps [h, w].

    Masks that are set here are kept compressed; those of `stored`, at the size of the video, are read when they are
    asked for.
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
        """int64 [h, w]. Raises KeyError where the round has no mask of `frame`."""
        if frame in self._own:
            flat = np.frombuffer(zlib.decompress(self._own[frame]), np.uint8)
            return torch.from_numpy(flat.astype(np.int64).reshape(self._size))
        return to_cells(self._stored[frame], self._size)

    def __setitem__(self, frame: int, labels: Tensor) -> None:
        self._own[frame] = zlib.compress(labels.cpu().numpy().astype(np.uint8).tobytes(), 1)
