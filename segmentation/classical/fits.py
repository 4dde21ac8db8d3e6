"""Fits of the objects' models to annotated frames: made once for each mask, kept from round to round."""

from __future__ import annotations

import hashlib
from typing import Any

from numpy.typing import NDArray

from segmentation.classical.appearance import Look
from segmentation.classical.picture import Pictures
from segmentation.classical.propagation import look_at
from segmentation.runtime.caches import DigestCache

KEPT = 128  # of one object in one frame each, 0.2 MB

Map = NDArray[Any]  # float32 [h, w]


class Fits:
    """How objects look in annotated frames. Safe to share between threads."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept: DigestCache[tuple[int, int], Look] = DigestCache(KEPT)

    def of(self, object_id: int, frame: int, probability: Map) -> Look:
        """An object in `frame`, where it is what `probability` says, on the grid."""
        digest = hashlib.blake2b(probability.tobytes()).digest()
        return self._kept.get((object_id, frame), digest, lambda: look_at(frame, self._pictures[frame], probability))
