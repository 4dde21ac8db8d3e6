"""Replaces the middle frame of a sequence by one without its objects, to see whether they are found again."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from segmentation.evaluation.davis_folder import FolderError, Sequence
from segmentation.frames import check_index
from segmentation.types import FrameSource, Image

DISTURBANCES = ("black", "white", "foreign")


class ReplacedFrame:
    """The frames of a video, of which the frame `index` is replaced by `picture`, RGB [H, W, 3]."""

    def __init__(self, frames: FrameSource, index: int, picture: Image) -> None:
        self._frames = frames
        self._index = index
        self._picture = picture
        self.width, self.height = frames.width, frames.height

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Image:
        check_index(index, len(self._frames))
        return self._picture if index == self._index else self._frames[index]


def middle(sequence: Sequence) -> int:
    """Return the frame of a sequence that a disturbance replaces."""
    return sequence.num_frames // 2


def check_disturbance(kind: str, sequences: Mapping[str, Sequence]) -> None:
    """Raise FolderError if foreign frames are asked for, and there is only one sequence."""
    if kind == "foreign" and len(sequences) < 2:
        (name,) = sequences
        raise FolderError(f"{name}: a foreign frame comes from another sequence, and this is the only one")


def disturbed(kind: str, name: str, sequences: Mapping[str, Sequence]) -> ReplacedFrame:
    """Return the frames of the sequence `name` with its middle frame black, white, or from another video ("foreign").

    The foreign frame is the middle one of the next sequence in `sequences` (of the first one for the last), scaled to
    the size of this one. `check_disturbance` tells whether there is one.
    """
    sequence = sequences[name]
    frames = sequence.frames()
    if kind == "foreign":
        names = list(sequences)
        other = sequences[names[(names.index(name) + 1) % len(names)]]
        picture = cv2.resize(
            other.frames()[middle(other)], (frames.width, frames.height), interpolation=cv2.INTER_AREA
        ).astype(np.uint8, copy=False)
    else:
        picture = np.full((frames.height, frames.width, 3), 255 if kind == "white" else 0, np.uint8)
    picture.setflags(write=False)
    return ReplacedFrame(frames, middle(sequence), picture)
