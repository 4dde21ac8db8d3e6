"""Masks by frame, compressed in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, MutableMapping

import numpy as np

from segmentation.types import LabelMap


class PackedLabels(MutableMapping[int, LabelMap]):
    """A mapping from frames to masks that stores them deflated: a mask at 480p takes 1 to 3 kB.

    The arrays that it returns are read-only.
    """

    def __init__(self) -> None:
        self._packed: dict[int, tuple[tuple[int, ...], bytes]] = {}

    def __getitem__(self, frame: int) -> LabelMap:
        shape, data = self._packed[frame]
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)

    def __setitem__(self, frame: int, labels: LabelMap) -> None:
        self._packed[frame] = (labels.shape, zlib.compress(labels.tobytes(), 1))

    def __delitem__(self, frame: int) -> None:
        del self._packed[frame]

    def __contains__(self, frame: object) -> bool:
        return frame in self._packed

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
