"""A clip with what needs no learning: the first scribbles, the mask that GrabCut makes of them, optical flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.drawing import draw_on
from segmentation.classical.motion import FlowField
from segmentation.classical.picture import Pictures, Sizes, make_picture
from segmentation.frames import ArrayFrames
from segmentation.training.clips import Clip
from segmentation.training.strokes import first_scribbles
from segmentation.types import Scribble

CUT = 0.4  # of the clips: it takes as long as all the rest of making one


@dataclass(frozen=True)
class DrawnClip:
    """`cut` is the label map [H, W] of frame 0, None where none was made.

    `back[t, 0]` leads from the pixels of frame t + 1 to where they were in frame t, `back[t, 1]` from frame t to t + 1:
    float16 [T - 1, 2, H, W, 2] (x, y); `trust` of it, uint8, 255 = all. `looks` are the pictures', half the size:
    [T, CHANNELS, H/2, W/2]. `guess`, in clips of recorded walks, is what was found: [T, n, H, W], 255 = 1.
    """

    clip: Clip
    strokes: tuple[Scribble, ...]
    cut: NDArray[np.uint8] | None
    back: NDArray[np.float16]
    trust: NDArray[np.uint8]
    looks: NDArray[np.float16]
    guess: NDArray[np.uint8] | None = None


def draw(clip: Clip, random: np.random.Generator) -> DrawnClip:
    """Scribble on frame 0, cut it, follow the motion both ways."""
    strokes = first_scribbles(random, clip.labels[0], clip.num_objects)
    cut = None
    if random.random() < CUT:
        pictures = Pictures(ArrayFrames(clip.frames), Sizes.of(*clip.labels.shape[1:]))
        cut = draw_on(pictures, 0, [], strokes, None, int(random.integers(1 << 30)))
    motions = list(_motions(clip))
    shape = (len(clip.frames) - 1, 2, *clip.labels.shape[1:])
    back = np.stack([one for one, _ in motions]).reshape(*shape, 2)
    trust = np.stack([one for _, one in motions]).reshape(shape)
    return DrawnClip(clip, strokes, cut, back, trust, looks_of_frames(clip.frames))


def looks_of_frames(frames: NDArray[np.uint8]) -> NDArray[np.float16]:
    """uint8 [T, H, W, 3] -> `Picture.looks` of each [T, CHANNELS, h, w]."""
    sizes = Sizes.of(*frames.shape[1:3])
    return np.stack([make_picture(frame, sizes).looks.transpose(2, 0, 1).astype(np.float16) for frame in frames])


def _motions(clip: Clip) -> Iterator[tuple[NDArray[np.float16], NDArray[np.uint8]]]:
    field = FlowField()
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).view(np.ndarray) for frame in clip.frames]
    for before, after in pairwise(grey):
        for frame, neighbour in ((after, before), (before, after)):
            motion = field.between(frame, neighbour)
            yield motion.back.astype(np.float16), _bytes(motion.trust)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.round(255 * values).astype(np.uint8)
