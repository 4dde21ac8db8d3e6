"""The values that an engine takes and returns: scribbles, interactions, mask updates and past rounds; and array types.

Coordinates are those of the DAVIS challenge: x runs from 0 at the first column of pixels to 1 at the last one, and y
from 0 at the first row to 1 at the last one. A mask is a label map at the size of the video.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # [H, W, 3], RGB
GreyImage = NDArray[np.uint8]  # [H, W]
LabelMap = NDArray[np.uint8]  # [H, W], the object id of every pixel, 0 = background
BinaryMask = NDArray[np.bool_]  # [H, W], the pixels of one object or region
ProbabilityMap = NDArray[np.float32]  # [H, W], 0..1, of one object
ProbabilityMaps = NDArray[np.float32]  # [N, H, W], of objects 1..N
FloatMap = NDArray[np.float32]  # [H, W], any real value for each pixel
FlowField = NDArray[np.float32]  # [H, W, 2], the motion of each pixel in pixels, x first
FloatArray = NDArray[np.float32]  # any shape; the comment at each use gives it
Path = NDArray[np.float64]  # [P, 2], points (x, y) in 0..1

MAX_OBJECTS = 254  # object ids are uint8, 0 is the background, and 255 is IGNORE
IGNORE = 255  # in ground truth: a pixel of which it is not known what it shows; the metrics count it as background


class FrameSource(Protocol):
    """The frames of a video as an engine reads them: by index, all of one size, uint8 RGB [H, W, 3]."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...


@dataclass(frozen=True, eq=False)
class Scribble:
    """A path that a person drew for one object.

    Two scribbles are equal if their object ids and all points are equal; `keeps` does not count. Equal scribbles have
    the same hash.

    Args:
        object_id: 1..254, or 0 for a scribble of the background.
        path: float64 [P, 2], P >= 1, points (x, y) in 0..1.
        keeps: ids of objects whose pixels were given in the frame after this was drawn, so it does not release them
            (see `Engine.give`).
    """

    object_id: int
    path: Path
    keeps: frozenset[int] = frozenset()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scribble):
            return NotImplemented
        return self.object_id == other.object_id and np.array_equal(self.path, other.path)

    def __hash__(self) -> int:
        points = np.asarray(self.path, np.float64) + 0.0  # turns -0.0 into 0.0, so that equal paths have equal bytes
        return hash((self.object_id, points.shape, points.tobytes()))


@dataclass(frozen=True)
class Click:
    """A point that a person clicked.

    Args:
        object_id: 1..254, or 0 for the background.
        point: (x, y) in 0..1.
        positive: True if the point belongs to the object, False if it does not.
        keeps: as for Scribble.
    """

    object_id: int
    point: tuple[float, float]
    positive: bool = True
    keeps: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Box:
    """A rectangle that a person drew around an object: in its frame, the object has no pixel outside of it.

    Args:
        object_id: 1..254.
        corners: (x0, y0, x1, y1) in 0..1 with x0 < x1 and y0 < y1.
        keeps: as for Scribble.
    """

    object_id: int
    corners: tuple[float, float, float, float]
    keeps: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Interaction:
    """All prompts that a person drew on one frame before a round: scribbles, clicks and boxes."""

    frame: int
    scribbles: tuple[Scribble, ...] = ()
    clicks: tuple[Click, ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, eq=False)
class MaskUpdate:
    """The mask of one frame, as an engine yields it while a round runs. `==` is true only for the same object.

    Args:
        frame: index of the frame.
        labels: uint8 [H, W] at the size of the video.
        confidence: `confidence[i]` is the confidence of object i + 1, in 0..1.
        engine_state: bytes that the engine wants to keep with this mask (quantised probabilities, for example), at most
            64 kB. The caller stores them with the mask and passes them back in `PastRound.engine_states`. An engine
            that attaches them must itself continue from their content and not from anything more precise, so that a
            session that stayed open and a session that was rebuilt compute identical masks.
        lost: ids of the objects that are lost in this frame, ascending: they were drawn, given or accepted in some
            frame, but have no or almost no pixels here, and are neither fixed nor marked as absent here. Their
            confidence is at most 0.5.
    """

    frame: int
    labels: LabelMap
    confidence: tuple[float, ...]
    engine_state: bytes | None = None
    lost: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class PastRound:
    """A stored version of the masks (a round, painted masks or an edit), from which any engine can rebuild its state.

    `==` is true only for the same object.

    Args:
        engine: name of the engine that ran the round; "" for masks that were painted, edited or imported. Another
            engine that restores the round ignores `engine_states`.
        interactions: what was drawn before the round, one interaction for each frame; empty for masks that no engine
            made.
        num_objects: how many objects the video had.
        labels: the masks that this version added, by frame. The mapping may read a mask from storage on each access.
            A cancelled round has masks of some frames only.
        engine_states: the engine states of these masks, by frame.
        given: by frame, the ids of the objects whose pixels a person fixed there in this version (see `Engine.give`).
            Each of its frames has a mask in `labels`.
        direction: the argument `direction` of `Engine.run_round`.
    """

    engine: str
    interactions: tuple[Interaction, ...]
    num_objects: int
    labels: Mapping[int, LabelMap]
    engine_states: Mapping[int, bytes] = field(default_factory=dict)
    given: Mapping[int, frozenset[int]] = field(default_factory=dict)
    direction: str = "both"

    @property
    def interaction(self) -> Interaction:
        """Return the only interaction of a round that was drawn on one frame."""
        (only,) = self.interactions
        return only
