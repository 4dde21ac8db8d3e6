"""Training samples of STAR: two annotated frames, and other frames with masks that classical vision propagated."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation.classical.interacted_frame import InteractedFrame
from segmentation.classical.motion import FlowEstimator
from segmentation.classical.scaled_frames import ScaledFrames, Sizes, scale_frame
from segmentation.frames import ArrayFrames
from segmentation.training.clips import Clip
from segmentation.training.synthetic_scribbles import first_scribbles
from segmentation.types import Scribble

CUT = 0.4  # fraction of clips whose first mask is cut by GrabCut, which takes half of the time of a clip
TWICE = 0.5  # fraction of clips with two annotated frames

Strokes = tuple[Scribble, ...]


@dataclass(frozen=True, eq=False)
class StarClip:
    """A clip whose first two frames are annotated. They are the same frame if only one was annotated.

    `strokes` are the scribbles on these two. `guess` holds probability maps of the objects, uint8 [T, n, H, W], 255 =
    1: in the first two frames the masks made from the scribbles, in the others the maps to refine. `recorded` is true
    if an engine computed `guess`; otherwise it is synthetic, with smaller errors. `pixel_features` are those of the
    frames at half the size, [T, CHANNELS, H/2, W/2].
    """

    clip: Clip
    strokes: tuple[Strokes, Strokes]
    guess: NDArray[np.uint8]
    recorded: bool
    pixel_features: NDArray[np.float16]


def draw(clip: Clip, random: np.random.Generator) -> StarClip:
    """Draw scribbles on the first and sometimes on the last frame, and warp the first mask along the motion."""
    count, last = clip.num_objects, len(clip.frames) - 1
    strokes = first_scribbles(random, clip.labels[0], count)
    guess = [_of_objects(_cut(clip, strokes, random) if random.random() < CUT else clip.labels[0], count)]
    field = FlowEstimator()
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).view(np.ndarray) for frame in clip.frames]
    for t in range(1, last):
        motion = field.between(grey[t], grey[t - 1])
        guess.append(np.stack([motion.warp(map_) for map_ in guess[-1]]))
    second, again = 0, strokes
    if random.random() < TWICE:
        second, again = last, first_scribbles(random, clip.labels[last], count)
    guess.append(_of_objects(clip.labels[last], count))  # the true mask, as after corrections
    order = [0, second, *range(1, last)]
    shown = Clip(clip.frames[order], clip.labels[order], count)
    found = np.round(255 * np.clip(np.stack(guess)[order], 0, 1)).astype(np.uint8)
    return StarClip(shown, (strokes, again), found, False, pixel_features_of_frames(shown.frames))


def _cut(clip: Clip, strokes: Strokes, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the mask that the engine computes from the first scribbles, uint8 [H, W]."""
    pictures = ScaledFrames(ArrayFrames(clip.frames), Sizes.of(*clip.labels.shape[1:]))
    return InteractedFrame(pictures, 0, [], strokes, None, int(random.integers(1 << 30))).labels()


def _of_objects(labels: NDArray[np.uint8], count: int) -> NDArray[np.float32]:
    """Convert labels [H, W] to one mask per object [n, H, W]."""
    return (labels == np.arange(1, count + 1)[:, None, None]).astype(np.float32)


def pixel_features_of_frames(frames: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Compute `ScaledFrame.pixel_features` of frames uint8 [T, H, W, 3]: float16 [T, CHANNELS, h, w]."""
    sizes = Sizes.of(*frames.shape[1:3])
    return np.stack(
        [scale_frame(frame, sizes).pixel_features.transpose(2, 0, 1).astype(np.float16) for frame in frames]
    )
