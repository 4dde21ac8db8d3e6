"""Keeps the appearance models that were fitted to annotated frames, so that later rounds need not fit them again."""

from __future__ import annotations

import hashlib

from segmentation.classical.appearance import AppearanceSample
from segmentation.classical.object_tracker import fit_appearance
from segmentation.classical.scaled_frames import ScaledFrames
from segmentation.runtime.caches import DigestCache
from segmentation.types import FloatMap

KEPT = 128  # Largest number of entries, each for one object in one frame: 0.2 MB.


class AppearanceCache:
    """A cache of appearance models by object id and frame. Several threads may use it at once."""

    def __init__(self, scaled_frames: ScaledFrames) -> None:
        self._scaled_frames = scaled_frames
        self._kept: DigestCache[tuple[int, int], AppearanceSample] = DigestCache(KEPT)

    def of(self, object_id: int, frame: int, probability: FloatMap) -> AppearanceSample:
        """Return the models of an object in `frame`, fitted to its probability map at the reduced size `Sizes.grid`.

        They are fitted anew only if the frame's probability map has changed.
        """
        digest = hashlib.blake2b(probability.tobytes()).digest()
        return self._kept.get(
            (object_id, frame), digest, lambda: fit_appearance(frame, self._scaled_frames[frame], probability)
        )
