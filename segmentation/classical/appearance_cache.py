"""Fits of the objects' models to annotated frames: made once for each mask, kept from round to round."""

from __future__ import annotations

import hashlib
from typing import Any

from numpy.typing import NDArray

from segmentation.classical.appearance import AppearanceSample
from segmentation.classical.object_tracker import fit_appearance
from segmentation.classical.scaled_frames import ScaledFrames
from segmentation.runtime.caches import DigestCache

KEPT = 128  # of one object in one frame each, 0.2 MB

Map = NDArray[Any]  # float32 [h, w]


class AppearanceCache:
    """How objects look in annotated frames. Safe to share between threads."""

    def __init__(self, scaled_frames: ScaledFrames) -> None:
        self._scaled_frames = scaled_frames
        self._kept: DigestCache[tuple[int, int], AppearanceSample] = DigestCache(KEPT)

    def of(self, object_id: int, frame: int, probability: Map) -> AppearanceSample:
        """An object in `frame`, where it is what `probability` says, on the grid."""
        digest = hashlib.blake2b(probability.tobytes()).digest()
        return self._kept.get(
            (object_id, frame), digest, lambda: fit_appearance(frame, self._scaled_frames[frame], probability)
        )
