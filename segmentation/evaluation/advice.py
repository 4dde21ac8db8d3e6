"""Chooses the frame to correct next by an engine's confidence alone, as a person does who follows the page's advice."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

# Frames at most this far from a frame that was drawn on are advised last, because those scribbles changed them, too.
REACH = 3


def advised_frame(confidence: NDArray[np.float64], asked: Set[int]) -> int:
    """Return the frame with the lowest confidence, where that of a frame is the lowest of its objects.

    Args:
        confidence: [T, N], the confidence of each object in each frame.
        asked: the frames that were drawn on or advised before. Frames within REACH of them are chosen only if there
            are no other frames, and frames of `asked` only if it contains every frame.
    """
    least = confidence.min(axis=1)
    frames = np.arange(len(least))
    distance = np.full(len(least), len(least)) if not asked else np.abs(frames[:, None] - sorted(asked)).min(axis=1)
    for reach in (REACH, 0):
        if (distance > reach).any():
            return int(np.where(distance > reach, least, np.inf).argmin())
    return int(least.argmin())
