"""The values that cross the border of an engine: scribbles, interactions, mask updates, earlier rounds.

Coordinates of a scribble are those of the DAVIS challenge: x and y divided by the frame's width and height, 0..1.
Masks are label maps: uint8 [H, W] at the video's own size, 0 = background, 1..N = objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LabelMap = NDArray[np.uint8]  # [H, W]
Image = NDArray[np.uint8]  # [H, W, 3], RGB

MAX_OBJECTS = 254  # ids are uint8; 255 means "ignore" in the data sets of this field


class FrameSource(Protocol):
    """A lazy, random-access sequence of frames, all of one size. Reading a frame must not need the others."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...


@dataclass(frozen=True)
class Scribble:
    """One stroke: float [P, 2] points (x, y) in 0..1, P >= 1. `object_id` 0 is a scribble of the background."""

    object_id: int
    path: NDArray[np.float64]


@dataclass(frozen=True)
class Interaction:
    """All that a person drew on one frame before a round."""

    frame: int
    scribbles: tuple[Scribble, ...]


@dataclass(frozen=True)
class MaskUpdate:
    """The mask of one frame, as an engine yields it while a round runs.

    `confidence[i]` is for object i + 1, in 0..1. `memo` is the engine's own compact note about this frame (quantised
    probabilities, say), at most 64 kB: whoever stores the mask stores it too and hands it back in `PastRound.memos`.
    An engine that writes a memo must itself go on from the memo's content, so that a kept session and a rebuilt one
    give identical masks.
    """

    frame: int
    labels: LabelMap
    confidence: tuple[float, ...]
    memo: bytes | None = None


@dataclass(frozen=True)
class PastRound:
    """An earlier round, as it was stored: enough for any engine to rebuild its state.

    `labels` and `memos` are lazy mappings from frame to what that round itself stored (a cancelled round has only some
    frames). `engine` may be another engine than the one that is restored: then memos are None-like and must be ignored.
    """

    engine: str
    interaction: Interaction
    num_objects: int
    labels: Mapping[int, LabelMap]
    memos: Mapping[int, bytes] = field(default_factory=dict)
